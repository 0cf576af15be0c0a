"""A description alone is enough to compute the frames."""

import json

import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.features.description import describe, front_end_of
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.features.windows import WindowConfig

RNG = np.random.default_rng(5)
PCM = (RNG.normal(0, 3000, 4000) * np.linspace(0, 1, 4000)).astype(np.int16)
SENSORS = RNG.normal(0, 2, (90, 3)) + np.array([0.0, 5.0, -7.0])


def fitted(front_end, samples):
    normaliser = Normaliser.fit(front_end.raw_frames(samples))
    return FrontEnd(front_end.config, front_end.channels, front_end.sample_rate_hz, normaliser)


@pytest.fixture(
    params=[
        (LogMelConfig(), ("pcm",), 16000, PCM),
        (LogMelConfig(8000, 200, 100, 256, 12, 80.0, 3800.0, 1e-4), ("pcm",), 8000, PCM),
        (WindowConfig(), ("a", "b", "c"), 2.5, SENSORS),
        (WindowConfig(5, 2, True), ("a", "b */ c", "Ä"), 100.0, SENSORS),
    ],
    ids=["sound", "other sound", "samples", "windows"],
)
def case(request):
    config, channels, rate, samples = request.param
    return fitted(FrontEnd(config, channels, rate), samples), samples


def test_it_survives_json_and_gives_the_same_bits(case):
    front_end, samples = case
    description = json.loads(json.dumps(describe(front_end)))
    again = front_end_of(description)
    np.testing.assert_array_equal(again.frames(samples), front_end.frames(samples))
    assert describe(again) == describe(front_end)
    assert again.frame_rate_hz == front_end.frame_rate_hz


def frames_by_the_rules(d, samples):
    """Frames from the description's numbers and words, written down independently."""
    starts = range(0, len(samples) - d["window_samples"] + 1, d["hop_samples"])
    windows = [np.asarray(samples[t : t + d["window_samples"]], np.float64) for t in starts]
    if d["kind"] == "channels":
        rows = [
            np.concatenate([w.mean(axis=0), w.std(axis=0)] if d["has_deviation"] else [w.mean(0)])
            for w in windows
        ]
    else:
        n = np.arange(d["window_samples"])
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / len(n))
        edges = np.linspace(
            *(2595 * np.log10(1 + f / 700) for f in (d["low_hz"], d["high_hz"])), d["bands"] + 2
        )
        edges = 700 * (10 ** (edges / 2595) - 1)
        bins = np.arange(d["fft_size"] // 2 + 1) * d["sample_rate_hz"] / d["fft_size"]
        bank = np.array(
            [
                np.interp(bins, edges[k : k + 3], [0, 1, 0], left=0, right=0)
                for k in range(d["bands"])
            ]
        )
        for k in np.flatnonzero(bank.sum(axis=1) == 0):
            bank[k, np.abs(bins - edges[k + 1]).argmin()] = 1
        rows = []
        for w in windows:
            spectrum = np.fft.rfft(w / d["pcm_full_scale"] * hann, d["fft_size"])
            power = np.abs(spectrum) ** 2 / (hann**2).sum()
            rows.append(np.log(bank @ power + d["power_floor"]))
    normal = (np.array(rows) - d["mean"]) / d["scale"]
    return np.clip(np.round(normal / d["input_scale"]), -32768, 32767)


def test_its_rules_say_how_a_frame_is_made(case):
    front_end, samples = case
    description = json.loads(json.dumps(describe(front_end)))
    integers = front_end.normaliser.quantize_input(front_end.raw_frames(samples))
    assert np.abs(frames_by_the_rules(description, samples) - integers).max() <= 1


def test_what_is_missing_or_unknown_is_refused():
    with pytest.raises(DataError, match="no normaliser"):
        describe(FrontEnd(LogMelConfig(), ("pcm",), 16000))
    whole = describe(fitted(FrontEnd(WindowConfig(), ("a", "b", "c"), 1.0), SENSORS))
    for key in ("kind", "mean", "scale", "channels", "hop_samples", "sample_rate_hz"):
        part = {name: value for name, value in whole.items() if name != key}
        with pytest.raises(DataError, match=key):
            front_end_of(part)
    with pytest.raises(DataError, match="expected what an exported file holds"):
        front_end_of({**whole, "kind": "raw"})
