"""What computes a frame, as lines of a C comment."""

from __future__ import annotations

import json
from collections.abc import Mapping

LINE_WIDTH = 92


def feature_lines(features: Mapping[str, object]) -> list[str]:
    """Return ``key: value`` lines, wrapped between items or words; values are JSON in ASCII.

    Joined by blanks, the lines of a value are that JSON again. No line ends the comment that it
    stands in.

    Args:
        features: JSON values, see `ExportSource`.
    """
    lines: list[str] = []
    for key, value in _flat(features):
        if isinstance(value, list):
            texts = [f"{_json(item)}," for item in value]
            texts[-1:] = [text.removesuffix(",") for text in texts[-1:]]
        else:
            texts = _json(value).split(" ")
        lines += _wrapped(f"{key}:", texts)
    return lines


def _flat(features: Mapping[str, object]) -> list[tuple[str, object]]:
    """Return the pairs in order of their keys, those of a mapping in it after the others."""
    found: list[tuple[str, object]] = []
    nested: list[tuple[str, object]] = []
    for key, value in sorted(features.items()):
        if isinstance(value, Mapping):
            nested += [(f"{key}.{inner}", item) for inner, item in sorted(value.items())]
        else:
            found.append((key, value))
    return found + nested


def _json(value: object) -> str:
    return json.dumps(value).replace("*/", r"*\/").replace("/*", r"/\u002a")


def _wrapped(head: str, items: list[str]) -> list[str]:
    lines = [head]
    for item in items:
        if len(lines[-1]) + 1 + len(item) > LINE_WIDTH:
            lines.append(f"    {item}")
        else:
            lines[-1] += f" {item}"
    return lines
