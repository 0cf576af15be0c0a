"""Log-mel frames in integers: held to a float reference, to their chunks, to their bounds."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.errors import DataError
from rnn_edge.features.fixed_point import (
    IntegerLogMel,
    IntegerLogMelConfig,
    IntegerNormaliser,
    front_end_tables,
)
from rnn_edge.features.fixed_point.fft import spectrum
from rnn_edge.features.fixed_point.log import log2_q16, nepers_q16
from rnn_edge.features.fixed_point.logmel import raw_of
from rnn_edge.features.fixed_point.noise import SUPPRESSION_TABLE, suppression
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import Normaliser

RATE = 16_000
CONFIG = IntegerLogMelConfig()
NOISY = replace(CONFIG, noise_suppression=True, gain_normalisation=True)
CONFIGS = {
    "usual": CONFIG,
    "8 kHz, narrow bands": IntegerLogMelConfig(8000, 200, 100, 256, 64, 0.0, 4000.0),
    "power of two that is none of four": IntegerLogMelConfig(fft_size=1024),
    "longest": IntegerLogMelConfig(48000, 4800, 960, 8192, 40, 20.0, 20000.0),
    "shortest": IntegerLogMelConfig(4000, 16, 8, 16, 4, 0.0, 2000.0),
}
T = np.arange(RATE) / RATE
RNG = np.random.default_rng(7)
BURSTS = scipy.signal.lfilter([1], [1, -0.95], RNG.normal(0, 1, RATE)) * (
    0.2 + np.sin(2 * np.pi * 3 * T) ** 2
)
SIGNALS = {
    "speech level": BURSTS * 900,
    "quiet": BURSTS * 10,
    "least significant bit": RNG.integers(-1, 2, RATE),
    "full-scale noise": RNG.integers(-32768, 32768, RATE),
    "full-scale sine": 32767 * np.sin(2 * np.pi * 1003 * T),
    "sweep": 32767 * scipy.signal.chirp(T, 50, 1, 7900),
    "silence": np.zeros(RATE),
    "constant": np.full(RATE, 20_000),
    "least constant": np.full(RATE, -32768),
    "clipped": 2e5 * np.sin(2 * np.pi * 440 * T),
    "alternating": 32767 * (-1.0) ** np.arange(RATE),
}
LARGEST_ERROR = {"speech level": 0.001, "quiet": 0.004, "full-scale noise": 0.001}
"""In nepers; 0.05 where a tone at full scale fills one band and leaves the others almost empty, in
windows of 100 ms at 48 kHz 0.25, as the same tone is narrower there."""


def pcm(name):
    return np.clip(np.rint(SIGNALS[name]), -32768, 32767).astype(np.int16)


def float_frames(config, samples):
    """Log-mel frames by scipy in float64, written down independently of the package."""
    starts = range(0, len(samples) - config.window_samples + 1, config.hop_samples)
    window = scipy.signal.get_window("hann", config.window_samples)
    rows = np.array([samples[t : t + config.window_samples] for t in starts]) / 32768.0
    power = np.abs(scipy.fft.rfft(rows * window, config.fft_size)) ** 2 / np.sum(window**2)
    mel = 2595 * np.log10(1 + np.array([config.low_hz, config.high_hz]) / 700)
    edges = 700 * (10 ** (np.linspace(*mel, config.bands + 2) / 2595) - 1)
    bins = np.arange(config.fft_size // 2 + 1) * config.sample_rate_hz / config.fft_size
    bank = np.array(
        [np.interp(bins, edges[k : k + 3], [0, 1, 0], left=0, right=0) for k in range(config.bands)]
    )
    for k in np.flatnonzero(bank.sum(axis=1) == 0):
        bank[k, np.abs(bins - edges[k + 1]).argmin()] = 1
    return np.log(power @ bank.T + config.power_floor)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_it_is_as_near_to_float_as_is_said(config, name):
    samples = pcm(name)
    error = IntegerLogMel(config).frames(samples) - float_frames(config, samples)
    is_long = config.fft_size == 8192
    assert np.abs(error).max() < LARGEST_ERROR.get(name, 0.25 if is_long else 0.05)
    assert np.abs(error).mean() < (0.05 if is_long else 0.01)
    if name == "silence":
        assert np.abs(error).max() < 0.0001


def test_single_steps_of_a_sample_are_heard_where_the_floor_lets_them_through():
    config = replace(CONFIG, power_floor=1e-10)
    samples = pcm("least significant bit")
    found, expected = IntegerLogMel(config).frames(samples), float_frames(config, samples)
    assert expected.max() < -17
    assert (expected > np.log(1e-10) + 0.2).all()
    np.testing.assert_allclose(found, expected, atol=0.15)
    assert np.abs(found - expected).mean() < 0.02


@given(st.lists(st.integers(0, 700), max_size=12), st.sampled_from([CONFIG, NOISY]))
@settings(max_examples=25, deadline=None)
def test_any_chunks_give_the_same_frames(sizes, config):
    samples = pcm("speech level")[:4000]
    stream, at, found = IntegerLogMel(config), 0, []
    for size in [*sizes, 4000]:
        found.append(stream.push(samples[at : at + size]))
        at += size
    whole = IntegerLogMel(config).frames(samples)
    assert np.concatenate(found).tobytes() == whole.tobytes()
    assert len(whole) == config.frame_count(4000) > 5


def test_a_gap_forgets_samples_and_keeps_levels():
    samples = pcm("speech level")
    stream = IntegerLogMel(NOISY)
    first = stream.push(samples[:8000])
    stream.push(samples[8000:8100])
    stream.reset()
    again = stream.push(samples[:8000])
    assert again.shape == first.shape
    assert not np.array_equal(again, first)
    plain = IntegerLogMel(CONFIG)
    before = plain.push(samples[:8000])
    plain.push(samples[8000:8100])
    plain.reset()
    np.testing.assert_array_equal(plain.push(samples[:8000]), before)


def test_float_samples_are_the_integers_they_stand_for():
    samples = pcm("speech level")
    real = samples.astype(np.float32) / np.float32(32768)
    assert IntegerLogMel(CONFIG).frames(real).tobytes() == (
        IntegerLogMel(CONFIG).frames(samples).tobytes()
    )
    loud = IntegerLogMel(CONFIG).frames(np.full(RATE, 1.5))
    np.testing.assert_array_equal(loud, IntegerLogMel(CONFIG).frames(np.full(RATE, 32767)))


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_no_sample_overflows_32_bits(config):
    tables = front_end_tables(config)
    window, rng = config.window_samples, np.random.default_rng(0)
    worst = [np.full(window, -32768), np.resize([-32768, 32767], window)]
    worst += [np.resize([32767, 32767, -32768, -32768], window)]
    worst += [rng.choice([-32768, 32767], window) for _ in range(20)]
    largest, real = 0, np.stack(worst, axis=1).astype(np.int16)

    import rnn_edge.features.fixed_point.fft as module

    def watched(value, factor, kept=module.product):
        nonlocal largest
        found = kept(value, factor)
        largest = max(largest, int(np.abs(value).max()), int(np.abs(found).max()))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "product", watched)
        re, im = spectrum(real, tables)
    # Operands of sums of two: nothing may reach the 32nd bit.
    assert 2**28 < largest < 2**31 / 1.4
    assert max(np.abs(re).max(), np.abs(im).max()) < 2**25


@given(st.integers(1, 2**64 - 1))
def test_logarithms_are_near(value):
    log2 = log2_q16(np.array([value], np.uint64))
    assert -7.3e-5 < int(log2[0]) / 65536 - np.log2(float(value)) < 9e-6
    assert abs(int(nepers_q16(log2)[0]) / 65536 - np.log(float(value))) < 1.5e-4


def test_logarithms_are_as_near_as_that_everywhere():
    # All that a logarithm can be within an octave, for the least and the greatest value of each.
    fractions = np.arange(65536, dtype=np.uint64)
    found = log2_q16((np.uint64(1) << np.uint64(63)) | (fractions << np.uint64(47))) / 65536 - 63
    assert (found - np.log2(1 + fractions / 65536)).max() < 9e-6
    assert (found - np.log2(1 + (fractions + np.uint64(1)) / 65536)).min() > -7.3e-5


def test_logarithms_rise_with_their_argument():
    values = np.arange(1, 1 << 18, dtype=np.uint64) << np.uint64(20)
    assert (np.diff(log2_q16(values)) >= 0).all()


def test_what_is_suppressed_lies_on_the_formula():
    above = np.arange(-70000, 9 * 65536, 97)
    share = np.maximum(1 - 2 * np.exp(-np.maximum(above, 0) / 65536), 0.05)
    error = suppression(above) / 65536 - np.log(share)
    # Straight lines between steps of 1/8 neper, which matters only where the logarithm falls off.
    assert np.abs(error[above > 65536]).max() < 0.05
    assert np.abs(error).max() < 1.0
    assert (suppression(above) <= 0).all()
    assert SUPPRESSION_TABLE.min() == suppression(np.array([-5]))[0] // 8


def noise_and_tone():
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 500, 4 * RATE)
    tone = 8000 * np.sin(2 * np.pi * 1000 * np.arange(4 * RATE) / RATE)
    tone[: 3 * RATE] = tone[3 * RATE + 8000 :] = 0
    return (noise + tone).astype(np.int16), slice(3 * 50 + 2, 3 * 50 + 20)


def test_suppression_lowers_noise_and_leaves_what_comes():
    samples, heard = noise_and_tone()
    plain = IntegerLogMel(CONFIG).frames(samples)
    without = IntegerLogMel(replace(CONFIG, noise_suppression=True)).frames(samples)
    band = plain[heard].mean(axis=0).argmax()
    assert (without - plain)[60:150].mean() < -1.0
    assert np.abs((without - plain)[heard, band]).max() < 0.05
    assert (without <= plain).all()


def test_normalised_gain_makes_levels_alike():
    config = replace(CONFIG, gain_normalisation=True)
    samples = pcm("speech level")
    quiet, loud = (
        IntegerLogMel(config).frames(np.tile(samples * gain, 4))[100:] for gain in (1, 3)
    )
    plain = [IntegerLogMel(CONFIG).frames(np.tile(samples * gain, 4))[100:] for gain in (1, 3)]
    assert abs((loud - quiet).mean()) < 0.4 * abs((plain[1] - plain[0]).mean())


def test_the_integer_normaliser_says_the_same_as_the_float_one():
    rng = np.random.default_rng(1)
    normaliser = Normaliser(
        rng.normal(-6, 2, 40).astype(np.float32), rng.uniform(0.5, 4, 40).astype(np.float32)
    )
    raw = np.rint(rng.normal(-6, 5, (500, 40)) * 65536).astype(np.int64)
    found = IntegerNormaliser.of(normaliser).apply(raw)
    expected = normaliser.quantize_input((raw / 65536).astype(np.float32))
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert (found == expected).mean() > 0.98
    assert IntegerNormaliser.of(normaliser).apply(raw * 100).max() == 32767
    constant = replace(normaliser, scale=np.full(40, 1e-6, np.float32))
    assert IntegerNormaliser.of(constant).apply(raw).min() == -32768


def test_a_front_end_gives_the_frames_of_its_integers(tmp_path):
    samples = pcm("speech level")
    bare = FrontEnd(NOISY, ("pcm",), float(RATE))
    fitted = replace(bare, normaliser=Normaliser.fit(bare.raw_frames(samples)))
    raw = fitted.raw_frames(samples)
    np.testing.assert_array_equal(raw_of(raw) / 65536, raw)
    fitted.save(tmp_path / "front_end.npz")
    again = FrontEnd.load(tmp_path / "front_end.npz")
    assert again.config == NOISY
    assert again.kind == "log-mel-integer"
    x = again.quantize_input(raw)
    np.testing.assert_array_equal(fitted.frames(samples), x * 2.0**-12)
    assert 0.9 < (x * 2.0**-12).std() < 1.1
    with pytest.raises(DataError, match="no normaliser"):
        bare.quantize_input(raw)
    short = fitted.frames(samples[:100])
    assert short.shape == (1, 40)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fft_size": 500}, "fft_size = 500"),
        ({"fft_size": 16384}, "fft_size = 16384"),
        ({"hop_samples": 481}, "hop_samples = 481"),
        ({"window_samples": 513}, "window_samples = 513"),
        ({"window_samples": 479}, "an even window"),
    ],
)
def test_what_it_cannot_do_is_refused(changes, message):
    with pytest.raises(DataError, match=message):
        replace(CONFIG, **changes)
