"""Stream mode: frames under way while results come, none lost and none stepped twice."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rnn_edge.errors import LinkError, LinkRestartError
from rnn_edge.links.frames import Damage, Frame
from rnn_edge.links.messages import ANSWER, DAMAGE_NOTICE, Kind, Status
from rnn_edge.links.port import FramePort


def session_lost(now: int) -> LinkRestartError:
    """Return the error for a device that knows nothing of a session.

    Args:
        now: The session that it is in; 0 for none since it started.
    """
    if now == 0:
        return LinkRestartError(
            "Device has started again: its stream and its state are lost.",
            "open() the link again, then reset() or set_state()",
        )
    return LinkRestartError(
        f"Device serves another session, {now:08x}: another host has opened one.",
        "close what else speaks to the device, then open() the link again",
    )


class FrameStreaming:
    """Sends frames as far ahead as a device has room for, and goes back where one is missing.

    Never more than ``window`` frames are without a result, so that the device, which remembers
    the results of as many, can answer each of them again.

    Args:
        port: What the frames go over.
        session: Of the client.
        window: Frames that may be under way, at least 1.
        result_bytes: Of one result.
        timeout_s: For one attempt.
        attempts: How often frames are sent without any result before that is an error.

    Raises:
        LinkError: If the window is none.
    """

    def __init__(
        self,
        port: FramePort,
        session: int,
        window: int,
        result_bytes: int,
        timeout_s: float,
        attempts: int,
    ) -> None:
        if window < 1:
            raise LinkError(f"Device offers a stream of {window} frames; expected at least 1.")
        self._port = port
        self._session = session
        self._window = window
        self._result_bytes = result_bytes
        self._timeout_s = timeout_s
        self._attempts = attempts
        self.retries = 0

    def run(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return a result for each frame, in order.

        Raises:
            LinkError: If the device does not answer, or with something else.
            LinkRestartError: If it has started again.
        """
        results: list[bytes] = []
        sent = furthest = attempts = old = 0
        deadline = time.monotonic() + self._timeout_s
        while len(results) < len(frames):
            while sent < min(len(frames), len(results) + self._window):
                self.retries += sent < furthest
                frame = Frame(Kind.STREAM_FRAME, self._session, sent & 0xFFFF, frames[sent])
                self._port.send(frame, self._timeout_s)
                sent += 1
                furthest = max(furthest, sent)
            found = self._port.receive(deadline)
            due = len(results)
            if self._is_result(found, due):
                assert isinstance(found, Frame)
                results.append(found.payload[1:])
                attempts = old = 0
                deadline = time.monotonic() + self._timeout_s
                continue
            if found is not None and not self._tells_of_a_gap(found, due):
                continue
            if found is not None and old > 0:
                # What was under way when the gap was seen tells of it too.
                old -= 1
                continue
            attempts += 1
            if attempts > self._attempts:
                raise LinkError(
                    f"Device gave no result of frame {due} of {len(frames)} in "
                    f"{self._attempts} attempts of {self._timeout_s:g} s.",
                    "is the line too bad, or the model slower than the timeout?",
                )
            old = sent - due - 1 if found is not None else 0
            sent = due
            deadline = time.monotonic() + self._timeout_s
        return results

    def _is_result(self, found: Frame | Damage | None, due: int) -> bool:
        """Return whether something is the result that is due."""
        if not isinstance(found, Frame) or found.type != Kind.STREAM_FRAME | ANSWER:
            return False
        status = found.payload[:1]
        if status == bytes([Status.NO_SESSION]):
            raise session_lost(found.session)
        if found.session != self._session or status == bytes([Status.OUT_OF_ORDER]):
            return False
        if status != bytes([Status.OK]):
            raise LinkError(f"Device answers a frame of a stream with status {status.hex()}.")
        if len(found.payload) != 1 + self._result_bytes:
            raise LinkError(
                f"Result of a stream: {len(found.payload) - 1} bytes; "
                f"expected {self._result_bytes}."
            )
        return found.sequence == due & 0xFFFF

    def _tells_of_a_gap(self, found: Frame | Damage, due: int) -> bool:
        """Return whether something says that a frame or a result did not arrive."""
        if isinstance(found, Damage) or found.type == DAMAGE_NOTICE:
            return True
        if found.type != Kind.STREAM_FRAME | ANSWER:
            return False
        # A result of a frame before the one that is due was asked for twice.
        ahead = (found.sequence - due) & 0xFFFF
        return found.payload[:1] == bytes([Status.OUT_OF_ORDER]) or 0 < ahead < self._window
