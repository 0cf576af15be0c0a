"""The table of keywords from synthetic speech: its thresholds keep to the rate."""

import importlib
import json

import numpy as np
from random_models import Shape, float_model, quantized_model

from rnn_edge.evaluation.streaming import HeardStream, Outcome, TrueWord
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.pipeline.embedded_clips import EmbeddedClips
from rnn_edge.pipeline.material import FRAMES, FRONT_END
from rnn_edge.pipeline.training_sets import load_pool
from rnn_edge.spec import load_spec
from rnn_edge.types.frames import FrameSequence, FrameSet


def point(program, odds, wrong, missed=0):
    words = Outcome(10.0, (0,) * 4, (float("nan"),) * missed + (0.1,) * (4 - missed), (), (), ())
    return program.Point(odds, {20.0: words, 10.0: words}, wrong, 3600.0, 0, 0)


def test_the_threshold_is_the_lowest_from_which_on_the_rate_is_kept(benchmarks):
    program = importlib.import_module("spoken_keywords")
    counts = [9, 3, 1, 2, 1, 0]
    points = [point(program, k, wrong) for k, wrong in enumerate(counts)]
    assert program.at_rate(points, 1.0).odds == 4
    assert program.at_rate(points, 2.0).odds == 2
    assert program.at_rate(points, 0.5).odds == 5
    assert program.at_rate([point(program, 0, 7)], 1.0) is None


def test_detectors_hear_their_own_keyword_and_nothing_else(benchmarks):
    program = importlib.import_module("spoken_keywords")
    model = quantized_model(float_model(Shape(("gru",), (4,), outputs=4)), -10)
    model = program.replace(model, labels=("alexa", "jarvis", "unknown", "silence"))
    features = FrontEnd(LogMelConfig(), ("pcm",), 16_000.0)
    loud, quiet = np.zeros((2, 200, 4), np.int16)
    loud[100:130, 0] = 32_000
    word = (TrueWord(0, 1.9, 2.5),)
    other = (TrueWord(1, 1.9, 2.5),)
    heard = program.Heard(
        {
            "alexa": [HeardStream("noise", snr, loud, word, 4.0) for snr in program.SNRS_DB],
            "jarvis": [HeardStream("noise", snr, loud, other, 4.0) for snr in program.SNRS_DB],
        },
        [HeardStream("speech", None, quiet, (), 4.0)],
    )
    trained = program.Trained(0, 0, features, model)
    alexa = program.curve(trained, heard, "alexa")
    assert all(p.words[20.0].missed == 0 for p in alexa if p.odds < 3.0)
    # It answers to the other keyword too, once: at the better ratio.
    assert {p.wrong for p in alexa if p.odds < 3.0} == {1}
    assert alexa[0].seconds == 8.0
    assert alexa[0].other_keyword == alexa[0].spoken == 1
    jarvis = program.curve(trained, heard, "jarvis")
    assert all(p.words[20.0].missed == 1 and p.wrong == 0 for p in jarvis)


def test_the_table_has_a_row_for_each_keyword(benchmarks, monkeypatch):
    program = importlib.import_module("spoken_keywords")
    points = [point(program, k, wrong, missed=k) for k, wrong in enumerate([5, 1, 0])]
    monkeypatch.setattr(program, "hear", lambda trained, sound: None)
    monkeypatch.setattr(program, "curve", lambda trained, heard, keyword: points)
    rows = program.measured(program.Trained(None, 20, None, None), {"validation": 0, "test": 0})
    json.dumps(rows, allow_nan=False)
    assert [row["keyword"] for row in rows] == list(program.KEYWORDS)
    assert rows[0]["missed"] == {"20.0": 0.25, "10.0": 0.25}
    assert rows[0]["false_accepts"] == 1
    lines = program.table(rows).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| all | alexa | 25.0% (")


def write_entries(program, folder, labels, ranks, longest):
    """Write entries whose frames and embeddings hold 100 times their label, and their rank."""
    folder.mkdir()
    labels, ranks = np.array(labels), np.array(ranks)
    value = 100.0 * labels + ranks
    count = len(labels)
    x = np.ones((count, longest, 40), np.float32) * value[:, None, None]
    lengths = np.full(count, longest)
    program.Entries(x, lengths, labels, ranks).save(folder)
    heard = np.ones((count, 3, 96), np.float16) * value[:, None, None].astype(np.float16)
    index, none = np.arange(count), np.zeros(0, np.int64)
    EmbeddedClips(heard, np.full(count, 3), index, index, heard[:0], none, heard[:0], none).save(
        folder
    )


def test_a_row_has_so_many_recordings_and_they_are_two_fifths_of_their_class(benchmarks, tmp_path):
    program = importlib.import_module("spoken_keywords")
    spec = load_spec(program.STARTERS / "keyword" / "spec.toml", ["seed=3"])
    made, recorded = tmp_path / "made", tmp_path / "recorded"
    write_entries(program, made, [0] * 30 + [1] * 30 + [2] * 60 + [3] * 30, [-1] * 150, 5)
    # Twenty recordings of each keyword with a copy each, and other words.
    ranks = [rank for rank in range(20) for _ in range(2)]
    labels = [0] * 40 + [1] * 40 + [2] * 7
    write_entries(program, recorded, labels, [*ranks, *ranks, *[-1] * 7], 8)
    features = FrontEnd(LogMelConfig(), ("pcm",), 16_000.0, Normaliser(np.zeros(40), np.ones(40)))
    features.save(made / FRONT_END)
    validation = FrameSequence("v", np.zeros((4, 40), np.float32), 0, None, "validation")
    FrameSet(program.CLASSES, 50.0, (validation,)).save(made / FRAMES)
    for clips, known in ((0, 0), (10, 20), (None, 40)):
        row = tmp_path / f"row {clips}"
        program._choose(spec, made, recorded, row, clips)
        pool, heard = load_pool(row), EmbeddedClips.load(row)
        assert json.loads((row / program.RECORDED).read_text()) == {"recorded": known}
        real = pool.lengths == 8
        counts = np.bincount(pool.target[real], minlength=4).tolist()
        assert counts == ([20, 20, 40, 0] if clips != 0 else [0] * 4)
        assert (pool.target[~real] == np.repeat(range(4), [30, 30, 60, 30])).all()
        # Frames, classes and embeddings stay together; no recording is one of the made clips.
        assert np.array_equal(pool.x[:, 0, 0], heard.train[:, 0, 0])
        own = real & (pool.target < 2)
        seen = pool.x[own, 0, 0] - 100.0 * pool.target[own]
        assert set(seen) <= set(range(known // 2))
        assert not set(heard.groups[real]) & set(heard.groups[~real])
        assert FrameSet.load(row / FRAMES).part("validation")[0].sequence_id == "v"
