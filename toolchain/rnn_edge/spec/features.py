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

    arithmetic: Literal["float", "integer"] = "float"
    """Of the front end: float64, or the integers that the exported C computes bit for bit."""

    noise_suppression: bool = False
    """Take away from a band what is steady in it; with arithmetic = "integer"."""

    gain_normalisation: bool = False
    """Divide a band by a power of what is steady in it; with arithmetic = "integer"."""

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
        for key in ("noise_suppression", "gain_normalisation"):
            if getattr(self, key) and self.arithmetic != "integer":
                raise ValueError(
                    f'{key} = true with arithmetic = "{self.arithmetic}"; only the integer front '
                    'end has it: set arithmetic = "integer"'
                )
        if self.arithmetic == "integer" and self.window_samples % 2:
            raise ValueError(
                f"window_ms = {self.window_ms:g} is {self.window_samples} samples at "
                f'{self.sample_rate_hz} Hz; with arithmetic = "integer" expected an even number'
            )
        return self

    @property
    def window_samples(self) -> int:
        """Samples of a window."""
        return round(self.sample_rate_hz * self.window_ms / 1000.0)


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

    commission_samples: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Samples of normal operation that every machine begins with: each recording is normalised, and
    its threshold found, by its own; 0 takes all from the training and validation parts."""

    arithmetic: Literal["float", "integer"] = "float"
    """Of the front end: float64, or the integers that the exported C computes bit for bit from raw
    samples; with them the policies below hold, see sensors.md."""

    exponents: tuple[Annotated[int, Field(ge=-60, le=60)], ...] = ()
    """Raw samples of each channel are value / 2^this; chosen from the training part where there
    are none; with arithmetic = "integer"."""

    hold_samples: Annotated[int, Field(ge=0, le=65_534)] = 5
    """Missing samples on end for which a channel holds its last value; with more the sensor has
    failed; with arithmetic = "integer"."""

    stuck_samples: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Equal samples on end with which a sensor has failed, 0 for never; without it four times as
    many as ever in training, and at least 16; with arithmetic = "integer"."""

    range_margin: Annotated[float, Field(ge=0.0, le=1000.0)] = 4.0
    """Samples are clipped that are further beyond the range of the training part than so many times
    that range; with arithmetic = "integer"."""

    fault_samples: Annotated[int, Field(ge=1, le=65_535)] = 5
    """Clipped samples on end with which a sensor has failed, and good ones after which it has no
    longer; with arithmetic = "integer"."""

    sequence_frames: Annotated[int, Field(ge=8, le=4096)] = 64
    """Frames of one training sequence; the state is carried on to the next one."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.arithmetic == "integer":
            return self
        for key in INTEGER_ONLY:
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(
                    f'{key} = {getattr(self, key)} with arithmetic = "{self.arithmetic}"; only '
                    'the integer front end has it: set arithmetic = "integer"'
                )
        return self


INTEGER_ONLY = ("exponents", "hold_samples", "stuck_samples", "range_margin", "fault_samples")
"""Keys of sensor channels that only integers have."""

FeaturesSection = Annotated[LogMelFeatures | ChannelFeatures, Field(discriminator="kind")]

FEATURE_KINDS = {"log-mel": LogMelFeatures, "channels": ChannelFeatures}
"""Every kind of features and its keys."""

KIND_OF_TASK = {"kws": "log-mel", "anomaly": "channels"}
"""The kind of features that a task uses."""
