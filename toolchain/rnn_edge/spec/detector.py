"""Section [detector]: from residuals to alarms."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rnn_edge.spec.section import Section, Share

FrameCount = Annotated[int, Field(ge=1, le=65_535)]


class DetectorSection(Section):
    """How residuals become a score, a threshold and alarms; see anomalies.md."""

    smoothing_frames: Annotated[float, Field(gt=0.0, le=100_000.0)] = 8.0
    """Time constant of the running mean of the score."""

    quantile: Annotated[float, Field(gt=0.5, le=1.0)] = 0.99
    """With method = "quantile" the threshold is this quantile of the score on normal validation
    data, times margin."""

    margin: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0
    """Factor on that quantile."""

    warmup_frames: Annotated[int, Field(ge=0, le=100_000)] = 10
    """First frames of a recording, during which there is no score."""

    score_limit: Annotated[float, Field(gt=0.0, le=1e9)] = 100.0
    """Largest squared residual that counts, in units of its normal variance."""

    score: Literal["variance", "covariance"] = "variance"
    """Each residual over its own variance, or all of them by their covariance, which knows which
    go together."""

    shrinkage: Annotated[float, Field(ge=0.01, le=1.0)] | None = None
    """Share of its diagonal in the covariance, more for few frames; not set, it is estimated."""

    method: Literal["quantile", "peaks"] = "quantile"
    """Of the threshold: a quantile of the score, or a rate of false alarms from the distribution
    of its peaks."""

    peak_quantile: Annotated[float, Field(ge=0.5, lt=1.0)] = 0.98
    """With method = "peaks" a peak is what stands above this quantile of the score."""

    false_alarms_per_day: Annotated[float, Field(gt=0.0, le=86_400.0)] = 1.0
    """Wanted with method = "peaks", by the time of the signal."""

    cluster_frames: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Peaks with fewer frames than these between them are one; not set, four times
    smoothing_frames."""

    least_frames: FrameCount = 1
    """Frames on end above the threshold with which an alarm begins."""

    release: Share = 0.8
    """An alarm ends at or below this part of the threshold."""

    release_frames: FrameCount = 1
    """Frames on end at or below it with which an alarm ends."""

    @model_validator(mode="after")
    def _check_unread(self) -> Self:
        """Refuse what nothing would read."""
        if self.method == "quantile":
            fields = type(self).model_fields
            for key in ("peak_quantile", "false_alarms_per_day", "cluster_frames"):
                if getattr(self, key) != fields[key].default:
                    raise ValueError(
                        f'{key} = {getattr(self, key)} with method = "quantile"; only '
                        'method = "peaks" reads it'
                    )
        if self.score == "variance" and self.shrinkage is not None:
            raise ValueError(
                f'shrinkage = {self.shrinkage} with score = "variance"; only score = "covariance" '
                "reads it"
            )
        return self
