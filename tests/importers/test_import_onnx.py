"""onnxruntime's own outputs of ONNX files: own exports and those of other tools' shapes."""

import tempfile
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import Shape, float_model

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from rnn_edge.errors import ModelError  # noqa: E402
from rnn_edge.exporters import onnx_float  # noqa: E402
from rnn_edge.importers import from_onnx  # noqa: E402
from rnn_edge.reference import FloatReference  # noqa: E402
from rnn_edge.types import GATES, HeadKind  # noqa: E402

STEPS, STREAMS, INPUTS, UNITS, OUTPUTS = 25, 3, 4, 5, 3
BLOCKS = {"RNN": 1, "GRU": 3, "LSTM": 4}


def constant(name, shape, seed):
    value = np.random.default_rng(seed).normal(0, 0.6, shape).astype(np.float32)
    return onnx.numpy_helper.from_array(value, name)


class Graph:
    """Grows a file of one or more recurrent layers, batch first, with an initial state of zeros
    that is made from the shape of the input, as the exporters of other tools write it."""

    def __init__(self):
        self.nodes, self.constants = [], []
        self.signal, self.width, self.count = "x", INPUTS, 0

    def node(self, kind, inputs, outputs, **attributes):
        self.nodes.append(onnx.helper.make_node(kind, inputs, outputs, **attributes))

    def store(self, value):
        name = f"constant{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def random(self, *shape):
        name = f"constant{len(self.constants)}"
        self.constants.append(constant(name, shape, len(self.constants)))
        return name

    def recurrent(self, kind, bias=True, extra=(), directions=1, **attributes):
        k, rows = self.count, BLOCKS[kind] * UNITS
        self.count += 1
        w = self.random(directions, rows, self.width)
        r = self.random(directions, rows, UNITS)
        b = self.random(directions, 2 * rows) if bias else ""
        outputs = [f"l{k}_y"] if kind != "LSTM" else [f"l{k}_y", "", f"l{k}_c"]
        self.node(kind, [self.signal, w, r, b, *extra], outputs, hidden_size=UNITS, **attributes)
        self.node("Transpose", [f"l{k}_y"], [f"l{k}_moved"], perm=[0, 2, 1, 3])
        shape = self.store(np.array([0, 0, -1], np.int64))
        self.node("Reshape", [f"l{k}_moved", shape], [f"l{k}_flat"])
        self.signal, self.width = f"l{k}_flat", directions * UNITS
        return self

    def dense(self, kind="MatMul", width=None):
        columns = width or self.width
        if kind == "MatMul":
            self.node("MatMul", [self.signal, self.random(columns, OUTPUTS)], ["product"])
            self.node("Add", [self.random(OUTPUTS), "product"], ["y"])
        else:
            last = self.store(np.array(-1, np.int64))
            self.node("Gather", [self.signal, last], ["last"], axis=0)
            inputs = ["last", self.random(OUTPUTS, columns), self.random(OUTPUTS)]
            self.node("Gemm", inputs, ["y"], transB=1)
        self.signal = "y"
        return self

    def save(self, path):
        element = onnx.TensorProto.FLOAT
        x = onnx.helper.make_tensor_value_info("x", element, ["T", "B", INPUTS])
        y = onnx.ValueInfoProto(name=self.signal)
        graph = onnx.helper.make_graph(self.nodes, "other", [x], [y], self.constants)
        opsets = [onnx.helper.make_opsetid("", 17)]
        model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
        model = onnx.shape_inference.infer_shapes(model)
        onnx.save(model, path)
        return path


def frames():
    return np.random.default_rng(9).normal(0, 1.5, (STEPS, STREAMS, INPUTS)).astype(np.float32)


def in_onnxruntime(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": frames()})[0]


def imported(path):
    reference = FloatReference(from_onnx(path), STREAMS)
    return reference.run(frames().transpose(1, 0, 2)).outputs.transpose(1, 0, 2)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RNN", {}),
        ("GRU", {"linear_before_reset": 1}),
        ("GRU", {"linear_before_reset": 0}),
        ("LSTM", {}),
        ("LSTM", {"bias": False}),
        ("GRU", {"activations": ["Sigmoid", "Tanh"]}),
    ],
)
def test_outputs_are_those_of_onnxruntime(tmp_path, kind, options):
    path = Graph().recurrent(kind, **options).dense().save(tmp_path / "m.onnx")
    np.testing.assert_allclose(imported(path), in_onnxruntime(path), atol=3e-6)


def test_stacks_and_the_last_step(tmp_path):
    graph = Graph().recurrent("LSTM").recurrent("GRU").recurrent("RNN")
    path = graph.dense("Gemm").save(tmp_path / "m.onnx")
    assert [layer.kind for layer in from_onnx(path).layers] == ["lstm", "gru_reset_before", "rnn"]
    np.testing.assert_allclose(imported(path)[-1], in_onnxruntime(path), atol=3e-6)


