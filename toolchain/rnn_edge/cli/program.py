"""Finds commands, runs one, and turns errors into messages and exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from rnn_edge import __version__
from rnn_edge.cli import commands
from rnn_edge.cli.output import HINT, write_error, write_failure
from rnn_edge.errors import RnnEdgeError

PROGRAM = "rnn-edge"
EXIT_FAILURE = 1
EXIT_BROKEN_PIPE = 141
STDOUT = 1
SHOWN_CHARACTERS = 40


class CommandFolder(click.Group):
    """A group whose commands are the modules of `rnn_edge.cli.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all modules."""
        return sorted(info.name for info in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one module and return its command, or None where there is no such module."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"{commands.__name__}.{cmd_name}").COMMAND
        assert isinstance(command, click.Command)
        return command


@click.group(cls=CommandFolder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=PROGRAM)
def cli() -> None:
    """Train, quantize, prove and deploy streaming int8 LSTM/GRU models on small devices.

    Start with "rnn-edge build": without a spec it builds an embedded example that needs no
    download. "rnn-edge new kws DIR" writes a spec of your own to begin with.
    """


def run_command(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code.

    Raises:
        KeyboardInterrupt: If it is interrupted.
    """
    is_json = "--json" in arguments
    stdout, stderr = sys.stdout, sys.stderr
    try:
        code = cli.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        if is_json:
            message, _, hint = error.format_message().partition(HINT)
            write_failure(type(error).__name__, message, hint)
        return error.exit_code
    except click.Abort as error:
        # Click's name for an interruption.
        raise KeyboardInterrupt from error
    except BrokenPipeError:
        return _leave_quietly()
    except SystemExit:
        # Click meets a broken pipe by wrapping the streams and leaving with 1, which would look
        # like a failure.
        if sys.stdout is not stdout:
            sys.stdout, sys.stderr = stdout, stderr
            return _leave_quietly()
        raise
    except (RnnEdgeError, OSError, MemoryError) as error:
        if _is_verbose(arguments):
            click.echo(traceback.format_exc(), err=True, nl=False)
        explained = _of_output(error) or explain(error)
        write_error(explained, is_json=is_json)
        return explained.exit_code
    return code if isinstance(code, int) else 0


def _of_output(error: BaseException) -> RnnEdgeError | None:
    """Return the error of an output that takes nothing more; None for any other."""
    if not isinstance(error, OSError) or error.filename is not None:
        return None
    # A file that is full names itself as little: what tells them apart is who wrote.
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    if click.echo.__code__ not in codes and codes[-1:] != [run_command.__code__]:
        return None
    return RnnEdgeError(
        f"The output cannot be written: {error.strerror or error}.",
        "make room where it goes, or send it elsewhere, and run the command again",
    )


def explain(error: RnnEdgeError | OSError | MemoryError) -> RnnEdgeError:
    """Return an error as one message with a hint."""
    if isinstance(error, RnnEdgeError):
        return error
    if isinstance(error, MemoryError):
        return RnnEdgeError("Memory is exhausted.", "use less data or a smaller batch")
    if error.errno == errno.ENAMETOOLONG:
        return _too_long(str(error.filename or ""))
    where = f": {error.filename}" if error.filename else ""
    reason = error.strerror or str(error)
    return RnnEdgeError(f"The system refused{where}: {reason}.", "see: rnn-edge doctor")


def _too_long(path: str) -> RnnEdgeError:
    """Say which part of a path is too long, without writing all of it."""
    longest = max(Path(path).parts, key=len, default="")
    shown = longest if len(longest) <= SHOWN_CHARACTERS else f"{longest[:SHOWN_CHARACTERS]}..."
    return RnnEdgeError(
        f"Path is too long: {len(path):,} characters, its longest name {shown!r} with "
        f"{len(longest):,}; expected names of up to 255 and paths of up to 4,095.",
        "choose a shorter name or folder",
    )


def _leave_quietly() -> int:
    """Nobody reads any more; the interpreter must not complain about it at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
    return EXIT_BROKEN_PIPE


def _is_verbose(arguments: Sequence[str]) -> bool:
    return any(a == "--verbose" or (a[:1] == "-" and a[1:] in ("v", "vv")) for a in arguments)
