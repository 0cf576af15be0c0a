"""Consistent overhead byte stuffing: bytes without any zero.

Source: S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on
Networking 7(2), 1999.
"""

from __future__ import annotations

LONGEST_BLOCK = 255
"""A block of this code has 254 bytes and stands for no zero."""


def stuffed(content: bytes) -> bytes:
    """Return bytes none of which is zero, at most one more for every 254, and one."""
    found = bytearray()
    parts = content.split(b"\0")
    for part in parts:
        rest = part
        while len(rest) >= LONGEST_BLOCK - 1:
            found.append(LONGEST_BLOCK)
            found += rest[: LONGEST_BLOCK - 1]
            rest = rest[LONGEST_BLOCK - 1 :]
            if not rest and part is parts[-1]:
                return bytes(found)
        found.append(len(rest) + 1)
        found += rest
    return bytes(found)


def unstuffed(stuffing: bytes) -> bytes | None:
    """Return the content, or None where the last block is not complete.

    Args:
        stuffing: Bytes none of which is zero.
    """
    found, at, code = bytearray(), 0, LONGEST_BLOCK
    while at < len(stuffing):
        if code != LONGEST_BLOCK:
            found.append(0)
        code = stuffing[at]
        block = stuffing[at + 1 : at + code]
        if len(block) != code - 1:
            return None
        found += block
        at += code
    return bytes(found)