def test_a_file_that_pytorch_exported():
    folder = Path(__file__).with_name("vectors")
    with np.load(folder / "pytorch.npz") as vectors:
        x, expected = vectors["x"], vectors["last/y"]
    model = from_onnx(folder / "pytorch.onnx")
    assert [layer.kind for layer in model.layers] == ["lstm", "lstm"]
    found = FloatReference(model, x.shape[1]).run(x.transpose(1, 0, 2)).outputs[:, -1]
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_weights_behind_operators_on_constants(tmp_path):
    graph = Graph().recurrent("GRU").dense()
    gru = next(node for node in graph.nodes if node.op_type == "GRU")
    w = next(item for item in graph.constants if item.name == gru.input[1])
    w.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(w)[0], w.name))
    axes = graph.store(np.array([0], np.int64))
    unsqueeze = onnx.helper.make_node("Unsqueeze", [w.name, axes], ["w_with_directions"])
    gru.input[1] = "w_with_directions"
    graph.nodes.insert(0, unsqueeze)
    path = graph.save(tmp_path / "m.onnx")
    np.testing.assert_allclose(imported(path), in_onnxruntime(path), atol=3e-6)


@pytest.mark.parametrize("head", ["linear", "softmax", "argmax"])
@pytest.mark.parametrize("kind", GATES)
def test_own_exports_come_back_as_they_were(tmp_path, kind, head):
    model = float_model(Shape((kind, "lstm"), (5, 6), seed=3, head=head))
    onnx.save(onnx_float.build(model), tmp_path / "m.onnx")
    back = from_onnx(tmp_path / "m.onnx", "sample", model.labels)
    if kind in ("gru", "gru_reset_before"):
        assert back.digest() == model.digest()
    x = np.random.default_rng(1).normal(0, 1, (2, 30, 5)).astype(np.float32)
    expected = FloatReference(model, 2).run(x).outputs
    np.testing.assert_allclose(FloatReference(back, 2).run(x).outputs, expected, atol=1e-6)
    assert back.head_kind == head


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    kinds=st.lists(st.sampled_from(sorted(GATES)), min_size=1, max_size=4),
    units=st.lists(st.integers(1, 20), min_size=4, max_size=4),
    inputs=st.integers(1, 20),
    outputs=st.integers(1, 12),
    head=st.sampled_from(get_args(HeadKind)),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_stack_goes_out_and_comes_back(kinds, units, inputs, outputs, head, seed):
    shape = Shape(tuple(kinds), tuple(units[: len(kinds)]), inputs, outputs, seed=seed, head=head)
    model = float_model(shape)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        onnx.save(onnx_float.build(model), path)
        back = from_onnx(path)
    assert [layer.kind for layer in back.layers] == kinds
    assert back.head_kind == head
    for ours, theirs in zip(back.layers, model.layers, strict=True):
        for field in ("w_x", "w_h", "b_x", "b_h"):
            np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field))
    np.testing.assert_array_equal(back.head.w, model.head.w)
    np.testing.assert_array_equal(back.head.b, model.head.b)


def test_the_file_stays_as_it_was(tmp_path):
    path = Graph().recurrent("GRU").dense().save(tmp_path / "m.onnx")
    before = path.read_bytes()
    from_onnx(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("direction", ["reverse", "bidirectional"])
def test_other_directions_are_refused_with_the_reason(tmp_path, direction):
    count = 2 if direction == "bidirectional" else 1
    graph = Graph().recurrent("GRU", directions=count, direction=direction)
    path = graph.dense().save(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="only after the last input") as caught:
        from_onnx(path)
    assert f"direction {direction!r}" in caught.value.message
    assert "use forward layers" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"clip": 3.0}, "has clip 3.0; expected none"),
        ({"activations": ["Sigmoid", "Relu"]}, "activations ['Sigmoid', 'Relu']"),
        ({"extra": ("", "start")}, "starts from a constant state"),
    ],
)
def test_options_without_a_counterpart_are_refused(tmp_path, options, expected):
    graph = Graph()
    ones = np.ones((1, STREAMS, UNITS), np.float32)
    graph.constants.append(onnx.numpy_helper.from_array(ones, "start"))
    path = graph.recurrent("GRU", **options).dense().save(tmp_path / "m.onnx")
    with pytest.raises(ModelError) as caught:
        from_onnx(path)
    assert expected in caught.value.message


def test_operators_without_a_counterpart_are_refused(tmp_path):
    graph = Graph().recurrent("GRU")
    graph.node("Relu", [graph.signal], ["positive"])
    graph.signal = "positive"
    with pytest.raises(ModelError, match=r"\(Relu\)"):
        from_onnx(graph.dense().save(tmp_path / "m.onnx"))
    graph = Graph().recurrent("GRU")
    flat = graph.signal
    graph.recurrent("GRU")
    graph.node("Add", [graph.signal, flat], ["residual"])
    graph.signal = "residual"
    with pytest.raises(ModelError, match="ONNX operator"):
        from_onnx(graph.dense().save(tmp_path / "m.onnx"))


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"\xff" * 100)
    for path in (tmp_path / "m.onnx", tmp_path / "missing.onnx"):
        with pytest.raises(ModelError, match="expected an ONNX file"):
            from_onnx(path)
