"""What becomes of the head's outputs: probabilities and decisions, the same in every runtime."""

import ctypes
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from conformance_cases import frames_of, integer_trace, models_of
from random_models import Shape, source

from rnn_edge.engines import tflite_runtime, tflm
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.engines.c_host import build_library
from rnn_edge.engines.environment import interpreter_of
from rnn_edge.errors import MissingDependencyError, ModelError, ParityError
from rnn_edge.exporters.base import ExportSource, all_exporters
from rnn_edge.pipeline import refuse_differences
from rnn_edge.quantize import calibrate, quantize_model
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.replay import compare_bits
from rnn_edge.types import FloatModel, QuantizedModel, Trace

STEPS = 300
FILES_IN_A_RUNTIME = """
import sys, numpy as np
runtime, model, frames, out = sys.argv[1:]
content, zeros = open(model, "rb").read(), np.zeros((1, 9), np.int16)
if runtime == "tflm":
    from tflite_micro.python.tflite_micro import runtime as package
    running = package.Interpreter.from_bytes(content, arena_size=1 << 18)
    details = [running.get_output_details(k) for k in range(3)]
    at = [k for k, item in enumerate(details) if item["dtype"] == np.int32][0]
    put = lambda x: (running.set_input(x[None], 0), running.set_input(zeros, 1))
    get = lambda: running.get_output(at)
else:
    from tflite_runtime.interpreter import Interpreter
    running = Interpreter(model_content=content)
    running.allocate_tensors()
    into = {i["name"]: i["index"] for i in running.get_input_details()}
    put = lambda x: (
        running.set_tensor(into["x"], x[None]), running.set_tensor(into["h0_in"], zeros)
    )
    at = [i["index"] for i in running.get_output_details() if i["name"] == "label"][0]
    get = lambda: running.get_tensor(at)
found = []
for x in np.load(frames):
    put(x)
    running.invoke()
    found.append(get()[0])
np.save(out, np.array(found))
"""


@pytest.fixture(scope="module")
def deciding():
    """A model with two equal outputs, which are the greatest now and then, and its frames."""
    models = source(Shape(("rnn",), (9,), outputs=5, seed=40, head="argmax"))
    head, dense = models.model.head, models.float_model.head
    order = [0, 3, 2, 3, 4]
    quantized = replace(
        head,
        weight=head.weight[order],
        weight_scale=head.weight_scale[order],
        bias=head.bias[order],
    )
    model = replace(models.model, head=quantized)
    float_model = replace(
        models.float_model, head=replace(dense, w=dense.w[order], b=dense.b[order])
    )
    rng = np.random.default_rng(41)
    x = np.clip(rng.normal(0, 8000, (STEPS, model.inputs)), -32768, 32767).astype(np.int16)
    return ExportSource(float_model, model), x


def first_greatest(rows):
    return [next(k for k, v in enumerate(row) if v == max(row)) for row in rows.tolist()]


def outputs_from_zero(model, x):
    """Of single frames, each from a zero state: what a file gives that is fed no state."""
    return IntegerReference(model, len(x)).step(x)


def test_ties_occur_and_the_first_counts(deciding):
    models, x = deciding
    y = outputs_from_zero(models.model, x)
    tied = (y == y.max(axis=1, keepdims=True)).sum(axis=1) > 1
    assert tied.sum() > 10
    reference = IntegerReference(models.model, len(x))
    reference.step(x)
    np.testing.assert_array_equal(reference.values["label"], first_greatest(y))


