"""A session with a device: requests that are executed once, whatever the line loses."""

from __future__ import annotations

import secrets
import time
from collections import deque
from dataclasses import dataclass

from rnn_edge.errors import LinkError
from rnn_edge.links.application import Event
from rnn_edge.links.base import ByteStream
from rnn_edge.links.frames import Damage, Frame
from rnn_edge.links.messages import (
    ANSWER,
    DAMAGE_NOTICE,
    EVENT_NOTICE,
    VERSION,
    Kind,
    Opening,
    Status,
)
from rnn_edge.links.port import FramePort, Traffic
from rnn_edge.links.streaming import session_lost
from rnn_edge.types.closing import Closing

TIMEOUT_S = 1.0
ATTEMPTS = 10
LEAST_PAYLOAD = 64
"""Less holds no identity."""
MOST_NOTICES = 1024
"""Notices that are kept for whoever asks; of more, the oldest are forgotten."""

_REMEDY = "is it powered, is this its port, does it run an image with the link?"


@dataclass(frozen=True)
class LinkStatistics:
    """How a link has done.

    Attributes:
        requests: That were asked, and frames of streams.
        retries: How often one of them was sent again.
        traffic: What went over the line.
    """

    requests: int
    retries: int
    traffic: Traffic


class LinkSession(Closing):
    """Asks a device; every request is answered, or an error says that it was not.

    After a request without an answer nobody knows whether it was executed: the session ends, and
    `open` begins another one. `Opening.steps` then tells how many steps the device has taken.

    Args:
        stream: What carries the bytes; it is closed with the client.
        timeout_s: For one attempt.
        attempts: How often a request is sent before its error, at least 1.

    Raises:
        LinkError: If the timeout or the number of attempts is not positive.
    """

    def __init__(
        self, stream: ByteStream, timeout_s: float = TIMEOUT_S, attempts: int = ATTEMPTS
    ) -> None:
        if timeout_s <= 0 or attempts < 1:
            raise LinkError(
                f"Link: {attempts} attempts of {timeout_s:g} s; expected at least one of more "
                "than 0 s."
            )
        self._port = FramePort(stream)
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._session = 0
        self._sequence = 0
        self._most_payload = 0
        self._notices: deque[Event] = deque(maxlen=MOST_NOTICES)
        self._requests = self._retries = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a session."""
        return self._session != 0

    @property
    def statistics(self) -> LinkStatistics:
        """How the link has done so far."""
        return LinkStatistics(self._requests, self._retries, self._port.traffic)

    def open(self) -> Opening:
        """Begin a session; the device's stream goes on where it is.

        Raises:
            LinkError: If the device does not answer or speaks another version.
        """
        self._session = 0
        # Never 0, which is a device's own while nobody has opened one.
        session = 1 + secrets.randbelow((1 << 32) - 1)
        # A number of its own tells the answer from those to attempts of an earlier open.
        request = Frame(Kind.OPEN, session, session & 0xFFFF, bytes([VERSION]))
        opening = Opening.unpack(self._opened(request))
        if opening.most_payload < LEAST_PAYLOAD:
            raise LinkError(
                f"Device takes payloads of {opening.most_payload} bytes; expected at least "
                f"{LEAST_PAYLOAD}."
            )
        self._session, self._sequence = session, 0
        self._most_payload = opening.most_payload
        self._notices.clear()
        return opening

    def close(self) -> None:
        """Close the stream; calling it twice is fine."""
        self._session = 0
        self._port.close()

    def _payload(self) -> int:
        self._check_open()
        return self._most_payload

    def _check_open(self) -> None:
        if not self.is_open:
            raise LinkError("Link has no session; expected one.", "call open()")

    def ask(self, kind: Kind, payload: bytes = b"") -> bytes:
        """Ask, and return what follows the status of an answer that must be OK.

        Raises:
            LinkError: If the device refuses, or does not answer.
        """
        status, content = self.answer(kind, payload)
        self.require_ok(kind, status)
        return content

    def require_ok(self, kind: Kind, status: Status) -> None:
        """Refuse a refusal.

        Raises:
            LinkError: If the status is another one.
        """
        if status is not Status.OK:
            raise LinkError(
                f"Device answers {kind.name.lower().replace('_', ' ')} with "
                f"{status.name.lower().replace('_', ' ')}.",
                "capabilities() tells what it supports",
            )

    def answer(self, kind: Kind, payload: bytes = b"") -> tuple[Status, bytes]:
        """Ask, and return status and content of the answer.

        Raises:
            LinkError: If the device does not answer.
        """
        self._check_open()
        if len(payload) > self._most_payload:
            raise LinkError(
                f"Request {kind.name.lower()}: {len(payload)} bytes; the device takes "
                f"{self._most_payload}."
            )
        self._sequence = (self._sequence + 1) & 0xFFFF
        request = Frame(kind, self._session, self._sequence, payload)
        try:
            return self._exchange(request)
        except LinkError:
            self._session = 0
            raise

    def _opened(self, request: Frame) -> bytes:
        status, content = self._exchange(request)
        if status is Status.NOT_SUPPORTED:
            raise LinkError(
                f"Device speaks version {content[:1].hex() or '?'} of the link; "
                f"expected {VERSION:02x}.",
                "flash its image again",
            )
        if status is not Status.OK:
            raise LinkError(f"Device does not open a session: {status.name.lower()}.")
        return content

    def _exchange(self, request: Frame) -> tuple[Status, bytes]:
        """Send a request until it is answered; return status and content.

        Raises:
            LinkError: If it is not answered in any attempt, or the session is lost.
        """
        self._requests += 1
        for attempt in range(self._attempts):
            self._retries += attempt > 0
            self._port.send(request, self._timeout_s)
            answer = self._wait_for(request, time.monotonic() + self._timeout_s)
            if answer is not None:
                return _parts(answer)
        raise LinkError(
            f"Device did not answer {Kind(request.type).name.lower().replace('_', ' ')} in "
            f"{self._attempts} attempts of {self._timeout_s:g} s.",
            _REMEDY,
        )

    def _wait_for(self, request: Frame, deadline: float) -> Frame | None:
        """Return the answer, or None where it is time to ask again.

        Raises:
            LinkRestartError: If the device knows nothing of the session.
        """
        while (found := self._port.receive(deadline)) is not None:
            if isinstance(found, Damage) or found.type == DAMAGE_NOTICE:
                return None
            self._keep(found)
            if found.type != request.type | ANSWER or found.sequence != request.sequence:
                continue
            status = found.payload[:1]
            if status == bytes([Status.NO_SESSION]):
                raise session_lost(found.session)
            is_refusal = request.type == Kind.OPEN and status != bytes([Status.OK])
            if found.session == request.session or is_refusal:
                return found
        return None

    def _keep(self, found: Frame) -> None:
        """Keep what the device tells without being asked."""
        is_notice = found.type == EVENT_NOTICE and found.payload[:1] == bytes([Status.OK])
        if is_notice and found.session == self._session != 0:
            self._notices.append(Event.unpack(found.payload[1:]))

    def _lost(self, message: str) -> LinkError:
        self._session = 0
        return LinkError(message, "the device speaks another version of the link")


def _parts(answer: Frame) -> tuple[Status, bytes]:
    try:
        return Status(answer.payload[0]), answer.payload[1:]
    except (IndexError, ValueError) as error:
        raise LinkError(
            f"Answer of type {answer.type:#04x} has status {answer.payload[:1].hex() or 'none'}; "
            f"expected 0 to {max(Status)}.",
            "the device speaks another version of the link; flash its image again",
        ) from error
