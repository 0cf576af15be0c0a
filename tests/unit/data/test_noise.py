"""Noise that is laid over speech."""

import numpy as np

from rnn_edge.data.noise import generator, in_noise


def test_noise_has_the_ratio_that_was_drawn_and_short_noise_is_repeated():
    clip = np.zeros(1000)
    clip[200:600] = speech = np.full(400, 0.5)
    noises = [np.sin(np.arange(300.0)), np.cos(np.arange(2000.0))]
    added = in_noise(clip, speech, noises, (10.0, 10.0), generator(1)) - clip
    assert np.isclose(20 * np.log10(0.5 / np.sqrt(np.mean(added**2))), 10.0)
    repeated = in_noise(clip, speech, noises[:1], (10.0, 10.0), generator(1)) - clip
    assert np.allclose(repeated[:700], repeated[300:])


def test_what_is_drawn_is_drawn_in_this_order():
    """Existing data keeps its bytes: which noise, from where on, how loud."""
    noises = [generator(9, k).standard_normal(500 + k) for k in range(5)]
    for seed in range(8):
        rng, same = generator(seed), generator(seed)
        speech = generator(seed, 1).standard_normal(700)
        clip = np.concatenate([np.zeros(100), speech, np.zeros(31)])
        noise = noises[int(same.integers(5))]
        begin = int(same.integers(len(noise) - 1))
        noise = noise[np.arange(begin, begin + 831) % len(noise)]
        snr_db = same.uniform(3.0, 40.0)
        wanted_rms = np.sqrt(np.mean(speech**2)) * 10.0 ** (-snr_db / 20.0)
        expected = clip + noise * wanted_rms / max(float(np.sqrt(np.mean(noise**2))), 1e-9)
        assert np.array_equal(in_noise(clip, speech, noises, (3.0, 40.0), rng), expected)
        assert rng.random() == same.random()
