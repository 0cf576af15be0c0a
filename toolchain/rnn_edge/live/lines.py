"""Lines of a stream of bytes, none of them longer than there is room for."""

from __future__ import annotations

from collections.abc import Iterator

LONGEST = 65_536
"""Bytes of a line; a longer one is no line of a table."""


class LineSplitter:
    """Cuts bytes into lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_too_long = False

    def feed(self, content: bytes) -> Iterator[bytes | None]:
        """Yield the lines that are complete, without their ends; None for one that is too long."""
        *complete, rest = (self._rest + content).split(b"\n")
        for line in complete:
            if self._is_too_long:
                self._is_too_long = False
                continue
            yield line.removesuffix(b"\r") if len(line) <= LONGEST else None
        if self._is_too_long:
            rest = b""
        elif len(rest) > LONGEST:
            self._is_too_long, rest = True, b""
            yield None
        self._rest = rest

    def end(self) -> bytes | None:
        """Return what stands behind the last line's end, or None."""
        rest, self._rest = self._rest, b""
        return rest or None
