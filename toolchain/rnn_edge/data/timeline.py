"""When the rows of a table were sampled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import numpy as np

from rnn_edge.data.table import Table
from rnn_edge.errors import DataError
from rnn_edge.types import Array

RATE_TOLERANCE = 0.1
"""Largest relative difference between the median step and the sample rate."""
NEARLY_WHOLE = 1e-5
"""Relative; as times in seconds since 1970 tell steps of a tenth, and a second in a day."""


def row_times_s(table: Table, column: str, time_format: Literal["iso", "number"]) -> Array:
    """Return the time of each row in seconds after the first, float64 (T,).

    Dates without a time zone are taken as UTC, so that no hour is missing or doubled.

    Raises:
        DataError: If a cell is no time, or a row is not later than the one before it.
    """
    if time_format == "number":
        times = table.numbers(column)
        if np.isnan(times).any():
            row = int(np.argmax(np.isnan(times)))
            raise table.bad_cell(row, column, "a time in seconds")
    else:
        times = np.asarray([_iso_s(table, column, k) for k in range(table.rows)])
    steps = np.diff(times)
    if (steps <= 0).any():
        row = int(np.argmax(steps <= 0)) + 1
        before = table.texts(column)[row - 1]
        raise table.bad_cell(
            row, column, f"a time after {before}", "sort the rows by time and remove repeated ones"
        )
    return np.asarray(times - times[0])


def _iso_s(table: Table, column: str, row: int) -> float:
    try:
        moment = datetime.fromisoformat(table.texts(column)[row])
    except ValueError as error:
        raise table.bad_cell(
            row,
            column,
            "an ISO date and time",
            'set time_format = "number" if times are in seconds',
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def sample_rate_of(times_s: Array, table: Table) -> float:
    """Return the rate in Hz of the median step.

    Steps between times of float64 are rounded, 0.1 s to 0.0999999: a rate in Hz, or a period in
    seconds, that is nearly whole is taken for whole.

    Raises:
        DataError: If there is only one row.
    """
    if len(times_s) < 2:
        raise DataError(f"File {table.name} has one row; expected at least two to tell its rate.")
    step = float(np.median(np.diff(times_s)))
    for whole in (float(round(1.0 / step)), 1.0 / max(1, round(step))):
        if abs(whole * step - 1.0) <= NEARLY_WHOLE:
            return whole
    return 1.0 / step


def missing_before(times_s: Array, sample_rate_hz: float, table: Table) -> Array:
    """Return how many samples are missing before each row, int64 (T,).

    Raises:
        DataError: If the rows come at another rate.
    """
    missing = np.zeros(len(times_s), np.int64)
    if len(times_s) < 2:
        return missing
    rate = sample_rate_of(times_s, table)
    if abs(rate / sample_rate_hz - 1.0) > RATE_TOLERANCE:
        raise DataError(
            f"File {table.name} has {rate:g} rows per second; expected {sample_rate_hz:g}.",
            "set sample_rate_hz, or resample the file",
        )
    missing[1:] = np.maximum(np.rint(np.diff(times_s) * sample_rate_hz).astype(np.int64) - 1, 0)
    return missing
