"""Rows that come line by line: on standard input, or from a serial port."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import numpy as np

from rnn_edge.errors import DeviceError
from rnn_edge.extras import require
from rnn_edge.links.serial_port import require_terminal
from rnn_edge.live.descriptor import read_bytes
from rnn_edge.live.lines import LineSplitter
from rnn_edge.live.queue import SampleQueue
from rnn_edge.live.rows import BadRowError, RowFormat, RowReader
from rnn_edge.live.source import Piece, Source
from rnn_edge.live.told import Teller
from rnn_edge.types import Array

LATE_PERIODS = 3.0
SHORTEST_GAP_S = 0.5
"""Rows of a live source are missing if none came for so many of their periods, and so long."""


class LineSource(Source):
    """Rows from a descriptor; whoever writes them waits while the queue is full.

    Args:
        name: What messages call the source.
        descriptor: Where the bytes come from.
        form: How rows are written.
        tell: Told of lines that are no rows.
    """

    def __init__(self, name: str, descriptor: int, form: RowFormat, tell: Teller) -> None:
        self.name = name
        self.reader = RowReader(form, name)
        self._descriptor, self._form, self._tell = descriptor, form, tell

    def deliver(self, queue: SampleQueue, stop: Event) -> None:
        """Put the rows into the queue."""
        for position, (piece_row, is_after_gap) in enumerate(self._rows(stop)):
            mark = self.reader.label
            labels = np.array([mark], np.int8) if mark else None
            piece = Piece(piece_row[None], position, time.monotonic(), is_after_gap, labels)
            if not self._hand_over(queue, piece, stop):
                return

    def _hand_over(self, queue: SampleQueue, piece: Piece, stop: Event) -> bool:
        return queue.put(piece, stop)

    def _rows(self, stop: Event) -> Iterator[tuple[Array, bool]]:
        splitter = LineSplitter()
        for number, line in enumerate(self._lines(splitter, stop), start=1):
            try:
                yield from self.reader.rows(line)
            except BadRowError as error:
                self._tell("bad lines", f"{self.name}, line {number:,} left out: {error}.")

    def _lines(self, splitter: LineSplitter, stop: Event) -> Iterator[bytes | None]:
        for content in read_bytes(self._descriptor, stop):
            yield from splitter.feed(content)
        rest = splitter.end()
        if rest is not None:
            yield rest


class SerialRows(LineSource):
    """Rows from a serial port: a row that is not taken in time is lost, and counted.

    Args:
        port: E.g. /dev/ttyACM0.
        baud: Bits per second.
        form: How rows are written.
        tell: Told of lines that are no rows.

    Raises:
        MissingDependencyError: If pyserial is not installed.
        DeviceError: If the port cannot be opened, or is something else than a serial port.
    """

    def __init__(self, port: str, baud: int, form: RowFormat, tell: Teller) -> None:
        serial = require("serial", "run", "serial ports")
        name = f"serial port {port}"
        try:
            # Not shared: two readers of one port would take each other's lines.
            self._port = serial.Serial(port, baud, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            require_terminal(port)
            raise DeviceError(
                f"Serial port {port} at {baud} baud cannot be opened: {error}.",
                "is it plugged in, another program using it, your user in the group dialout?",
            ) from error
        super().__init__(name, self._port.fileno(), form, tell)
        self.reader = RowReader(form, name, is_whole=False)
        self._last_s: float | None = None

    def deliver(self, queue: SampleQueue, stop: Event) -> None:
        """Put the rows into the queue.

        Raises:
            DeviceError: If the port goes away.
        """
        try:
            super().deliver(queue, stop)
        except OSError as error:
            raise DeviceError(f"{self.name} has gone: {error}; expected rows.") from error
        if not stop.is_set():
            raise DeviceError(f"{self.name} has ended; expected rows.", "is it still plugged in?")

    def _hand_over(self, queue: SampleQueue, piece: Piece, stop: Event) -> bool:
        before_s, self._last_s = self._last_s, piece.arrival_s
        if before_s is not None and is_gap(piece.arrival_s - before_s, self._form.rate_hz):
            piece = replace(piece, is_after_gap=True)
        return queue.offer(piece)

    def close(self) -> None:
        """Close the port."""
        self._port.close()


def is_gap(pause_s: float, rate_hz: float) -> bool:
    """Return whether rows are missing after a pause between two of them."""
    return pause_s > max(SHORTEST_GAP_S, LATE_PERIODS / rate_hz)
