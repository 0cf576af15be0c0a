"""Tables of sensor channels as a source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.live.lines import LineSplitter
from rnn_edge.live.rows import BadRowError, RowFormat, RowReader
from rnn_edge.live.source import RecordedSource
from rnn_edge.live.told import Teller
from rnn_edge.types import Array

_BLOCK = 65_536

BadLine = Callable[[Path, int, BadRowError], None]


class TableFiles(RecordedSource):
    """CSV files one after the other, as one stream.

    Args:
        paths: The files.
        form: How rows are written.
        piece_samples: Largest piece, in rows.
        tell: Told of lines that are no rows.
        is_paced: As of `RecordedSource`.
        repeat: As of `RecordedSource`.
        speed: As of `RecordedSource`.

    Raises:
        DataError: If a file is not there, or lacks a channel.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        form: RowFormat,
        piece_samples: int,
        tell: Teller,
        *,
        is_paced: bool,
        repeat: int,
        speed: float = 1.0,
    ) -> None:
        super().__init__(form.rate_hz, is_paced=is_paced, repeat=repeat, speed=speed)
        self._marks: list[int] = []
        self.name = ", ".join(path.name for path in paths)
        self.reader = RowReader(form, self.name)
        self._paths, self._form = paths, form
        self._piece_samples, self._tell = piece_samples, tell
        for path in paths:
            # A file that lacks a channel is told before anything runs.
            probe = RowReader(form, path.name)
            with path.open("rb") as file:
                try:
                    probe.row(file.readline(_BLOCK).rstrip(b"\r\n"))
                except BadRowError:
                    continue

    @property
    def identity(self) -> str:
        """Digest of names, sizes and format."""
        facts = [(path.name, path.stat().st_size) for path in self._paths]
        return hashlib.sha256(repr((facts, self._form)).encode()).hexdigest()

    def one_pass(self, skip: int) -> Iterator[tuple[Array, int, bool]]:
        """Yield the rows of all files; those before ``skip`` are read, for what they leave."""
        position = 0
        rows: list[Array] = []
        marks: list[int] = []
        is_after_gap = False
        for row, begins_anew in self._rows(self.reader, self._told):
            if position < skip:
                position += 1
                continue
            # A gap stands before a piece, never within one.
            if rows and (begins_anew or len(rows) == self._piece_samples):
                self._marks = marks
                yield np.stack(rows), position - len(rows), is_after_gap
                rows, marks, is_after_gap = [], [], False
            if not rows:
                is_after_gap = begins_anew
            rows.append(row)
            marks.append(self.reader.label)
            position += 1
        if rows:
            self._marks = marks
            yield np.stack(rows), position - len(rows), is_after_gap

    def labels(self) -> Array | None:
        """Return what is known of the rows that were yielded last."""
        return np.array(self._marks, np.int8) if any(self._marks) else None

    def length(self) -> int:
        """Return the rows of all files, by reading them."""
        reader = RowReader(self._form, self.name)
        return sum(1 for _ in self._rows(reader, lambda path, line, error: None))

    def _told(self, path: Path, line: int, error: BadRowError) -> None:
        self._tell("bad lines", f"{path.name}, line {line:,} left out: {error}.")

    def _rows(self, reader: RowReader, bad: BadLine) -> Iterator[tuple[Array, bool]]:
        count = 0
        for path in self._paths:
            reader.begin()
            for number, line in enumerate(_lines(path), start=1):
                try:
                    found = reader.rows(line)
                except BadRowError as error:
                    bad(path, number, error)
                    continue
                count += len(found)
                yield from found
        if not count:
            raise DataError(
                f"{self.name} has no row that can be read; expected {len(self._form.channels)} "
                f"channels: {', '.join(self._form.channels)}.",
                "see --delimiter",
            )


def _lines(path: Path) -> Iterator[bytes | None]:
    splitter = LineSplitter()
    with path.open("rb") as file:
        while content := file.read(_BLOCK):
            yield from splitter.feed(content)
    rest = splitter.end()
    if rest is not None:
        yield rest
