"""What an engine did over a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rnn_edge.types.arrays import Array


@dataclass(frozen=True, eq=False)
class Trace:
    """Outputs and states of one run, after each step.

    Attributes:
        outputs: (T, C) or, from a run over B streams, (B, T, C). int16 from an integer engine
            (scale 2**output_exponent), float32 from a float engine.
        states: Name (h0, c0, h1, ...) to (T, H) or (B, T, H), same dtypes.
    """

    outputs: Array
    states: Mapping[str, Array]

    def __post_init__(self) -> None:
        object.__setattr__(self, "states", MappingProxyType(dict(self.states)))
