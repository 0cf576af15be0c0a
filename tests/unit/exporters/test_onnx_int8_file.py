import dataclasses
import json
from types import MappingProxyType

import numpy as np
import pytest
from onnx_step import model_of, one_operator, session_of
from random_models import Shape, source

from rnn_edge.cells import lower_model
from rnn_edge.errors import ModelError
from rnn_edge.exporters import onnx_int8
from rnn_edge.types import QuantizedMatrix
from rnn_edge.types.program import Binary, FullyConnected, Program, Tensor, Unary

onnx = pytest.importorskip("onnx")

STACK = Shape(("gru", "lstm"), (6, 5), inputs=4, outputs=3, seed=5)


@pytest.fixture(scope="module")
def proto(tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx_int8")
    artifact = onnx_int8.export(source(STACK), folder)
    assert artifact.files == ("model_int8.onnx",)
    return onnx.load(folder / onnx_int8.FILE)


def test_file_passes_the_checker_with_standard_operators_at_a_fixed_version(proto):
    onnx.checker.check_model(proto, full_check=True)
    assert proto.ir_version == 8
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", 17)]
    assert {node.domain for node in proto.graph.node} == {""}


def test_interface_is_int16_with_free_streams(proto):
    def shapes(values):
        return {
            v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
            for v in values
        }

    states = {"h0": ["B", 6], "h1": ["B", 5], "c1": ["B", 5]}
    entering = {"x": ["B", 4], **{f"{name}_in": shape for name, shape in states.items()}}
    leaving = {"y": ["B", 3], **{f"{name}_out": shape for name, shape in states.items()}}
    assert shapes(proto.graph.input) == entering
    assert shapes(proto.graph.output) == leaving
    elements = {v.type.tensor_type.elem_type for v in [*proto.graph.input, *proto.graph.output]}
    assert elements == {onnx.TensorProto.INT16}


def test_metadata_has_labels_scales_and_digest(proto):
    model = source(STACK).model
    props = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(props["labels"]) == list(model.labels)
    assert props["model_digest"] == model.digest()
    assert props["name"] == model.name
    assert props["task"] == "kws"
    assert float(props["input_scale"]) == 2.0**model.input_exponent
    assert float(props["output_scale"]) == 2.0**model.output_exponent
    scales = {"h0": 2.0**-15, "h1": 2.0**-15, "c1": 2.0**-10}
    assert json.loads(props["state_scales"]) == scales


def test_weights_are_stored_as_int8_and_tables_as_formulas(proto):
    model = source(STACK).model
    stored = {c.name: onnx.numpy_helper.to_array(c) for c in proto.graph.initializer}
    weights = [value for value in stored.values() if value.dtype == np.int8]
    assert sum(w.size for w in weights) == model.macs
    np.testing.assert_array_equal(stored["l0_gx_weight"].T, model.layers[0].x.weight)
    assert max(value.size for value in stored.values() if value.dtype != np.int8) <= 256


def test_a_runtime_that_folds_constants_is_left_with_lookups(proto, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "folded.onnx")
    runtime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "folded.onnx").graph.node]
    assert not {"Range", "Where", "Less", "Greater", "Concat"} & set(kinds)
    # Two sigmoids and a tanh of the GRU, three and two of the LSTM.
    assert kinds.count("Gather") == 8


def test_an_operator_without_an_integer_form_is_refused():
    tensors = MappingProxyType({n: Tensor(n, 4, -11) for n in ("x", "y")})

    def refuse(op, match):
        program = Program("bad", tensors, (op,), "x", "y", MappingProxyType({}))
        with pytest.raises(ModelError, match=match):
            model_of(program)

    refuse(Unary("softmax", "x", "y"), "operator .*softmax.*expected a matrix product")
    refuse(Binary("divide", "x", "x", "y"), "operator .*divide.*expected a matrix product")
    refuse(dataclasses.make_dataclass("Argmax", ["x", "y"])("x", "y"), "operator .*Argmax")
    refuse(Unary("tanh", "x", "y"), r"tanh at scale 2\^-11; expected 2\^-13")


def test_scales_too_far_apart_are_refused():
    op = Binary("add", "x", "b", "y")
    program = one_operator(op, {"x": (3, 0), "b": (3, -15)}, {"y": (3, -11)})
    with pytest.raises(ModelError, match="more than 14 bits apart"):
        model_of(program)


def test_rows_too_heavy_for_exact_products_are_refused():
    columns = 2**22 // 127 + 1
    weight = np.full((1, columns), 127, np.int8)
    matrix = QuantizedMatrix(weight, np.float32([2.0**-7]), np.array([0]), -12, -11)
    op = FullyConnected("y", "x", matrix, "y")
    program = one_operator(op, {"x": (columns, -12)}, {"y": (1, -11)})
    with pytest.raises(ModelError, match=f"sum to {127 * columns}; expected at most {2**22}"):
        model_of(program)


def test_programs_of_models_have_no_operator_that_is_refused():
    pytest.importorskip("onnxruntime")
    model = source(STACK).model
    names = [item.name for item in session_of(model_of(lower_model(model))).get_outputs()]
    assert names == ["y", "h0_out", "h1_out", "c1_out"]
