"""Section [c]: how the generated C trades flash, RAM and time."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from rnn_edge.spec.section import Section
from rnn_edge.types.c_choices import CChoices, FramesAtOnce, Optimize, TablePlace, WeightType


class CSection(Section):
    """How the generated C trades flash, RAM and time; every choice gives the same bits."""

    optimize: Optimize = "balanced"
    """What it is best at: "balanced" orders the weights for each target's own kernels; "speed"
    takes code as well where that saves time; "size" has weights in rows, and portable kernels."""

    weights: WeightType = "int8"
    """What they are in flash: "int16" takes twice as much and saves widening them at every step, on
    targets that gain by it (c_api.md)."""

    frames_at_once: FramesAtOnce = 1
    """Frames whose products with the first layer's input weights `NAME_steps` computes together;
    more than one takes RAM."""

    tables: TablePlace = "flash"
    """Where the tables of sigmoid, tanh and softmax are; "ram" where flash has wait states."""

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        if self.optimize == "size" and self.weights == "int16":
            raise ValueError(
                'c.weights = "int16" with c.optimize = "size"; expected "int8", which takes half '
                "the flash"
            )
        return self

    def choices(self) -> CChoices:
        """Return what the exporter is told."""
        return CChoices(self.optimize, self.weights, self.frames_at_once, self.tables)
