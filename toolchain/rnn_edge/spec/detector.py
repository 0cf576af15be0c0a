"""Section [detector]: from forecast errors to alarms."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rnn_edge.spec.section import Section


class DetectorSection(Section):
    """How forecast errors become a score and a threshold."""

    smoothing_frames: Annotated[float, Field(gt=0.0, le=100_000.0)] = 8.0
    """Time constant of the running mean of the score."""

    quantile: Annotated[float, Field(gt=0.5, le=1.0)] = 0.99
    """The threshold is this quantile of the score on normal validation data, times margin."""

    margin: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0
    """Factor on that quantile."""

    warmup_frames: Annotated[int, Field(ge=0, le=100_000)] = 10
    """First frames of a recording, during which there is no score."""

    score_limit: Annotated[float, Field(gt=0.0, le=1e9)] = 100.0
    """Largest squared error of a channel that counts, in units of its normal variance."""
