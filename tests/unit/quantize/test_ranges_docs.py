"""docs/ranges.md: its example runs, and it names every key and every verdict of a report."""

import re
from pathlib import Path

import numpy as np
from random_models import Shape, float_model, quantized_model

from rnn_edge.quantize import replayed_ranges
from rnn_edge.quantize.invariants import ROUNDS

DOCUMENT = Path(__file__).parents[3] / "docs" / "ranges.md"


def test_the_example_runs_and_the_tables_name_every_key(tmp_path, monkeypatch):
    model = quantized_model(float_model(Shape(("lstm",), (3,))), -10)
    model.save(tmp_path / "model.npz")
    np.save(tmp_path / "frames.npy", np.random.default_rng(0).normal(size=(2, 30, 5)))
    monkeypatch.chdir(tmp_path)
    text = DOCUMENT.read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    scope = {}
    exec(compile(example, str(DOCUMENT), "exec"), scope)
    assert scope["lost"] == []
    assert 20 < scope["widest"] < 40
    named = set(re.findall(r"`(\w+)`", text))
    ranges = scope["ranges"]
    assert set(ranges.tensors[0].to_json()) - {"size"} <= named
    replayed = replayed_ranges(scope["model"], scope["frames"])
    assert set(replayed[0].to_json()) <= named
    assert set(ranges.matrices[0].to_json()) - {"matrix", "row", "bound", "fits_int32"} <= named
    assert f"up to {ROUNDS} rounds" in text
