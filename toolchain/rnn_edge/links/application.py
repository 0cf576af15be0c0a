"""What the application of a device says: what it is, how it does, what it logged and detected."""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag
from typing import TypeVar

import numpy as np

from rnn_edge.errors import LinkError
from rnn_edge.links.layout import unpacked, whole_records
from rnn_edge.links.messages import LogFlag
from rnn_edge.types import Array
from rnn_edge.types.saved_state import DIGEST_BYTES

NUMBERS = 1 << 32
"""Steps and events are numbered modulo this."""


class Mode(IntEnum):
    """Whose frames a device steps."""

    SENSOR = 0
    HOST = 1
    FED = 2


class Started(IntEnum):
    """Why a device started."""

    UNKNOWN = 0
    POWER = 1
    PIN = 2
    SOFTWARE = 3
    WATCHDOG = 4


class Origin(IntEnum):
    """What a device began with."""

    ZERO = 0
    RAM = 1
    FLASH = 2


class Found(IntFlag):
    """What a device found at its start besides, and where it can save."""

    NONE = 0
    DAMAGED = 1
    OTHER_MODEL = 2
    OTHER_RULE = 4
    OTHER_FRONT = 8
    HAS_RAM = 16
    HAS_FLASH = 32


class Rule(IntEnum):
    """How a device decides."""

    NONE = 0
    KEYWORDS = 1
    ALARM = 2


class SampleKind(IntEnum):
    """Raw samples that a device makes its frames of."""

    SOUND = 1
    ROWS = 2


_ABOUT = struct.Struct(f"<{DIGEST_BYTES}sBBBBBbHHIIIII")
_STATUS = struct.Struct("<12IBB")
_SAMPLES = struct.Struct("<BHHII")
_HEARD = struct.Struct("<6IQQ")
_LOG = struct.Struct("<II")
_RECORD = struct.Struct("<BBI")
_EVENT = struct.Struct("<IIBBI")
_FED = struct.Struct("<HH")
_BYTE = struct.Struct("<B")
_Number = TypeVar("_Number", bound=IntEnum)


@dataclass(frozen=True)
class Samples:
    """Raw samples that a device makes its frames of.

    Attributes:
        kind: Of what.
        values: Of a sample: 1 of sound, one of each channel of sensors.
        ring: Samples that may wait for the front end.
        rate_hz: Samples per second.
        front_key: What tells its front end from others, 32 bits.
    """

    kind: SampleKind
    values: int
    ring: int
    rate_hz: float
    front_key: int

    @property
    def dtype(self) -> np.dtype[np.signedinteger]:
        """How a value goes over the line."""
        return np.dtype("<i2" if self.kind is SampleKind.SOUND else "<i4")

    @classmethod
    def unpack(cls, content: bytes) -> Samples | None:
        """Read what follows the texts of an answer; None where nothing does.

        Raises:
            LinkError: If it is too short, or says what nobody knows.
        """
        if not content:
            return None
        kind, values, ring, rate_mhz, key = unpacked(_SAMPLES, content, "about")
        if not values or not ring:
            raise LinkError(
                f"Answer to about: samples of {values} values, {ring} in the ring; expected some "
                "of each."
            )
        return cls(SampleKind(kind), values, ring, rate_mhz / 1000, key)


