import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from rnn_edge.data.espeak import VARIANTS, Utterance, speak
from rnn_edge.data.noise import coloured_noise, generator
from rnn_edge.data.options import SyntheticKeywordsOptions, SyntheticMachineOptions
from rnn_edge.data.room import reverberate, trim
from rnn_edge.data.synthetic_keywords import synthetic_keywords
from rnn_edge.data.synthetic_machine import CHANNELS, FAULTS, synthetic_machine
from rnn_edge.errors import DataError, EnvironmentFailureError

FEW = SyntheticKeywordsOptions(
    keywords=("yes", "no"),
    unknown_words=("cat", "dog"),
    train_clips=50,
    validation_clips=12,
    test_clips=15,
)
SHORT = SyntheticMachineOptions(
    recording_s=120.0, train_recordings=2, validation_recordings=1, test_recordings=4
)
IN_ANOTHER_PROCESS = """
from rnn_edge.data.base import load_dataset
from rnn_edge.data.options import SyntheticKeywordsOptions, SyntheticMachineOptions
print(load_dataset("{kind}", None, {options}, 7).digest())
"""


@pytest.fixture(scope="module")
def keywords():
    return synthetic_keywords(FEW, 7)


@pytest.mark.parametrize(
    ("kind", "options", "make"),
    [
        ("synthetic-keywords", FEW, synthetic_keywords),
        ("synthetic-machine", SHORT, synthetic_machine),
    ],
)
def test_another_process_makes_the_same_bytes(kind, options, make):
    code = IN_ANOTHER_PROCESS.format(kind=kind, options=repr(options))
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert make(options, 7).digest() == other.stdout.strip()
    assert make(options, 7).digest() == other.stdout.strip()
    assert make(options, 8).digest() != other.stdout.strip()


def test_keywords_counts_and_lengths(keywords):
    assert keywords.is_synthetic
    assert keywords.source == "synthetic (espeak-ng)"
    assert keywords.classes == ("yes", "no", "unknown", "silence")
    counts = Counter((c.label, c.split) for c in keywords.clips)
    for label in keywords.classes:
        assert [counts[label, s] for s in ("train", "validation", "test")] == [50, 12, 15]
    assert {len(c.pcm) for c in keywords.clips} == {16_000}


def test_no_voice_is_in_two_splits(keywords):
    homes = {}
    for clip in keywords.clips:
        if clip.speaker:
            homes.setdefault(clip.speaker, set()).add(clip.split)
    assert all(len(found) == 1 for found in homes.values())
    assert len(homes) == len(VARIANTS) >= 40
    assert sum(found == {"train"} for found in homes.values()) >= 40


def test_speech_is_louder_than_its_noise(keywords):
    for clip in keywords.clips:
        if clip.label in ("yes", "no"):
            frames = clip.pcm[:15_840].reshape(-1, 160).astype(float)
            level = np.sqrt((frames**2).mean(axis=1))
            assert level.max() > 1.5 * np.quantile(level, 0.1)


def test_clips_differ(keywords):
    assert len({c.pcm.tobytes() for c in keywords.clips}) == len(keywords.clips)


def test_classes_can_be_left_out():
    options = SyntheticKeywordsOptions(
        keywords=("go",), unknown_words=(), silence=False, train_clips=2, validation_clips=1,
        test_clips=1,
    )  # fmt: skip
    assert synthetic_keywords(options).classes == ("go",)


def test_long_words_get_longer_clips():
    options = SyntheticKeywordsOptions(
        keywords=("antidisestablishmentarianism",), unknown_words=(), silence=False,
        train_clips=2, validation_clips=1, test_clips=1,
    )  # fmt: skip
    assert min(len(c.pcm) for c in synthetic_keywords(options).clips) > 16_000


def test_word_without_sound():
    options = SyntheticKeywordsOptions(
        keywords=("...",), unknown_words=(), train_clips=1, validation_clips=1, test_clips=1
    )
    with pytest.raises(DataError, match=r"Word '\.\.\.' makes no sound"):
        synthetic_keywords(options)


def test_unknown_voice_is_named():
    with pytest.raises(EnvironmentFailureError, match="no voice 'en-xx"):
        speak([Utterance("yes", "en-xx", "m1", 175, 50, 50)])


