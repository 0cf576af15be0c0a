"""Bytes of a file descriptor, read without waiting for ever."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from threading import Event

_POLL_S = 0.2
_BLOCK = 65_536


def read_bytes(descriptor: int, stop: Event) -> Iterator[bytes]:
    """Yield what comes, until its end or until ``stop`` is set.

    Args:
        descriptor: Of a pipe, a terminal or a file.
        stop: Looked at several times a second.

    Raises:
        OSError: If it fails.
    """
    while not stop.is_set():
        ready, _, _ = select.select([descriptor], [], [], _POLL_S)
        if not ready:
            continue
        content = os.read(descriptor, _BLOCK)
        if not content:
            return
        yield content