@dataclass(frozen=True)
class About:
    """What a device is, and how it began.

    Attributes:
        version: Of the tool that made its firmware.
        device: Its name in ``devices/``.
        digest: First bytes of the model's SHA-256.
        started: Why it started.
        origin: What its state began with.
        found: What else it found, and where it can save.
        mode: Whose frames it steps at present.
        rule: How it decides.
        score_exponent: Scale of scores is 2^this.
        threshold: Of a detection, as a score.
        rule_key: What tells its rule from others, 32 bits.
        ring_frames: Frames that may wait for the model.
        event_records: Events that it remembers.
        retain_every: Frames from save to save in RAM; 0 for never.
        flash_every: The same in flash.
        watchdog_ms: That a turn of its main loop may take; 0 where no watchdog runs.
        samples: What it makes its frames of; None where it takes finished frames only.
    """

    version: str
    device: str
    digest: bytes
    started: Started
    origin: Origin
    found: Found
    mode: Mode
    rule: Rule
    score_exponent: int
    threshold: int
    rule_key: int
    ring_frames: int
    event_records: int
    retain_every: int
    flash_every: int
    watchdog_ms: int
    samples: Samples | None = None

    @classmethod
    def unpack(cls, content: bytes) -> About:
        """Read the content of an answer.

        Raises:
            LinkError: If it is too short, or says what nobody knows.
        """
        digest, *numbers = _unpacked_about(content)
        started, origin, found, mode, rule, exponent, ring, events = numbers[:8]
        retain, flash, watchdog, threshold, key = numbers[8:]
        version, rest = _text(content[_ABOUT.size :])
        device, rest = _text(rest)
        try:
            return cls(
                version,
                device,
                digest,
                Started(started),
                Origin(origin),
                # What a later version says besides is of no concern here.
                Found(found & sum(Found)),
                Mode(mode),
                Rule(rule),
                exponent,
                threshold,
                key,
                ring,
                events,
                retain,
                flash,
                watchdog,
                Samples.unpack(rest),
            )
        except ValueError as error:
            raise LinkError(
                f"Answer to about: {error}.",
                "the device speaks another version of the link; flash its image again",
            ) from error


def _unpacked_about(content: bytes) -> tuple[bytes, *tuple[int, ...]]:
    unpacked(_ABOUT, content, "about")
    found: tuple[bytes, *tuple[int, ...]] = _ABOUT.unpack_from(content)
    return found


def _text(content: bytes) -> tuple[str, bytes]:
    """Return a text behind its length, and what follows it."""
    length = content[0] if content else 0
    if not content or len(content) < 1 + length:
        raise LinkError(f"Answer to about: a text of {len(content)} bytes; expected {length}.")
    return content[1 : 1 + length].decode("ascii", "replace"), content[1 + length :]


@dataclass(frozen=True)
class Heard:
    """How the front end of a device does, since it started.

    Attributes:
        samples: That it took.
        lost: Samples that it did not.
        gaps: Between samples that it took.
        most_waiting: Samples that waited at a time, at most.
        waiting: Samples that wait now.
        most_ticks: Of the front end in a turn of the main loop.
        ticks: Of the front end, in all turns together; 0 where the device counts none.
        decision_ticks: Of decisions, likewise.
    """

    samples: int
    lost: int
    gaps: int
    most_waiting: int
    waiting: int
    most_ticks: int
    ticks: int
    decision_ticks: int


@dataclass(frozen=True)
class AppStatus:
    """How an application does, since it started.

    Attributes:
        frames: Of the ring that were stepped.
        dropped: Frames that were not.
        detections: That began.
        events: Beginnings and ends of detections.
        most_filled: Frames that waited at a time, at most.
        waiting: Frames that wait now.
        saved_to_ram: Saves that worked.
        saved_to_flash: The same.
        failed_saves: Saves that did not.
        watchdog_restarts: Restarts by the watchdog, since there was no saved state.
        most_ticks: Of the slowest step.
        lost_bytes: Of the link that came and were lost.
        mode: Whose frames it steps.
        active: What is detected now: 1 + output, or 1 for an alarm; 0 for nothing.
        heard: How its front end does; None where it takes finished frames only.
    """

    frames: int
    dropped: int
    detections: int
    events: int
    most_filled: int
    waiting: int
    saved_to_ram: int
    saved_to_flash: int
    failed_saves: int
    watchdog_restarts: int
    most_ticks: int
    lost_bytes: int
    mode: Mode
    active: int
    heard: Heard | None = None

    @classmethod
    def unpack(cls, content: bytes) -> AppStatus:
        """Read the content of an answer.

        Raises:
            LinkError: If it is too short, or says what nobody knows.
        """
        *counts, mode, active = unpacked(_STATUS, content, "status")
        names = [each.name for each in fields(cls)]
        values = dict(zip(names, counts, strict=False))
        rest = content[_STATUS.size :]
        heard = Heard(*unpacked(_HEARD, rest, "status")) if rest else None
        return cls(**values, mode=mode_of(bytes([mode])), active=active, heard=heard)


