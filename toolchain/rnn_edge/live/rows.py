"""Rows of sensor channels from text: CSV with or without names, JSON arrays and objects."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from rnn_edge.data.guess import LABEL_COLUMNS
from rnn_edge.data.table import MISSING_CELLS, reads_as_number
from rnn_edge.errors import DataError
from rnn_edge.streams.base import ANOMALOUS, NORMAL, UNLABELLED
from rnn_edge.types import Array

LARGEST = 1e18
"""No reading of a sensor is larger; it is that of the tables that models are trained on."""

SHOWN_NAMES, SHOWN_CHARACTERS = 40, 60
"""Of the columns of a file that lacks a channel: how many are named, and how much of each name."""


class BadRowError(ValueError):
    """A line that is no row; the message says why."""


@dataclass(frozen=True)
class RowFormat:
    """How the rows of a bundle's data are written.

    Attributes:
        channels: Names of the channels, in the order of the model.
        rate_hz: Rows per second.
        delimiter: Between cells.
        time_column: Name of the column that tells the time, or empty.
        time_format: What is in it.
        hold_rows: A missing value is told as NaN, and so are rows that are missing by the column of
            time where these are no more; None where missing values are held here, and rows are not
            told.
        label_columns: Columns that mark anomalous rows; no model sees them. None where nothing is
            known of them: those of usual names then.
        anomalous_values: Cells that mean "anomalous"; empty for any number but 0.
    """

    channels: tuple[str, ...]
    rate_hz: float
    delimiter: str = ","
    time_column: str = ""
    time_format: Literal["iso", "number"] = "iso"
    hold_rows: int | None = None
    # What tells a source from another is how its channels are written.
    label_columns: tuple[str, ...] | None = field(default=(), repr=False)
    anomalous_values: tuple[str, ...] = field(default=(), repr=False)


def _shown(names: Sequence[str]) -> str:
    """Return names of columns for a message; a file of something else may have any."""
    listed = ", ".join(f"{name:.{SHOWN_CHARACTERS}}" for name in names[:SHOWN_NAMES])
    more = len(names) - SHOWN_NAMES
    return f"{listed} and {more:,} more" if more > 0 else listed


def _shortened(value: object) -> str:
    """Return what stands in the place of a number for a message, with quotes round a text."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


