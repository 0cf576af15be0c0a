"""Sensor recordings as tables: CSV, NPZ or NPY files, alone, in a folder or in an archive."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.data.base import DataSource
from rnn_edge.data.options import SensorTableOptions
from rnn_edge.data.pieces import Piece, normal_pieces, whole_pieces
from rnn_edge.data.sensor_split import file_splits, matches, row_ranges
from rnn_edge.data.table import MISSING_CELLS, Table, parse_table
from rnn_edge.data.timeline import missing_before, row_times_s, sample_rate_of
from rnn_edge.data.tree import FileTree, open_tree
from rnn_edge.errors import DataError, SplitError
from rnn_edge.registry import known
from rnn_edge.types import Array, SensorDataset, SensorRecording, Split

WRONG_COLUMNS = "correct the names of the columns, or the delimiter"
"""Hint where a channel is in no column."""
LARGEST = 1e18
"""Largest value of a channel; squares of larger ones leave the range of float32."""


@dataclass(frozen=True)
class _Layout:
    """What all files have in common."""

    channels: tuple[str, ...]
    labels: tuple[str, ...]
    sample_rate_hz: float


def load_sensor_table(path: Path, options: SensorTableOptions, seed: int = 0) -> SensorDataset:
    """Read tables, deal with their holes, and divide them into splits.

    Args:
        path: A file, a folder or a tar archive.
        options: What to read and how.
        seed: Chooses the files of each split where neither patterns nor time do.

    Raises:
        DataError: If a file, column or cell is missing or bad, time runs backwards, a channel
            is constant, or nothing is left for training.
    """
    tree = open_tree(path)
    names = [name for name in tree.names if matches(name, options.files)]
    if not names:
        raise DataError(
            f"Data {path} has no file like {known(options.files)}; "
            f"files there are {known(tree.names[:8])}{', ...' if len(tree.names) > 8 else ''}.",
            "set files to the pattern of the tables",
        )
    done: Counter[str] = Counter()
    splits = file_splits(names, options, seed) if options.split_by == "recording" else {}
    layout: _Layout | None = None
    notes: list[str] = []
    recordings: list[SensorRecording] = []
    for table in _tables(tree, names, options):
        if layout is None:
            layout, notes = _layout(table, options)
        parts: list[tuple[Split, int, int]] = (
            [(splits[table.name], 0, table.rows)]
            if splits
            else row_ranges(table.name, table.rows, options)
        )
        recordings += _recordings(table, parts, layout, options, done)
    assert layout is not None, "there is a file"
    channels, kept, more = _without_constant(layout.channels, recordings, options, path)
    return SensorDataset(
        source=f"sensor tables: {path.name}",
        is_synthetic=False,
        sample_rate_hz=layout.sample_rate_hz,
        channels=channels,
        recordings=tuple(kept),
        notes=(*notes, *_notes(done, options), *more, *_missing_splits(kept, options)),
    )


def _tables(tree: FileTree, names: list[str], options: SensorTableOptions) -> list[Table]:
    tables = [parse_table(name, content, options.delimiter) for name, content in tree.read(names)]
    return sorted(tables, key=lambda table: table.name)


def _layout(table: Table, options: SensorTableOptions) -> tuple[_Layout, list[str]]:
    """Take channels and rate from the first file."""
    channels = options.channels or _numeric_columns(table, options)
    if not channels:
        raise _no_channel(table, options)
    notes = []
    others = [c for c in table.columns if c not in (*channels, *_named(options))]
    if others:
        notes.append(f"Column(s) left out: {', '.join(others)}.")
    rate_hz = options.sample_rate_hz
    if not rate_hz:
        times_s = row_times_s(table, options.time_column, options.time_format)
        rate_hz = sample_rate_of(times_s, table)
        notes.append(f"Sample rate {rate_hz:g} Hz, from {options.time_column}.")
    return _Layout(tuple(channels), options.label_columns, rate_hz), notes


def _no_channel(table: Table, options: SensorTableOptions) -> DataError:
    """Return the error about a file without a column that could be a channel."""
    free = [column for column in table.columns if column not in _named(options)]
    if len(table.columns) == 1:
        # What a wrong delimiter makes of any table.
        return DataError(
            f"File {table.name} has no numeric column; its columns are {known(table.columns)}; "
            "expected sensor channels.",
            "correct the delimiter, or the roles of the columns",
        )
    if not free:
        return DataError(
            f"File {table.name} has no column left for a channel: {known(table.columns)} are "
            "labels, ignored or the time; expected sensor channels.",
            "correct the roles of the columns",
        )
    return DataError(
        f"File {table.name} holds no number in any of the {len(free):,} column(s) that could be "
        f"channels: {known(free)}; expected readings of sensors.",
        "give a file with readings: every cell there is text or has no value; or correct the roles "
        "of the columns",
    )


def _named(options: SensorTableOptions) -> tuple[str, ...]:
    """Columns with a role other than channel."""
    time = (options.time_column,) if options.time_column else ()
    return (*options.label_columns, *options.ignore_columns, *time)


def _numeric_columns(table: Table, options: SensorTableOptions) -> tuple[str, ...]:
    named = _named(options)
    return tuple(c for c in table.columns if c not in named and table.has_numbers(c))


def _recordings(
    table: Table,
    parts: list[tuple[Split, int, int]],
    layout: _Layout,
    options: SensorTableOptions,
    done: Counter[str],
) -> list[SensorRecording]:
    """Turn one file into recordings."""
    rows = Piece(_values(table, layout, options), _labels(table, layout, parts, options))
    missing = np.zeros(table.rows, np.int64)
    if options.time_column:
        times_s = row_times_s(table, options.time_column, options.time_format)
        missing = missing_before(times_s, layout.sample_rate_hz, table)
        if options.gaps == "error" and missing.any():
            row = int(np.argmax(missing > 0))
            raise table.bad_cell(
                row,
                options.time_column,
                f"the next of {layout.sample_rate_hz:g} rows per second; "
                f"{int(missing[row]):,} row(s) are missing before it",
                'set gaps = "interpolate" or "split"',
            )
    recordings = []
    for split, start, stop in parts:
        pieces = whole_pieces(rows.part(start, stop), missing[start:stop], options, done)
        if split == "train" or (split == "validation" and options.validation_normal_only):
            pieces = [normal for piece in pieces for normal in normal_pieces(piece, done)]
        long = [piece for piece in pieces if len(piece.values) >= options.min_rows]
        done["short pieces"] += len(pieces) - len(long)
        done["short rows"] += sum(len(p.values) for p in pieces if p not in long)
        base = table.name if options.split_by == "recording" else f"{table.name}#{split}"
        for k, piece in enumerate(long):
            name = base if len(long) == 1 else f"{base}.{k}"
            recordings.append(SensorRecording(name, piece.values, piece.anomalous, split))
    return recordings


def _values(table: Table, layout: _Layout, options: SensorTableOptions) -> Array:
    """Return float64 (T, D) with NaN where cells are missing."""
    if not options.channels:
        found = _numeric_columns(table, options)
        if set(found) != set(layout.channels):
            odd = sorted(set(found) ^ set(layout.channels))
            raise DataError(
                f"File {table.name} has channels {known(found)}; expected those of the first "
                f"file, which differ in {known(odd)}.",
                "name the channels to use or the columns to ignore, or correct the delimiter",
            )
    missing = [channel for channel in layout.channels if channel not in table.columns]
    if missing:
        raise DataError(
            f"File {table.name} has no column {known([repr(name) for name in missing])}; its "
            f"columns are {known(table.columns)}; expected the channels {known(layout.channels)}.",
            WRONG_COLUMNS,
        )
    values = np.column_stack([table.numbers(channel) for channel in layout.channels])
    if (np.abs(values) > LARGEST).any():
        row, column = (int(k) for k in np.argwhere(np.abs(values) > LARGEST)[0])
        raise table.bad_cell(
            row,
            layout.channels[column],
            f"a value from -{LARGEST:g} to {LARGEST:g}",
            "empty the cells of readings that failed and set missing_values",
        )
    if options.missing_values == "error" and np.isnan(values).any():
        row, column = (int(k) for k in np.argwhere(np.isnan(values))[0])
        raise table.bad_cell(
            row,
            layout.channels[column],
            f"a value; {int(np.isnan(values).sum()):,} cell(s) of the file have none",
            'set missing_values = "interpolate" or "drop"',
        )
    return values


def _labels(
    table: Table,
    layout: _Layout,
    parts: list[tuple[Split, int, int]],
    options: SensorTableOptions,
) -> Array | None:
    """Return bool (T,), or None for a file that is normal without saying so."""
    if not layout.labels:
        return None
    is_normal = matches(table.name, options.normal_files) or (
        options.split_by == "recording"
        and bool(options.train_files)
        and all(split != "test" for split, _, _ in parts)
    )
    if is_normal and not set(layout.labels) & set(table.columns):
        return None
    anomalous = np.zeros(table.rows, np.bool_)
    for column in layout.labels:
        if column not in table.columns:
            raise DataError(
                f"File {table.name} has no column {column!r}; its columns are "
                f"{known(table.columns)}; expected the labels in it.",
                "correct label_columns, or set label_columns = [] where nothing is labelled",
            )
        texts = table.texts(column)
        for row, text in enumerate(texts):
            if text.lower() in MISSING_CELLS:
                raise table.bad_cell(row, column, "a label")
        if options.anomalous_values:
            anomalous |= np.isin(np.asarray(texts), options.anomalous_values)
        else:
            anomalous |= _nonzero(table, column)
    return anomalous


def _nonzero(table: Table, column: str) -> Array:
    try:
        return np.asarray(table.numbers(column) != 0)
    except DataError as error:
        raise DataError(
            error.message, "set anomalous_values to the labels that mean an anomaly"
        ) from error


def _without_constant(
    channels: tuple[str, ...],
    recordings: list[SensorRecording],
    options: SensorTableOptions,
    path: Path,
) -> tuple[tuple[str, ...], list[SensorRecording], list[str]]:
    """Refuse or drop channels that never change in training."""
    training = [r.values for r in recordings if r.split == "train"]
    if not training and _is_trial(options):
        # Recordings that a finished model is tried on; its own training chose the channels.
        return channels, recordings, []
    if not training:
        raise SplitError(
            f"Data {path} leaves no training rows; expected pieces of at least "
            f"{options.min_rows} normal rows in the training part.",
            "check the shares, head_rows, min_rows and the labels",
        )
    low = np.min([values.min(axis=0) for values in training], axis=0)
    high = np.max([values.max(axis=0) for values in training], axis=0)
    constant = [channel for channel, flat in zip(channels, low == high, strict=True) if flat]
    if not constant:
        return channels, recordings, []
    if options.constant_channels == "error" or len(constant) == len(channels):
        at = low[channels.index(constant[0])]
        raise SplitError(
            f"Channel {constant[0]!r} is constant in training: {at:g}; expected values that vary."
            + (f" So are {', '.join(constant[1:])}." if constant[1:] else ""),
            'set constant_channels = "drop", or name the channels to use',
        )
    keep = np.flatnonzero(low < high)
    kept = [
        SensorRecording(r.recording_id, r.values[:, keep], r.anomalous, r.split) for r in recordings
    ]
    note = f"Channel(s) dropped as constant in training: {', '.join(constant)}."
    return tuple(channels[k] for k in keep), kept, [note]


def _notes(done: Counter[str], options: SensorTableOptions) -> list[str]:
    where = "training and validation" if options.validation_normal_only else "training"
    lines = {
        "gaps filled": "{:,} missing row(s) filled by linear interpolation.",
        "gaps cut": "{:,} gap(s) cut a recording in two.",
        "cells filled": "{:,} missing cell(s) filled by linear interpolation.",
        "rows dropped": "{:,} row(s) with missing cells left out.",
        "anomalous rows cut": f"{{:,}} anomalous row(s) cut out of {where}.",
        "short pieces": f"{{:,}} piece(s) shorter than {options.min_rows} rows left out, "
        f"{done['short rows']:,} row(s) together.",
    }
    return [line.format(done[key]) for key, line in lines.items() if done[key]]


def _is_trial(options: SensorTableOptions) -> bool:
    """Whether every file is a test file: recordings that a finished model is tried on."""
    return bool(options.test_files) and not options.train_files and not options.validation_files


def _missing_splits(recordings: list[SensorRecording], options: SensorTableOptions) -> list[str]:
    if _is_trial(options):
        return []
    found = {recording.split for recording in recordings}
    return [f"There are no {s} recordings." for s in ("validation", "test") if s not in found]


def _load(path: Path | None, options: SensorTableOptions, seed: int) -> SensorDataset:
    assert path is not None, "the source needs a path"
    return load_sensor_table(path, options, seed)


SOURCE = DataSource(
    name="sensor-table",
    summary="Sensor recordings as CSV, NPZ or NPY tables, with or without labels.",
    extra="",
    needs_path=True,
    options=SensorTableOptions,
    load=_load,
)
