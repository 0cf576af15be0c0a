"""What a stream of bytes is."""

from __future__ import annotations

from typing import Protocol


class ByteStream(Protocol):
    """Carries bytes both ways; it may lose, garble, double or insert some.

    No method waits for longer than it is told.
    """

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, as soon as that is a byte, or nothing where nothing came.

        Raises:
            LinkError: If the stream is closed or has ended.
        """

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send bytes.

        Raises:
            LinkError: If the stream is closed, has ended, or takes no bytes for the time.
        """

    def close(self) -> None:
        """Release what the stream holds; calling it twice is fine."""
