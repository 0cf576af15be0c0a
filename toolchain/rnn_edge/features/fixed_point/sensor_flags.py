"""What is wrong with a channel of a frame, as bits; the numbers are those of the C."""

from __future__ import annotations

MISSING = 0x01
"""A sample of the frame's window was missing, and its last value was held."""

STUCK = 0x02
"""The channel repeats its value, at the end of the frame, for longer than it ever may."""

RANGE = 0x04
"""A sample of the frame's window was out of range, and clipped."""

SKIPPED = 0x08
"""The channel counts nothing in this frame."""

FAULT_MISSING, FAULT_STUCK, FAULT_RANGE = 0x10, 0x20, 0x40
FAULT = FAULT_MISSING | FAULT_STUCK | FAULT_RANGE
"""The sensor has failed, at the end of the frame."""

SILENT = FAULT_MISSING | FAULT_STUCK
"""It tells nothing: its inputs are those of the last frame in which it did, and it counts nothing.
One that is out of range does tell something, and whether it or the machine has failed is not for
it to know."""

CAUSES = {FAULT_MISSING: "missing", FAULT_STUCK: "stuck", FAULT_RANGE: "out of range"}
"""Why it has, in words."""
