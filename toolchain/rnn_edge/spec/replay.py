"""Section [replay]: the stream and the engines a build is proven with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rnn_edge.spec.section import Section


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
