"""Section [replay], and the streams in `calibration/` that it names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rnn_edge.spec.model import TaskName
from rnn_edge.spec.section import Natural, Section

MIN_STEPS = 10_000
"""Differences that build up show over a long stream only."""


class ReplaySection(Section):
    """What a build is proven on."""

    stream: Annotated[str, Field(min_length=1)]
    """Name of a stream in `calibration/` without its ending, or the path of such a file."""

    engines: Annotated[tuple[str, ...], Field(min_length=2)] = (
        "float",
        "int8",
        "c",
        "litert",
        "onnx",
    )
    """Engines that replay the stream; integer ones must agree in every bit. Without one besides
    "int8" nothing is compared, and the report says so."""


class StreamSpec(Section):
    """A replay stream: sequences of the data, one after the other, the state never reset."""

    task: TaskName
    """The task it is made for."""

    split: Literal["train", "validation", "test"] = "test"
    """Part of the data that it is made of."""

    steps: Annotated[int, Field(ge=MIN_STEPS, le=10_000_000)] = 20_000
    """Frames at least; whole sequences are repeated, each pass in another order."""

    seed: Natural = 0
    """Seed of the order."""
