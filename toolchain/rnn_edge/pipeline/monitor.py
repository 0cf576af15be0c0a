"""What a device decides while it runs: events as they come, and how it does."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from rnn_edge.engines.board import Place, client_of
from rnn_edge.errors import DeviceError, LinkError, LinkRestartError
from rnn_edge.links.application import About, AppStatus, Event, Mode
from rnn_edge.links.base import ByteStream
from rnn_edge.links.client import LinkClient
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.device_log import DeviceLog, detected_name
from rnn_edge.pipeline.device_proof import ProofFrames
from rnn_edge.types import Array
from rnn_edge.types.saved_state import digest_bytes

STATUS_S = 1.0
WAIT_S = 0.25
CHUNK_FRAMES = 8
"""Frames that are fed at a time: the log of a device remembers twice as many by default."""
MOST_EVENTS = 10_000
"""That a result lists; of more, the count is told."""


@dataclass(frozen=True)
class Watch:
    """How a device is watched.

    Attributes:
        place: The device, and where it is.
        frames: What it is fed in place of its sensor's; None to leave it to its sensor.
        rate_hz: Frames fed per second; None for as fast as it steps them.
        duration_s: How long; None until the frames end, or the user does.
        timeout_s: For the device to answer, and to come back after it was lost.
    """

    place: Place
    frames: ProofFrames | None = None
    rate_hz: float | None = None
    duration_s: float | None = None
    timeout_s: float = 30.0


class Viewer(Protocol):
    """Whom a monitor tells."""

    def event(self, event: Event, name: str, score: float) -> None:
        """A detection began or ended."""

    def status(self, status: AppStatus) -> None:
        """How the device does, now and then."""

    def tell(self, line: str) -> None:
        """Something that is no detection."""


@dataclass
class Seen:
    """What was seen.

    Attributes:
        events: Beginnings and ends, as JSON values; at most `MOST_EVENTS`.
        event_count: How many there were.
        missed_events: That the device had forgotten before they were asked for.
        restarts: Of the device.
        losses: Times that the device did not answer, and came back.
        frames: Of the ring that the device stepped while it was watched.
        dropped: Frames that it dropped meanwhile.
        status: The last that the device said of itself; None before.
        is_interrupted: Whether the user ended it.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    event_count: int = 0
    missed_events: int = 0
    restarts: int = 0
    losses: int = 0
    frames: int = 0
    dropped: int = 0
    status: AppStatus | None = None
    is_interrupted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        status = None if self.status is None else asdict(self.status)
        if status is not None and self.status is not None:
            status["mode"] = self.status.mode.name.lower()
        return {
            "events": self.events,
            "event_count": self.event_count,
            "missed_events": self.missed_events,
            "restarts": self.restarts,
            "losses": self.losses,
            "frames": self.frames,
            "dropped": self.dropped,
            "status": status,
            "is_interrupted": self.is_interrupted,
        }


