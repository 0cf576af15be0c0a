import json

import numpy as np
import pytest
from random_models import Shape, float_model, source

from rnn_edge.exporters import onnx_float
from rnn_edge.reference import FloatReference
from rnn_edge.types import GATES

onnx = pytest.importorskip("onnx")

STACK = Shape(("gru", "lstm"), (6, 5), inputs=4, outputs=3, seed=5)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    onnx_float.export(source(STACK), folder)
    return folder / onnx_float.FILE


def test_file_passes_the_checker_at_a_fixed_version(path):
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    assert proto.ir_version == 8
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", 17)]
    assert [node.op_type for node in proto.graph.node if node.op_type in ("GRU", "LSTM")] == [
        "GRU",
        "LSTM",
    ]


def test_names_labels_and_digest(path):
    proto, model = onnx.load(path), float_model(STACK)
    assert [value.name for value in proto.graph.input] == ["x", "h0_in", "h1_in", "c1_in"]
    assert [value.name for value in proto.graph.output] == ["y", "h0_out", "h1_out", "c1_out"]
    props = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(props["labels"]) == list(model.labels)
    assert props["model_digest"] == model.digest()
    assert props["task"] == "kws"
    assert props["name"] == model.name
    assert props["format"] == "rnn-edge float onnx 1"


@pytest.mark.parametrize(("kind", "order"), [("gru", (1, 0, 2)), ("lstm", (0, 3, 1, 2))])
def test_gates_are_reordered_on_a_copy(kind, order):
    model = float_model(Shape((kind,), (3,)))
    before = model.digest()
    proto = onnx_float.build(model)
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in proto.graph.initializer}
    blocks = np.split(model.layers[0].w_x, len(GATES[kind]))
    np.testing.assert_array_equal(constants["l0_w"][0], np.concatenate([blocks[k] for k in order]))
    assert model.digest() == before


def test_a_sequence_of_several_streams_is_the_same_as_frame_by_frame(path):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    T, B = 40, 3
    x = np.random.default_rng(0).normal(0, 1, (T, B, 4)).astype(np.float32)
    zero = {"h0_in": (1, B, 6), "h1_in": (1, B, 5), "c1_in": (1, B, 5)}
    feeds = {name: np.zeros(shape, np.float32) for name, shape in zero.items()}
    y, *after = session.run(None, {"x": x, **feeds})
    reference = FloatReference(float_model(STACK), streams=B)
    trace = reference.run(x.transpose(1, 0, 2))
    np.testing.assert_allclose(y.transpose(1, 0, 2), trace.outputs, rtol=0, atol=5e-6)
    for value, name in zip(after, ("h0", "h1", "c1"), strict=True):
        np.testing.assert_allclose(value[0], trace.states[name][:, -1], rtol=0, atol=5e-6)
