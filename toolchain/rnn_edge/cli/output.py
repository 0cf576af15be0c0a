"""What commands write: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from rnn_edge.errors import RnnEdgeError


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
            click.echo(line)

    def note(self, line: str) -> None:
        """Tell on stderr what is going on."""
        if not self.is_quiet:
            click.echo(line, err=True)


def write_error(error: RnnEdgeError, *, is_json: bool) -> None:
    """Write message and hint on stderr and, for programs, as an object on stdout."""
    click.echo(f"Error: {error}", err=True)
    if is_json:
        failure = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
        click.echo(json.dumps({"error": failure}, indent=2))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
