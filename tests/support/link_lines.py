"""Lines between a host and a device that tests make bad, and devices that say what they like."""

import time
from contextlib import ExitStack, contextmanager
from unittest import mock

import numpy as np

from rnn_edge.errors import LinkError
from rnn_edge.links.frames import Frame, Parser
from rnn_edge.links.process import ProcessStream

FAULTS = ("drop", "double", "garble", "insert")


class FaultyStream:
    """Damages single bytes of another stream, in both directions.

    Counts what it did in ``faults``, by name; ``rate`` may be changed on the way.
    """

    def __init__(self, stream, seed, rate):
        self._stream = stream
        self._rng = np.random.default_rng(seed)
        self.rate = rate
        self.faults = dict.fromkeys(FAULTS, 0)

    def _damaged(self, data):
        found, at = bytearray(), 0
        for k in np.flatnonzero(self._rng.random(len(data)) < self.rate):
            found += data[at:k]
            fault = FAULTS[self._rng.integers(len(FAULTS))]
            self.faults[fault] += 1
            other = int(self._rng.integers(256))
            found += {
                "drop": b"",
                "double": data[k : k + 1] * 2,
                "garble": bytes([data[k] ^ (1 + other % 255)]),
                "insert": bytes([data[k], other]),
            }[fault]
            at = k + 1
        return bytes(found + data[at:])

    def read(self, timeout_s):
        return self._damaged(self._stream.read(timeout_s))

    def write(self, data, timeout_s):
        self._stream.write(self._damaged(data), timeout_s)

    def close(self):
        self._stream.close()


class ScriptedTime:
    """Time that passes only while somebody waits, in place of the module `time`."""

    def __init__(self):
        self.now_s = 0.0

    def monotonic(self):
        return self.now_s

    perf_counter = monotonic

    def sleep(self, seconds):
        self.now_s += seconds


@contextmanager
def scripted_time():
    """Let the host and scripted devices share a clock that no other program holds up."""
    clock = ScriptedTime()
    with ExitStack() as stack:
        for name in ("client", "port", "session", "streaming"):
            stack.enter_context(mock.patch(f"rnn_edge.links.{name}.time", clock))
        stack.enter_context(mock.patch.dict(globals(), time=clock))
        yield clock


class ScriptedStream:
    """A device whose answers a function gives: for a frame of the host, frames or bytes."""

    def __init__(self, answer):
        self._answer = answer
        self._parser = Parser()
        self._waiting = b""
        self.heard = []
        self.is_closed = False

    def write(self, data, timeout_s):
        del timeout_s
        for found in self._parser.feed(data):
            self.heard.append(found)
            for reply in self._answer(found):
                self._waiting += reply.pack() if isinstance(reply, Frame) else reply

    def read(self, timeout_s):
        if not self._waiting:
            time.sleep(timeout_s)
        found, self._waiting = self._waiting, b""
        return found

    def close(self):
        self.is_closed = True


class RestartingStream:
    """A program that can be made to start again behind the same line, as a device that reboots."""

    def __init__(self, command):
        self._command = command
        self._stream = ProcessStream(command, "Program")
        self._left = None

    def restart(self, after_bytes=0):
        """Start again when the host has sent so many more bytes; the rest of them is lost."""
        self._left = after_bytes

    def _reboot(self):
        self._left = None
        self._stream.close()
        self._stream = ProcessStream(self._command, "Program")

    def write(self, data, timeout_s):
        if self._left is not None:
            self._left -= len(data)
            if self._left <= 0:
                self._reboot()
                return
        self._stream.write(data, timeout_s)

    def read(self, timeout_s):
        return self._stream.read(timeout_s)

    def close(self):
        self._stream.close()


class EndedStream:
    """A line that has ended."""

    def read(self, timeout_s):
        raise LinkError("Line has ended.")

    def write(self, data, timeout_s):
        raise LinkError("Line has ended.")

    def close(self):
        pass
