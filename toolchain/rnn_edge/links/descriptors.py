"""Streams over file descriptors: pipes, sockets and terminals."""

from __future__ import annotations

import os
import select
import time

from rnn_edge.errors import LinkError

_READ_BYTES = 1 << 16


class DescriptorStream:
    """Carries bytes over descriptors that it makes non-blocking.

    While it waits for a device to take bytes it takes what the device sends: neither waits for
    the other to empty what is full.

    Args:
        what: What it is, the start of messages, e.g. "Terminal /dev/ttyACM0".
        incoming: Descriptor to read from.
        outgoing: Descriptor to write to; may be the same.
    """

    def __init__(self, what: str, incoming: int, outgoing: int) -> None:
        self._what = what
        self._incoming = incoming
        self._outgoing = outgoing
        self._is_closed = False
        self._waiting = bytearray()
        os.set_blocking(incoming, False)
        os.set_blocking(outgoing, False)

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, as soon as that is a byte, or nothing where nothing came.

        Raises:
            LinkError: If the stream is closed or has ended.
        """
        self._check()
        if not self._waiting:
            self._wait(time.monotonic() + timeout_s, wants_room=False)
        found = bytes(self._waiting)
        self._waiting.clear()
        return found

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send bytes.

        Raises:
            LinkError: If the stream is closed, has ended, or takes no bytes for the time.
        """
        self._check()
        rest, deadline = memoryview(data), time.monotonic() + timeout_s
        while rest:
            try:
                rest = rest[os.write(self._outgoing, rest) :]
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LinkError(
                        f"{self._what} takes no bytes: {len(rest)} of {len(data)} are left after "
                        f"{timeout_s:g} s."
                    ) from None
                self._wait(deadline, wants_room=True)
            except OSError as error:
                raise self._ended(error.strerror or "") from error

    def close(self) -> None:
        """Close the descriptors; calling it twice is fine."""
        if not self._is_closed:
            self._is_closed = True
            self._release()

    def _release(self) -> None:
        for descriptor in {self._incoming, self._outgoing}:
            os.close(descriptor)

    def _check(self) -> None:
        if self._is_closed:
            raise LinkError(f"{self._what} is closed.", "open the link again")

    def _ended(self, why: str) -> LinkError:
        return LinkError(f"{self._what} has ended{f': {why}' if why else ''}.")

    def _wait(self, deadline: float, *, wants_room: bool) -> None:
        """Wait for bytes, or for room where that is wanted, and keep the bytes."""
        poller = select.poll()
        masks = {self._incoming: select.POLLIN}
        if wants_room:
            masks[self._outgoing] = masks.get(self._outgoing, 0) | select.POLLOUT
        for descriptor, mask in masks.items():
            poller.register(descriptor, mask)
        # In whole milliseconds, upwards: zero would spin until the deadline.
        left_ms = max(0, int((deadline - time.monotonic()) * 1000) + 1)
        ready = dict(poller.poll(left_ms))
        if ready.get(self._incoming, 0) & (select.POLLIN | select.POLLHUP | select.POLLERR):
            self._take()

    def _take(self) -> None:
        try:
            part = os.read(self._incoming, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise self._ended(error.strerror or "") from error
        if not part:
            raise self._ended("")
        self._waiting += part
