"""The length that a WAV file promises; decoders return what is left of a shorter one."""

from __future__ import annotations

import struct

from rnn_edge.errors import DataError

HEADER_BYTES = 12
"""Of a file, that say whether it is RIFF, and how long."""

_LENGTH_UNKNOWN = (0, 0xFFFFFFFF)
"""RIFF sizes that writers of a stream leave in the header."""


def check_riff_length(header: bytes, length: int, name: str, hint: str = "") -> None:
    """Find a WAV file that lost its end.

    Args:
        header: First `HEADER_BYTES` of the file, or more; anything but RIFF passes.
        length: Bytes of the file.
        name: For messages.
        hint: What to do about it.

    Raises:
        DataError: If the file is shorter than its header says.
    """
    if len(header) < HEADER_BYTES or header[:4] != b"RIFF":
        return
    (promised,) = struct.unpack_from("<I", header, 4)
    # A pad byte behind an odd number of bytes is often left out.
    if promised not in _LENGTH_UNKNOWN and promised + 8 > length + 1:
        raise DataError(
            f"Audio file {name} is cut short: {length:,} bytes; "
            f"its header promises {promised + 8:,}.",
            hint,
        )
