"""The examples of docs/importing.md, run as they stand, each in the folder that it expects."""

import re
from pathlib import Path

import numpy as np
import pytest

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import MissingDependencyError
from rnn_edge.importers import from_onnx
from rnn_edge.reference import IntegerReference
from rnn_edge.types import QuantizedModel

DOCUMENT = Path(__file__).parents[2] / "docs" / "importing.md"
VECTORS = Path(__file__).with_name("vectors")


def run_example(word, folder, monkeypatch):
    examples = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (example,) = (code for code in examples if f"{word}(" in code)
    monkeypatch.chdir(folder)
    scope = {}
    exec(compile(example, str(DOCUMENT), "exec"), scope)
    return scope


@pytest.mark.slow
def test_from_keras_to_c(tmp_path, monkeypatch):
    pytest.importorskip("tensorflow")
    pytest.importorskip("onnx")
    scope = run_example("from_keras", tmp_path, monkeypatch)
    folder = tmp_path / "door"
    model = QuantizedModel.load(folder / "model.npz")
    assert model.head_kind == "softmax"
    x = np.rint(scope["stream"][0] * 4096).astype(np.int16)
    expected = IntegerReference(model).run(x[None]).outputs[0]
    assert np.abs(expected / 32768.0 - scope["wanted"][0]).max() < 0.02
    for name in ("c", "litert", "onnx-int8"):
        opened = EngineSource(scope["float_model"], model, folder, tmp_path / "work")
        try:
            with all_engines()[name].open(opened) as engine:
                np.testing.assert_array_equal(engine.run(x).outputs, expected, name)
        except MissingDependencyError as error:
            pytest.skip(str(error))


def test_from_pytorch(tmp_path, monkeypatch):
    with np.load(VECTORS / "pytorch.npz") as vectors:
        state = {k.removeprefix("gru-2/"): vectors[k] for k in vectors.files if k[:6] == "gru-2/"}
    state.pop("y")
    np.savez(tmp_path / "door.npz", **state)
    model = run_example("from_pytorch", tmp_path, monkeypatch)["float_model"]
    assert [layer.kind for layer in model.layers] == ["gru", "gru"]
    assert model.labels == ("open", "shut", "neither")


def test_from_onnx(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    (tmp_path / "door.onnx").write_bytes((VECTORS / "pytorch.onnx").read_bytes())
    model = run_example("from_onnx", tmp_path, monkeypatch)["float_model"]
    expected = from_onnx(VECTORS / "pytorch.onnx", "door", model.labels)
    assert model.digest() == expected.digest()
    assert model.labels == ("open", "shut", "neither")
