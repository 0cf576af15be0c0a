"""What frames mean: types, status, and the contents of answers (docs/link.md)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np

from rnn_edge.errors import LinkError
from rnn_edge.types import Array
from rnn_edge.types.saved_state import DIGEST_BYTES

VERSION = 1
ANSWER = 0x80
"""Added to the type of a request."""
DAMAGE_NOTICE = 0xFF


class Kind(IntEnum):
    """Types of requests."""

    OPEN = 0x01
    IDENTIFY = 0x02
    CAPABILITIES = 0x03
    PING = 0x04
    RESET = 0x05
    GET_STATE = 0x06
    PUT_STATE = 0x07
    COMMIT_STATE = 0x08
    STEP = 0x09
    STREAM_BEGIN = 0x0A
    STREAM_FRAME = 0x0B
    STREAM_END = 0x0C
    COUNTERS = 0x0D
    LOG = 0x0E


class Status(IntEnum):
    """First byte of an answer."""

    OK = 0
    NOT_SUPPORTED = 1
    BAD_REQUEST = 2
    NO_SESSION = 3
    OUT_OF_ORDER = 4
    REFUSED = 5
    TOO_LARGE = 6
    OUT_OF_PLACE = 7


class StepFlag(IntFlag):
    """How frames are stepped."""

    PLAIN = 0
    WITH_STATES = 1
    DEPLOYED = 2


class LogFlag(IntFlag):
    """What was before a step that a log holds."""

    NONE = 0
    RESET = 1
    STATE_SET = 2
    DEPLOYED = 4


_OPENING = struct.Struct("<BHI")
_IDENTITY = struct.Struct(f"<B{DIGEST_BYTES}sIIIbbB")
_CAPABILITIES = struct.Struct("<HHI")
_COUNTERS = struct.Struct("<IQIIII")
_LOG = struct.Struct("<II")


def _start(layout: struct.Struct, content: bytes, what: str) -> tuple[int, ...]:
    """Return the numbers that a content begins with.

    Raises:
        LinkError: If it is too short.
    """
    if len(content) < layout.size:
        raise LinkError(
            f"Answer to {what}: {len(content)} bytes; expected at least {layout.size}.",
            "the device speaks another version of the link; flash its image again",
        )
    return layout.unpack_from(content)


@dataclass(frozen=True)
class Opening:
    """What a device says when a session begins.

    Attributes:
        version: Of the protocol.
        most_payload: Bytes, of requests and of answers.
        steps: Steps of the model since the device started.
    """

    version: int
    most_payload: int
    steps: int

    @classmethod
    def unpack(cls, content: bytes) -> Opening:
        """Read the content of an answer.

        Raises:
            LinkError: If it is too short.
        """
        return cls(*_start(_OPENING, content, "open"))


@dataclass(frozen=True)
class Identity:
    """Whom a host speaks to.

    Attributes:
        name: The model's name; of a longer one the first 64 bytes.
        digest: First bytes of the model's SHA-256.
        inputs: Values of a frame, D.
        outputs: Values of a result, C.
        state_values: Values of all states together, V.
        input_exponent: Scale of a frame is 2^this.
        output_exponent: Scale of a result is 2^this.
    """

    name: str
    digest: bytes
    inputs: int
    outputs: int
    state_values: int
    input_exponent: int
    output_exponent: int

    @classmethod
    def unpack(cls, content: bytes) -> Identity:
        """Read the content of an answer.

        Raises:
            LinkError: If it is too short, or its name is not as long as it says.
        """
        _start(_IDENTITY, content, "identify")
        _, digest, inputs, outputs, values, x, y, length = _IDENTITY.unpack_from(content)
        name = content[_IDENTITY.size : _IDENTITY.size + length]
        if len(name) != length:
            raise LinkError(f"Answer to identify: a name of {len(name)} bytes; expected {length}.")
        if not inputs or not outputs:
            raise LinkError(
                f"Answer to identify: {inputs} inputs and {outputs} outputs; expected some of each."
            )
        return cls(name.decode("ascii", "replace"), digest, inputs, outputs, values, x, y)


@dataclass(frozen=True)
class Capabilities:
    """What a device can do.

    Attributes:
        most_payload: Bytes, of requests and of answers.
        credits: Frames of a stream that may be under way.
        log_records: Steps that its log remembers.
        kinds: Types of requests that it supports.
    """

    most_payload: int
    credits: int
    log_records: int
    kinds: frozenset[int]

    @classmethod
    def unpack(cls, content: bytes) -> Capabilities:
        """Read the content of an answer.

        Raises:
            LinkError: If it is too short.
        """
        most, window, records = _start(_CAPABILITIES, content, "capabilities")
        return cls(most, window, records, frozenset(content[_CAPABILITIES.size :]))


@dataclass(frozen=True)
class LinkCounters:
    """What a device has counted since it started.

    Attributes:
        steps: Steps of the model.
        ticks: Of the device's counter, in all steps together; 0 where it has none.
        most_ticks: Of the slowest step.
        stack_bytes: Of the stack that were ever in use; 0 where that is not known.
        damaged: Frames from the host that came damaged.
        repeated: Requests that were answered again and not executed again.
    """

    steps: int
    ticks: int
    most_ticks: int
    stack_bytes: int
    damaged: int
    repeated: int

    @classmethod
    def unpack(cls, content: bytes) -> LinkCounters:
        """Read the content of an answer.

        Raises:
            LinkError: If it is too short.
        """
        return cls(*_start(_COUNTERS, content, "counters"))


@dataclass(frozen=True, eq=False)
class LogRecord:
    """A step that a device took.

    Attributes:
        step: Its number since the device started, from 0.
        flags: What was before it.
        x: int16 (D,).
        y: int16 (C,).
    """

    step: int
    flags: LogFlag
    x: Array
    y: Array


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
        first, steps = _start(_LOG, content, "log")
        rest, size = content[_LOG.size :], 1 + 2 * (inputs + outputs)
        if len(rest) % size:
            raise LinkError(f"Answer to log: {len(rest)} bytes; expected a multiple of {size}.")
        records = []
        for k in range(len(rest) // size):
            row = rest[k * size : (k + 1) * size]
            values = np.frombuffer(row[1:], "<i2").astype(np.int16)
            # Flags that a later version knows besides are of no concern here.
            flags = LogFlag(row[0] & sum(LogFlag))
            step = (first + k) % (1 << 32)
            records.append(LogRecord(step, flags, values[:inputs], values[inputs:]))
        return cls(tuple(records), steps)
