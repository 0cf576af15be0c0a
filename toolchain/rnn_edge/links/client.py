"""The host's side of the link: requests that are executed once, whatever the line loses."""

from __future__ import annotations

import secrets
import struct
import time
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import LinkError, SavedStateError
from rnn_edge.links.base import ByteStream
from rnn_edge.links.frames import Damage, Frame
from rnn_edge.links.messages import (
    ANSWER,
    DAMAGE_NOTICE,
    VERSION,
    Capabilities,
    Identity,
    Kind,
    LinkCounters,
    LogPage,
    LogRecord,
    Opening,
    Status,
    StepFlag,
)
from rnn_edge.links.port import FramePort, Traffic
from rnn_edge.links.streaming import FrameStreaming, session_lost
from rnn_edge.types import Array
from rnn_edge.types.closing import Closing

TIMEOUT_S = 1.0
ATTEMPTS = 10
LEAST_PAYLOAD = 64
"""Less holds no identity."""
MOST_STATE_BYTES = 1 << 24

_OFFSET = struct.Struct("<I")
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


class LinkClient(Closing):
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
        self._identity: Identity | None = None
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
        self._most_payload, self._identity = opening.most_payload, None
        return opening

    def identify(self) -> Identity:
        """Return whom this speaks to; the device is asked once in a session.

        Raises:
            LinkError: If the device does not answer.
        """
        if self._identity is None:
            self._identity = Identity.unpack(self._ask(Kind.IDENTIFY))
        return self._identity

    def capabilities(self) -> Capabilities:
        """Return what the device can do.

        Raises:
            LinkError: If the device does not answer.
        """
        return Capabilities.unpack(self._ask(Kind.CAPABILITIES))

    def ping(self, data: bytes = b"") -> float:
        """Send bytes there and back, and return the seconds that took.

        Raises:
            LinkError: If the device does not answer, or with other bytes.
        """
        start = time.monotonic()
        found = self._ask(Kind.PING, data)
        if found != data:
            raise LinkError(f"Ping of {len(data)} bytes came back as {len(found)} other bytes.")
        return time.monotonic() - start

    def reset(self) -> None:
        """Set the state to zero; the reset policy begins anew.

        Raises:
            LinkError: If the device does not answer.
        """
        self._ask(Kind.RESET)

    def state(self) -> bytes:
        """Return the device's saved state, fetched in parts and of one moment.

        Raises:
            LinkError: If the device does not answer.
        """
        found = bytearray()
        while True:
            content = self._ask(Kind.GET_STATE, _OFFSET.pack(len(found)))
            total = int.from_bytes(content[: _OFFSET.size], "little")
            part = content[_OFFSET.size :]
            found += part
            if len(found) == total:
                return bytes(found)
            if not part or len(found) > total or total > MOST_STATE_BYTES:
                raise LinkError(f"Saved state: {len(found)} bytes came; expected {total}.")

    def set_state(self, blob: bytes) -> None:
        """Hand over a saved state in parts, which the device takes at once.

        Raises:
            SavedStateError: If the device refuses it; its state is as it was.
            LinkError: If the device does not answer.
        """
        size = self._payload() - _OFFSET.size
        for at in range(0, max(1, len(blob)), size):
            self._ask(Kind.PUT_STATE, _OFFSET.pack(at) + blob[at : at + size])
        status, content = self._answer(Kind.COMMIT_STATE)
        if status is Status.REFUSED:
            raise SavedStateError(
                f"Saved state of {len(blob)} bytes: the device refuses it with status "
                f"-{content[0] if content else 0}; expected one of its model.",
                "start again from zero with reset(), or use a state that this model saved",
            )
        self._require_ok(Kind.COMMIT_STATE, status)

    def most_frames(self, flags: StepFlag) -> int:
        """Return how many frames one `step` may take.

        Raises:
            LinkError: If the device does not answer.
        """
        identity = self.identify()
        values = identity.outputs
        if StepFlag.WITH_STATES in flags:
            values += identity.state_values
        found = (self._payload() - 1) // (2 * max(identity.inputs, values))
        if found < 1:
            raise LinkError(
                f"Device takes payloads of {self._payload()} bytes; a frame of {identity.inputs} "
                f"values or a result of {values} does not fit.",
                "ask for outputs only, or compile its image with a larger RNN_EDGE_LINK_PAYLOAD",
            )
        return found

    def step(self, frames: Array, flags: StepFlag = StepFlag.PLAIN) -> Array:
        """Step frames, in as many requests as they need.

        Args:
            frames: int16 (T, D).
            flags: `StepFlag.WITH_STATES` for states behind the outputs, `StepFlag.DEPLOYED` for
                steps under the reset policy that the model was exported with.

        Returns:
            int16 (T, C), or (T, C + V) with states.

        Raises:
            LinkError: If the frames are not the model's, or the device does not answer. How many
                were stepped `open` tells.
        """
        identity = self.identify()
        self._check_frames(frames)
        size = self.most_frames(flags)
        width = identity.outputs
        if StepFlag.WITH_STATES in flags:
            width += identity.state_values
        parts = [np.empty((0, width), np.int16)]
        for at in range(0, len(frames), size):
            part = frames[at : at + size]
            content = self._ask(Kind.STEP, bytes([flags]) + part.astype("<i2").tobytes())
            if len(content) != 2 * width * len(part):
                raise self._lost(
                    f"Answer to step: {len(content)} bytes; expected {2 * width * len(part)}."
                )
            parts.append(np.frombuffer(content, "<i2").astype(np.int16).reshape(len(part), width))
        return np.concatenate(parts)

    def stream(self, frames: Array, *, is_deployed: bool = False) -> Array:
        """Step frames with several under way at a time, as many as the device has room for.

        Args:
            frames: int16 (T, D).
            is_deployed: Under the reset policy that the model was exported with.

        Returns:
            Outputs, int16 (T, C).

        Raises:
            LinkError: If the frames are not the model's, or the device does not answer. How many
                were stepped `open` tells.
        """
        identity = self.identify()
        self._check_frames(frames)
        flags = StepFlag.DEPLOYED if is_deployed else StepFlag.PLAIN
        window = int.from_bytes(self._ask(Kind.STREAM_BEGIN, bytes([flags])), "little")
        streaming = FrameStreaming(
            self._port, self._session, window, 2 * identity.outputs, self._timeout_s, self._attempts
        )
        self._requests += len(frames)
        try:
            rows = streaming.run([row.tobytes() for row in frames.astype("<i2")])
        except LinkError:
            self._session = 0
            raise
        finally:
            self._retries += streaming.retries
        stepped = int.from_bytes(self._ask(Kind.STREAM_END), "little")
        if stepped != len(frames):
            raise self._lost(f"Stream of {len(frames)} frames: the device stepped {stepped}.")
        values = np.frombuffer(b"".join(rows), "<i2").astype(np.int16)
        return values.reshape(len(frames), identity.outputs)

    def counters(self) -> LinkCounters:
        """Return what the device has counted since it started.

        Raises:
            LinkError: If the device does not answer.
        """
        return LinkCounters.unpack(self._ask(Kind.COUNTERS))

    def log(self, first: int = 0) -> list[LogRecord]:
        """Return what the device's log holds, from a step on.

        Args:
            first: Number of the step; where the log does not hold it, from the oldest on.

        Raises:
            LinkError: If the device has no log or does not answer.
        """
        found: list[LogRecord] = []
        at = first
        identity = self.identify()
        while True:
            content = self._ask(Kind.LOG, _OFFSET.pack(at))
            page = LogPage.unpack(content, identity.inputs, identity.outputs)
            # What was overwritten meanwhile leaves a gap; the log ends before it.
            if not page.records or (found and page.records[0].step != at):
                return found
            found += page.records
            at = (page.records[-1].step + 1) % (1 << 32)
            if at == page.steps:
                return found

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

    def _check_frames(self, frames: Array) -> None:
        width = self.identify().inputs
        if frames.dtype != np.int16 or frames.ndim != 2 or frames.shape[1] != width:
            raise LinkError(
                f"Frames: {frames.dtype} {frames.shape}; expected int16 ({len(frames)}, {width})."
            )

    def _ask(self, kind: Kind, payload: bytes = b"") -> bytes:
        """Return what follows the status of an answer that must be OK."""
        status, content = self._answer(kind, payload)
        self._require_ok(kind, status)
        return content

    def _require_ok(self, kind: Kind, status: Status) -> None:
        if status is not Status.OK:
            raise LinkError(
                f"Device answers {kind.name.lower().replace('_', ' ')} with "
                f"{status.name.lower().replace('_', ' ')}.",
                "capabilities() tells what it supports",
            )

    def _answer(self, kind: Kind, payload: bytes = b"") -> tuple[Status, bytes]:
        """Return status and content of an answer; a session that is lost is an error."""
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
            if found.type != request.type | ANSWER or found.sequence != request.sequence:
                continue
            status = found.payload[:1]
            if status == bytes([Status.NO_SESSION]):
                raise session_lost(found.session)
            is_refusal = request.type == Kind.OPEN and status != bytes([Status.OK])
            if found.session == request.session or is_refusal:
                return found
        return None

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
