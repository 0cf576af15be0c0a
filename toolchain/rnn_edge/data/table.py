"""Tables of numbers and texts from CSV, NPZ and NPY files."""

from __future__ import annotations

import csv
import io
import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.registry import known
from rnn_edge.types import Array

MISSING_CELLS = frozenset({"", "nan", "na", "n/a", "null", "none"})
"""Cells that hold no value, in lower case."""

_NUMPY_STARTS = (b"\x93NUMPY", b"PK")
"""How an array and an archive of arrays begin."""
_NUMPY_HINT = (
    "write numbers with numpy.savez or numpy.save; the name of a table of text ends in .csv"
)


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length.

    Attributes:
        name: File name, for messages.
        cells: Column name to its texts (a list) or its numbers (float64 (T,)).
        lines: Line of the file where each row ends, counted from 1; for a binary file, the
            number of the row.
    """

    name: str
    cells: MappingProxyType[str, list[str] | Array]
    lines: tuple[int, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names, in the order of the file."""
        return tuple(self.cells)

    @property
    def rows(self) -> int:
        """Length T."""
        return len(self.lines)

    def column(self, name: str) -> list[str] | Array:
        """Return one column.

        Raises:
            DataError: Naming the columns there are.
        """
        if name not in self.cells:
            raise DataError(
                f"File {self.name} has no column {name!r}; its columns are {known(self.columns)}.",
                "correct the names in the spec, or the delimiter",
            )
        return self.cells[name]

    def has_numbers(self, name: str) -> bool:
        """Say whether any cell of the column is a number."""
        cells = self.column(name)
        if isinstance(cells, list):
            return any(_is_number(cell) for cell in cells)
        return bool(np.isfinite(cells).any())

    def numbers(self, name: str) -> Array:
        """Return a column as float64 (T,), NaN where a cell is missing.

        Raises:
            DataError: Naming line, column and value of a cell that is no finite number.
        """
        cells = self.column(name)
        if not isinstance(cells, list):
            if np.isinf(cells).any():
                row = int(np.argmax(np.isinf(cells)))
                raise self.bad_cell(row, name, "a finite number or no value")
            return cells
        values = np.empty(len(cells))
        for row, cell in enumerate(cells):
            if cell.lower() in MISSING_CELLS:
                values[row] = np.nan
            elif _is_number(cell):
                values[row] = float(cell)
            else:
                raise self.bad_cell(row, name, "a finite number or no value")
        return values

    def texts(self, name: str) -> list[str]:
        """Return a column as texts; whole numbers of a binary file without a point."""
        cells = self.column(name)
        return cells if isinstance(cells, list) else [f"{value:g}" for value in cells]

    def bad_cell(self, row: int, column: str, expected: str, hint: str = "") -> DataError:
        """Return the error about one cell."""
        return DataError(
            f"File {self.name}, line {self.lines[row]}, column {column!r}: "
            f"{self.cells[column][row]!s:.40}; expected {expected}.",
            hint,
        )


def parse_table(name: str, content: bytes, delimiter: str) -> Table:
    """Read a file by its ending: .npz, .npy, anything else as CSV.

    Args:
        name: For the ending and messages.
        content: The whole file.
        delimiter: Between the cells of a CSV file.

    Raises:
        DataError: If it is damaged or no table.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in (".npz", ".npy"):
        return _parse_numpy(name, content)
    return parse_csv(name, content, delimiter)


def parse_csv(name: str, content: bytes, delimiter: str) -> Table:
    """Read a CSV file with one line of column names; empty lines are skipped.

    Raises:
        DataError: If it is empty, not UTF-8, has no names, a name twice, or a line of another
            number of cells.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"File {name} is not text: {error}; expected CSV in UTF-8.") from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    header: list[str] | None = None
    try:
        for cells in reader:
            if not cells:
                continue
            if header is None:
                header = _header(name, cells)
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"File {name}, line {reader.line_num} has {len(cells)} cells; "
                    f"expected {len(header)}, as many as column names.",
                    "check the delimiter and whether the file is whole",
                )
            rows.append([cell.strip() for cell in cells])
            lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"File {name}, line {reader.line_num}: {error}; expected CSV.") from error
    if header is None or not rows:
        raise DataError(f"File {name} has no rows; expected column names and values below them.")
    columns: dict[str, list[str] | Array] = {
        column: [row[k] for row in rows] for k, column in enumerate(header)
    }
    return Table(name, MappingProxyType(columns), tuple(lines))


def _header(name: str, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    for column in header:
        if not column:
            raise DataError(f"File {name} has a column without a name; expected names first.")
        if header.count(column) > 1:
            raise DataError(f"File {name} has two columns {column!r}; expected different names.")
    if all(_is_number(column) for column in header):
        raise DataError(
            f"File {name} starts with numbers; expected a line of column names first.",
            "add a line of column names",
        )
    return header


def reads_as_number(cell: str) -> bool:
    """Return whether a cell can be read as a number, "nan" and infinities too."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_number(cell: str) -> bool:
    try:
        # Python's own syntax for literals allows underscores; a table does not.
        return math.isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False


def _parse_numpy(name: str, content: bytes) -> Table:
    """Read arrays: a vector is a column of its key's name, a matrix gives key_0, key_1, ..."""
    try:
        loaded = np.load(io.BytesIO(content), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            arrays = {"column": loaded}
        else:
            arrays = {key: loaded[key] for key in loaded.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        reason = _numpy_reason(content, error)
        raise DataError(f"File {name} {reason}; expected NumPy arrays.", _NUMPY_HINT) from error
    columns: dict[str, list[str] | Array] = {}
    for key, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise DataError(
                f"File {name}: {key!r} is no array; expected NumPy arrays.", _NUMPY_HINT
            )
        if array.ndim not in (1, 2):
            raise DataError(
                f"File {name}: array {key!r} has {array.ndim} dimensions; expected 1 or 2."
            )
        if array.ndim == 1:
            columns[key] = _numpy_column(name, key, array)
        else:
            for k in range(array.shape[1]):
                columns[f"{key}_{k}"] = _numpy_column(name, key, array[:, k])
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise DataError(
            f"File {name} has arrays of {sorted(lengths)} rows; expected the same number, over 0."
        )
    return Table(name, MappingProxyType(columns), tuple(range(1, lengths.pop() + 1)))


def _numpy_reason(content: bytes, error: Exception) -> str:
    """Say what is wrong with a file: numpy takes what it does not know for a pickle to trust."""
    if not content:
        return "is empty"
    if not content.startswith(_NUMPY_STARTS):
        return "is no NumPy file"
    if "allow_pickle" in str(error):
        return "holds Python objects"
    return f"cannot be read: {str(error).rstrip('.')}"


def _numpy_column(name: str, key: str, array: Array) -> list[str] | Array:
    if array.dtype.kind == "U":
        return [str(cell).strip() for cell in array]
    if array.dtype.kind not in "biuf":
        raise DataError(f"File {name}: array {key!r} is {array.dtype}; expected real numbers.")
    return array.astype(np.float64)
