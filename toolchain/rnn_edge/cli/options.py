"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from rnn_edge.cli.output import Output

F = TypeVar("F", bound=Callable[..., Any])


def output_options(function: F) -> F:
    """Add --json, --quiet and --verbose; the command gets them as ``output``."""

    @click.option("--json", "is_json", is_flag=True, help="Write one JSON object on stdout.")
    @click.option("-q", "--quiet", "is_quiet", is_flag=True, help="Results and errors only.")
    @click.option(
        "-v",
        "--verbose",
        "is_verbose",
        is_flag=True,
        help="Every step of progress as a line; tracebacks of errors.",
    )
    @functools.wraps(function)
    def wrapped(
        *arguments: object, is_json: bool, is_quiet: bool, is_verbose: bool, **options: object
    ) -> object:
        if is_quiet and is_verbose:
            raise click.UsageError("--quiet and --verbose exclude each other.")
        return function(*arguments, output=Output(is_json, is_quiet, is_verbose), **options)

    return wrapped  # type: ignore[return-value]


def spec_options(function: F) -> F:
    """Add --data, --out, --set and --seed."""
    for option in reversed(
        (
            data_option("Folder or archive of recordings; replaces data.path of the spec."),
            click.option(
                "--out",
                type=click.Path(path_type=Path),
                metavar="DIR",
                help="Where the bundle goes. [default: out/NAME, NAME from the spec]",
            ),
            click.option(
                "--set",
                "overrides",
                multiple=True,
                metavar="SECTION.KEY=VALUE",
                help="Replace a value of the spec; may be repeated.",
            ),
            click.option(
                "--seed", type=click.IntRange(0, 2**31 - 1), help="Replace the spec's seed."
            ),
        )
    ):
        function = option(function)
    return function


def data_option(text: str, *, required: bool = False) -> Callable[[F], F]:
    """Return an option --data."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        metavar="PATH",
        required=required,
        help=text,
    )
