import json

import numpy as np
import pytest
from outside_graph import GOLDEN, load, vectors
from random_models import Shape, source

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import EnvironmentFailureError, ModelError
from rnn_edge.exporters import tflite, tflite_float
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.output import write_bytes

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")

STACK = Shape(("gru", "lstm"), (6, 5), seed=3)


def read(path):
    return schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)


def names(graph, indices):
    return [graph.tensors[index].name.decode() for index in indices]


def versions(model):
    code_names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    return {code_names[code.builtinCode]: code.version for code in model.operatorCodes}


@pytest.fixture(scope="module")
def integer_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("integer")
    tflite.export(source(STACK), folder)
    return folder / tflite.FILE


@pytest.fixture(scope="module")
def float_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("float")
    tflite_float.export(source(STACK), folder)
    return folder / tflite_float.FILE


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"golden vectors not found at {GOLDEN}")
@pytest.mark.parametrize("engine", ["litert", "litert-ref"])
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_authored_file_gives_the_golden_trajectories(tmp_path, kind, engine):
    model, expected = load(kind), vectors(kind)
    # The float model plays no part in an integer export.
    models = ExportSource(source(Shape((kind,), (4,))).float_model, model)
    tflite.export(models, tmp_path)
    opened = all_engines()[engine].open(
        EngineSource(models.float_model, model, tmp_path, tmp_path / "work")
    )
    trace = opened.run(expected["x"])
    assert len(trace.outputs) == 2000
    np.testing.assert_array_equal(trace.outputs, expected["y"])
    np.testing.assert_array_equal(trace.states["h0"], expected["h"])
    if kind == "lstm":
        np.testing.assert_array_equal(trace.states["c0"], expected["c"])


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"golden vectors not found at {GOLDEN}")
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_operators_and_versions_are_those_of_the_golden_graph(tmp_path, kind):
    models = ExportSource(source(Shape((kind,), (4,))).float_model, load(kind))
    tflite.export(models, tmp_path)
    authored, golden = read(tmp_path / tflite.FILE), read(GOLDEN / f"{kind}_w8a16.tflite")
    assert versions(authored) == versions(golden)
    assert len(authored.subgraphs[0].operators) == len(golden.subgraphs[0].operators)
    assert [code.deprecatedBuiltinCode for code in authored.operatorCodes] == [
        code.builtinCode for code in authored.operatorCodes
    ]


def test_tensor_names_and_signature_are_stable(integer_file, float_file):
    for path in (integer_file, float_file):
        model = read(path)
        graph = model.subgraphs[0]
        entering = ["x", "h0_in", "h1_in", "c1_in"]
        leaving = ["y", "h0_out", "h1_out", "c1_out"]
        assert names(graph, graph.inputs) == entering
        assert names(graph, graph.outputs) == leaving
        (signature,) = model.signatureDefs
        assert signature.signatureKey == b"serving_default"
        for entries, expected in ((signature.inputs, entering), (signature.outputs, leaving)):
            assert [entry.name.decode() for entry in entries] == expected
            assert names(graph, [entry.tensorIndex for entry in entries]) == expected


def test_integer_tensors_are_symmetric_and_weights_per_row(integer_file):
    model = read(integer_file)
    types = {"int16": 0, "int8": 0, "int64": 0}
    for tensor in model.subgraphs[0].tensors:
        name = tensor.name.decode()
        if name == "split_axis":
            assert tensor.quantization is None
            continue
        quantization = tensor.quantization
        assert not np.any(quantization.zeroPoint)
        assert quantization.quantizedDimension == 0
        if name.endswith(("_weight", "_bias")):
            expected = "int8" if name.endswith("_weight") else "int64"
            assert len(quantization.scale) == tensor.shape[0]
        else:
            expected = "int16"
            assert np.frexp(quantization.scale[0])[0] == 0.5
            assert tensor.shape[0] == 1
        types[expected] += 1
        assert tensor.type == getattr(schema.TensorType, expected.upper())
    assert types["int8"] == types["int64"] == 5
    add = [o for o in model.subgraphs[0].operators if hasattr(o.builtinOptions, "potScaleInt16")]
    assert add
    assert not any(o.builtinOptions.potScaleInt16 for o in add)


def test_bias_scale_is_input_scale_times_row_scale(integer_file):
    tensors = {t.name.decode(): t for t in read(integer_file).subgraphs[0].tensors}
    for product, x in (("l0_gx", "x"), ("l0_gh", "h0_in"), ("l1_gx", "h0_out"), ("y", "h1_out")):
        rows = tensors[f"{product}_weight"].quantization.scale
        expected = rows * tensors[x].quantization.scale[0]
        np.testing.assert_array_equal(tensors[f"{product}_bias"].quantization.scale, expected)


def test_constants_are_aligned_for_processors_that_fault(integer_file, float_file):
    for path in (integer_file, float_file):
        content = path.read_bytes()
        view = schema.Model.GetRootAs(content, 0)
        checked = 0
        for index in range(view.BuffersLength()):
            data = view.Buffers(index).DataAsNumpy()
            if isinstance(data, np.ndarray) and len(data):
                base = np.frombuffer(content, np.uint8)
                assert (data.ctypes.data - base.ctypes.data) % 16 == 0
                checked += 1
        assert checked > 10


def test_metadata_says_scales_labels_and_digest(integer_file):
    model, expected = read(integer_file), source(STACK).model
    (entry,) = model.metadata
    assert entry.name == b"rnn_edge"
    text = bytes(model.buffers[entry.buffer].data).decode()
    found = json.loads(text)
    assert text == json.dumps(found, sort_keys=True)
    assert found["labels"] == list(expected.labels)
    assert found["model_digest"] == expected.digest()
    tensors = {t.name.decode(): t for t in model.subgraphs[0].tensors}
    assert found["input_scale"] == tensors["x"].quantization.scale[0]
    assert found["output_scale"] == tensors["y"].quantization.scale[0]
    for name, scale in found["state_scales"].items():
        assert scale == tensors[f"{name}_in"].quantization.scale[0]
        assert scale == tensors[f"{name}_out"].quantization.scale[0]
    assert set(found["state_scales"]) == {"h0", "h1", "c1"}


def test_float_file_has_no_quantization_and_no_quantize(float_file):
    model = read(float_file)
    assert "QUANTIZE" not in versions(model)
    for tensor in model.subgraphs[0].tensors:
        assert tensor.quantization is None
        if tensor.name != b"split_axis":
            assert tensor.type == schema.TensorType.FLOAT32


def test_float_export_refuses_models_that_do_not_fit(tmp_path):
    one, other = source(Shape(("gru",), (6,))), source(Shape(("gru",), (7,)))
    with pytest.raises(ModelError, match="expected those of the quantized model"):
        tflite_float.export(ExportSource(one.float_model, other.model), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(EnvironmentFailureError, match="absent"):
        write_bytes(tmp_path / "absent" / "file", b"x")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "taken"
    path.mkdir()
    with pytest.raises(EnvironmentFailureError, match="taken"):
        write_bytes(path, b"x")
    assert list(tmp_path.iterdir()) == [path]