class Monitor:
    """Watches a device, through its restarts.

    Args:
        bundle: Whose model it serves.
        watch: How.
        open_stream: Returns a stream on which the device answers.
        viewer: Told of everything.
        log: What its steps are written to; None for nothing.
        clock: Seconds, rising.
    """

    def __init__(
        self,
        bundle: Bundle,
        watch: Watch,
        open_stream: Callable[[], ByteStream],
        viewer: Viewer,
        log: DeviceLog | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seen = Seen()
        self._model = bundle.model()
        self._watch = watch
        self._open_stream = open_stream
        self._viewer = viewer
        self._log = log
        self._clock = clock
        self._client: LinkClient | None = None
        self._about: About | None = None
        self._fed = 0
        self._begun = self._next_status = 0.0

    @property
    def about(self) -> About | None:
        """What the device said of itself last; None before it was asked."""
        return self._about

    def run(self) -> Seen:
        """Watch until the time is over, the frames end, or the user interrupts.

        Raises:
            DeviceError: If the device does not answer, or not again after it was lost.
            EngineError: If it serves another model, or its program ends.
        """
        try:
            try:
                self._connect()
                self._begun = self._clock()
                while not self._is_over():
                    self._survive(self._turn)
                self._survive(self._last_turn)
            except KeyboardInterrupt:
                # The usual end of it.
                self.seen.is_interrupted = True
            self._give_back()
        finally:
            if self._client is not None:
                self._client.close()
        return self.seen

    def _connect(self) -> None:
        self._client = client_of(self._watch.place, self._open_stream())
        self._begin(self._client)

    def _begin(self, client: LinkClient) -> None:
        """Begin a session, and have the device fed where that is asked for."""
        opening, found = client.open(), client.identify()
        if found.digest != digest_bytes(self._model):
            raise DeviceError(
                f"Device serves model {found.name!r}, {found.digest.hex()}; expected "
                f"{self._model.name!r}, {digest_bytes(self._model).hex()}.",
                "flash the image of this bundle, or take the bundle of the device",
            )
        self._about = client.about()
        wanted = Mode.SENSOR if self._watch.frames is None else Mode.FED
        if self._about.mode is not wanted:
            client.set_mode(wanted)
        # From here on events are looked for.
        client.watch(0.0)
        self.seen.status = None
        if self._log is not None:
            self._log.begin(opening.steps)

    def _survive(self, turn: Callable[[LinkClient, About], None]) -> None:
        """Do one thing, and begin again where the device was lost meanwhile."""
        assert self._client is not None
        assert self._about is not None
        try:
            turn(self._client, self._about)
            return
        except LinkRestartError as error:
            self._viewer.tell(error.message)
        except LinkError as error:
            if self._watch.place.is_here:
                raise
            self._viewer.tell(f"{error.message} Waiting for it.")
            self.seen.losses += 1
            self._client.close()
            self._client = client_of(self._watch.place, self._open_stream())
        self._begin(self._client)
        self.seen.restarts += 1
        self._viewer.tell(
            f"device is back: started by {self._about.started.name.lower()}, its state from "
            f"{self._about.origin.name.lower()}"
        )

    def _is_over(self) -> bool:
        if self._watch.duration_s is not None:
            return self._clock() - self._begun >= self._watch.duration_s
        return self._watch.frames is not None and self._fed >= len(self._watch.frames.x)

    def _turn(self, client: LinkClient, about: About) -> None:
        """Feed what is due, and look for events, steps and how the device does."""
        due = self._due(about)
        if due is not None and len(due):
            client.feed(due)
            self._fed += len(due)
            self._look(client, about, 0.0)
        else:
            self._look(client, about, WAIT_S if due is None else self._pause())
        if self._log is not None:
            if due is not None:
                self._wait_for_steps(client)
            self._fetch(client, about)
        if self._clock() >= self._next_status:
            self._next_status = self._clock() + STATUS_S
            self._ask_status(client)

    def _due(self, about: About) -> Array | None:
        """Return the frames to feed now; None where the device has a sensor."""
        watch = self._watch
        if watch.frames is None:
            return None
        # No more at a time than the log remembers, or the ring holds.
        most = min(CHUNK_FRAMES, about.ring_frames)
        count = most
        if watch.rate_hz is not None:
            count = min(most, int((self._clock() - self._begun) * watch.rate_hz) - self._fed)
        return watch.frames.x[self._fed : self._fed + max(0, count)]

    def _pause(self) -> float:
        """Return the seconds until a frame is due."""
        rate = self._watch.rate_hz
        if rate is None:
            return WAIT_S
        return min(WAIT_S, max(0.0, (self._fed + 1) / rate - (self._clock() - self._begun)))

    def _look(self, client: LinkClient, about: About, wait_s: float) -> None:
        found = client.watch(wait_s)
        if found.missed:
            self.seen.missed_events += found.missed
            self._viewer.tell(f"{found.missed} events are lost: the device had forgotten them")
        for event in found.events:
            name = detected_name(about.rule, self._model.labels, event.label)
            score = event.score * 2.0**about.score_exponent
            self.seen.event_count += 1
            if len(self.seen.events) < MOST_EVENTS:
                self.seen.events.append(
                    {
                        "number": event.number,
                        "step": event.step,
                        "begins": event.has_begun,
                        "detected": name,
                        "score": score,
                    }
                )
            self._viewer.event(event, name, score)

    def _wait_for_steps(self, client: LinkClient) -> None:
        """Wait until the device has stepped what it was fed: the next frames would overtake it."""
        deadline = self._clock() + self._watch.timeout_s
        while client.status().waiting:
            if self._clock() > deadline:
                raise DeviceError(
                    f"Device steps none of the frames within {self._watch.timeout_s:g} s."
                )

    def _fetch(self, client: LinkClient, about: About) -> None:
        assert self._log is not None
        lost = self._log.fetch(client, about)
        if lost:
            self._viewer.tell(f"{lost} steps are not in the log: the device had forgotten them")

    def _ask_status(self, client: LinkClient) -> None:
        status, before = client.status(), self.seen.status
        self.seen.frames += status.frames - (before.frames if before else 0)
        self.seen.dropped += status.dropped - (before.dropped if before else 0)
        self.seen.status = status
        self._viewer.status(status)

    def _last_turn(self, client: LinkClient, about: About) -> None:
        """Wait for what is under way, and take what it gives."""
        if self._watch.frames is not None:
            self._wait_for_steps(client)
        self._look(client, about, 0.0)
        if self._log is not None:
            self._fetch(client, about)
        self._ask_status(client)

    def _give_back(self) -> None:
        """Leave the device to its sensor; a failure of this is none of the watching."""
        if self._client is None or self._watch.frames is None or self._watch.place.is_here:
            return
        with suppress(LinkError):
            # A request may have been interrupted.
            self._client.open()
            self._client.set_mode(Mode.SENSOR)
