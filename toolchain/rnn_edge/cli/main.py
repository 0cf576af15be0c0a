"""The entry point: it loads almost nothing, so that an interruption finds it ready at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

EXIT_INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code.

    0 is success, 1 a failure with one message on stderr, 2 a wrong command line, 130 an
    interruption, 141 a reader that went away and 143 SIGTERM.
    """
    try:
        # Loading the commands takes a tenth of a second, in which one can be interrupted too.
        from rnn_edge.cli.program import run_command

        return run_command(arguments)
    except KeyboardInterrupt:
        return _interrupted(arguments)


def main() -> None:
    """Run the command line of this process."""
    from rnn_edge.cli.signals import raise_again, was_asked, watch

    try:
        _open_closed_streams()
        watch()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # a second one, while the first was told
        code = EXIT_INTERRUPTED
    except Exception:
        # What is raised in the callback of a library may come out of it as something else.
        if not was_asked():
            raise
        try:
            raise_again()
        except KeyboardInterrupt:
            code = _interrupted(sys.argv[1:])
    sys.exit(code)


def _open_closed_streams() -> None:
    """Make a standard stream that was closed an empty one.

    Else the next file that is opened gets its number, and what is written to the stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def _interrupted(arguments: Sequence[str]) -> int:
    """Say that the command was interrupted, and whether it goes on."""
    from rnn_edge.cli.interruption import tell_interrupted

    tell_interrupted(arguments)
    return EXIT_INTERRUPTED
