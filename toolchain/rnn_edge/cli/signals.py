"""Ctrl-C that is not lost, and an end that cleans up.

Python raises KeyboardInterrupt wherever it happens to be; in a callback of a library it is printed
and swallowed, and the command would go on.
"""

from __future__ import annotations

import signal
from types import FrameType

_asked: list[int] = []


def watch() -> None:
    """Remember interruptions from now on, besides raising them; let SIGTERM end the process.

    As an exception, so that programs that were started end too, and nothing half-written stays.
    """
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _end)


def raise_again() -> None:
    """Raise what was asked for and somebody swallowed.

    Raises:
        KeyboardInterrupt: If it was an interruption.
        SystemExit: If it was an end.
    """
    if _asked[-1:] == [signal.SIGTERM]:
        raise SystemExit(128 + signal.SIGTERM)
    if _asked:
        raise KeyboardInterrupt


def was_asked() -> bool:
    """Return whether somebody wanted this process to end."""
    return bool(_asked)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _asked.append(number)
    raise KeyboardInterrupt


def _end(number: int, frame: FrameType | None) -> None:
    _asked.append(number)
    raise SystemExit(128 + number)
