"""Builds on random weights with learned rounding."""

import numpy as np
import pytest
from untrained import SPEC, replace_training

from rnn_edge.pipeline import build_bundle
from rnn_edge.spec import load_spec


class Heard:
    """Progress: which stages were kept."""

    def __init__(self):
        self.kept = []

    def __call__(self, stage, step, total, metrics):
        if metrics.get("kept"):
            self.kept.append(stage)


@pytest.mark.slow
def test_a_build_rounds_as_its_spec_says(tmp_path, monkeypatch):
    replace_training(monkeypatch.setattr)
    path = tmp_path / "tiny.toml"
    path.write_text(SPEC)

    def build(*overrides):
        heard = Heard()
        chosen = load_spec(path, ["quantize.calibration_steps=400", *overrides])
        return build_bundle(chosen, tmp_path / "bundle", progress=heard), heard.kept

    before, _ = build()
    nearest = before.model()
    assert before.spec().quantize.rounding == "nearest"
    after, kept = build('quantize.rounding="compensated"')
    learned = after.model()
    assert after.spec().quantize.rounding == "compensated"
    assert "student" in kept
    assert "quantize" not in kept
    # The build ended, so that every engine of its spec gave the same bits.
    assert after.float_model().digest() == before.float_model().digest()
    for name, matrix in learned.matrices.items():
        assert (matrix.weight_scale == nearest.matrices[name].weight_scale).all()
    changed = [
        (nearest.matrices[name].weight != matrix.weight).mean()
        for name, matrix in learned.matrices.items()
    ]
    assert 0.05 < np.mean(changed) < 0.95
    back, _ = build()
    assert back.model().digest() == nearest.digest()
