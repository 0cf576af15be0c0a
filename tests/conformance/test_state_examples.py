"""docs/state.md: its examples run, and its bytes are those that are written."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from random_models import Shape, source

from rnn_edge import pipeline
from rnn_edge.engines.c_host import host_compiler
from rnn_edge.errors import MissingDependencyError, SavedStateError
from rnn_edge.exporters.base import all_exporters
from rnn_edge.reference import IntegerReference
from rnn_edge.types import FloatModel, QuantizedModel, SavedState
from rnn_edge.types.saved_state import BlobStatus

DOCUMENT = Path(__file__).parents[2] / "docs" / "state.md"
TEXT = DOCUMENT.read_text()
STEPS = 240


class Exported:
    """What the examples want of a bundle."""

    def __init__(self, models, exports):
        self._models, self.exports = models, exports

    def model(self):
        return self._models.model

    def float_model(self):
        return self._models.float_model


def block(language):
    (code,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return code


@pytest.fixture
def pump():
    """Models under the name that the page uses, and frames."""
    found = source(Shape(("lstm", "gru"), (9, 6), inputs=4, outputs=2, seed=70))
    old, quantized = found.float_model, found.model
    named = FloatModel("pump", old.task, old.layers, old.head, old.labels)
    model = QuantizedModel(
        "pump", quantized.task, quantized.layers, quantized.head, quantized.labels
    )
    frames = np.random.default_rng(1).integers(-9000, 9000, (STEPS, 4)).astype(np.int16)
    return type(found)(named, model), frames


def test_the_python_example_goes_on_in_another_engine(pump, tmp_path, monkeypatch):
    pytest.importorskip("ai_edge_litert")
    models, frames = pump
    for name in ("c", "tflite"):
        all_exporters()[name].export(models, tmp_path)
    np.save(tmp_path / "frames.npy", frames)
    monkeypatch.chdir(tmp_path)
    opened = []
    exported = Exported(models, tmp_path)
    monkeypatch.setattr(pipeline.Bundle, "open", lambda path: opened.append(path) or exported)
    scope = {}
    exec(compile(block("python"), str(DOCUMENT), "exec"), scope)
    assert opened == [Path("out/pump")]
    expected = IntegerReference(models.model).run(frames[None]).outputs[0]
    np.testing.assert_array_equal(np.concatenate([scope["first"], scope["second"]]), expected)
    assert len(scope["first"]) == 100


def test_the_c_example_goes_on_in_another_process(pump, tmp_path):
    models, frames = pump
    try:
        compiler = host_compiler()
    except MissingDependencyError as error:
        pytest.skip(str(error))
    (tmp_path / "exports").mkdir()
    all_exporters()["c"].export(models, tmp_path / "exports")
    (tmp_path / "keep_state.c").write_text(block("c"))
    (command,) = re.findall(r"`cc (-std=c11 .*?)`", TEXT, re.DOTALL)
    code = sorted(str(path) for path in (tmp_path / "exports" / "c").glob("*.c"))
    arguments = [
        part for word in command.split() for part in (code if word.endswith("*.c") else [word])
    ]
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
    subprocess.run([*compiler, *warnings, *arguments], cwd=tmp_path, check=True)

    def run(part):
        done = subprocess.run(
            [tmp_path / "keep_state"],
            cwd=tmp_path,
            input=frames[part].astype(f"={frames.dtype.kind}2").tobytes(),
            capture_output=True,
            check=True,
        )
        return np.frombuffer(done.stdout, np.int16).reshape(-1, 2), done.stderr.decode()

    expected = IntegerReference(models.model).run(frames[None])
    for part in (slice(0, 50), slice(50, 51), slice(51, STEPS)):
        outputs, said = run(part)
        np.testing.assert_array_equal(outputs, expected.outputs[0][part])
        assert said == ""
    kept = tmp_path / "state.bin"
    state = SavedState.unpack(models.model, kept.read_bytes()).vectors(models.model)
    for name, value in expected.states.items():
        np.testing.assert_array_equal(state[name], value[0, -1])
    kept.write_bytes(kept.read_bytes() + b"\0")
    outputs, said = run(slice(0, 5))
    assert said == "state.bin is refused (-1); starting from zero\n"
    np.testing.assert_array_equal(outputs, expected.outputs[0][:5])


def test_the_bytes_are_the_documented_ones():
    ((digest, values, dump),) = re.findall(
        r"<!-- bytes: digest (\w+), values ([-\d ]+) -->\n```text\n(.*?)```", TEXT, re.DOTALL
    )
    state = SavedState(bytes.fromhex(digest), np.array(values.split(), np.int16))
    assert state.pack() == bytes.fromhex(dump)


def test_every_refusal_is_in_the_table():
    rows = re.findall(r"^\| `RNN_EDGE_(\w+)` \| (-?\d) \|", TEXT, re.MULTILINE)
    assert {(name, int(value)) for name, value in rows} == {
        (status.name, status.value) for status in BlobStatus
    }


def test_the_message_is_the_documented_one(pump):
    model = pump[0].model
    blob = SavedState(bytes(range(16)), np.zeros(24, np.int16)).pack()
    with pytest.raises(SavedStateError) as caught:
        SavedState.unpack(model, blob)
    (shown,) = re.findall(r"```text\n(Saved state for .*?)\n```", TEXT, re.DOTALL)

    def without_digests(text):
        return re.sub(r"\b[0-9a-f]{32}\b", "DIGEST", text)

    assert without_digests(str(caught.value)) == without_digests(shown)
