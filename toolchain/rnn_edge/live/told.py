"""Tells what goes wrong again and again, without filling a disk with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

_FIRST = 5


class Teller:
    """Passes on the first few messages of a kind, then the tenth, the hundredth, and so on.

    Args:
        write: Takes a line.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self.counts: Counter[str] = Counter()
        self._write = write

    def __call__(self, kind: str, line: str) -> None:
        """Tell something of a kind that may come often."""
        self.counts[kind] += 1
        count = self.counts[kind]
        if count <= _FIRST:
            self._write(line)
        elif str(count).strip("0") == "1":
            self._write(f"{line} ({kind}: {count:,} so far)")

    def once(self, line: str) -> None:
        """Tell something that does not come often."""
        self._write(line)
