"""What tells what one rule remembers from what another does."""

from __future__ import annotations

import zlib


def rule_key(*parts: object) -> int:
    """Return 32 bits of what the memory of a rule depends on."""
    return zlib.crc32(repr(parts).encode())
