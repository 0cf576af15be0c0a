"""Notices that a bundle was built anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from rnn_edge.pipeline.bundle import MANIFEST

POLL_S = 1.0


class BundleWatch:
    """Looks at a bundle's manifest, which a build writes last, once a second.

    Args:
        path: Returns the folder of the bundle that is at work now.
        changed: Called, from another thread, when it has another manifest.
    """

    def __init__(self, path: Callable[[], Path], changed: Callable[[], None]) -> None:
        self._path, self._changed = path, changed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        folder = self._path()
        before = _signature(folder)
        while not self._stop.wait(POLL_S):
            if self._path() != folder:
                folder = self._path()
                before = _signature(folder)
                continue
            now = _signature(folder)
            # While files are exchanged there is no manifest.
            if now is not None and now != before:
                before = now
                self._changed()


def _signature(folder: Path) -> tuple[int, int, int] | None:
    try:
        found = (folder / MANIFEST).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
