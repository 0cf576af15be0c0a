"""A front end as JSON values: enough to compute the same frames elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import PCM_FULL_SCALE, LogMelConfig
from rnn_edge.features.normaliser import INPUT_EXPONENT, Normaliser
from rnn_edge.features.windows import WindowConfig
from rnn_edge.types import Array

LOG_MEL, CHANNELS = "log-mel", "channels"

_LOG_MEL_RULES = {
    "samples": "PCM / pcm_full_scale",
    "window": "0.5 - 0.5 cos(2 pi n / window_samples), zero-padded to fft_size",
    "power": "|FFT|^2 / sum(window^2)",
    "mel": "2595 log10(1 + f / 700); bands + 2 edges equally spaced from low_hz to high_hz; "
    "triangles with peak 1, each from its neighbour's peak to the next; one without a bin takes "
    "the bin nearest to its peak",
    "feature": "ln(band power + power_floor)",
}
_CHANNEL_RULES = {
    "feature": "mean of each channel over the window; with has_deviation, then the standard "
    "deviations in the same order",
}
_RULES = {
    "frame": "frame t covers samples t * hop_samples to t * hop_samples + window_samples - 1",
    "input": "round((feature - mean) / scale / input_scale), saturated to int16",
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
        "kind": LOG_MEL if is_sound else CHANNELS,
        **asdict(front_end.config),
        "sample_rate_hz": front_end.sample_rate_hz,
        "mean": _numbers(front_end.normaliser.mean),
        "scale": _numbers(front_end.normaliser.scale),
        "input_scale": 2.0**INPUT_EXPONENT,
        "rules": {**_RULES, **(_LOG_MEL_RULES if is_sound else _CHANNEL_RULES)},
    }
    return found | ({"pcm_full_scale": PCM_FULL_SCALE} if is_sound else _names(front_end))


def front_end_of(description: Mapping[str, Any]) -> FrontEnd:
    """Return the front end that `describe` described; it gives the same bits.

    Raises:
        DataError: If something is missing or of another kind.
    """
    kinds: dict[object, type[LogMelConfig | WindowConfig]] = {
        LOG_MEL: LogMelConfig,
        CHANNELS: WindowConfig,
    }
    try:
        kind = kinds[description["kind"]]
        config = kind(**{name: description[name] for name in kind.__dataclass_fields__})
        channels = ("pcm",) if kind is LogMelConfig else tuple(description["channels"])
        mean, scale = (np.asarray(description[name], np.float32) for name in ("mean", "scale"))
        return FrontEnd(config, channels, description["sample_rate_hz"], Normaliser(mean, scale))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"Description of a front end: {error!r}; expected what an exported file holds."
        ) from error


def _names(front_end: FrontEnd) -> dict[str, object]:
    return {"channels": list(front_end.channels)}


def _numbers(values: Array) -> list[float]:
    """Return float32 values as the shortest decimals that give them back."""
    return [float(str(value)) for value in values.astype(np.float32)]
