"""Options that several commands share."""

from __future__ import annotations

import functools
import math
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
                type=PathName(),
                metavar="DIR",
                help="Where the bundle goes. [default: out/NAME, NAME from the spec]",
            ),
            set_option("Replace a value of the spec; may be repeated."),
            click.option("--seed", type=WholeNumber(0, 2**31 - 1), help="Replace the spec's seed."),
        )
    ):
        function = option(function)
    return function


def data_option(text: str) -> Callable[[F], F]:
    """Return an option --data."""
    return click.option("--data", type=PathName(), metavar="PATH", help=text)


def set_option(text: str) -> Callable[[F], F]:
    """Return an option --set; the command gets ``overrides``, each with a key and a value."""
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="SECTION.KEY=VALUE",
        callback=_with_values,
        help=text,
    )


def engines_option(text: str, default: str | None = None) -> Callable[[F], F]:
    """Return an option --engines; the command gets names, or None where it is not given."""
    return names_option("--engines", text, "engine, e.g. --engines int8,c", default=default)


def streams_option(text: str) -> Callable[[F], F]:
    """Return an option --streams; the command gets names, or None where it is not given."""
    return names_option("--streams", text, "stream")


def names_option(
    option: str,
    text: str,
    what: str,
    *,
    default: str | None = None,
    metavar: str = "A,B,...",
) -> Callable[[F], F]:
    """Return an option that takes names with commas between them, each once.

    Args:
        option: As it is typed; the command gets names, or None where it is not given.
        text: Its help.
        what: What is named, for the refusal of none.
        default: As it would be typed.
        metavar: What is shown for the names.
    """

    def split(
        ctx: click.Context, param: click.Parameter, value: str | None
    ) -> tuple[str, ...] | None:
        if value is None:
            return None
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
        if not names:
            raise click.BadParameter(f"no name is given; expected at least one {what}.", ctx, param)
        return names

    return click.option(
        option,
        default=default,
        show_default=default is not None,
        metavar=metavar,
        callback=split,
        help=text,
    )


class PathName(click.Path):
    """A path that has a name: an empty one, of a variable not set, would mean this folder."""

    def __init__(
        self, *, exists: bool = False, file_okay: bool = True, dir_okay: bool = True
    ) -> None:
        super().__init__(exists=exists, file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(
        self,
        value: Any,  # noqa: ANN401 - as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401 - as click has it
        """Return the path, or refuse the command line."""
        if value == "":
            self.fail("an empty name; expected a path.", param, ctx)
        return super().convert(value, param, ctx)


class WholeNumber(click.IntRange):
    """A whole number from `min` to `max`, refused with both of them."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 - as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Return the number, or refuse the command line."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(
                f"{value!r}; expected a whole number from {self.min} to {self.max}.", param, ctx
            )


class RealNumber(click.FloatRange):
    """A number from `min` to `max`; "nan", which every comparison lets pass, is refused too."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 - as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Return the number, or refuse the command line."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r}; expected a number from {self.min} to {self.max}.", param, ctx)
        return number


def _with_values(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    for value in values:
        key, separator, _ = value.partition("=")
        if not separator or not all(part.strip() for part in key.split(".")):
            raise click.BadParameter(
                f"{value!r}; expected section.key=value, e.g. --set model.hidden=48.", ctx, param
            )
    return values
