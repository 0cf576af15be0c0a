"""A process that answers requests, and never keeps its caller waiting for ever."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnn_edge.child_process import CLOSE_TIMEOUT_S, end_child, start_child
from rnn_edge.engines.worker_program import FrameError, pack_frame, read_frame
from rnn_edge.errors import EngineError
from rnn_edge.types import Array

START_TIMEOUT_S = 120.0
"""For the first request too: a Raspberry Pi needs seconds to import a runtime."""
CALL_TIMEOUT_S = 300.0
_WORDS_LINES = 4
_WORDS_BYTES = 4096
_TRACEBACK = "Traceback (most recent call last):"
# The line of a traceback that names what was raised. The first one is the cause of the others.
_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt)(?::|$)")


class Worker:
    """A program that reads and writes the frames of `engines.worker_program`.

    It is ended by `close`, when this object is collected, and when this process ends.

    Args:
        command: Program and arguments.
        owner: What it belongs to, the start of messages, e.g. "engine 'tflm'".
        remedy: What to do where the program does not even begin to work; empty where nothing is
            known.

    Raises:
        EngineError: If the program does not start.
    """

    def __init__(self, command: Sequence[str], owner: str, remedy: str = "") -> None:
        self._owner = owner
        self.remedy = remedy
        self._has_answered = False
        try:
            self._process, words = start_child(command)
        except OSError as error:
            raise EngineError(
                f"Worker of the {owner} does not start: {command[0]}: {error.strerror}.",
                remedy,
            ) from error
        self._words = words
        self._end = weakref.finalize(self, end_child, self._process, words)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in = self._process.stdin.fileno()
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def call(
        self, header: Mapping[str, Any], arrays: Mapping[str, Array], timeout_s: float
    ) -> tuple[dict[str, Any], dict[str, Array]]:
        """Send a request and return the reply; after an error of the worker it is ended.

        Args:
            header: JSON values.
            arrays: By name.
            timeout_s: For request and reply together.

        Raises:
            EngineError: If the worker is closed, ends, is too slow or sends something else.
        """
        with self._exchanging(timeout_s) as deadline:
            try:
                self._send(pack_frame(header, arrays), deadline)
                answer = read_frame(lambda count: self._receive(count, deadline))
            except FrameError as error:
                self._kill()
                raise self._failed(f"sent something that is not a reply: it {error}") from error
        self._has_answered = True
        return answer

    @contextlib.contextmanager
    def _exchanging(self, timeout_s: float) -> Iterator[float]:
        """Give the deadline for one request and its reply; whatever goes wrong ends the worker.

        Raises:
            EngineError: If the worker is closed, ends or is too slow.
        """
        if not self._end.alive:
            raise EngineError(f"Worker of the {self._owner} is closed.", "open the engine again")
        try:
            yield time.monotonic() + timeout_s
        except (EOFError, BrokenPipeError) as error:
            raise self._failed(self._how_it_ended()) from error
        except TimeoutError as error:
            self._kill()
            raise self._failed(f"did not answer within {timeout_s:g} s") from error
        except BaseException:
            # Half a message was exchanged: the next reply would answer another request.
            self._kill()
            self._end()
            raise

    def close(self) -> None:
        """End the process; calling it twice is fine."""
        self._end()

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            _wait_for(self._in, select.POLLOUT, deadline)
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(self._in, rest) :]

    def _receive(self, count: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < count:
            _wait_for(self._out, select.POLLIN, deadline)
            part = os.read(self._out, count - len(found))
            if not part:
                raise EOFError
            found += part
        return bytes(found)

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._kill()
            return "closed its output"
        if code < 0:
            names = {each.value: each.name for each in signal.Signals}
            return f"was ended by {names.get(-code, f'signal {-code}')}"
        return f"ended with exit code {code}"

    def _failed(self, what: str) -> EngineError:
        """Return the error with the worker's last words, and end the worker."""
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - _WORDS_BYTES))
        lines = self._words.read().decode(errors="replace").split("\n")
        spoken = [line.strip() for line in lines if line.strip()]
        raised = _raised(spoken)
        if raised:
            said = f": {raised}"
        elif spoken:
            said = f"; its last words: {' / '.join(spoken[-_WORDS_LINES:])}"
        else:
            said = ""
        self._end()
        message = f"Worker of the {self._owner} {what}{said.rstrip('.')}."
        return EngineError(message, self._what_to_do(has_raised=bool(raised)))

    def _what_to_do(self, *, has_raised: bool) -> str:
        """Return the hint for a worker that failed."""
        again = "open the engine again"
        if self._has_answered or not self.remedy:
            return again
        # The program answers what a runtime refuses: what it raises instead is its surroundings.
        return self.remedy if has_raised else f"{again}; if that does not help, {self.remedy}"


def _raised(lines: Sequence[str]) -> str:
    """Return what a Python program that ended in a traceback says was raised, or nothing."""
    if _TRACEBACK not in lines:
        return ""
    after = lines[lines.index(_TRACEBACK) + 1 :]
    return next((line for line in after if _RAISED.match(line)), lines[-1])


def _wait_for(descriptor: int, event: int, deadline: float) -> None:
    poller = select.poll()
    poller.register(descriptor, event)
    # In whole milliseconds, at least one: zero would spin until the deadline.
    left_ms = max(0, int((deadline - time.monotonic()) * 1000) + 1)
    if not poller.poll(left_ms):
        raise TimeoutError