@pytest.mark.parametrize("exporter", ["tflite", "tflite-float"])
def test_label_in_litert(deciding, exporter, tmp_path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    models, x = deciding
    (file,) = all_exporters()[exporter].export(models, tmp_path).files
    running = interpreter.Interpreter(str(tmp_path / file), num_threads=1)
    step = running.get_signature_runner()
    zeros = np.zeros((1, 9), np.int16 if exporter == "tflite" else np.float32)
    for frame in x if exporter == "tflite" else x.astype(np.float32) / np.float32(4096):
        found = step(x=frame[None], h0_in=zeros)
        assert found["label"].dtype == np.int32
        assert found["label"].tolist() == first_greatest(found["y"])
    if exporter == "tflite":
        assert outputs_from_zero(models.model, x[-1:]).tolist() == found["y"].tolist()


@pytest.mark.parametrize("exporter", ["onnx", "onnx-int8"])
def test_label_in_onnxruntime(deciding, exporter, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    models, x = deciding
    (file,) = all_exporters()[exporter].export(models, tmp_path).files
    session = runtime.InferenceSession(tmp_path / file, providers=["CPUExecutionProvider"])
    if exporter == "onnx":
        frames, h = x[None].astype(np.float32) / np.float32(4096), np.zeros((1, STEPS, 9))
        y, label = session.run(["y", "label"], {"x": frames, "h0_in": h.astype(np.float32)})
        y, label = y[0], label[0]
    else:
        h = np.zeros((STEPS, 9), np.int16)
        y, label = session.run(["y", "label"], {"x": x, "h0_in": h})
        np.testing.assert_array_equal(y, outputs_from_zero(models.model, x))
    assert label.dtype == np.int64
    assert label.tolist() == first_greatest(y)


def test_label_in_c(deciding, tmp_path):
    models, x = deciding
    all_exporters()["c"].export(models, tmp_path)
    try:
        code = ctypes.CDLL(str(build_library(models.model, tmp_path, tmp_path / "work")))
    except MissingDependencyError as error:
        pytest.skip(str(error))
    y = outputs_from_zero(models.model, x)
    found = [code.sample_label(ctypes.c_void_p(row.ctypes.data)) for row in y]
    assert found == first_greatest(y)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", [tflite_runtime, tflm])
def test_label_in_runtimes_elsewhere(deciding, runtime, tmp_path):
    models, x = deciding
    all_exporters()["tflite"].export(models, tmp_path)
    try:
        python = interpreter_of(runtime.ENVIRONMENT)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    np.save(tmp_path / "x.npy", x)
    program = tmp_path / "steps.py"
    program.write_text(FILES_IN_A_RUNTIME)
    paths = [tmp_path / name for name in ("model.tflite", "x.npy", "labels.npy")]
    subprocess.run([python, program, runtime.NAME, *paths], check=True, capture_output=True)
    labels = np.load(tmp_path / "labels.npy")
    assert labels.tolist() == first_greatest(outputs_from_zero(models.model, x))


def test_probabilities_are_those_of_the_logits():
    models = models_of("softmax")
    linear = replace(models.float_model, head_kind="linear")
    x = frames_of("softmax", "random")[:200].astype(np.float32) / 4096
    logits = FloatReference(linear).run(x[None]).outputs[0].astype(np.float64)
    exact = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = FloatReference(models.float_model).run(x[None]).outputs[0]
    np.testing.assert_allclose(found, exact, atol=1e-6)
    integers = integer_trace("softmax", "random").outputs[0, :200] / 32768.0
    assert np.abs(integers - exact).max() < 0.02
    assert models.model.output_exponent == -15


def test_the_scale_of_the_head_comes_from_the_logits():
    float_model = models_of("softmax").float_model
    x = frames_of("softmax", "random")[None].astype(np.float32) / 4096
    for kind in ("linear", "softmax", "argmax"):
        model = replace(float_model, head_kind=kind)
        quantized = quantize_model(model, calibrate(model, x))
        assert quantized.head_kind == kind
        assert quantized.head.output_exponent == -12


def test_files_and_digests_know_the_head(tmp_path):
    models = models_of("softmax")
    for model, kind in ((models.float_model, FloatModel), (models.model, QuantizedModel)):
        model.save(tmp_path / "m.npz")
        assert kind.load(tmp_path / "m.npz").head_kind == "softmax"
        others = [replace(model, head_kind=head).digest() for head in ("linear", "argmax")]
        assert len({model.digest(), *others}) == 3
        with pytest.raises(ModelError, match="'sigmoid'; expected linear, softmax, argmax"):
            replace(model, head_kind="sigmoid")


def test_the_digest_of_a_linear_model_is_what_it_was_before_there_were_heads():
    models = source(Shape(("gru",), (13,), seed=1))
    assert models.float_model.digest().startswith("1b91d0e796159b33")
    assert models.model.digest().startswith("c7a686fbae1b50f2")


def test_an_engine_refuses_a_file_without_the_label(deciding, tmp_path):
    pytest.importorskip("ai_edge_litert")
    from rnn_edge.errors import EngineError

    models, _ = deciding
    linear = replace(models.model, head_kind="linear")
    all_exporters()["tflite"].export(replace(models, model=linear), tmp_path)
    path = tmp_path / "model.tflite"
    content = path.read_bytes().replace(linear.digest().encode(), models.model.digest().encode())
    path.write_bytes(content)
    opened = EngineSource(models.float_model, models.model, tmp_path, tmp_path)
    with pytest.raises(EngineError, match="label"):
        all_engines()["litert"].open(opened)


def test_what_is_known_of_a_runtime_is_no_failure_and_nothing_more_is_allowed():
    y = np.zeros((4, 3), np.int16)
    expected = Trace(y, {"h0": y})
    off, far = y.copy(), y.copy()
    off[2, 1], far[2, 1] = 1, 2
    kinds = all_engines()
    softmax, linear = models_of("softmax").model, models_of("gru").model
    assert [kinds["tflm"].known_lsb(model) for model in (softmax, linear)] == [1, 0]
    assert kinds["litert"].known_lsb(softmax) == 0
    refuse_differences(compare_bits("tflm", expected, Trace(off, {"h0": y}), 1), [])
    for actual, allowed in (
        (Trace(far, {"h0": y}), 1),
        (Trace(y, {"h0": off}), 1),
        (Trace(off, {"h0": y}), 0),
    ):
        with pytest.raises(ParityError, match="values differ by up to"):
            refuse_differences(compare_bits("tflm", expected, actual, allowed), [])
