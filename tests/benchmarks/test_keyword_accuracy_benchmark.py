"""Keywords in noise: the ratio is the one that was asked for, and the pieces are the same again."""

import importlib

import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.types import AudioClip
from rnn_edge.types.frames import FrameSequence


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


def test_another_draw_is_other_noise(benchmarks):
    program = importlib.import_module("keyword_accuracy")
    clips, noises = clips_and_noises()
    first, second = (list(program.in_noise(clips, noises, 10.0, draw)) for draw in range(2))
    assert any(np.any(a != b) for a, b in zip(first, second, strict=True))


def test_never_reset_is_the_mean_over_orders(benchmarks):
    program = importlib.import_module("keyword_accuracy")
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    clips = [
        FrameSequence(f"clip{k}", np.full((3, 1), value, np.float32), int(value), None, "test")
        for k, value in enumerate(values)
    ]

    def run(x):
        # Says of every clip what the clip before it is, and of the first that it is a 0.
        before = np.concatenate([np.zeros((1, 3, 1)), x[:, :-3]], axis=1)
        return np.concatenate([0.5 - before, before], axis=2)

    np.testing.assert_array_equal(program.never_reset(run, clips, 1), [1, 0, 1, 0, 0])
    right = program.never_reset(run, clips, 400)
    # Before a clip of value 1 there is one of the two others of it, or nothing, which is no 1.
    np.testing.assert_allclose(right[[1, 2, 4]], 2 / 5, atol=0.08)
    np.testing.assert_allclose(right[[0, 3]], 1 / 5 + 1 / 5, atol=0.08)


def test_what_is_lost_is_told_with_its_interval(benchmarks):
    program = importlib.import_module("keyword_accuracy")
    speakers = tuple(f"speaker{k}" for k in range(40))
    reset, unreset = np.ones(40), np.r_[np.zeros(10), np.ones(30)]
    one = program.Heard("one", "c", speakers, reset, unreset, np.full(40, 0.5))
    share, low, high = one.shares()["unreset_loses"]
    assert share == 0.25
    assert 0.05 < low < 0.2 < 0.3 < high < 0.5
    assert one.shares()["noise_loses"] == (0.5, 0.5, 0.5)
    other = program.Heard("two", "c", speakers, reset, reset, reset)
    mean = program.mean_of([one, other])
    assert mean.shares()["unreset_loses"][0] == 0.125
    assert mean.shares()["in_noise"][0] == 0.75


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--orders", "0"),
        ("--draws", "two"),
        ("--snr", "nan"),
        ("--snr", "-1000"),
        ("--snr", "loud"),
    ],
)
def test_a_wrong_number_is_a_wrong_command_line(benchmarks, monkeypatch, capsys, option, value):
    program = importlib.import_module("keyword_accuracy")
    line = ["keyword_accuracy.py", "out", "--data", "d", "--noise", "n", option, value]
    monkeypatch.setattr("sys.argv", line)
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 2
    assert f"argument {option}: {value}; expected a " in capsys.readouterr().err


def test_noise_without_a_part_for_tests_is_refused(benchmarks, monkeypatch, tmp_path):
    soundfile = pytest.importorskip("soundfile", reason="recordings are read with soundfile")
    soundfile.write(tmp_path / "one.wav", np.ones(800, np.int16), 16_000)
    program = importlib.import_module("keyword_accuracy")
    line = ["keyword_accuracy.py", "out", "--data", "d", "--noise", str(tmp_path)]
    monkeypatch.setattr("sys.argv", line)
    with pytest.raises(DataError, match="has no part for tests"):
        program.main()
