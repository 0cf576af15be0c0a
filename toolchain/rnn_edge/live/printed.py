"""Events as JSON lines."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any


class Lines:
    """Writes every event as one line of JSON.

    A reader that is slow holds up the stream, as in every pipe; one that went away ends it.

    Args:
        write: Takes a line.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._is_broken = False

    def send(self, event: Mapping[str, Any]) -> None:
        """Write an event.

        Raises:
            BrokenPipeError: If nobody reads any more; later events are passed over.
        """
        if self._is_broken:
            return
        plain = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in event.items()
        }
        try:
            self._write(json.dumps(plain))
        except BrokenPipeError:
            self._is_broken = True
            raise

    def close(self) -> None:
        """Nothing waits here."""
