import dataclasses
import json

import numpy as np
import pytest
from random_models import Shape, source

from rnn_edge.errors import ModelError
from rnn_edge.exporters import tflite_w8a8
from rnn_edge.exporters.tflite_w8a8 import Affine, quantize_tensor
from rnn_edge.types.spans import TensorSpan

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")

SPANS = {
    "y": TensorSpan(-2.0, 9.0),
    "h0": TensorSpan(-0.9, 0.8),
    "c0": TensorSpan(-2.0, 2.0),
    "h1": TensorSpan(-0.5, 1.0),
    "c1": TensorSpan(-2.0, 2.0),
}


def models(kinds=("lstm", "lstm"), spans=SPANS, **shape):
    return dataclasses.replace(source(Shape(kinds, (6, 5)[: len(kinds)], **shape)), spans=spans)


@pytest.fixture(scope="module")
def model():
    return schema.ModelT.InitFromPackedBuf(tflite_w8a8.build(models()), 0)


@pytest.mark.parametrize(
    ("low", "high"), [(-3.0, 5.0), (0.5, 2.0), (-4.0, -1.0), (0.0, 0.0), (-1e-9, 1e9)]
)
def test_a_span_and_zero_fit_eight_bits(low, high):
    numbers = Affine.of_span(TensorSpan(low, high))
    assert -128 <= numbers.zero_point <= 127
    assert numbers.scale == np.float32(numbers.scale) > 0
    for value in (low, high, 0.0):
        integer = np.rint(value / numbers.scale) + numbers.zero_point
        assert -129 <= integer <= 128
        assert abs((integer - numbers.zero_point) * numbers.scale - value) <= numbers.scale / 2
    assert (-128 - numbers.zero_point) * numbers.scale <= max(low, 0.0)


def test_weights_are_symmetric_with_one_scale():
    weight = np.array([[0.5, -1.27], [0.0, 1.0]])
    rounded, scale = quantize_tensor(weight)
    assert rounded.dtype == np.int8
    np.testing.assert_array_equal(rounded, [[50, -127], [0, 100]])
    assert scale == np.float32(0.01)
    rounded, scale = quantize_tensor(np.zeros((2, 2)))
    assert scale > 0
    assert not rounded.any()


def test_the_operator_has_its_inputs_in_the_order_of_its_kernel(model):
    graph = model.subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    lstm = graph.operators[0]
    found = ["" if k < 0 else names[k] for k in lstm.inputs]
    assert found == [
        "x",
        *(f"l0_x_{gate}_weight" for gate in "ifgo"),
        *(f"l0_h_{gate}_weight" for gate in "ifgo"),
        *[""] * 3,
        *(f"l0_{gate}_bias" for gate in "ifgo"),
        *[""] * 2,
        "h0",
        "c0",
        *[""] * 4,
    ]
    assert len(lstm.intermediates) == 5
    assert not lstm.builtinOptions.timeMajor
    assert lstm.builtinOptions.cellClip == lstm.builtinOptions.projClip == 0.0


def test_scales_are_what_the_kernels_ask_for(model):
    tensors = {tensor.name.decode(): tensor for tensor in model.subgraphs[0].tensors}

    def numbers(name):
        found = tensors[name].quantization
        return float(found.scale[0]), int(found.zeroPoint[0])

    # As far as the int16 input reaches.
    assert numbers("x") == (pytest.approx(16 / 255, rel=1e-4), 0)
    assert numbers("h0") == numbers("h0_out") == numbers("l0_hidden")
    assert np.frexp(numbers("c0")[0])[0] == 0.5
    assert numbers("c0")[1] == 0
    assert {name for name, t in tensors.items() if t.isVariable} == {"h0", "c0", "h1", "c1"}
    for gate in "ifgo":
        assert numbers(f"l0_{gate}_input") == (2.0**-12, 0)
        expected = np.float32(numbers("x")[0] * numbers(f"l0_x_{gate}_weight")[0])
        assert numbers(f"l0_{gate}_bias") == (pytest.approx(float(expected), rel=1e-6), 0)
    for tensor in tensors.values():
        assert len(tensor.quantization.scale) == 1


def test_both_biases_of_the_float_model_are_in(model):
    layer = models().float_model.layers[0]
    tensors = {tensor.name.decode(): tensor for tensor in model.subgraphs[0].tensors}
    expected = np.split(layer.b_x.astype(np.float64) + layer.b_h, 4)
    for gate, wanted in zip("ifgo", expected, strict=True):
        tensor = tensors[f"l0_{gate}_bias"]
        stored = np.frombuffer(bytes(model.buffers[tensor.buffer].data), "<i4")
        scale = float(tensor.quantization.scale[0])
        np.testing.assert_allclose(stored * scale, wanted, rtol=1e-6, atol=scale)


def test_the_metadata_holds_scales_and_digest(model):
    (entry,) = model.metadata
    found = json.loads(bytes(model.buffers[entry.buffer].data))
    assert found["model_digest"] == models().float_model.digest()
    assert set(found["scales"]) == {"x", "y", "h0", "c0", "h1", "c1"}
    tensors = {tensor.name.decode(): tensor for tensor in model.subgraphs[0].tensors}
    for name, numbers in found["scales"].items():
        assert np.float32(numbers["scale"]) == tensors[name].quantization.scale[0]
        assert numbers["zero_point"] == tensors[name].quantization.zeroPoint[0]


@pytest.mark.parametrize("kinds", [("gru",), ("lstm", "gru"), ("gru", "lstm"), ("rnn",)])
def test_models_that_are_not_lstm_throughout_are_refused(kinds):
    with pytest.raises(ModelError, match=f"layers {', '.join(kinds)}; expected lstm throughout"):
        tflite_w8a8.build(models(kinds))


def test_a_source_without_spans_is_refused_with_what_makes_them():
    with pytest.raises(ModelError, match="no calibrated spans") as caught:
        tflite_w8a8.build(models(spans=None))
    assert "measure_spans" in caught.value.hint


@pytest.mark.parametrize("exponent", [-8, -7])
def test_a_cell_too_wide_for_the_kernels_is_refused(exponent):
    with pytest.raises(ModelError, match=rf"cell scale of layer 0 is 2\^{exponent}; expected"):
        tflite_w8a8.build(models(cell_exponent=exponent))


def test_a_bias_that_does_not_fit_is_named():
    given = models(("lstm",))
    layer = given.float_model.layers[0]
    large = dataclasses.replace(layer, b_x=np.full_like(layer.b_x, 1e9), w_x=layer.w_x * 1e-6)
    float_model = dataclasses.replace(given.float_model, layers=(large,))
    with pytest.raises(ModelError, match=r"l0_i_bias reaches .* expected at most 2147483647"):
        tflite_w8a8.build(dataclasses.replace(given, float_model=float_model))
