"""Mixtures have their words where they say, at the ratio they say, and nothing else in them."""

import numpy as np
import pytest

from rnn_edge.data.mixtures import (
    MixtureConfig,
    background_mixtures,
    command_mixtures,
    distinct_seconds,
    other_speech,
    word_bounds,
)
from rnn_edge.data.noise_recordings import read_noise
from rnn_edge.errors import DataError
from rnn_edge.types import AudioClip, AudioDataset

RATE_HZ = 16_000
CONFIG = MixtureConfig(streams=2, snrs_db=(20.0, 0.0), minutes=0.5, seed=3)


def tone(hertz, amplitude, seconds=0.4, before=0.3, after=0.3):
    """A word that can be found again by its frequency."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pcm = amplitude * np.sin(2 * np.pi * hertz * t)
    pads = (round(before * RATE_HZ), round(after * RATE_HZ))
    return np.rint(np.pad(pcm, pads)).astype(np.int16)


def dataset(*, others=True):
    rng = np.random.default_rng(1)
    clips = [
        AudioClip(f"{word}/{k}/{split}", tone(hertz, 3000 * (k + 1)), word, "s", split)
        for word, hertz in (("yes", 1000), ("no", 2000))
        for k in range(3)
        for split in ("validation", "test")
    ]
    clips += [
        AudioClip(f"unknown/{k}/{split}", tone(500 + 10 * k, 5000), "unknown", "s", split)
        for k in range(4 * others)
        for split in ("validation", "test")
    ]
    noises = tuple(
        AudioClip(f"n/{split}", rng.normal(0, level, 8 * RATE_HZ).astype(np.int16), "n", "", split)
        for split, level in (("validation", 300), ("test", 500))
    )
    classes = ("yes", "no", "unknown", "silence")
    return AudioDataset("made", True, RATE_HZ, classes, tuple(clips), noises)


def test_every_command_is_spoken_once_per_bed_and_ratio():
    found = list(command_mixtures(dataset(), "test", CONFIG))
    assert [(m.bed, m.snr_db) for m in found] == [
        (bed, snr) for bed in ("noise", "speech") for snr in (20.0, 20.0, 0.0, 0.0)
    ]
    for k in range(0, 8, 2):
        ids = [word.clip_id for mixture in found[k : k + 2] for word in mixture.words]
        assert sorted(ids) == sorted(f"{w}/{k}/test" for w in ("yes", "no") for k in range(3))
    for mixture in found:
        bounds = [edge for word in mixture.words for edge in (word.start, word.end)]
        assert bounds == sorted(bounds)
        assert bounds[-1] <= len(mixture.pcm)


def test_words_are_where_the_truth_says_at_the_ratio_that_is_wanted():
    hertz = {"yes": 1000, "no": 2000}
    for mixture in command_mixtures(dataset(), "test", CONFIG):
        if mixture.bed != "noise":
            continue
        for word in mixture.words:
            part = mixture.pcm[word.start : word.end] / 32768.0
            assert (word.end - word.start) / RATE_HZ == pytest.approx(0.4, abs=0.05)
            t = np.arange(len(part)) / RATE_HZ
            wave = np.exp(-2j * np.pi * hertz[word.label] * t)
            signal = 2 * abs((part * wave).mean()) ** 2
            rest = np.square(part).mean() - signal
            ratio = 10 * np.log10(signal / rest)
            assert ratio == pytest.approx(mixture.snr_db, abs=0.7)


def test_the_same_seed_gives_the_same_sound_and_another_one_does_not():
    def digest(config):
        sound = [*command_mixtures(dataset(), "test", config)]
        sound += background_mixtures(dataset(), "test", config)
        return b"".join(m.pcm.tobytes() for m in sound)

    other = MixtureConfig(2, (20.0, 0.0), 0.5, 4)
    assert digest(CONFIG) == digest(CONFIG) != digest(other)


def test_background_has_no_command_and_the_length_that_is_wanted():
    found = list(background_mixtures(dataset(), "test", CONFIG))
    assert [m.bed for m in found] == ["noise", "noise", "speech", "speech"]
    for mixture in found:
        assert mixture.words == ()
        assert mixture.snr_db is None
        assert len(mixture.pcm) == 15 * RATE_HZ
        spectrum = np.abs(np.fft.rfft(mixture.pcm / 32768.0))
        around = [round(h * len(mixture.pcm) / RATE_HZ) for h in (1000, 2000)]
        assert max(spectrum[k] for k in around) < 10 * np.median(spectrum[around[0] - 900 :])


def test_parts_hear_nothing_of_each_other():
    sound = {
        split: next(background_mixtures(dataset(), split, CONFIG)).pcm
        for split in ("validation", "test")
    }
    # Noise of the test part is louder; gains are drawn from the same range.
    assert np.square(sound["test"] / 1.0).max() > np.square(sound["validation"] / 1.0).max()
    assert distinct_seconds(dataset(), "test") == {"noise": 8.0, "speech": 4.0}


def test_without_other_words_there_is_no_mixture():
    with pytest.raises(DataError, match="no other word in its test part"):
        list(background_mixtures(dataset(others=False), "test", CONFIG))


def test_a_word_is_bounded_by_its_power():
    pcm = tone(700, 8000, 0.3, 0.2, 0.5) / 32768.0
    start, end = word_bounds(pcm, RATE_HZ)
    assert (start / RATE_HZ, end / RATE_HZ) == pytest.approx((0.2, 0.5), abs=0.02)


def test_noise_recordings_of_the_last_folder_are_for_tests(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    for name in ("fold1/a", "fold1/b", "fold2/c"):
        path = tmp_path / "many" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.full(400, 100, np.int16), RATE_HZ)
    found = {clip.clip_id: clip.split for clip in read_noise(tmp_path / "many")}
    assert found == {
        "fold1/a.wav": "validation",
        "fold1/b.wav": "validation",
        "fold2/c.wav": "test",
    }
    assert [clip.split for clip in read_noise(tmp_path / "many" / "fold1")] == [
        "validation",
        "test",
    ]
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a.txt").write_text("no sound")
    with pytest.raises(DataError, match="has no sound"):
        read_noise(tmp_path / "none")


def test_other_speech_is_made_of_what_is_no_command_of_the_part():
    found = other_speech(dataset(), "test", 4.0, 5)
    assert found.dtype == np.float32
    assert found.shape == (4 * RATE_HZ,)
    assert np.array_equal(found, other_speech(dataset(), "test", 4.0, 5))
    assert not np.array_equal(found, other_speech(dataset(), "test", 4.0, 6))
    words = found.reshape(4, RATE_HZ)[:, : round(0.7 * RATE_HZ)]
    spectrum = np.abs(np.fft.rfft(words, 10 * RATE_HZ, axis=1))
    assert sorted(spectrum.argmax(axis=1) // 10) == pytest.approx([500, 510, 520, 530], abs=1)
    with pytest.raises(DataError, match="no other word in its test part"):
        other_speech(dataset(others=False), "test", 4.0, 5)
