"""Engines that a command line names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import click

from rnn_edge.cli.output import HINT


def check_engines(names: Sequence[str]) -> None:
    """Refuse a command line with engines that do not exist, naming all of them.

    Raises:
        click.UsageError: With the engines that were perhaps meant, and all there are.
    """
    from rnn_edge.engines.base import all_engines

    known = list(all_engines())
    unknown = [name for name in names if name not in known]
    if not unknown:
        return
    listed = ", ".join(repr(name) for name in unknown)
    raise click.UsageError(
        f"Unknown engine{'s' if len(unknown) > 1 else ''}: {listed}; known are "
        f"{', '.join(known)}.{_meant(unknown, known)}"
    )


def _meant(unknown: Sequence[str], known: Sequence[str]) -> str:
    """Return a hint that names the closest engines, or where to look for them."""
    close = [m for name in unknown for m in difflib.get_close_matches(name, known, 1)]
    if close:
        return f"{HINT}did you mean {', '.join(dict.fromkeys(close))}?"
    return f"{HINT}docs/engines.md says what each of them is and needs"
