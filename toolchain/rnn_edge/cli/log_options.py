"""Options about logs."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
from click.core import ParameterSource

from rnn_edge.cli.options import PathName, WholeNumber

if TYPE_CHECKING:
    from rnn_edge.pipeline import LogRequest

F = TypeVar("F", bound=Callable[..., Any])

_OF_STREAMS = {"stream": "--stream", "is_reset": "--reset and --no-reset"}
_OF_LOGS = {
    "window": "--window",
    "debounce": "--debounce",
    "on_bad_line": "--on-bad-line",
    "fail_on_drift": "--fail-on-input-drift",
    "clean": "--clean",
    "drop": "--drop",
    "hashed": "--hash",
    "hash_key_file": "--hash-key-file",
}
_DEBOUNCE = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")


@dataclass(frozen=True)
class LogOptions:
    """What the command line says about a log.

    Attributes:
        window: Frames of a window, or None.
        debounce: Windows that have to agree, and those that are remembered.
        on_bad_line: What becomes of a line that is no frame.
        fail_on_drift: Whether input drift is a failure.
        clean: Where a cleaned copy goes, or None.
        drop: Fields that go.
        hashed: Fields that are hashed.
        hash_key_file: The key of the hashes, or None.
    """

    window: int | None
    debounce: tuple[int, int]
    on_bad_line: Literal["error", "skip"]
    fail_on_drift: bool
    clean: Path | None
    drop: tuple[str, ...]
    hashed: tuple[str, ...]
    hash_key_file: Path | None

    def check(self, ctx: click.Context, *, is_log: bool) -> None:
        """Refuse options that would do nothing.

        Args:
            ctx: The command line.
            is_log: Whether a log is replayed.

        Raises:
            click.UsageError: Naming the option.
        """
        given = [
            text
            for name, text in (_OF_STREAMS if is_log else _OF_LOGS).items()
            if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
        ]
        if given and is_log:
            raise click.UsageError(
                f"{given[0]}: a log is replayed as it is, and reset where it says so."
            )
        if given:
            raise click.UsageError(f"{given[0]} is about logs; name one with --data.")
        named = bool(self.drop or self.hashed)
        if named and self.clean is None:
            raise click.UsageError(
                "--drop and --hash need a place for the cleaned log; name it with --clean."
            )
        if self.clean is not None and not named:
            raise click.UsageError("--clean: name what to take out with --drop and --hash.")
        if self.hash_key_file is not None and not self.hashed:
            raise click.UsageError("--hash-key-file is about --hash, which is not given.")
        if self.clean is not None and ctx.params.get("steps") is not None:
            raise click.UsageError("--clean writes whole logs; leave --steps out.")
        if self.clean is not None and self.clean == self.hash_key_file:
            raise click.UsageError("--clean would write over the key; choose another name.")

    def request(
        self,
        path: Path,
        engines: tuple[str, ...],
        steps: int | None,
        emulated_steps: int,
        port: str | None,
    ) -> LogRequest:
        """Return what to do with a log.

        Raises:
            DataError: If a field cannot be taken out, or the key cannot be used.
        """
        from rnn_edge.logs import Cleaning, read_key
        from rnn_edge.pipeline import LogRequest

        cleaning = None
        if self.clean is not None:
            key = None if self.hash_key_file is None else read_key(self.hash_key_file)
            cleaning = Cleaning(self.clean, self.drop, self.hashed, key)
        return LogRequest(
            path,
            engines,
            steps,
            emulated_steps,
            self.on_bad_line,
            self.window,
            *self.debounce,
            cleaning,
            port,
        )


def log_options(function: F) -> F:
    """Add the options about logs; the command gets them as ``log``."""

    @click.option(
        "--window",
        type=WholeNumber(2, 1_000_000),
        metavar="FRAMES",
        help="Log: frames that are compared with the calibration at once. [default: 100 times as "
        "many as count as one independent frame, from 500 to 5000]",
    )
    @click.option(
        "--debounce",
        default="3/5",
        show_default=True,
        metavar="K/N",
        callback=_debounce,
        help="Log: a feature alarms when K of the last N windows have drifted.",
    )
    @click.option(
        "--on-bad-line",
        type=click.Choice(["error", "skip"]),
        default="error",
        show_default=True,
        help="Log: stop at a line that is no frame, or leave it out and count it.",
    )
    @click.option(
        "--fail-on-input-drift",
        "fail_on_drift",
        is_flag=True,
        help="Log: input drift is a failure too.",
    )
    @click.option(
        "--clean",
        type=PathName(),
        metavar="OUT",
        help="Log: write a copy without what --drop and --hash name.",
    )
    @click.option(
        "--drop", multiple=True, metavar="FIELD", help="Log: leave a field out; may be repeated."
    )
    @click.option(
        "--hash",
        "hashed",
        multiple=True,
        metavar="FIELD",
        help="Log: replace the values of a field by keyed hashes; may be repeated.",
    )
    @click.option(
        "--hash-key-file",
        type=PathName(),
        metavar="FILE",
        help="Log: key of the hashes. [default: a random one that is kept nowhere]",
    )
    @functools.wraps(function)
    def wrapped(
        *arguments: object,
        window: int | None,
        debounce: tuple[int, int],
        on_bad_line: Literal["error", "skip"],
        fail_on_drift: bool,
        clean: Path | None,
        drop: tuple[str, ...],
        hashed: tuple[str, ...],
        hash_key_file: Path | None,
        **options: object,
    ) -> object:
        log = LogOptions(
            window,
            debounce,
            on_bad_line,
            fail_on_drift,
            clean,
            tuple(dict.fromkeys(drop)),
            tuple(dict.fromkeys(hashed)),
            hash_key_file,
        )
        return function(*arguments, log=log, **options)

    return wrapped  # type: ignore[return-value]


def _debounce(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]:
    found = _DEBOUNCE.fullmatch(value)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise click.BadParameter(
            f"{value!r}; expected K/N with K from 1 to N, e.g. --debounce 3/5.", ctx, param
        )
    return int(found[1]), int(found[2])
