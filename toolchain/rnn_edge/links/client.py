"""The host's side of the link: what a device can be asked."""

from __future__ import annotations

import struct
import time
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import LinkError, LinkRestartError, SavedStateError
from rnn_edge.links.application import (
    NUMBERS,
    About,
    AppStatus,
    Event,
    EventPage,
    LogPage,
    LogRecord,
    Mode,
    Origin,
    SampleKind,
    Samples,
    fed,
    mode_of,
    origin_of,
)
from rnn_edge.links.base import ByteStream
from rnn_edge.links.frames import Damage
from rnn_edge.links.messages import (
    Capabilities,
    Identity,
    Kind,
    LinkCounters,
    Opening,
    Status,
    StepFlag,
)
from rnn_edge.links.session import ATTEMPTS, TIMEOUT_S, LinkSession
from rnn_edge.links.streaming import FrameStreaming
from rnn_edge.types import Array

MOST_STATE_BYTES = 1 << 24
_OFFSET = struct.Struct("<I")
_PAUSE_S = 0.002
"""Between two attempts to feed a device whose ring is full."""


@dataclass(frozen=True)
class Watched:
    """What was seen of a device's events.

    Attributes:
        events: In order.
        missed: Events before the first of them that the device has forgotten.
    """

    events: tuple[Event, ...]
    missed: int


