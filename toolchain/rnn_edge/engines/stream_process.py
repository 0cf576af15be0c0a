"""A program that answers over its standard input and output while it is still being asked."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Mapping, Sequence

from rnn_edge.engines.worker import Worker
from rnn_edge.errors import EngineError

_READ_BYTES = 1 << 16


class StreamProcess(Worker):
    """A process that exchanges bytes, and never keeps its caller waiting for ever.

    Args:
        command: Program and arguments.
        owner: What it belongs to, for messages.
        endings: Exit code to what it means.

    Raises:
        EngineError: If the program does not start.
    """

    def __init__(
        self, command: Sequence[str], owner: str, endings: Mapping[int, str] | None = None
    ) -> None:
        super().__init__(command, owner)
        self._endings = dict(endings or {})

    def exchange(self, request: bytes, count: int, timeout_s: float) -> bytes:
        """Send a request and return the ``count`` bytes that come back.

        Sending and receiving overlap: neither side waits for the other to empty a full pipe.

        Args:
            request: May be of any length.
            count: Bytes of the answer.
            timeout_s: For both together.

        Raises:
            EngineError: If the process is closed, ends or is too slow; it is ended then.
        """
        with self._exchanging(timeout_s) as deadline:
            return self._exchange(request, count, deadline)

    def _exchange(self, request: bytes, count: int, deadline: float) -> bytes:
        rest, found = memoryview(request), bytearray()
        while rest or len(found) < count:
            poll = select.poll()
            poll.register(self._out, select.POLLIN)
            if rest:
                poll.register(self._in, select.POLLOUT)
            left = deadline - time.monotonic()
            ready = dict(poll.poll(max(0.0, left) * 1000))
            if not ready:
                raise TimeoutError
            if self._in in ready:
                with contextlib.suppress(BlockingIOError):
                    rest = rest[os.write(self._in, rest) :]
            if self._out in ready:
                part = os.read(self._out, min(_READ_BYTES, max(1, count - len(found))))
                if not part:
                    raise EOFError
                found += part
        if len(found) > count:
            raise EngineError(
                f"Worker of the {self._owner} sent more than the {count} bytes of its answer.",
                "compile again: its program is not of this version",
            )
        return bytes(found)

    def _how_it_ended(self) -> str:
        how = super()._how_it_ended()
        code = self._process.returncode
        return f"{how}: {self._endings[code]}" if code in self._endings else how
