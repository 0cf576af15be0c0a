"""What `rnn-edge resets` found, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def trade_lines(result: Mapping[str, Any]) -> list[str]:
    """Return a line per policy, and the suggestion."""
    rows = result["rows"]
    others = list(dict.fromkeys(key for row in rows for key in row["others"]))
    width = max(len("policy"), *(len(row["words"]) for row in rows))
    never = rows[0]["hidden_rms"]
    extra = "".join(f"{name:>8}" for name in others)
    lines = [
        f"{result['bundle']} on {result['source']}, test part: "
        f"{_counted(result['sequences'], 'sequence')}, {_counted(result['frames'], 'frame')} in "
        f"{_counted(result['streams'], 'stream')}; the spec says {result['current']}",
        f"{'policy':<{width}}  {'drift':>9} {'of never':>8} {result['metric']:>16} "
        f"{'against never':>24}{extra} {'resets/1000':>11}",
    ]
    for row in rows:
        share = f"{row['hidden_rms'] / never:.0%}" if never else "-"
        figures = "".join(_number(row["others"].get(name)) for name in others)
        lines.append(
            f"{row['words']:<{width}}  {row['hidden_rms']:>9.2g} {share:>8} {row['metric']:>16.2%} "
            f"{_change(row):>24}{figures} {row['resets_per_1000']:>11.2f}  {row['reason']}".rstrip()
        )
    return [*lines, _suggestion(result)]


def chosen_lines(path: Path, policy: str, files: Iterable[str]) -> list[str]:
    """Return what was written.

    Args:
        path: Of the bundle.
        policy: In words.
        files: Of the bundle.
    """
    is_exported = any(name.startswith("exports/c/") for name in files)
    where = "in spec.toml and in exports/c" if is_exported else "in spec.toml; nothing is exported"
    return [f"{path}: reset policy {policy} is {where}"]


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _number(value: float | None) -> str:
    return f"{'-' if value is None else f'{value:.3f}':>8}"


def _change(row: Mapping[str, Any]) -> str:
    change = f"{100 * row['difference']:+.2f}"
    if row["interval"] is None:
        return change
    low, high = (100 * end for end in row["interval"])
    return f"{change} [{low:+.2f}, {high:+.2f}]"


def _suggestion(result: Mapping[str, Any]) -> str:
    rule = result["rule"]
    return (
        f"Suggested: {result['suggested']}. The least drift that is at most "
        f"{rule['drift_at_most']:.0%} of never resetting, at no loss that is significant (p below "
        f"{rule['p_value_at_least']:g}) or beyond {100 * rule['loss_at_most']:g} points; "
        "otherwise never."
    )