def mode_of(content: bytes) -> Mode:
    """Return the mode that a content begins with.

    Raises:
        LinkError: If it is too short, or nobody knows it.
    """
    return _known(Mode, content, "mode")


def origin_of(content: bytes) -> Origin:
    """Return the memory that a content begins with.

    Raises:
        LinkError: If it is too short, or nobody knows it.
    """
    return _known(Origin, content, "save")


def _known(kind: type[_Number], content: bytes, what: str) -> _Number:
    (number,) = unpacked(_BYTE, content, what)
    try:
        return kind(number)
    except ValueError as error:
        raise LinkError(f"Answer to {what}: {number}; expected 0 to {max(kind)}.") from error


def fed(content: bytes) -> tuple[int, int]:
    """Return how many frames were taken, and how many more would be, from an answer.

    Raises:
        LinkError: If it is too short.
    """
    taken, room = unpacked(_FED, content, "feed")
    return taken, room


@dataclass(frozen=True, eq=False)
class LogRecord:
    """A step that a device took.

    Attributes:
        step: Its number since the device started, from 0.
        flags: What was before it, and whether something was decided.
        x: int16 (D,).
        y: int16 (C,).
        label: What was detected: 1 + output, or 1 for an alarm; 0 for nothing.
        score: What the threshold is compared with, at 2^`About.score_exponent`.
    """

    step: int
    flags: LogFlag
    x: Array
    y: Array
    label: int = 0
    score: int = 0


@dataclass(frozen=True, eq=False)
class LogPage:
    """Part of a log.

    Attributes:
        records: In order, without a gap.
        steps: Steps that the device had taken when it answered.
    """

    records: tuple[LogRecord, ...]
    steps: int

    @classmethod
    def unpack(cls, content: bytes, inputs: int, outputs: int) -> LogPage:
        """Read the content of an answer.

        Args:
            content: What follows the status.
            inputs: Values of a frame, D.
            outputs: Values of a result, C.

        Raises:
            LinkError: If it does not consist of whole records.
        """
        size = _RECORD.size + 2 * (inputs + outputs)
        (first, steps), rows = whole_records(_LOG, size, content, "log")
        records = []
        for k, row in enumerate(rows):
            flags, label, score = _RECORD.unpack_from(row)
            values = np.frombuffer(row[_RECORD.size :], "<i2").astype(np.int16)
            # Flags that a later version knows besides are of no concern here.
            known = LogFlag(flags & sum(LogFlag))
            step = (first + k) % NUMBERS
            records.append(LogRecord(step, known, values[:inputs], values[inputs:], label, score))
        return cls(tuple(records), steps)


@dataclass(frozen=True)
class Event:
    """A detection that began or ended.

    Attributes:
        number: Counts the events since the device started, from 0.
        step: Of the model, since the device started.
        has_begun: Or else ended.
        label: 1 + output, or 1 for an alarm; 2 + channel for the fault of its sensor.
        score: At 2^`About.score_exponent`.
    """

    number: int
    step: int
    has_begun: bool
    label: int
    score: int

    @classmethod
    def unpack(cls, content: bytes) -> Event:
        """Read an event.

        Raises:
            LinkError: If it is too short.
        """
        number, step, has_begun, label, score = unpacked(_EVENT, content, "events")
        return cls(number, step, bool(has_begun), label, score)


@dataclass(frozen=True)
class EventPage:
    """Part of the events that a device remembers.

    Attributes:
        events: In order, without a gap.
        count: Events that there had been when it answered.
    """

    events: tuple[Event, ...]
    count: int

    @classmethod
    def unpack(cls, content: bytes) -> EventPage:
        """Read the content of an answer.

        Raises:
            LinkError: If it does not consist of whole events.
        """
        (_, count), rows = whole_records(_LOG, _EVENT.size, content, "events")
        return cls(tuple(Event.unpack(row) for row in rows), count)
