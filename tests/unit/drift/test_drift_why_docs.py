"""docs/drift_why.md: its example runs, and it names every key and every quantizer."""

import re
from pathlib import Path

import numpy as np
from random_models import Shape, float_model, quantized_model

from rnn_edge.drift import attribution_lanes, recommendation, time_constants
from rnn_edge.drift.details import StepDetails
from rnn_edge.drift.mixed_quantizers import quantizers

DOCUMENT = Path(__file__).parents[3] / "docs" / "drift_why.md"


def test_the_example_runs_and_the_page_names_every_key(tmp_path, monkeypatch):
    exact = float_model(Shape(("lstm",), (3,)))
    model = quantized_model(exact, -10)
    exact.save(tmp_path / "float_model.npz")
    model.save(tmp_path / "model.npz")
    np.save(tmp_path / "frames.npy", np.random.default_rng(0).normal(size=(600, 5)))
    monkeypatch.chdir(tmp_path)
    text = DOCUMENT.read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    scope = {}
    exec(compile(example, str(DOCUMENT), "exec"), scope)
    named = set(re.findall(r"`(\w+)`", text))
    assert scope["worst"] in {each.name for each in quantizers(model)}
    assert {"alone", "without", "share", "saved", "added", "suspicions"} <= named
    row = scope["predicted"].to_json()["states"][0]
    assert set(row) - {"state", "local"} <= named
    assert {"rate", "half_life"} <= named
    assert {"is_available", "is_measured"} <= named
    assert set(scope["memory"].to_json()) - {"layers", "facts"} <= named
    assert set(StepDetails(exact, model)._histograms) >= {"h0", "c0", "l0.f"}


def test_the_numbers_of_the_page_are_those_of_the_code():
    text = DOCUMENT.read_text().replace("\n", " ")
    lanes = attribution_lanes
    assert f"{lanes.LANES} of them by default" in text
    assert f"first {lanes.REACH_STEPS:,} frames" in text
    assert f"first {lanes.TRANSIENT_STEPS} steps are run and not measured" in text
    assert f"the next {lanes.MEASURED_STEPS} are" in text
    assert f"time constant is {time_constants.LONG_STEPS:.0f} steps or more" in text
    assert time_constants.DEAD_SHARE == 0.1
    assert f"share of {recommendation.WORTH_SHARE:.0%}".replace("%", " %") in text
    assert f"saves {recommendation.WORTH_SAVED:.0%}".replace("%", " %") in text


def test_every_kind_of_quantizer_is_in_the_table():
    text = DOCUMENT.read_text()
    model = quantized_model(float_model(Shape(("gru", "lstm"), (3, 3), head="softmax")), -10)
    for kind in {each.name.split(" l")[0].split(" h0")[0] for each in quantizers(model)}:
        assert f"`{kind.split(' c')[0].split(' h1')[0]}" in text, kind
