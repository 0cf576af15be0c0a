"""What commands write: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import category

import click

from rnn_edge.errors import RnnEdgeError

_ORDERS = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of characters that a terminal acts on, or cannot write."""
_WRITTEN = "\n\t"
"""Of these, what is written as it is."""

HINT = "\nHint: "
"""Stands before the hint in the message of a wrong command line, which has no field for it."""


@dataclass(frozen=True)
class Output:
    """How one run of a command talks.

    Attributes:
        is_json: One JSON object on stdout instead of text.
        is_quiet: Results and errors only.
        is_verbose: Every step of progress.
    """

    is_json: bool
    is_quiet: bool
    is_verbose: bool

    def result(self, payload: Mapping[str, Any], lines: Sequence[str]) -> None:
        """Write the command's result.

        Args:
            payload: JSON values; numbers that JSON does not know become null.
            lines: The same as text.
        """
        if self.is_json:
            click.echo(json.dumps(_plain(payload), indent=2, allow_nan=False))
            return
        for line in lines:
            click.echo(printable(line))

    def verdict(self, judge: Callable[[], None]) -> int:
        """Return the exit code of a result that was written: what it says may be a failure.

        The failure is told on stderr only: the one object on stdout is the result.

        Args:
            judge: Raises what is wrong with the result.
        """
        try:
            judge()
        except RnnEdgeError as error:
            write_error(error, is_json=False)
            return error.exit_code
        return 0

    def note(self, line: str) -> None:
        """Tell on stderr what is going on."""
        if not self.is_quiet:
            click.echo(printable(line), err=True)


def printable(text: str) -> str:
    r"""Return text with what a terminal would act on spelled out, as \x1b.

    Names and cells of files stand in messages; whoever writes such a file must not be able to
    clear the screen of who reads it, or to write to it.
    """
    return "".join(
        each if each in _WRITTEN or category(each) not in _ORDERS else ascii(each)[1:-1]
        for each in text
    )


def write_error(error: RnnEdgeError, *, is_json: bool) -> None:
    """Write message and hint on stderr and, for programs, as an object on stdout."""
    click.echo(printable(f"Error: {error}"), err=True)
    if is_json:
        # Where it is stdout that takes nothing, stderr has said so.
        with contextlib.suppress(OSError):
            write_failure(type(error).__name__, error.message, error.hint)


def write_failure(kind: str, message: str, hint: str) -> None:
    """Write a failure as an object on stdout."""
    failure = {"kind": kind, "message": message, "hint": hint}
    click.echo(json.dumps({"error": failure}, indent=2))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
