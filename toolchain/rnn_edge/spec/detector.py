"""Section [detector]: from forecast errors to alarms."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rnn_edge.spec.section import Section


class DetectorSection(Section):
    """How forecast errors become a score and a threshold."""

    smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    """Weight of the past in the running mean of the score; 0 does not smooth."""

    quantile: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.999
    """The threshold is this quantile of the score on normal validation data."""
