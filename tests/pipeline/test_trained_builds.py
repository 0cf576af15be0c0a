"""Real builds of both tasks, as small as they can be, through the command line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_here import run_here

from rnn_edge.errors import BundleError
from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.files import tree_digests

pytestmark = pytest.mark.slow
PROGRAM = Path(sys.executable).with_name("rnn-edge")

SHARED = """
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
"""
MACHINE = """
seed = 2
[model]
name = "pump"
task = "anomaly"
hidden = 4
[data]
kind = "synthetic-machine"
sample_rate_hz = 2.0
recording_s = 60.0
train_recordings = 2
validation_recordings = 1
test_recordings = 2
[features]
kind = "channels"
sequence_frames = 16
[replay]
engines = ["float", "int8", "c", "litert", "onnx"]
"""
KEYWORDS = """
seed = 2
[model]
name = "words"
task = "kws"
cell = "lstm"
head = "softmax"
hidden = 4
[data]
kind = "synthetic-keywords"
keywords = ["yes", "no"]
train_clips = 6
validation_clips = 3
test_clips = 4
[features]
kind = "log-mel"
window_ms = 60.0
hop_ms = 40.0
bands = 16
[augment]
copies = 2
[replay]
engines = ["float", "int8", "c", "litert", "onnx"]
"""
TRAINING = ("teacher", "student", "quantize")
MODELS = [
    "teacher", "float", "float, no teacher", "float, fine-tuned", "int8 after training", "int8",
]  # fmt: skip


def command(folder, out):
    return [PROGRAM, "build", "spec.toml", "--out", str(folder / out), "-v"]


def build(folder, text, out):
    pytest.importorskip("tensorflow", reason="building needs TensorFlow")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    folder.mkdir(exist_ok=True)
    (folder / "spec.toml").write_text(text)
    run_here(f"rnn-edge build spec.toml --out {out}", folder)
    return folder / out


def published(folder):
    return {n: d for n, d in tree_digests(folder).items() if not n.startswith(".stages/")}


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    return build(tmp_path_factory.mktemp("machine"), MACHINE + SHARED, "bundle")


@pytest.fixture(scope="module")
def keywords(tmp_path_factory):
    return build(tmp_path_factory.mktemp("keywords"), KEYWORDS + SHARED, "bundle")


@pytest.mark.parametrize("task", ["machine", "keywords"])
def test_both_tasks_are_proven_and_reported(task, request):
    bundle = Bundle.open(request.getfixturevalue(task))
    report = json.loads(bundle.file("report.json").read_text())
    assert [m["name"] for m in report["models"]] == MODELS
    engines = {row["engine"] for row in report["parity"]}
    assert engines == {"c", "litert"}
    states = ["h0"] if task == "machine" else ["h0", "c0"]
    for engine in engines:
        rows = [row for row in report["parity"] if row["engine"] == engine]
        assert [row["tensor"] for row in rows] == ["y", *states]
        assert all(row["steps"] >= 10_000 and row["differing"] == 0 for row in rows)
    assert {row["engine"] for row in report["float_engines"]} == {"onnx"}
    assert all(row["maximum"] <= row["tolerance"] for row in report["float_engines"])
    assert [stage["name"] for stage in report["training"]] == [
        "teacher", "student", "student without teacher", "quantization-aware",
    ]  # fmt: skip
    assert all(stage["curves"] for stage in report["training"])
    assert report["model_digest"] == bundle.model().digest()
    for model in report["models"]:
        metrics = model["metrics"]
        if task == "machine":
            assert 0.0 <= metrics["f1"] <= 1.0
            assert metrics["events"] == 2
        else:
            assert sum(map(sum, metrics["reset"]["confusion"])) == metrics["reset"]["clips"]
            low, high = metrics["reset"]["accuracy_interval"]
            assert low <= metrics["reset"]["accuracy"] <= high
            assert ("unreset" in metrics) == (model["name"] != "teacher")
    page = bundle.file("report.html").read_text()
    assert "<svg" in page
    for text in (report["name"], *report["labels"], *MODELS):
        assert text in page


def test_the_same_spec_gives_the_same_bytes(machine, tmp_path):
    # By a process of its own: nothing that this one has drawn or kept is there.
    (tmp_path / "spec.toml").write_text(MACHINE + SHARED)
    subprocess.run(command(tmp_path, "again"), cwd=tmp_path, check=True, capture_output=True)
    assert published(tmp_path / "again") == published(machine)


def test_a_build_killed_while_it_trains_ends_as_if_nothing_had_happened(machine, tmp_path):
    (tmp_path / "spec.toml").write_text(MACHINE + SHARED)
    # Of every stage with stand-ins for training: test_untrained_builds.py.
    for stage in TRAINING:
        process = subprocess.Popen(
            command(tmp_path, "out"), cwd=tmp_path, text=True,
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for line in process.stderr:
            if line.split()[0] == stage:
                break
        process.kill()
        process.communicate()
        assert process.returncode == -9
        with pytest.raises(BundleError, match="is not finished"):
            Bundle.open(tmp_path / "out")
    assert published(build(tmp_path, MACHINE + SHARED, "out")) == published(machine)
    assert not list((tmp_path / "out").rglob("unfinished-*"))