class RowReader:
    """Turns lines into rows, and counts what they lack.

    A cell without a value takes the last one of its channel, or is NaN where the format says so.
    A row before which rows are missing, by the time column, says so.

    Args:
        form: How rows are written.
        source: What messages call the source.
        is_whole: Whether the first line is one: a serial port may begin in the middle of it.
    """

    def __init__(self, form: RowFormat, source: str, *, is_whole: bool = True) -> None:
        self.bad = 0
        """Lines that were no rows."""
        self.held = 0
        """Cells without a value."""
        self.missing = 0
        """Rows that are missing, by the time column."""
        self.label = UNLABELLED
        """What is known of the last row."""
        self._form, self._source, self._is_whole = form, source, is_whole
        self._last: Array = np.full(len(form.channels), np.nan)
        self._places: list[int] | None = None
        self._time_place: int | None = None
        self._label_places: list[int] = []
        self._width = 0
        self._is_first = True
        self._last_s: float | None = None
        self._absent = 0
        """Rows that are missing before the one that is read."""

    def begin(self) -> None:
        """Begin with the first line of a file again."""
        self._places, self._time_place, self._width = None, None, 0
        self._label_places = []
        self._is_first, self._last_s = True, None

    def row(self, line: bytes | None) -> tuple[Array, bool] | None:
        """Return a row float64 (channels,) and whether there is a gap before it.

        Rows of NaN that belong before it are those of `rows`.

        Args:
            line: None for one that was too long.

        Returns:
            None for an empty line and for the names of the columns.

        Raises:
            BadRowError: If the line is no row; it is counted.
            DataError: If the line names columns, and a channel is not among them, or twice.
        """
        try:
            return self._row(line)
        except BadRowError:
            self.bad += 1
            raise

    def rows(self, line: bytes | None) -> list[tuple[Array, bool]]:
        """Return what `row` returns, behind the rows that are missing before it.

        Raises:
            BadRowError: As `row`.
            DataError: As `row`.
        """
        self._absent = 0
        found = self.row(line)
        if found is None:
            return []
        absent = np.full(len(self._form.channels), np.nan)
        return [(absent, False)] * self._absent + [found]

    def _row(self, line: bytes | None) -> tuple[Array, bool] | None:
        if line is None:
            raise BadRowError("longer than any row")
        try:
            text = line.decode("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            raise BadRowError("no UTF-8") from error
        if not text:
            return None
        if text[0] in "[{":
            return self._complete(self._json(text)), False
        cells = self._cells(text)
        if self._is_first:
            self._is_first = False
            if self._is_header(cells):
                return None
        if self._places is None:
            if len(cells) != len(self._form.channels):
                raise BadRowError(
                    f"{len(cells)} cells; expected {len(self._form.channels)}, one per channel"
                )
            return self._complete(self._numbers(cells)), False
        if len(cells) != self._width:
            raise BadRowError(f"{len(cells)} cells; expected {self._width}, as many as names")
        is_after_gap = self._is_after_gap(cells)
        self.label = self._label(cells)
        return self._complete(self._numbers([cells[k] for k in self._places])), is_after_gap

    def _cells(self, text: str) -> list[str]:
        if '"' not in text:
            return text.split(self._form.delimiter)
        try:
            return next(csv.reader([text], delimiter=self._form.delimiter, strict=True))
        except (csv.Error, StopIteration) as error:
            raise BadRowError(f"no CSV ({error})") from error

    def _is_header(self, cells: Sequence[str]) -> bool:
        """Take the names of columns, if a line has any of them."""
        names = [cell.strip() for cell in cells]
        form = self._form
        if not set(names) & {*form.channels, form.time_column} - {""}:
            is_row = any(reads_as_number(cell) for cell in cells)
            if is_row or not self._is_whole:
                return False
        missing = [channel for channel in form.channels if channel not in names]
        if missing:
            raise DataError(
                f"{self._source} has no column {', '.join(map(repr, missing))}; its columns are "
                f"{_shown(names)}.",
                "the channels are those of the bundle's spec; see --delimiter",
            )
        for name in filter(None, (*form.channels, form.time_column)):
            if names.count(name) > 1:
                raise DataError(
                    f"{self._source} has two columns {name!r}; expected different names."
                )
        self._places = [names.index(channel) for channel in form.channels]
        self._width = len(names)
        if form.time_column in names:
            self._time_place = names.index(form.time_column)
        if form.label_columns is None:
            usual = [name for name in names if name.lower() in LABEL_COLUMNS]
            found = [name for name in usual if name not in form.channels]
        else:
            found = [name for name in form.label_columns if name in names]
        self._label_places = [names.index(name) for name in found]
        return True

    def _label(self, cells: Sequence[str]) -> int:
        """Return what the cells of labels say; one that says nothing leaves the row unlabelled."""
        found = [self._mark(cells[place].strip()) for place in self._label_places]
        if ANOMALOUS in found:
            return ANOMALOUS
        return NORMAL if found and UNLABELLED not in found else UNLABELLED

    def _mark(self, cell: str) -> int:
        if cell.lower() in MISSING_CELLS:
            return UNLABELLED
        if self._form.anomalous_values:
            return ANOMALOUS if cell in self._form.anomalous_values else NORMAL
        try:
            return ANOMALOUS if float(cell) != 0.0 else NORMAL
        except ValueError:
            return UNLABELLED

    def _json(self, text: str) -> list[float]:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadRowError("no JSON") from error
        channels = self._form.channels
        if isinstance(value, dict):
            if not any(channel in value for channel in channels):
                # A name from outside may hold what no terminal and no file takes.
                names = _shown([repr(name) for name in value]) or "none"
                wanted = _shown([repr(channel) for channel in channels])
                raise BadRowError(f"no name is that of a channel: {names}; expected {wanted}")
            value = [value.get(channel) for channel in channels]
        if not isinstance(value, list) or len(value) != len(channels):
            raise BadRowError(f"expected {len(channels)} numbers, or an object by channel")
        return [self._json_number(*each) for each in zip(channels, value, strict=True)]

    def _complete(self, values: list[float]) -> Array:
        row = np.array(values)
        gone = np.isnan(row)
        if gone.any():
            if self._form.hold_rows is None:
                if np.isnan(self._last[gone]).any():
                    raise BadRowError("a cell has no value, and none was before it")
                row[gone] = self._last[gone]
            self.held += int(gone.sum())
        self._last = row
        return row

    def _is_after_gap(self, cells: Sequence[str]) -> bool:
        if self._time_place is None:
            return False
        now_s = self._time(cells[self._time_place])
        before_s, self._last_s = self._last_s, now_s
        if before_s is None:
            return False
        if now_s <= before_s:
            self._last_s = before_s
            raise BadRowError("its time is not after that of the row before")
        missing = round((now_s - before_s) * self._form.rate_hz) - 1
        self.missing += max(0, missing)
        if 0 < missing <= (self._form.hold_rows or 0):
            self._absent = missing
            return False
        return missing > 0

    def _time(self, cell: str) -> float:
        try:
            if self._form.time_format == "number":
                value = float(cell)
                if math.isfinite(value):
                    return value
                raise ValueError(cell)
            moment = datetime.fromisoformat(cell.strip())
        except ValueError as error:
            raise BadRowError("its time cannot be read") from error
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    def _numbers(self, cells: Sequence[str]) -> list[float]:
        """Return the values of cells, one per channel in the order of the model."""
        return [self._number(*each) for each in zip(self._form.channels, cells, strict=True)]

    def _number(self, channel: str, cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            if cell.strip().lower() in MISSING_CELLS:
                return math.nan
            raise BadRowError(
                f"column {channel!r}: {_shortened(cell.strip())}; expected a number"
            ) from None
        return self._bounded(channel, value)

    def _json_number(self, channel: str, value: Any) -> float:  # noqa: ANN401 - any JSON value
        if value is None:
            return math.nan
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRowError(f"channel {channel!r}: {_shortened(value)}; expected a number")
        try:
            return self._bounded(channel, float(value))
        except OverflowError as error:
            raise BadRowError(f"channel {channel!r}: a value that is too large") from error

    def _bounded(self, channel: str, value: float) -> float:
        if math.isnan(value) or -LARGEST <= value <= LARGEST:
            return value
        if self._form.hold_rows is None:
            raise BadRowError(f"channel {channel!r}: {value:g} is beyond {LARGEST:g}")
        # Whoever wants to know what is missing knows what is out of range, too.
        return math.copysign(LARGEST, value)
