"""Starts a program whose input and output belong to the caller, and leaves nothing of it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from typing import IO

CLOSE_TIMEOUT_S = 2.0
"""For a program to end by itself when it sees the end of its input."""


def start_child(command: Sequence[str]) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Return a running program with pipes, and the file that its stderr goes to.

    Args:
        command: Program and arguments.

    Raises:
        OSError: If it does not start.
    """
    words = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
    try:
        # A session of its own: Ctrl-C is for the caller, which ends the program itself.
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            bufsize=0,
            start_new_session=True,
        )
    except OSError:
        words.close()
        raise
    return process, words


def end_child(process: subprocess.Popen[bytes], words: IO[bytes]) -> None:
    """Let a program see the end of its input, or kill it, and leave nothing of it."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(CLOSE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
    words.close()
