import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.features.logmel import FEW_FRAMES, LogMel, LogMelConfig
from rnn_edge.features.melbank import hz_to_mel, mel_bank, mel_to_hz


def speech_like(samples: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    tone = np.sin(np.cumsum(generator.uniform(0.01, 0.6, samples)))
    level = np.abs(np.sin(np.arange(samples) / 900.0))
    return np.asarray(np.rint(9000 * tone * level), np.int16)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(0, 4000),
    cuts=st.lists(st.integers(0, 4000), max_size=12),
    seed=st.integers(0, 5),
)
def test_any_chunking_gives_the_same_bits(samples: int, cuts: list[int], seed: int) -> None:
    pcm = speech_like(samples, seed)
    whole = LogMel().frames(pcm)
    stream = LogMel()
    chunks = [stream.push(part) for part in np.split(pcm, sorted(min(c, samples) for c in cuts))]
    assert np.concatenate(chunks).tobytes() == whole.tobytes()


def frames_by_definition(config: LogMelConfig, samples: np.ndarray) -> np.ndarray:
    """Return all frames with every term added by itself, in the order of its bin."""
    size, hop = config.window_samples, config.hop_samples
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    starts = range(0, samples.size - size + 1, hop)
    rows = np.array([samples[start : start + size] for start in starts]) * window
    spectrum = np.fft.rfft(rows, n=config.fft_size, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) * (1.0 / float(np.sum(window**2)))
    bank = mel_bank(
        config.bands, config.fft_size, config.sample_rate_hz, config.low_hz, config.high_hz
    )
    total = np.zeros((len(rows), config.bands))
    for bins, weights in zip(bank.bins, bank.weights, strict=True):
        total += power[:, bins] * weights
    return np.log(total + config.power_floor).astype(np.float32)


@pytest.mark.parametrize("pieces", [1, 5, FEW_FRAMES, FEW_FRAMES + 1])
@pytest.mark.parametrize(
    "config",
    [
        LogMelConfig(),
        LogMelConfig(bands=1),
        LogMelConfig(bands=2),
        LogMelConfig(bands=80, low_hz=20.0, high_hz=8000.0),
        LogMelConfig(window_samples=512, hop_samples=160),
        LogMelConfig(window_samples=200, hop_samples=200, fft_size=256, bands=13),
    ],
    ids=["default", "one-band", "two-bands", "eighty", "full-window", "no-overlap"],
)
def test_frames_have_the_bits_of_their_definition_however_they_come(
    config: LogMelConfig, pieces: int
) -> None:
    hop = config.hop_samples
    pcm = speech_like(config.window_samples + 40 * hop, seed=3)
    pcm[:2000] = 0
    pcm[2000:2600] = np.where(np.arange(600) % 2, -32768, 32767)
    expected = frames_by_definition(config, pcm / 32768.0)
    stream = LogMel(config)
    parts = [stream.push(pcm[k : k + pieces * hop]) for k in range(0, pcm.size, pieces * hop)]
    assert np.concatenate(parts).tobytes() == expected.tobytes()
    assert LogMel(config).frames(pcm).tobytes() == expected.tobytes()


def test_a_frame_is_not_changed_by_the_next_one() -> None:
    pcm, stream = speech_like(480 + 3 * 320), LogMel()
    first = stream.push(pcm[:480])
    kept = first.tobytes()
    stream.push(pcm[480:])
    assert first.tobytes() == kept


def test_frames_equal_a_plain_discrete_fourier_transform() -> None:
    config = LogMelConfig()
    pcm = speech_like(1500)
    n = np.arange(config.window_samples)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / config.window_samples)
    k = np.arange(config.fft_size // 2 + 1)
    kernel = np.exp(-2j * np.pi * np.outer(k, n) / config.fft_size)
    edges = np.linspace(
        2595 * np.log10(1 + config.low_hz / 700), 2595 * np.log10(1 + config.high_hz / 700), 42
    )
    edges = 700 * (10 ** (edges / 2595) - 1)
    hz = k * config.sample_rate_hz / config.fft_size
    bank = np.array([np.interp(hz, edges[b : b + 3], [0, 1, 0]) for b in range(config.bands)])
    wanted = []
    for start in range(0, pcm.size - config.window_samples + 1, config.hop_samples):
        part = pcm[start : start + config.window_samples] / 32768.0
        power = np.abs(kernel @ (part * window)) ** 2 / np.sum(window**2)
        wanted.append(np.log(bank @ power + config.power_floor))
    np.testing.assert_allclose(LogMel(config).frames(pcm), wanted, rtol=1e-4, atol=1e-4)


def test_a_second_has_forty_nine_frames_and_silence_is_finite() -> None:
    frames = LogMel().frames(np.zeros(16000, np.int16))
    assert frames.shape == (49, 40)
    np.testing.assert_allclose(frames, np.log(1e-6), rtol=1e-6)


def test_integer_and_float_pcm_agree() -> None:
    pcm = speech_like(2000)
    as_float = LogMel().frames(pcm.astype(np.float32) / np.float32(32768))
    assert as_float.tobytes() == LogMel().frames(pcm).tobytes()


def test_reset_forgets_the_pending_samples() -> None:
    pcm = speech_like(900)
    stream = LogMel()
    stream.push(pcm[:333])
    stream.reset()
    assert stream.push(pcm).tobytes() == LogMel().frames(pcm).tobytes()


@pytest.mark.parametrize(("bands", "fft_size"), [(40, 512), (80, 256), (10, 512)])
def test_every_band_hears_something(bands: int, fft_size: int) -> None:
    bank = mel_bank(bands, fft_size, 16000, 20.0, 8000.0)
    dense = bank.dense(fft_size // 2 + 1)
    assert (dense.sum(axis=1) > 0).all()
    assert dense.min() == 0.0
    assert dense.max() <= 1.0


def test_mel_scale_is_inverted() -> None:
    hz = np.array([20.0, 1000.0, 7999.0])
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz)), hz)
    np.testing.assert_allclose(hz_to_mel(np.array([1000.0])), 1000.0, rtol=1e-3)
