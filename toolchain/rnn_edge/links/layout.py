"""Numbers at the start of a content."""

from __future__ import annotations

import struct

from rnn_edge.errors import LinkError


def unpacked(layout: struct.Struct, content: bytes, what: str) -> tuple[int, ...]:
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


def whole_records(
    layout: struct.Struct, size: int, content: bytes, what: str
) -> tuple[tuple[int, ...], list[bytes]]:
    """Return the numbers that a content begins with, and the records behind them.

    Raises:
        LinkError: If it is too short, or does not end with a whole record.
    """
    numbers = unpacked(layout, content, what)
    rest = content[layout.size :]
    if len(rest) % size:
        raise LinkError(f"Answer to {what}: {len(rest)} bytes; expected a multiple of {size}.")
    return numbers, [rest[at : at + size] for at in range(0, len(rest), size)]