class LinkClient(LinkSession):
    """Asks a device; every request is answered, or an error says that it was not.

    After a request without an answer nobody knows whether it was executed: the session ends, and
    `open` begins another one. `Opening.steps` then tells how many steps the device has taken.

    A device steps the frames of its sensor. `set_mode` takes the model over: `reset`, `set_state`,
    `step` and `stream` are refused before.

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
        super().__init__(stream, timeout_s, attempts)
        self._identity: Identity | None = None
        self._samples: Samples | None = None
        self._next_event: int | None = None

    def open(self) -> Opening:
        """Begin a session; the device's stream goes on where it is.

        Raises:
            LinkError: If the device does not answer or speaks another version.
        """
        self._identity = self._next_event = self._samples = None
        return super().open()

    def identify(self) -> Identity:
        """Return whom this speaks to; the device is asked once in a session.

        Raises:
            LinkError: If the device does not answer.
        """
        if self._identity is None:
            self._identity = Identity.unpack(self.ask(Kind.IDENTIFY))
        return self._identity

    def capabilities(self) -> Capabilities:
        """Return what the device can do.

        Raises:
            LinkError: If the device does not answer.
        """
        return Capabilities.unpack(self.ask(Kind.CAPABILITIES))

    def ping(self, data: bytes = b"") -> float:
        """Send bytes there and back, and return the seconds that took.

        Raises:
            LinkError: If the device does not answer, or with other bytes.
        """
        start = time.monotonic()
        found = self.ask(Kind.PING, data)
        if found != data:
            raise LinkError(f"Ping of {len(data)} bytes came back as {len(found)} other bytes.")
        return time.monotonic() - start

    def reset(self) -> None:
        """Set the state to zero; the reset policy begins anew.

        Raises:
            LinkError: If the device does not answer.
        """
        self.ask(Kind.RESET)

    def state(self) -> bytes:
        """Return the device's saved state, fetched in parts and of one moment.

        Raises:
            LinkError: If the device does not answer.
        """
        found = bytearray()
        while True:
            content = self.ask(Kind.GET_STATE, _OFFSET.pack(len(found)))
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
            self.ask(Kind.PUT_STATE, _OFFSET.pack(at) + blob[at : at + size])
        status, content = self.answer(Kind.COMMIT_STATE)
        if status is Status.REFUSED:
            raise SavedStateError(
                f"Saved state of {len(blob)} bytes: the device refuses it with status "
                f"-{content[0] if content else 0}; expected one of its model.",
                "start again from zero with reset(), or use a state that this model saved",
            )
        self.require_ok(Kind.COMMIT_STATE, status)

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
            content = self.ask(Kind.STEP, bytes([flags]) + part.astype("<i2").tobytes())
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
        window = int.from_bytes(self.ask(Kind.STREAM_BEGIN, bytes([flags])), "little")
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
        stepped = int.from_bytes(self.ask(Kind.STREAM_END), "little")
        if stepped != len(frames):
            raise self._lost(f"Stream of {len(frames)} frames: the device stepped {stepped}.")
        values = np.frombuffer(b"".join(rows), "<i2").astype(np.int16)
        return values.reshape(len(frames), identity.outputs)

    def counters(self) -> LinkCounters:
        """Return what the device has counted since it started.

        Raises:
            LinkError: If the device does not answer.
        """
        return LinkCounters.unpack(self.ask(Kind.COUNTERS))

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
            content = self.ask(Kind.LOG, _OFFSET.pack(at))
            page = LogPage.unpack(content, identity.inputs, identity.outputs)
            # What was overwritten meanwhile leaves a gap; the log ends before it.
            if not page.records or (found and page.records[0].step != at):
                return found
            found += page.records
            at = (page.records[-1].step + 1) % NUMBERS
            if at == page.steps:
                return found

    def about(self) -> About:
        """Return what the device is, and how it began.

        Raises:
            LinkError: If the device does not answer.
        """
        return About.unpack(self.ask(Kind.ABOUT))

    def mode(self) -> Mode:
        """Return whose frames the device steps.

        Raises:
            LinkError: If the device does not answer.
        """
        return mode_of(self.ask(Kind.MODE))

    def set_mode(self, mode: Mode) -> None:
        """Take the model over, or give it back to the device's sensor.

        Frames that wait are dropped; the state stays. To and from `Mode.HOST` what is detected
        begins anew.

        Raises:
            LinkError: If the device does not answer.
        """
        self.ask(Kind.MODE, bytes([mode]))

    def feed(self, frames: Array) -> None:
        """Hand frames over for the device to decide on, in place of its sensor's.

        Returns when all of them are in its ring. The mode has to be `Mode.FED`.

        Args:
            frames: int16 (T, D).

        Raises:
            LinkError: If the frames are not the model's, or the device does not answer or does not
                step them. How many it took is `AppStatus.frames` and `AppStatus.waiting`.
        """
        self._check_frames(frames)
        self._feed(Kind.FEED, frames.astype("<i2"), at_once=1)

    def _feed(self, kind: Kind, rows: Array, at_once: int) -> None:
        """Hand rows over until all of them are taken, the first request with at most so many."""
        most = max(1, self._payload() // max(1, rows[:1].nbytes))
        patience = self._timeout_s * self._attempts
        deadline = time.monotonic() + patience
        # Large requests are for lines that carry them: on a bad one only small ones arrive.
        at, size, room = 0, min(most, at_once), at_once
        while at < len(rows):
            part = rows[at : at + max(1, min(size, room))]
            retries = self._retries
            taken, room = fed(self.ask(kind, part.tobytes()))
            if self._retries == retries:
                size = min(most, size + max(1, size // 8))
            else:
                most, size = max(1, len(part) - 1), max(1, len(part) // 2)
            at += taken
            if taken:
                deadline = time.monotonic() + patience
            elif time.monotonic() > deadline:
                what = "frames" if kind is Kind.FEED else "samples"
                raise self._lost(f"Device steps none of the {what}: {at} of {len(rows)} taken.")
            else:
                time.sleep(_PAUSE_S)

    def feed_samples(self, samples: Array) -> None:
        """Hand raw samples over for the device to make frames of, in place of its sensor's.

        Returns when all of them are in its ring. The mode has to be `Mode.FED`.

        Args:
            samples: int16 (N,) of sound, or int32 (N, channels) rows of sensors.

        Raises:
            LinkError: If the device takes no samples, or others, or it does not answer or does not
                take them. How many it took is `Heard.samples` and `Heard.waiting`.
        """
        kind = self._samples_taken()
        shape = (len(samples),) if kind.kind is SampleKind.SOUND else (len(samples), kind.values)
        if samples.dtype != kind.dtype or samples.shape != shape:
            raise LinkError(
                f"Samples: {samples.dtype} {samples.shape}; expected {kind.dtype} {shape}."
            )
        rows = samples.astype(kind.dtype).reshape(len(samples), kind.values)
        self._feed(Kind.SAMPLES, rows, at_once=kind.ring)

    def _samples_taken(self) -> Samples:
        """Return what samples the device takes; it is asked once in a session."""
        if self._samples is None:
            self._samples = self.about().samples
        if self._samples is None:
            raise LinkError(
                "Device takes no raw samples: it serves finished frames only.",
                'build the bundle with features.arithmetic = "integer", and flash its image',
            )
        return self._samples

    def status(self) -> AppStatus:
        """Return how the application does.

        Raises:
            LinkError: If the device does not answer.
        """
        return AppStatus.unpack(self.ask(Kind.STATUS))

    def save(self) -> Origin:
        """Have the device save its stream now, and return where: flash, if it has some.

        Raises:
            LinkError: If it can save nowhere, or that failed, or it does not answer.
        """
        status, content = self.answer(Kind.SAVE)
        if status is Status.REFUSED:
            raise LinkError("Device could not save its state; what it had saved before is there.")
        if status is Status.NOT_SUPPORTED:
            raise LinkError("Device has no memory to save its state to.")
        self.require_ok(Kind.SAVE, status)
        return origin_of(content)

    def restart(self) -> None:
        """Have the device start again, from its state as it is, where it can save that.

        `open` begins another session.

        Raises:
            LinkError: If the device does not answer.
        """
        # That it has started again is no error, where the answer was lost.
        with suppress(LinkRestartError):
            self.ask(Kind.RESTART)
        self._session = 0

    def event_log(self, first: int = 0) -> list[Event]:
        """Return the events that the device remembers.

        Args:
            first: Number of the event; where it is not remembered, from the oldest on.

        Raises:
            LinkError: If the device does not answer.
        """
        found: list[Event] = []
        at = first
        while True:
            page = EventPage.unpack(self.ask(Kind.EVENTS, _OFFSET.pack(at)))
            if not page.events or (found and page.events[0].number != at):
                return found
            found += page.events
            at = (page.events[-1].number + 1) % NUMBERS
            if at == page.count:
                return found

    def watch(self, timeout_s: float, since: int | None = None) -> Watched:
        """Return what began or ended since the last call.

        Waits for notices, and asks the device for those that were lost. The first call in a
        session returns at once: it says from when on, where nobody says so.

        Args:
            timeout_s: Time to wait for the first one.
            since: Number of the first event that is wanted, as behind a session that was lost.

        Raises:
            LinkError: If the device does not answer; the next call has what this one lacks.
        """
        if since is not None:
            self._next_event = since
        elif self._next_event is None:
            self._next_event = self.status().events
            return Watched((), 0)
        self._wait_for_notice(time.monotonic() + timeout_s)
        due, found = self._next_event, []
        while self._notices and (self._notices[0].number - due) % NUMBERS != 0:
            # One that came before it was asked for; or one behind some that were lost.
            if (self._notices[0].number - due) % NUMBERS < NUMBERS // 2:
                return self._made_up_for(due)
            self._notices.popleft()
        while self._notices and self._notices[0].number == due:
            found.append(self._notices.popleft())
            due = (due + 1) % NUMBERS
        if not found:
            # A notice that was lost is followed by none while nothing happens.
            return self._made_up_for(due)
        self._next_event = due
        return Watched(tuple(found), 0)

    def _made_up_for(self, due: int) -> Watched:
        """Return events from one on, whose notices were lost, as far as they are remembered."""
        later = [e for e in self.event_log(due) if (e.number - due) % NUMBERS < NUMBERS // 2]
        # The device remembers all that has been noticed before it answered.
        self._notices.clear()
        missed = (later[0].number - due) % NUMBERS if later else 0
        self._next_event = (later[-1].number + 1) % NUMBERS if later else due
        return Watched(tuple(later), missed)

    def _wait_for_notice(self, deadline: float) -> None:
        while not self._notices:
            found = self._port.receive(deadline)
            if found is None:
                return
            if isinstance(found, Damage):
                # It may have been a notice; whether one is missing its number will tell.
                continue
            self._keep(found)

    def _check_frames(self, frames: Array) -> None:
        width = self.identify().inputs
        if frames.dtype != np.int16 or frames.ndim != 2 or frames.shape[1] != width:
            raise LinkError(
                f"Frames: {frames.dtype} {frames.shape}; expected int16 ({len(frames)}, {width})."
            )
