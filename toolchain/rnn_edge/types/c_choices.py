"""What a user chooses of the generated C; no choice changes a bit of what it computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Optimize = Literal["balanced", "speed", "size"]
WeightType = Literal["int8", "int16"]
FramesAtOnce = Literal[1, 2, 4]
TablePlace = Literal["flash", "ram"]


@dataclass(frozen=True)
class CChoices:
    """How the generated C trades flash, RAM and time.

    Attributes:
        optimize: "balanced" lets each target order the weights for its own kernels; "speed" has
            them take code where it saves time as well; "size" leaves weights in rows and takes
            portable kernels everywhere.
        weights: "int16" has them in flash as their kernels need them in a register.
        frames_at_once: Frames whose products with the first layer's input weights are computed
            together by ``NAME_steps``; more than one takes RAM for the products.
        tables: Where the tables of sigmoid, tanh and softmax are.
    """

    optimize: Optimize = "balanced"
    weights: WeightType = "int8"
    frames_at_once: FramesAtOnce = 1
    tables: TablePlace = "flash"


DEFAULT = CChoices()
