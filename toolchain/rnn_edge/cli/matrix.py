"""The parity matrix of `rnn-edge replay` as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

REFERENCES = {"parity": "int8", "float_engines": "float"}
"""The engine that the engines of each part of the matrix are compared with."""
PLACES = {"emulated": "an emulated processor", "boards": "a board"}
"""Where engines run of which a step takes so long that fewer are taken."""


def matrix_lines(result: Mapping[str, Any]) -> list[str]:
    """Return a parity matrix as text; the last line is the verdict.

    A reference that was asked for is not listed as equal to itself.
    """
    resets = "reset at every sequence" if result["is_reset"] else "never reset"
    return [
        f"{result['bundle']} on {result['source']}, stream {result['stream']}, {resets}",
        *comparison_lines(result),
        f"verdict: {verdict(result)}",
    ]


def comparison_lines(result: Mapping[str, Any]) -> list[str]:
    """Return a row for each engine and tensor."""
    parity, floats = (_compared(result, part) for part in REFERENCES)
    lines: list[str] = []
    if parity or floats:
        lines.append(
            f"{'engine':<24} {'tensor':<6} {'steps':>9} {'differing':>10} {'max LSB':>8} "
            f"{'first step':>10}"
        )
    for row in parity:
        first = "-" if row["first_step"] is None else f"{row['first_step']:,}"
        lines.append(
            f"{row['engine']:<24} {row['tensor']:<6} {row['steps']:>9,} {row['differing']:>10,} "
            f"{row['max_lsb']:>8,} {first:>10}"
        )
    for row in floats:
        lines.append(
            f"{row['engine']:<24} {row['tensor']:<6} {row['steps']:>9,} "
            f"off by at most {row['maximum']:.1e} (float)"
        )
    for key, how in PLACES.items():
        if result.get(key):
            rows = [row for row in (*parity, *floats) if row["engine"] in result[key]]
            steps = max(row["steps"] for row in rows)
            lines.append(
                f"{key}: {', '.join(result[key])} ran on {how}, over the first {steps:,} of "
                f"{result['steps']:,} steps (--emulated-steps says how many)"
            )
    return lines


def _compared(result: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    return [row for row in result[part] if row["engine"] != REFERENCES[part]]


def verdict(result: Mapping[str, Any]) -> str:
    """Say in one line what the matrix shows."""
    parity, floats = (_compared(result, part) for part in REFERENCES)
    parts = []
    if parity:
        engines = _names(parity)
        wrong = _names(row for row in parity if row["differing"])
        right = len(engines) - len(wrong)
        if wrong:
            parts.append(
                f"{', '.join(wrong)} differ{'s' if len(wrong) == 1 else ''} from the integer "
                f"reference; {right} of {len(engines)} integer engines equal it"
            )
        else:
            parts.append(
                f"{', '.join(engines)} equal{'s' if right == 1 else ''} the integer reference in "
                "every bit of outputs and states"
            )
    for name in _names(floats):
        own = [row for row in floats if row["engine"] == name]
        worst = max(row["maximum"] for row in own)
        parts.append(f"{name} {_distance(own)}, off by at most {worst:.1e}")
    return "; ".join(parts) or "nothing to compare: only the references themselves were named"


def _distance(rows: Iterable[Mapping[str, Any]]) -> str:
    held = [row for row in rows if row["tolerance"] is not None]
    if not held:
        return "has an arithmetic of its own and is held to no limit"
    if all(row["maximum"] <= row["tolerance"] for row in held):
        return "is as near to the float reference as rounding explains"
    return "is further from the float reference than rounding explains"


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["engine"] for row in rows))