def test_pitch_and_rate_do_something():
    slow, fast, high = (
        Utterance("yes", "en-us", "m3", rate, pitch, 50)
        for rate, pitch in ((120, 50), (220, 50), (120, 90))
    )
    rate_hz, (a, b, c) = speak([slow, fast, high])
    assert rate_hz == 22_050
    assert len(trim(a.astype(float), rate_hz)) > 1.2 * len(trim(b.astype(float), rate_hz))
    assert not np.array_equal(a, c)


def test_reverberation_falls_by_60_db_in_its_time():
    impulse = np.zeros(10)
    impulse[0] = 1.0
    rate, t60 = 16_000, 0.4
    tail = reverberate(impulse, rate, t60, 0.0, generator(1))[1:]
    assert np.isclose(np.sum(tail**2), 1.0, rtol=0.01)
    level = np.array([np.sum(tail[k : k + 800] ** 2) for k in range(0, 5600, 800)])
    slope_db_per_s = np.polyfit(np.arange(7) * 0.05, 10 * np.log10(level), 1)[0]
    assert np.isclose(slope_db_per_s, -60 / t60, rtol=0.05)


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_has_its_slope_and_unit_power(slope):
    noise = coloured_noise(generator(3), 1 << 17, slope)
    assert np.isclose(np.mean(noise**2), 1.0)
    power = np.abs(np.fft.rfft(noise)) ** 2
    frequency = np.fft.rfftfreq(len(noise))
    inside = (frequency > 0.005) & (frequency < 0.45)
    octave = np.floor(np.log2(frequency[inside]))
    levels = [np.mean(power[inside][octave == k]) for k in range(-7, -2)]
    assert np.allclose(np.diff(10 * np.log10(levels)), -10 * np.log10(2) * slope, atol=0.6)


@pytest.fixture(scope="module")
def machine():
    return synthetic_machine(SyntheticMachineOptions(), 1)


def test_machine_is_normal_outside_the_test_split(machine):
    assert machine.is_synthetic
    for recording in machine.recordings:
        assert recording.values.shape == (6000, len(CHANNELS))
        assert np.isfinite(recording.values).all()
        assert recording.anomalous.any() == (recording.split == "test")
    kinds = [r.recording_id.split("-")[1] for r in machine.recordings if r.split == "test"]
    assert kinds == [*FAULTS, *FAULTS]


def test_machine_follows_its_laws_where_it_is_normal(machine):
    values = np.concatenate([r.values for r in machine.recordings if r.split == "train"])
    speed, current, pressure = values[:, 2], values[:, 3], values[:, 5]
    load = (1 - speed / 1500) / 0.04
    assert np.abs(current - np.hypot(2, 6 * load)).mean() < 0.15
    flow = 0.4 + 0.6 * load
    assert np.abs(pressure - (4 * (speed / 1500) ** 2 - 1.5 * flow**2)).mean() < 0.05


def fault_and_normal(machine, kind):
    recording = next(r for r in machine.recordings if r.recording_id.endswith(kind))
    active = recording.anomalous
    late = np.flatnonzero(active)[active.sum() // 2 :]
    return recording.values[late], recording.values[~active]


def test_each_fault_shows_where_it_should(machine):
    fault, normal = fault_and_normal(machine, "imbalance")
    assert fault[:, 0].mean() > 2 * normal[:, 0].mean()
    fault, normal = fault_and_normal(machine, "bearing")
    assert fault[:, 0].mean() > 1.3 * normal[:, 0].mean()
    fault, normal = fault_and_normal(machine, "blockage")
    assert fault[:, 5].mean() > 1.08 * normal[:, 5].mean()
    fault, _ = fault_and_normal(machine, "stuck")
    assert (np.ptp(fault, axis=0) == 0).sum() == 1


def test_severity_zero_is_no_fault_and_noise_zero_is_smooth():
    calm = SyntheticMachineOptions(noise=0.0, severity=0.0, recording_s=300.0)
    faulty = SyntheticMachineOptions(noise=0.0, severity=1.0, recording_s=300.0)
    for a, b in zip(
        synthetic_machine(calm, 2).recordings, synthetic_machine(faulty, 2).recordings, strict=True
    ):
        assert np.array_equal(a.values, b.values) == (a.split != "test")
        assert np.array_equal(a.anomalous, b.anomalous)
        assert np.abs(np.diff(a.values[:, 2])).max() < 5.0
