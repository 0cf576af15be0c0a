"""Keywords in noise: the ratio is the one that was asked for, and the pieces are the same again."""

import importlib

import numpy as np

from rnn_edge.types import AudioClip


def clips_and_noises():
    rng = np.random.default_rng(3)
    pcm = [rng.normal(0, spread, 4000).astype(np.int16) for spread in (300, 3000)]
    clips = [AudioClip(f"clip{k}", part, "yes", "", "test") for k, part in enumerate(pcm)]
    return clips, [rng.normal(0, 0.1, n).astype(np.float32) for n in (2500, 9000)]


def test_noise_has_the_ratio_that_is_asked_for(benchmarks):
    program = importlib.import_module("keyword_accuracy")
    clips, noises = clips_and_noises()
    for snr_db in (10.0, 0.0):
        for clip, noisy in zip(clips, program.in_noise(clips, noises, snr_db), strict=True):
            added = noisy.astype(np.float64) - clip.pcm
            ratio = np.mean(clip.pcm.astype(np.float64) ** 2) / np.mean(added**2)
            assert abs(10 * np.log10(ratio) - snr_db) < 0.05


def test_every_bundle_hears_the_same_noise(benchmarks):
    program = importlib.import_module("keyword_accuracy")
    clips, noises = clips_and_noises()
    first, second = (list(program.in_noise(clips, noises, 10.0)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
