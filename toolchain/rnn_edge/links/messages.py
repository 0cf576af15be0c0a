"""What frames mean: types, status, and the contents of answers (docs/link.md)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from rnn_edge.errors import LinkError
from rnn_edge.links.layout import unpacked
from rnn_edge.types.saved_state import DIGEST_BYTES

VERSION = 1
ANSWER = 0x80
"""Added to the type of a request."""
DAMAGE_NOTICE = 0xFF
EVENT_NOTICE = 0xFE
"""A detection began or ended; nobody asked."""


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
    ABOUT = 0x0F
    MODE = 0x10
    FEED = 0x11
    STATUS = 0x12
    SAVE = 0x13
    RESTART = 0x14
    EVENTS = 0x15
    SAMPLES = 0x16


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
    """What was before a step that a log holds, and whether something was decided."""

    NONE = 0
    RESET = 1
    STATE_SET = 2
    DEPLOYED = 4
    DECIDED = 8
    RESTORED = 16
    DROPPED = 32
    FAULTY = 64


_OPENING = struct.Struct("<BHI")
_IDENTITY = struct.Struct(f"<B{DIGEST_BYTES}sIIIbbB")
_CAPABILITIES = struct.Struct("<HHI")
_COUNTERS = struct.Struct("<IQIIII")


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
        return cls(*unpacked(_OPENING, content, "open"))


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
        unpacked(_IDENTITY, content, "identify")
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
        most, window, records = unpacked(_CAPABILITIES, content, "capabilities")
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
        return cls(*unpacked(_COUNTERS, content, "counters"))
