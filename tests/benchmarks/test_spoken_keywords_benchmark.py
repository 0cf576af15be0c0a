"""The table of keywords from synthetic speech: its thresholds keep to the rate."""

import importlib
import json

import numpy as np
from random_models import Shape, float_model, quantized_model

from rnn_edge.evaluation.streaming import HeardStream, Outcome, TrueWord
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig


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
