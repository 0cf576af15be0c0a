"""Reads a log line by line, in constant memory, whatever is in it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

from rnn_edge.errors import DataError
from rnn_edge.logs.header import FAMILY, LogHeader, NotJsonError, decode, is_number
from rnn_edge.types.closing import Closing

LINE_BYTES = 1 << 20
"""A longer line is no frame: it is left out without being held."""

ENDINGS = (".jsonl", ".jsonl.gz")

_GZIP = b"\x1f\x8b"
_INT16 = (-32768, 32767)
_LAST_STEP = (1 << 63) - 1
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no frame.

    Attributes:
        line: Its number, from 1.
        reason: What is wrong and what was expected; no value of the line is in it.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class LogFrame:
    """One frame of a log.

    Attributes:
        line: Number of its line, from 1.
        step: Counter of the device.
        x: D integers in the range of int16, at the scale of the model's input, or None.
        xf: D numbers, normalised features in real units, or None.
        y: The outputs, C integers in the range of int16, or None.
        label: The decision, a name or an index, or None.
        score: Value of the decided output in real units, or None.
        is_reset: Whether the state was zero before this frame.
        record: All fields as they stand.
    """

    line: int
    step: int
    x: list[int] | None
    xf: list[float] | None
    y: list[int] | None
    label: str | int | None
    score: float | None
    is_reset: bool
    record: dict[str, Any]


class LogReader(Closing):
    """An open log.

    Args:
        path: The log, plain or compressed with gzip.
        inputs: Features D of a frame; None for as many as the first frame has.
        outputs: Outputs C; None for as many as the first ``y`` has.

    Raises:
        DataError: If it is empty, or begins with no header of this version.
    """

    def __init__(self, path: Path, inputs: int | None = None, outputs: int | None = None) -> None:
        self.path = path
        self._inputs, self._outputs = inputs, outputs
        self._peeked: list[tuple[int, bytes | str]] = []
        try:
            self._raw: IO[bytes] = path.open("rb")
        except FileNotFoundError as error:
            raise DataError(
                f"Log {path} does not exist; expected a file.", "name it with --data"
            ) from error
        try:
            self.size = path.stat().st_size
            packed = self._raw.read(len(_GZIP)) == _GZIP
            self._raw.seek(0)
            self._file: IO[bytes] = gzip.GzipFile(fileobj=self._raw) if packed else self._raw  # type: ignore[assignment]
            self._rows = self._lines()
            self.header = self._header()
        except BaseException:
            self._raw.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()

    @property
    def bytes_read(self) -> int:
        """Bytes of the file that were read, at most `size`."""
        return min(self._raw.tell(), self.size)

    def expect(self, inputs: int | None, outputs: int | None) -> None:
        """Set how many features and outputs a frame has from now on."""
        self._inputs, self._outputs = inputs, outputs

    def peek_inputs(self) -> int | None:
        """Return how many features the first frame has, or None if it cannot be told."""
        for row in self._rows:
            self._peeked.append(row)
            content = row[1]
            if isinstance(content, str) or content.strip():
                break
        else:
            return None
        try:
            value = b"" if isinstance(content, str) else decode(content)
        except NotJsonError:
            return None
        x = (value.get("x") or value.get("xf")) if isinstance(value, dict) else None
        return len(x) if isinstance(x, list) else None

    def __iter__(self) -> Iterator[LogFrame | BadLine]:
        """Yield what follows the header; empty lines are passed over."""
        peeked, self._peeked = self._peeked, []
        for number, content in chain(peeked, self._rows):
            if isinstance(content, str):
                yield BadLine(number, content)
            elif content.strip():
                yield self._frame(number, content)

    def _header(self) -> LogHeader:
        for _, content in self._rows:
            if isinstance(content, str):
                raise DataError(
                    f"Log {self.path}: the first line is {content}.",
                    "docs/logs.md has the format",
                )
            if content.strip():
                return LogHeader.of_line(content, str(self.path))
        raise DataError(
            f"Log {self.path} is empty; expected a header and a line for every frame.",
            "docs/logs.md has the format",
        )

    def _lines(self) -> Iterator[tuple[int, bytes | str]]:
        """Yield the number of each line, and its bytes or what is wrong with it."""
        number = 0
        while True:
            number += 1
            try:
                content = self._file.readline(LINE_BYTES + 1)
                if len(content) > LINE_BYTES:
                    while content and not content.endswith(b"\n"):
                        content = self._file.readline(LINE_BYTES)
                    yield number, f"too long; expected at most {LINE_BYTES:,} bytes"
                    continue
            except _DAMAGED:
                # What follows cannot be unpacked.
                yield number, "cut off or damaged, as the compressed file is; expected all of it"
                return
            if not content:
                return
            yield number, content

    def _frame(self, number: int, content: bytes) -> LogFrame | BadLine:
        try:
            return self._checked(number, decode(content))
        except NotJsonError as error:
            end = "" if content.endswith(b"\n") else " and has no end: it was cut off"
            return BadLine(number, f"{error}{end}; expected a JSON object")
        except _BadFieldError as error:
            return BadLine(number, str(error))

    def _checked(self, number: int, record: object) -> LogFrame:
        """Return a frame whose fields are what they have to be.

        Raises:
            _BadFieldError: If one is not; the message quotes no value.
        """
        if not isinstance(record, dict):
            raise _BadFieldError("no object; expected one with step and x")
        header = self.header
        step = record.get("step")
        if type(step) is not int or not 0 <= step <= _LAST_STEP:
            raise _BadFieldError(_lacks(record, "step", "a whole number from 0"))
        is_reset = record.get("reset", False)
        if type(is_reset) is not bool:
            raise _BadFieldError("reset is neither true nor false; expected one of them")
        x, xf, y = record.get("x"), record.get("xf"), record.get("y")
        if header.has_frames:
            if (x is None) == (xf is None):
                has = "has neither x nor xf" if x is None else "has both x and xf"
                raise _BadFieldError(f"{has}; expected one of them")
            if x is not None:
                self._inputs = _integers("x", x, self._inputs, "features")
            else:
                self._inputs = _numbers("xf", xf, self._inputs)
        else:
            x = xf = None
        if y is not None:
            self._outputs = _integers("y", y, self._outputs, "outputs")
        label, score, time_ms = record.get("label"), record.get("score"), record.get("time_ms")
        if "label" in header.hashed:
            label = None
        elif label is not None and not isinstance(label, str) and type(label) is not int:
            raise _BadFieldError("label is none; expected a name or an index")
        if score is not None and not is_number(score):
            raise _BadFieldError("score is no finite number; expected one")
        if time_ms is not None and not is_number(time_ms):
            raise _BadFieldError("time_ms is no finite number; expected milliseconds")
        return LogFrame(number, step, x, xf, y, label, score, is_reset, record)


class _BadFieldError(ValueError):
    """A field that is not what it has to be."""


def _lacks(record: dict[str, Any], name: str, expected: str) -> str:
    return f"{name} is {'none' if name in record else 'missing'}; expected {expected}"


def _integers(name: str, values: object, wanted: int | None, what: str) -> int:
    """Check int16 values; return how many there are."""
    if not isinstance(values, list) or not values or set(map(type, values)) != {int}:
        raise _BadFieldError(f"{name} is no list of whole numbers; expected {what} as int16")
    if wanted is not None and len(values) != wanted:
        raise _BadFieldError(f"{name} has {len(values)} values; expected {wanted} {what}")
    if min(values) < _INT16[0] or max(values) > _INT16[1]:
        raise _BadFieldError(f"{name} has a value beyond int16; expected -32768 to 32767")
    return len(values)


def _numbers(name: str, values: object, wanted: int | None) -> int:
    """Check finite numbers; return how many there are."""
    if not isinstance(values, list) or not values or not all(map(is_number, values)):
        raise _BadFieldError(f"{name} is no list of finite numbers; expected features")
    if wanted is not None and len(values) != wanted:
        raise _BadFieldError(f"{name} has {len(values)} values; expected {wanted} features")
    return len(values)


def is_log(path: Path) -> bool:
    """Return whether a path is meant as a log: by its ending, or by a header in its first line."""
    if path.exists() and not path.is_file():
        return False
    if path.name.endswith(ENDINGS):
        return True
    try:
        with path.open("rb") as raw:
            packed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            file: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
            line = file.readline(LINE_BYTES)
        value = decode(line)
    except (OSError, EOFError, zlib.error, NotJsonError):
        return False
    return isinstance(value, dict) and str(value.get("format", "")).startswith(FAMILY)
