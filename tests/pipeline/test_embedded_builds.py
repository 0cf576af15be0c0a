"""A build whose teacher hears a frozen embedding of speech, as small as it can be."""

import json

import numpy as np
import pytest

from rnn_edge.pipeline import build_bundle
from rnn_edge.pipeline.embedded_clips import EmbeddedClips
from rnn_edge.pipeline.files import tree_digests
from rnn_edge.spec import load_spec

pytestmark = pytest.mark.slow
for module in ("tensorflow", "espeakng_loader", "pyopen_wakeword", "ai_edge_litert"):
    pytest.importorskip(module)

SPEC = """
seed = 2
[model]
name = "words"
task = "kws"
hidden = 4
layers = 2
[data]
kind = "synthetic-keywords"
keywords = ["yes", "no"]
train_clips = 6
validation_clips = 3
test_clips = 3
[features]
kind = "log-mel"
bands = 12
arithmetic = "integer"
gain_normalisation = true
[augment]
copies = 2
[teacher]
kind = "embedding"
hidden = 8
folds = 2
steps = 30
batch = 8
evaluate_every = 30
[student]
steps = 6
lanes = 8
evaluate_every = 3
embedding_weight = 2.0
[replay]
stream = "kws_stream"
engines = ["float", "int8"]
"""


def test_targets_and_embeddings_reach_the_student_and_the_same_spec_gives_the_same_bytes(tmp_path):
    (tmp_path / "words.toml").write_text(SPEC)

    def built(name):
        spec = load_spec(tmp_path / "words.toml")
        return build_bundle(spec, tmp_path / name, progress=lambda *_: None, until="student")

    bundle = built("out")
    stages = {path.name.split("-")[0]: path for path in (tmp_path / "out").glob(".stages/*-*")}
    clips = EmbeddedClips.load(stages["data"])
    soft = np.load(stages["teacher"] / "soft.npy")
    assert soft.shape == (len(clips.train), 4)
    # Copies of a clip have one target.
    for clip in np.unique(clips.clips):
        assert np.ptp(soft[clips.clips == clip], axis=0).max() == 0.0
    assert len({tuple(row) for row in soft}) > len(soft) / 4
    curves = json.loads((stages["teacher"] / "curves.json").read_text())
    assert curves["best"] > 0.3
    digests = tree_digests(bundle.path)
    assert digests["student.npz"] == tree_digests(built("again").path)["student.npz"]
