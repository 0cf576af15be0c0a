"""Sections [quantize] and [qat]: from floating point to integers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rnn_edge.spec.section import Section


class QuantizeSection(Section):
    """How scales are chosen."""

    headroom_bits: Annotated[float, Field(ge=0.0, le=4.0)] = 1.0
    """Reserve over the calibrated range of LSTM cells and outputs; 1 doubles the range."""

    calibration_steps: Annotated[int, Field(ge=100, le=1_000_000)] = 4000
    """Frames of each calibration stream, never reset."""

    calibration_streams: Annotated[int, Field(ge=1, le=1024)] = 16
    """Streams that are calibrated side by side."""

    rounding: Literal["nearest", "compensated"] = "nearest"
    """How weights that training left between two steps are rounded: each to the nearest, or the
    weights of a unit together, so that their errors cancel in its state on the calibration streams;
    it needs 4 calibration frames for each weight of a unit."""
