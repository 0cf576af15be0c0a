"""Whether a memory is one that a rule has given."""

from __future__ import annotations

from collections.abc import Mapping

from rnn_edge.types import Array


def require_like(memory: Mapping[str, Array], own: Mapping[str, Array]) -> None:
    """Refuse a memory that a rule cannot go on from.

    Args:
        memory: Handed over; entries that are not the rule's are passed over.
        own: What the rule itself remembers now.

    Raises:
        ValueError: If an entry is missing, of another shape, or no integers, which truths may be
            kept as.
    """
    for name, wanted in own.items():
        found = memory.get(name)
        kinds = "biu" if wanted.dtype.kind == "b" else "iu"
        if found is None or found.shape != wanted.shape or found.dtype.kind not in kinds:
            raise ValueError(f"memory of another rule: {name}")
