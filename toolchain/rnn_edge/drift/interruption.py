"""Ctrl-C between two chunks of a stream, and never within the sums of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def undivided() -> Iterator[None]:
    """Hold an interrupt back until the block is done, and hand it on to who had it before.

    That raises KeyboardInterrupt, unless this process was told to pass interrupts over, or to
    note them as well. Outside of the main thread no interrupt is ever delivered, so that nothing
    has to be held; and a handler that is not Python's could not be put back.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    came = False

    def remember(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        signal.raise_signal(signal.SIGINT)
