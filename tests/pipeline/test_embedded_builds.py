"""A build whose teacher hears a frozen embedding of speech, as small as it can be."""

import itertools
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


PHRASES = SPEC.replace(
    """kind = "synthetic-keywords"
keywords = ["yes", "no"]
""",
    """kind = "synthetic-phrases"
keywords = ["alexa"]
near_phrases = 2
unknown_share = 2.0
""",
).replace("embedding_weight = 2.0", "embedding_weight = 2.0\ndense_others = true")


def test_clips_of_different_lengths_are_taught_as_far_as_they_go(tmp_path):
    (tmp_path / "words.toml").write_text(PHRASES)
    spec = load_spec(tmp_path / "words.toml")
    build_bundle(spec, tmp_path / "out", progress=lambda *_: None, until="student")
    stages = {path.name.split("-")[0]: path for path in (tmp_path / "out").glob(".stages/*-*")}
    clips = EmbeddedClips.load(stages["data"])
    assert len(np.unique(clips.train_counts)) > 3
    with np.load(stages["data"] / "pool.npz") as pool:
        frames = pool["lengths"]
    # Who has more frames has no fewer windows.
    own = [clips.train_counts[frames == count] for count in np.unique(frames)]
    assert all(a.max() <= b.min() for a, b in itertools.pairwise(own))
    behind = np.arange(clips.train.shape[1]) >= clips.train_counts[:, None]
    assert not clips.train[behind].any()
    assert np.abs(clips.train[~behind]).max(axis=-1).min() > 0.0
    assert np.isfinite(np.load(stages["teacher"] / "soft.npy")).all()
    assert (stages["student"] / "student.npz").is_file()
