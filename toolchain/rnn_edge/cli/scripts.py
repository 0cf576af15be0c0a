"""What a script beside the commands says where something fails: the message, and no traceback."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rnn_edge.cli.output import printable
from rnn_edge.cli.program import explain
from rnn_edge.errors import RnnEdgeError


@contextmanager
def explained_errors() -> Iterator[None]:
    """End the script with one message and exit code 1 where its body fails.

    Raises:
        SystemExit: Instead of an error that a user can act on; other errors are let through.
    """
    try:
        yield
    except (RnnEdgeError, OSError, MemoryError) as error:
        sys.exit(printable(f"Error: {explain(error)}"))


def positive(text: str) -> int:
    """Parse a number of one or more, for `argparse`.

    Raises:
        ArgumentTypeError: With the number; a text that is none is a ValueError, as of `int`.
    """
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value}; expected at least 1")
    return value
