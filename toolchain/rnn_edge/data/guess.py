"""Guesses how a data set is laid out, for a first look before there is a spec."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from rnn_edge.data.options import (
    SILENCE_LABEL,
    SPEECH_COMMANDS_KEYWORDS,
    UNKNOWN_LABEL,
    SensorTableOptions,
    SpeechCommandsOptions,
)
from rnn_edge.data.sensor_split import file_splits
from rnn_edge.data.speech_commands import LISTS, hash_split, speaker_of
from rnn_edge.data.table import reads_as_number
from rnn_edge.data.tree import AUDIO_SUFFIXES, FileTree, open_tree
from rnn_edge.errors import DataError
from rnn_edge.registry import known
from rnn_edge.types import SPLITS, Split

TABLE_SUFFIXES = (".csv", ".npz", ".npy")
DELIMITERS = (",", ";", "\t", "|")
TIME_COLUMNS = ("datetime", "timestamp", "time", "date", "t")
LABEL_COLUMNS = ("anomaly", "is_anomaly", "anomalous", "label", "fault")
CHANGE_COLUMNS = ("changepoint",)
MIN_CLIPS = 30
"""Clips of a word that are enough for three parts, if they are of speakers enough."""
TIME_SPLIT = {"split_by": "time", "train_share": 0.6, "validation_share": 0.2}
"""How few files are divided: each of them by time."""
UNKNOWN_RATE_HZ = 1.0
LENIENT: dict[str, dict[str, Any]] = {
    "speech-commands": {"allow_speaker_leak": True, "on_bad_file": "skip"},
    "sensor-table": {
        "gaps": "interpolate",
        "missing_values": "interpolate",
        "constant_channels": "drop",
    },
}
"""How a first look reads what a build refuses."""


class Guess(NamedTuple):
    """A guessed layout.

    Attributes:
        table: A [data] table to begin with: it lets a build refuse whatever is wrong.
        notes: What it leaves out, a line each.
        warnings: What is only a guess in it, or cannot work, a line each.
    """

    table: dict[str, Any]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def lenient(self) -> dict[str, Any]:
        """The table for a look: what a build would refuse is read, and reported."""
        return {**self.table, **LENIENT[self.table["kind"]]}


def guess_data(path: Path) -> Guess:
    """Return a [data] table that describes what lies at a path.

    Raises:
        DataError: If neither sound nor tables are there.
    """
    tree = open_tree(path)
    sounds = [name for name in tree.names if name.lower().endswith(AUDIO_SUFFIXES)]
    tables = [name for name in tree.names if name.lower().endswith(TABLE_SUFFIXES)]
    if not sounds and not tables:
        raise DataError(
            f"Data {path} has no file that ends in "
            f"{', '.join((*AUDIO_SUFFIXES, *TABLE_SUFFIXES))}; expected sound or tables.",
        )
    return _speech(tree, sounds) if len(sounds) >= len(tables) else _tables(tree, tables)


def _speech(tree: FileTree, sounds: Sequence[str]) -> Guess:
    words: dict[str, list[str]] = {}
    for name in sounds:
        parts = PurePosixPath(name).parts
        if len(parts) == 2 and not parts[0].startswith("_"):
            words.setdefault(parts[0], []).append(name)
    if not words:
        raise DataError(
            f"Data {tree.path} has sound, e.g. {sounds[0]}, but no folder of it per word; "
            "expected <word>/<speaker>_nohash_0.wav."
        )
    lists = {
        split: _listed(content)
        for split, name in LISTS.items()
        if name in tree.names
        for _, content in tree.read([name])
    }
    split = "lists" if len(lists) == len(LISTS) else "hash"
    parts_of = {
        word: _parts(names, lists if split == "lists" else {}) for word, names in words.items()
    }
    full = {w for w in words if _is_divided(parts_of[w])} - {UNKNOWN_LABEL, SILENCE_LABEL}
    warnings = _empty_folders(tree.path)
    if not full:
        return _undivided(words, warnings)
    ten = SPEECH_COMMANDS_KEYWORDS
    keywords = ten if full.issuperset(ten) else tuple(sorted(full))
    others = {word: names for word, names in words.items() if word not in keywords}
    together: Counter[Split] = Counter()
    for word in others:
        together += parts_of[word]
    has_unknown = all(together[part] for part in SPLITS)
    table: dict[str, Any] = {"kind": "speech-commands", "keywords": keywords}
    if not has_unknown:
        table["unknown_share"] = 0.0
    if split != "lists":
        table["split"] = split
    notes = _about_others(others, has_unknown=has_unknown)
    return Guess(table, notes, warnings)


def _about_others(others: Mapping[str, Sequence[str]], *, has_unknown: bool) -> tuple[str, ...]:
    """Say what becomes of the words that are no keywords."""
    if not others:
        return ()
    counted = ", ".join(f"{word} ({len(names)})" for word, names in sorted(others.items()))
    if has_unknown:
        return (f"The class unknown is drawn from: {counted}.",)
    return (f"Words with few clips are left out: {counted}.",)


def _undivided(words: Mapping[str, Sequence[str]], warnings: tuple[str, ...]) -> Guess:
    """Return a layout for a look at recordings that are too few to learn from."""
    word, names = max(words.items(), key=lambda item: len(item[1]))
    speakers = {speaker_of(name) or name for name in names}
    warning = (
        f"No word has clips for training, validation and test: {word} has the most, {len(names)} "
        f"by {len(speakers)} speaker(s); expected at least {MIN_CLIPS}, by speakers enough that "
        "each part has some. All are shown as test clips, which a finished model can be tried on."
    )
    own = (UNKNOWN_LABEL, SILENCE_LABEL)
    keywords = tuple(sorted(set(words) - set(own))) or ("none",)
    absent = {"unknown_share": 0.0} if UNKNOWN_LABEL not in words else {}
    table = {"kind": "speech-commands", "keywords": keywords, **absent, "split": "test"}
    return Guess(table, (), (*warnings, warning))


def _empty_folders(path: Path) -> tuple[str, ...]:
    """Warn of folders that would be words if there were anything in them."""
    if not path.is_dir():
        return ()
    empty = [
        folder.name
        for folder in sorted(path.iterdir())
        if folder.is_dir()
        and not folder.name.startswith((".", "_"))
        and not any(file.is_file() for file in folder.rglob("*"))
    ]
    return (f"Folder(s) without any file: {known(empty)}.",) if empty else ()


def _parts(names: Sequence[str], lists: Mapping[Split, frozenset[str]]) -> Counter[Split]:
    """Return how many files of a word each part would have."""
    if lists:
        stems = [str(PurePosixPath(name).with_suffix("")) for name in names]
        return Counter(
            next((split for split, listed in lists.items() if stem in listed), "train")
            for stem in stems
        )
    default = SpeechCommandsOptions()
    shares = (default.validation_share, default.test_share)
    return Counter(
        hash_split(speaker_of(name) or str(PurePosixPath(name).with_suffix("")), *shares)
        for name in names
    )


def _is_divided(parts: Counter[Split]) -> bool:
    """Whether files can be a class, which needs some in every part."""
    return parts.total() >= MIN_CLIPS and all(parts[split] for split in SPLITS)


def _listed(content: bytes) -> frozenset[str]:
    names = content.decode(errors="replace").split()
    return frozenset(str(PurePosixPath(name).with_suffix("")) for name in names)


def _tables(tree: FileTree, tables: Sequence[str]) -> Guess:
    patterns = tuple(f"*{s}" for s in TABLE_SUFFIXES if any(n.lower().endswith(s) for n in tables))
    guessed: dict[str, Any] = {"kind": "sensor-table", "files": patterns}
    heads = {
        name: content[:65536].decode("utf-8-sig", errors="replace").splitlines()[:2]
        for name, content in tree.read([n for n in tables if n.lower().endswith(".csv")])
    }
    columns: dict[str, list[str]] = {}
    first = next((head for head in heads.values() if head), None)
    if first is not None:
        delimiter = max(DELIMITERS, key=first[0].count)
        columns = {name: _cells(head[0], delimiter) for name, head in heads.items() if head}
        guessed |= _roles(columns, first, delimiter)
    warnings: tuple[str, ...] = ()
    if "time_column" not in guessed:
        guessed["sample_rate_hz"] = UNKNOWN_RATE_HZ
        warnings = (
            f"sample_rate_hz = {UNKNOWN_RATE_HZ} is invented: no column tells the time of a row. "
            "Put the true rate there.",
        )
    splits = file_splits(list(tables), SensorTableOptions(sample_rate_hz=1.0), 0)
    if set(splits.values()) != set(SPLITS):
        guessed |= TIME_SPLIT
    return Guess(guessed, (), warnings)


def _roles(
    columns: Mapping[str, Sequence[str]], first: Sequence[str], delimiter: str
) -> dict[str, Any]:
    """Return which columns of CSV files are what, by their names.

    Args:
        columns: Names of the columns of each file.
        first: The first two lines of one file.
        delimiter: Between the cells.
    """
    found = list(dict.fromkeys(column for header in columns.values() for column in header))
    labels = _named(found, LABEL_COLUMNS)
    roles: dict[str, Any] = {
        "delimiter": delimiter,
        "label_columns": labels,
        "ignore_columns": _named(found, CHANGE_COLUMNS),
        "normal_files": tuple(
            name for name, header in columns.items() if labels and not set(labels) & set(header)
        ),
    }
    time = _named(next(iter(columns.values())), TIME_COLUMNS)
    if time:
        row = dict(zip(_cells(first[0], delimiter), _cells(first[-1], delimiter), strict=False))
        roles["time_column"] = time[0]
        roles["time_format"] = "number" if reads_as_number(row.get(time[0], "")) else "iso"
    return roles


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _named(columns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(column for column in columns if column.lower() in names)
