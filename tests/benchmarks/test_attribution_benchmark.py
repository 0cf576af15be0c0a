"""The table of causes: what it prints is what it measured."""

import functools
import importlib
import json

import numpy as np
from random_models import Shape, float_model, quantized_model

from rnn_edge.drift.attribution_lanes import cut_lanes


def test_every_part_is_printed_and_returned(benchmarks, capsys, monkeypatch):
    program = importlib.import_module("attribution")
    monkeypatch.setattr(
        program, "cut_lanes", functools.partial(cut_lanes, lanes=3, transient=10, steps=20)
    )
    exact = float_model(Shape(("lstm",), (4,)))
    frames = np.random.default_rng(0).normal(size=(200, 5))
    found = program.measure("a name", exact, quantized_model(exact, -10), frames)
    printed = capsys.readouterr().out
    assert "a name: hidden drift" in printed
    first = found["attribution"]["rows"][0]
    assert f"| {first['name']} | {first['alone']:.6f} | {first['share']:.1%} |" in printed
    assert found["recommendation"]["remark"] in printed
    assert f"predicted {found['prediction']['hidden_predicted']:.6f}" in printed
    assert "time constants of c0" in printed
    assert "updates lost" in printed
    json.dumps(found, allow_nan=False)
    program.measure("a name", exact, quantized_model(exact, -10), frames, is_silent=True)
    assert not capsys.readouterr().out
