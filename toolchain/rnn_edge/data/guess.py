"""Guesses how a data set is laid out, for a first look before there is a spec."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from rnn_edge.data.tree import FileTree, open_tree
from rnn_edge.errors import DataError

SOUND_SUFFIXES = (".wav", ".flac")
TABLE_SUFFIXES = (".csv", ".npz", ".npy")
DELIMITERS = (",", ";", "\t", "|")
TIME_COLUMNS = ("datetime", "timestamp", "time", "date", "t")
LABEL_COLUMNS = ("anomaly", "is_anomaly", "anomalous", "label", "fault")
CHANGE_COLUMNS = ("changepoint",)
LISTS = ("validation_list.txt", "testing_list.txt")
RESERVED = frozenset({"unknown", "silence"})
MIN_CLIPS_TO_SPLIT = 30
MAX_SHARE = 10.0
"""All clips of other words, as long as they are fewer than ten times the keywords' clips."""


class Guess(NamedTuple):
    """A guessed layout.

    Attributes:
        table: A [data] table.
        notes: What it leaves out, a line each.
    """

    table: dict[str, Any]
    notes: tuple[str, ...]


def guess_data(path: Path) -> Guess:
    """Return a [data] table that reads what lies at a path.

    The look is lenient: what a build would refuse, such as a speaker in two splits, is read and
    reported.

    Raises:
        DataError: If neither sound nor tables are there.
    """
    tree = open_tree(path)
    sounds = [name for name in tree.names if name.lower().endswith(SOUND_SUFFIXES)]
    tables = [name for name in tree.names if name.lower().endswith(TABLE_SUFFIXES)]
    if not sounds and not tables:
        raise DataError(
            f"Data {path} has no file that ends in "
            f"{', '.join((*SOUND_SUFFIXES, *TABLE_SUFFIXES))}; expected sound or tables.",
        )
    return _speech(tree, sounds) if len(sounds) >= len(tables) else Guess(_tables(tree, tables), ())


def _speech(tree: FileTree, sounds: Sequence[str]) -> Guess:
    words: dict[str, list[str]] = {}
    for name in sounds:
        parts = PurePosixPath(name).parts
        if len(parts) > 1 and not parts[0].startswith("_"):
            words.setdefault(parts[0], []).append(str(PurePosixPath(name).with_suffix("")))
    lists = [_listed(content) for _, content in tree.read(n for n in LISTS if n in tree.names)]
    full = {w for w, clips in words.items() if _is_divisible(clips, lists)} - RESERVED
    if not full:
        raise DataError(
            f"Data {tree.path} has no word with clips enough for training, validation and test.",
            "describe the data in a spec and give it with --spec",
        )
    others = {w: clips for w, clips in words.items() if w not in full}
    has_unknown = _is_divisible([clip for clips in others.values() for clip in clips], lists)
    what = "the class unknown" if has_unknown else "left out"
    counted = ", ".join(f"{w} ({len(clips)})" for w, clips in sorted(others.items()))
    notes = (f"Words with few clips are {what}: {counted}.",) if others else ()
    table = {
        "kind": "speech-commands",
        "keywords": tuple(sorted(full)),
        "unknown_share": MAX_SHARE if has_unknown else 0.0,
        "silence_share": 0.0,
        "split": "lists" if lists else "hash",
        "allow_speaker_leak": True,
        "on_bad_file": "skip",
    }
    return Guess(table, notes)


def _is_divisible(clips: Sequence[str], lists: Sequence[frozenset[str]]) -> bool:
    """Whether clips can be a class, which needs some in every split."""
    if not lists:
        return len(clips) >= MIN_CLIPS_TO_SPLIT
    listed = frozenset[str]().union(*lists)
    return not listed.issuperset(clips) and all(not part.isdisjoint(clips) for part in lists)


def _listed(content: bytes) -> frozenset[str]:
    names = content.decode(errors="replace").split()
    return frozenset(str(PurePosixPath(name).with_suffix("")) for name in names)


def _tables(tree: FileTree, tables: Sequence[str]) -> dict[str, Any]:
    guessed: dict[str, Any] = {
        "kind": "sensor-table",
        "files": tuple(f"*{s}" for s in TABLE_SUFFIXES if any(n.endswith(s) for n in tables)),
        "gaps": "interpolate",
        "missing_values": "interpolate",
        "constant_channels": "drop",
    }
    heads = {
        name: content[:65536].decode(errors="replace").splitlines()[:2]
        for name, content in tree.read([n for n in tables if n.lower().endswith(".csv")])
    }
    first = next((head for head in heads.values() if head), None)
    if first is None:
        return {**guessed, "sample_rate_hz": 1.0}
    delimiter = max(DELIMITERS, key=first[0].count)
    columns = {name: _cells(head[0], delimiter) for name, head in heads.items() if head}
    found = list(dict.fromkeys(column for header in columns.values() for column in header))
    labels = _named(found, LABEL_COLUMNS)
    time = _named(next(iter(columns.values())), TIME_COLUMNS)
    guessed["delimiter"] = delimiter
    guessed["label_columns"] = labels
    guessed["ignore_columns"] = _named(found, CHANGE_COLUMNS)
    guessed["normal_files"] = tuple(
        name for name, header in columns.items() if labels and not set(labels) & set(header)
    )
    if not time:
        return {**guessed, "sample_rate_hz": 1.0}
    guessed["time_column"] = time[0]
    row = dict(zip(_cells(first[0], delimiter), _cells(first[-1], delimiter), strict=False))
    guessed["time_format"] = "number" if _is_number(row.get(time[0], "")) else "iso"
    return guessed


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _named(columns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(column for column in columns if column.lower() in names)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
