"""A front end as JSON values: enough to compute the same frames elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.features.fixed_point import noise
from rnn_edge.features.front_end import (
    CONFIGS,
    INTEGER_CHANNELS,
    INTEGER_LOG_MEL,
    LOG_MEL,
    FrontEnd,
    config_of,
)
from rnn_edge.features.logmel import PCM_FULL_SCALE, LogMelConfig
from rnn_edge.features.normaliser import INPUT_EXPONENT, Normaliser
from rnn_edge.types import Array

_LOG_MEL_RULES = {
    "samples": "PCM / pcm_full_scale",
    "window": "0.5 - 0.5 cos(2 pi n / window_samples), zero-padded to fft_size",
    "power": "|FFT|^2 / sum(window^2)",
    "mel": "2595 log10(1 + f / 700); bands + 2 edges equally spaced from low_hz to high_hz; "
    "triangles with peak 1, each from its neighbour's peak to the next; one without a bin takes "
    "the bin nearest to its peak",
    "feature": "ln(band power + power_floor)",
}
_INTEGER_RULES = _LOG_MEL_RULES | {
    "arithmetic": "integers, those of firmware_templates/frontend; the other rules are what they "
    "approximate",
    "level": "the feature of the first frame; then every frame adds rise * (feature - level) "
    "where that is positive, fall * (feature - level) where it is not",
    "noise_suppression": "ln(max(1 - oversubtraction * exp(level - feature), least_share)) is "
    "added to the feature, at feature >= level, and straight between steps of 1/8",
    "gain_normalisation": "strength * (level - ln(power_floor)) is taken from the feature",
}
_LEVEL = {
    "rise": noise.RISE / 65536,
    "fall": noise.FALL / 65536,
    "oversubtraction": noise.OVERSUBTRACTION,
    "least_share": noise.LEAST_SHARE,
    "strength": noise.STRENGTH_Q15 / 32768,
}
_CHANNEL_RULES = {
    "feature": "mean of each channel over the window; with has_deviation, then the standard "
    "deviations in the same order",
}
_INTEGER_CHANNEL_RULES = _CHANNEL_RULES | {
    "arithmetic": "integers, those of firmware_templates/sensor; the other rules are what they "
    "approximate",
    "raw": "value / 2^exponent of the channel, rounded to an int32; -2^31 where a sample is "
    "missing",
    "range": "raw samples are clipped to low and high; after fault_samples such samples on end the "
    "sensor has failed",
    "missing": "the channel's last value, from centre where there is none; after more than "
    "hold_samples on end the sensor has failed",
    "stuck": "a sensor has failed that gave the same raw sample stuck_samples times on end; 0 for "
    "never",
    "fault": "the inputs of a sensor that has failed are those of the last frame in which it had "
    "not, but for one that is out of range; after fault_samples good samples on end it has no "
    "longer failed",
}
_RULES = {
    "frame": "frame t covers samples t * hop_samples to t * hop_samples + window_samples - 1",
    "input": "round((feature - mean) / scale / input_scale), saturated to int16",
}

_OF_KIND = {
    LOG_MEL: _LOG_MEL_RULES,
    INTEGER_LOG_MEL: _INTEGER_RULES,
    INTEGER_CHANNELS: _INTEGER_CHANNEL_RULES,
}


def describe(front_end: FrontEnd) -> dict[str, object]:
    """Return a front end as JSON values: its numbers, and in words what they mean.

    Raises:
        DataError: If the front end has no normaliser yet.
    """
    if front_end.normaliser is None:
        raise DataError("Front end has no normaliser; it is fitted on the training part first.")
    is_sound = isinstance(front_end.config, LogMelConfig)
    found: dict[str, object] = {
        "kind": front_end.kind,
        **{name: _plain(value) for name, value in asdict(front_end.config).items()},
        "sample_rate_hz": front_end.sample_rate_hz,
        "mean": _numbers(front_end.normaliser.mean),
        "scale": _numbers(front_end.normaliser.scale),
        "input_scale": 2.0**INPUT_EXPONENT,
        "rules": _RULES | _OF_KIND.get(front_end.kind, _CHANNEL_RULES),
        **(_LEVEL if front_end.kind == INTEGER_LOG_MEL else {}),
    }
    return found | ({"pcm_full_scale": PCM_FULL_SCALE} if is_sound else _names(front_end))


def front_end_of(description: Mapping[str, Any]) -> FrontEnd:
    """Return the front end that `describe` described; it gives the same bits.

    Raises:
        DataError: If something is missing or of another kind.
    """
    try:
        kind = CONFIGS[description["kind"]]
        config = config_of(
            description["kind"], {name: description[name] for name in kind.__dataclass_fields__}
        )
        is_sound = issubclass(kind, LogMelConfig)
        channels = ("pcm",) if is_sound else tuple(description["channels"])
        mean, scale = (np.asarray(description[name], np.float32) for name in ("mean", "scale"))
        return FrontEnd(config, channels, description["sample_rate_hz"], Normaliser(mean, scale))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"Description of a front end: {error!r}; expected what an exported file holds."
        ) from error


def _names(front_end: FrontEnd) -> dict[str, object]:
    return {"channels": list(front_end.channels)}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _numbers(values: Array) -> list[float]:
    """Return float32 values as the shortest decimals that give them back."""
    return [float(str(value)) for value in values.astype(np.float32)]
