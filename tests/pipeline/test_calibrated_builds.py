"""A build chooses the limits of keywords where its spec wants a rate, and leaves them alone."""

import json
import shlex
import shutil

import pytest
from cli_here import run_here

from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.detections import DETECTIONS, bundle_limits, keep_limits

SPEC = """
seed = 2
[model]
name = "words"
task = "kws"
hidden = 4
[data]
kind = "synthetic-keywords"
keywords = ["yes", "no"]
unknown_words = ["left", "right", "go"]
train_clips = 6
validation_clips = 4
test_clips = 4
[features]
kind = "log-mel"
window_ms = 60.0
hop_ms = 40.0
bands = 16
[augment]
copies = 2
[teacher]
hidden = 6
layers = 1
steps = 6
batch = 8
evaluate_every = 3
[student]
steps = 6
lanes = 8
evaluate_every = 3
[qat]
steps = 4
lanes = 8
evaluate_every = 2
[quantize]
calibration_steps = 100
calibration_streams = 2
[replay]
engines = ["float", "int8"]
[firmware]
false_accepts_per_hour = 600.0
"""


def build(folder, *arguments):
    run_here(shlex.join(["rnn-edge", "build", *arguments]), folder)
    return Bundle.open(folder / "out")


@pytest.mark.slow
def test_a_build_chooses_limits_once(tmp_path):
    pytest.importorskip("tensorflow", reason="building needs TensorFlow")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    (tmp_path / "spec.toml").write_text(SPEC)
    bundle = build(tmp_path, "spec.toml", "--out", "out")
    kept = bundle_limits(bundle, bundle.model())
    assert kept.per_hour == 600.0
    assert [each is None for each in kept.keywords] == [False, False, True, True]
    background = kept.reached["background"]
    assert background["false_accepts_per_hour"] <= 600.0
    card = tmp_path / "out" / "MODEL_CARD.md"
    assert "for 600 false accepts per hour" in card.read_text()
    # Once more, and nothing changes; another rate, and it is another choice.
    before = (tmp_path / "out" / DETECTIONS).read_bytes()
    build(tmp_path, "out")
    assert (tmp_path / "out" / DETECTIONS).read_bytes() == before
    other = build(tmp_path, "out", "--set", "firmware.false_accepts_per_hour=1200")
    assert json.loads((tmp_path / "out" / DETECTIONS).read_text())["false_accepts_per_hour"] == 1200
    # What a finished bundle was given stays, also where its spec says nothing of it.
    plain = SPEC.replace("[firmware]\nfalse_accepts_per_hour = 600.0\n", "")
    (tmp_path / "spec.toml").write_text(plain)
    assert "for 1,200 false accepts per hour" in card.read_text()
    keep_limits(other, kept)
    assert "for 600 false accepts per hour" in card.read_text()
    last = build(tmp_path, "spec.toml", "--out", "out")
    assert bundle_limits(last, last.model()) == kept
