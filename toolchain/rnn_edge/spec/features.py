"""Section [features]: what the model sees of the data, by kind."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rnn_edge.spec.section import Section


class LogMelFeatures(Section):
    """Frames of sound."""

    kind: Literal["log-mel"]
    """Logarithmic energies of mel bands, one frame per hop."""

    sample_rate_hz: Annotated[int, Field(ge=4000, le=48_000)] = 16_000
    """Rate the sound is resampled to."""

    window_ms: Annotated[float, Field(ge=5.0, le=100.0)] = 30.0
    """Length of one analysis window."""

    hop_ms: Annotated[float, Field(ge=5.0, le=100.0)] = 20.0
    """Time between two frames: the model steps this often."""

    bands: Annotated[int, Field(ge=4, le=128)] = 40
    """Mel bands, the model's inputs."""

    low_hz: Annotated[float, Field(ge=0.0, le=24_000.0)] = 60.0
    """Lower edge of the first band."""

    high_hz: Annotated[float, Field(ge=100.0, le=24_000.0)] = 7600.0
    """Upper edge of the last band."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.hop_ms > self.window_ms:
            raise ValueError(
                f"hop_ms = {self.hop_ms:g} is over window_ms = {self.window_ms:g}; "
                "sound between two windows would never be seen"
            )
        if not self.low_hz < self.high_hz <= self.sample_rate_hz / 2:
            raise ValueError(
                f"low_hz = {self.low_hz:g} and high_hz = {self.high_hz:g}; expected "
                f"low_hz < high_hz <= {self.sample_rate_hz / 2:g}, half the sample rate"
            )
        return self


class ChannelFeatures(Section):
    """Frames of sensor samples."""

    kind: Literal["channels"]
    """Windows of the channels, normalised with the training part."""

    window_samples: Annotated[int, Field(ge=1, le=4096)] = 1
    """Samples averaged into one frame; 1 takes them as they are."""

    hop_samples: Annotated[int, Field(ge=1, le=4096)] = 1
    """Samples between two frames: the model steps this often."""

    has_deviation: bool = False
    """Whether each window's standard deviations follow its means, which doubles the features."""

    sequence_frames: Annotated[int, Field(ge=8, le=4096)] = 64
    """Frames of one training sequence; the state is carried on to the next one."""


FeaturesSection = Annotated[LogMelFeatures | ChannelFeatures, Field(discriminator="kind")]

FEATURE_KINDS = {"log-mel": LogMelFeatures, "channels": ChannelFeatures}
"""Every kind of features and its keys."""

KIND_OF_TASK = {"kws": "log-mel", "anomaly": "channels"}
"""The kind of features that a task uses."""
