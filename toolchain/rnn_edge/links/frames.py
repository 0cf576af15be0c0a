"""Frames, from bytes and to bytes: the same as ``rnn_edge_link.c``."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from rnn_edge.errors import LinkError
from rnn_edge.links.cobs import stuffed, unstuffed

MOST_PAYLOAD = 65000
"""In bytes."""

_HEADER = struct.Struct("<HBIH")
_CRC = struct.Struct("<I")
LEAST_CONTENT = _HEADER.size + _CRC.size
LEAST_STUFFED = LEAST_CONTENT + 1
"""What is shorter between two zeros is noise and was no frame."""
_MOST_STUFFED = LEAST_CONTENT + MOST_PAYLOAD + (LEAST_CONTENT + MOST_PAYLOAD) // 254 + 1


@dataclass(frozen=True)
class Frame:
    """One message.

    Attributes:
        type: What it is, 0..255.
        session: The session that it belongs to, 0..2^32 - 1.
        sequence: Its number in the session or stream, 0..65,535.
        payload: At most `MOST_PAYLOAD` bytes.
    """

    type: int
    session: int
    sequence: int
    payload: bytes

    def pack(self) -> bytes:
        """Return the bytes that go over a stream: a zero, the stuffed content, a zero.

        Raises:
            LinkError: If a number or the payload is too large.
        """
        if len(self.payload) > MOST_PAYLOAD:
            raise LinkError(
                f"Frame of type {self.type:#04x}: {len(self.payload)} bytes of payload; "
                f"expected at most {MOST_PAYLOAD}."
            )
        try:
            head = _HEADER.pack(len(self.payload), self.type, self.session, self.sequence)
        except struct.error as error:
            raise LinkError(
                f"Frame of type {self.type}, session {self.session}, sequence number "
                f"{self.sequence}: {error}; expected 8, 32 and 16 bits."
            ) from error
        content = head + self.payload
        return b"\0" + stuffed(content + _CRC.pack(zlib.crc32(content))) + b"\0"


@dataclass(frozen=True)
class Damage:
    """Bytes between two zeros that may have been a frame.

    Attributes:
        length: How many.
    """

    length: int


def _content(stuffing: bytes) -> Frame | None:
    content = unstuffed(stuffing)
    if content is None or len(content) < LEAST_CONTENT:
        return None
    length, kind, session, sequence = _HEADER.unpack_from(content)
    if len(content) != LEAST_CONTENT + length:
        return None
    if _CRC.unpack(content[-_CRC.size :])[0] != zlib.crc32(content[: -_CRC.size]):
        return None
    return Frame(kind, session, sequence, content[_HEADER.size : -_CRC.size])


class Parser:
    """Finds frames in a stream that is handed over in portions of any length."""

    def __init__(self) -> None:
        self._seen = bytearray()
        self._dropped = 0

    def feed(self, data: bytes) -> list[Frame | Damage]:
        """Take the next bytes and return what is complete with them, in order."""
        found: list[Frame | Damage] = []
        parts = data.split(b"\0")
        for part in parts[:-1]:
            self._take(part)
            found += self._finish()
        self._take(parts[-1])
        return found

    def _take(self, part: bytes) -> None:
        room = _MOST_STUFFED - len(self._seen)
        self._seen += part[:room]
        self._dropped += max(0, len(part) - room)

    def _finish(self) -> list[Frame | Damage]:
        stuffing, dropped = bytes(self._seen), self._dropped
        self._seen.clear()
        self._dropped = 0
        frame = None if dropped else _content(stuffing)
        if frame is not None:
            return [frame]
        return [Damage(len(stuffing) + dropped)] if len(stuffing) >= LEAST_STUFFED else []
