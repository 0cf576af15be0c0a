"""Keeps what libraries write to the process's stderr apart from what the command says."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from rnn_edge.errors import RnnEdgeError

STDERR = 2


@contextmanager
def foreign_messages_apart() -> Iterator[None]:
    """Collect what is written to file descriptor 2; show it only where an error has no message.

    TensorFlow's C++ part reports there that it found no graphics card, before any setting of its
    own can keep it from doing so. Our messages go through `sys.stderr`, which keeps its place.
    """
    sys.stderr.flush()
    original = os.dup(STDERR)
    shown = sys.stderr
    with tempfile.TemporaryFile() as collected, os.fdopen(original, "w", closefd=True) as ours:
        if _is_process_stderr(shown):
            sys.stderr = ours
        os.dup2(collected.fileno(), STDERR)
        try:
            yield
        except (RnnEdgeError, OSError, KeyboardInterrupt):
            raise
        except BaseException:
            collected.seek(0)
            ours.write(collected.read().decode(errors="replace"))
            raise
        finally:
            ours.flush()
            os.dup2(ours.fileno(), STDERR)
            sys.stderr = shown


def _is_process_stderr(stream: object) -> bool:
    """Whether a stream writes to file descriptor 2; a test's stream does not."""
    try:
        return isinstance(stream, io.IOBase) and stream.fileno() == STDERR
    except OSError:
        return False
