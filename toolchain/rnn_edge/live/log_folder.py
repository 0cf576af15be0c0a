"""Replay logs in numbered files: a stream may go on for months."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.live.counts import Counts
from rnn_edge.live.told import Teller
from rnn_edge.logs import LogWriter
from rnn_edge.types import Array, QuantizedModel

_SUFFIX = ".jsonl"
_DIGITS = 6


class LogFolder:
    """Numbered logs, ``NAME-000001.jsonl`` and so on.

    A disk that is full costs the log, never the stream: the frames that are not logged are
    counted, and the next file is tried when the one at hand would have been full.

    Args:
        folder: Where the logs are; it is made.
        frames: Frames of a file.
        keep: Files that are kept, the newest; 0 for all.
        is_packed: Whether they are compressed.
        counts: Where frames are counted that could not be logged.
        tell: Told of failures.

    Raises:
        EnvironmentFailureError: If the folder cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        frames: int,
        keep: int,
        counts: Counts,
        tell: Teller,
        *,
        is_packed: bool,
    ) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFailureError(
                f"Folder of logs {folder} cannot be made: {error.strerror}."
            ) from error
        self._folder, self._frames, self._keep = folder, frames, keep
        self._suffix = f"{_SUFFIX}.gz" if is_packed else _SUFFIX
        self._counts, self._tell = counts, tell
        self._writer: LogWriter | None = None
        self._left = 0
        self._model: QuantizedModel | None = None
        self._rate_hz = 0.0
        self._features: tuple[str, ...] = ()

    def begin(self, model: QuantizedModel, rate_hz: float, features: Sequence[str]) -> None:
        """Log a model from now on, in a new file."""
        self._model, self._rate_hz, self._features = model, rate_hz, tuple(features)
        self._left = 0

    def write(self, x: Array, y: Array | None, **fields: Any) -> None:  # noqa: ANN401 - as LogWriter
        """Write one frame; the arguments are those of `LogWriter.write`."""
        try:
            if not self._left:
                self._next()
            self._left -= 1
            if self._writer is None:
                self._counts.unlogged += 1
                return
            self._writer.write(x, y, **fields)
        except OSError as error:
            self._counts.unlogged += 1
            self._tell("log", f"Logs in {self._folder}: {error.strerror or error}; not logged.")
            self._give_up()

    def flush(self) -> None:
        """Hand over to the operating system what was written so far."""
        try:
            if self._writer is not None:
                self._writer.flush()
        except OSError as error:
            self._tell("log", f"Logs in {self._folder}: {error.strerror or error}; not logged.")
            self._give_up()

    def close(self) -> None:
        """End the log that is written."""
        try:
            if self._writer is not None:
                self._writer.close()
        except OSError as error:
            self._tell("log", f"Logs in {self._folder}: {error.strerror or error}; cut short.")
        self._writer = None

    def _give_up(self) -> None:
        try:
            self.close()
        finally:
            self._writer = None

    def _next(self) -> None:
        self.close()
        assert self._model is not None
        self._left = self._frames
        name = self._model.name
        numbered = re.compile(rf"{re.escape(name)}-(\d{{{_DIGITS},}})\.jsonl(\.gz)?")
        found = sorted(
            (int(match[1]), path)
            for path in self._folder.iterdir()
            if (match := numbered.fullmatch(path.name))
        )
        number = found[-1][0] + 1 if found else 1
        header = LogWriter.header_of(self._model, self._rate_hz, self._features)
        path = self._folder / f"{name}-{number:0{_DIGITS}}{self._suffix}"
        self._writer = LogWriter(path, header)
        if self._keep:
            for _, old in found[: max(0, len(found) + 1 - self._keep)]:
                old.unlink(missing_ok=True)
