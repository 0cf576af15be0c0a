"""Which rows of which file are for training, validation and test."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from rnn_edge.data.noise import generator
from rnn_edge.data.options import SensorTableOptions
from rnn_edge.errors import SplitError
from rnn_edge.types import SPLITS, Split


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Say whether a name matches any pattern; ``*`` matches "/" too."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def file_splits(names: Sequence[str], options: SensorTableOptions, seed: int) -> dict[str, Split]:
    """Put whole files into splits.

    Raises:
        SplitError: If a file matches no pattern or several, or a pattern list matches no file.
    """
    patterns: dict[Split, tuple[str, ...]] = {
        "train": options.train_files,
        "validation": options.validation_files,
        "test": options.test_files,
    }
    if not any(patterns.values()):
        order = [names[k] for k in generator(seed, 0x5E).permutation(len(names))]
        train = max(1, round(len(order) * options.train_share))
        validation = round(len(order) * (options.train_share + options.validation_share))
        return {
            name: "train" if k < train else "validation" if k < validation else "test"
            for k, name in enumerate(order)
        }
    splits: dict[str, Split] = {}
    for name in names:
        found = [split for split in SPLITS if matches(name, patterns[split])]
        if len(found) != 1:
            where = " and ".join(f"{split}_files" for split in found) or "none of the pattern lists"
            raise SplitError(
                f"File {name} matches {where}; expected one of train_files, validation_files "
                "and test_files.",
                "correct the patterns, or narrow files",
            )
        splits[name] = found[0]
    for split in SPLITS:
        if patterns[split] and split not in splits.values():
            raise SplitError(
                f"Patterns {split}_files match no file: {list(patterns[split])}; "
                f"files are {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}."
            )
    return splits


def row_ranges(name: str, rows: int, options: SensorTableOptions) -> list[tuple[Split, int, int]]:
    """Cut one file by time: split, first row and end of each part that has rows."""
    train, both = options.train_share, options.train_share + options.validation_share
    if matches(name, options.normal_files):
        first, second = round(rows * train / both), rows
    else:
        head = min(options.head_rows or rows, rows)
        first, second = round(head * train), round(head * both)
    ranges: list[tuple[Split, int, int]] = [
        ("train", 0, first),
        ("validation", first, second),
        ("test", second, rows),
    ]
    return [each for each in ranges if each[1] < each[2]]
