from dataclasses import replace

import numpy as np
import pytest
from random_models import Shape, float_model

from rnn_edge.errors import ModelError
from rnn_edge.quantize import calibrate, compensate, quantize_input, quantize_model
from rnn_edge.quantize.effects import layer_effects
from rnn_edge.quantize.moments import late_start, unit_moments
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.types import DenseWeights

KINDS = ("gru", "gru_reset_before", "lstm", "rnn")


def slow_frames(streams, steps, inputs, seed):
    """Streams with a few slow causes, as features of a signal have."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(streams, steps, 3))
    for t in range(1, steps):
        causes[:, t] = 0.9 * causes[:, t - 1] + 0.45 * causes[:, t]
    mix = np.random.default_rng(1).normal(size=(3, inputs))
    return (causes @ mix + 0.2 * rng.normal(size=(streams, steps, inputs))).astype(np.float32)


def model_of(*kinds, units=10, inputs=6, seed=0):
    return float_model(Shape(kinds, (units,) * len(kinds), inputs=inputs, seed=seed))


def hidden_rms(model, quantized, frames):
    """Drift of the last hidden state, each run on its own state."""
    wanted, found = FloatReference(model, len(frames)), IntegerReference(quantized, len(frames))
    integers, last = quantize_input(frames), f"h{len(model.layers) - 1}"
    total = 0.0
    for t in range(frames.shape[1]):
        wanted.advance(frames[:, t])
        found.advance(integers[:, t])
        total += np.square(found.state[last] * 2.0**-15 - wanted.state[last]).mean()
    return np.sqrt(total / frames.shape[1])


def on_grid(model, quantized):
    """The float model whose weights are those of the quantized one."""

    def real(matrix):
        return matrix.weight * matrix.weight_scale.astype(np.float64)[:, None]

    layers = tuple(
        replace(own, w_x=real(layer.x), w_h=real(layer.h))
        for own, layer in zip(model.layers, quantized.layers, strict=True)
    )
    return replace(model, layers=layers, head=DenseWeights(real(quantized.head), model.head.b))


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_drifts_less_on_other_streams(kind):
    heard, other = slow_frames(4, 600, 6, 0), slow_frames(2, 600, 6, 5)
    before = after = 0.0
    for seed in range(3):
        model = model_of(kind, seed=seed)
        stats = calibrate(model, heard)
        before += hidden_rms(model, quantize_model(model, stats), other)
        compensated = quantize_model(model, stats, rounded=compensate(model, heard))
        after += hidden_rms(model, compensated, other)
    assert after < 0.75 * before


@pytest.mark.parametrize("kinds", [*((kind,) for kind in KINDS), ("gru", "lstm")])
def test_a_model_on_the_grid_is_not_changed(kinds):
    heard = slow_frames(2, 600, 6, 0)
    model = model_of(*kinds)
    model = on_grid(model, quantize_model(model, calibrate(model, heard)))
    stats = calibrate(model, heard)
    nearest = quantize_model(model, stats)
    assert quantize_model(model, stats, rounded=compensate(model, heard)).digest() == (
        nearest.digest()
    )


def test_weights_drawn_near_the_grid_stand_on_it():
    heard = slow_frames(2, 600, 6, 0)
    model = model_of("gru")
    model = on_grid(model, quantize_model(model, calibrate(model, heard)))
    layer = model.layers[0]
    step = np.abs(layer.w_h).max(axis=1, keepdims=True) / 127
    near = layer.w_h + 0.05 * step * np.random.default_rng(0).uniform(-1, 1, layer.w_h.shape)
    # The largest of a row says what its steps are.
    largest = np.abs(layer.w_h) == np.abs(layer.w_h).max(axis=1, keepdims=True)
    near = replace(model, layers=(replace(layer, w_h=np.where(largest, layer.w_h, near)),))
    stats = calibrate(near, heard)
    found = quantize_model(near, stats, rounded=compensate(near, heard))
    assert found.digest() == quantize_model(near, stats).digest()


def test_scales_and_formats_are_those_of_nearest_rounding():
    heard = slow_frames(2, 600, 6, 0)
    model = model_of("gru", "lstm")
    stats = calibrate(model, heard)
    plain = quantize_model(model, stats)
    found = quantize_model(model, stats, rounded=compensate(model, heard))
    changed = 0.0
    for name, matrix in found.matrices.items():
        expected = plain.matrices[name]
        assert (matrix.weight_scale == expected.weight_scale).all()
        assert matrix.output_exponent == expected.output_exponent
        apart = np.abs(matrix.weight.astype(int) - expected.weight)
        # Errors are taken over by other weights, a step or few at a time.
        assert apart.max() <= 8
        changed += apart.any()
    assert changed == len(found.matrices)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    heard = slow_frames(2, 600, 6, 0)
    model = model_of("lstm")
    stats = calibrate(model, heard)
    names = ("one.npz", "other.npz")
    for name in names:
        quantize_model(model, stats, rounded=compensate(model, heard)).save(tmp_path / name)
    one, other = ((tmp_path / name).read_bytes() for name in names)
    assert one == other


def test_the_biases_take_the_mean_error():
    # A constant input: whatever its weights lose, the bias knows.
    heard = np.full((2, 600, 6), 1.5, np.float32)
    model = model_of("rnn")
    stats = calibrate(model, heard)
    nearest = hidden_rms(model, quantize_model(model, stats), heard)
    rounded = quantize_model(model, stats, rounded=compensate(model, heard))
    assert hidden_rms(model, rounded, heard) < 0.3 * nearest


@pytest.mark.parametrize("kind", ["gru", "lstm", "rnn"])
def test_effects_are_the_derivative_of_the_state(kind):
    """A unit whose recurrent weights are zero has no other way through the network."""
    model = model_of(kind, units=3, inputs=2)
    weights = replace(model.layers[0], w_h=np.zeros_like(model.layers[0].w_h))
    x = slow_frames(1, 40, 2, 0).transpose(1, 0, 2)
    effects = layer_effects(weights, x)
    gates = len(weights.w_x) // 3
    small = 1e-3
    for g in range(gates):
        moved = weights.b_x.copy()
        moved[3 * g + 1] += small
        after = layer_effects(replace(weights, b_x=moved), x).hidden
        expected, memory = [], 0.0
        gate = effects.gates[g]
        for t in range(len(x)):
            memory *= effects.kept[t, 0, 1]
            if gate.is_direct:
                expected.append(gate.share[t, 0, 1])
                continue
            memory += gate.share[t, 0, 1]
            expected.append(memory * effects.shown[t, 0, 1])
        found = (after - effects.hidden)[:, 0, 1] / small
        assert np.abs(found - expected).max() < 0.01
        assert np.abs(expected).max() > 0.02


def test_moments_do_not_depend_on_the_blocks(monkeypatch):
    model = model_of("gru")
    x = slow_frames(2, 60, 6, 0).transpose(1, 0, 2)
    effects = layer_effects(model.layers[0], x)
    (whole,) = unit_moments(effects, x)
    monkeypatch.setattr("rnn_edge.quantize.moments.BLOCK_BYTES", 1)
    parts = list(unit_moments(effects, x))
    assert [part.units for part in parts] == [range(k, k + 1) for k in range(10)]
    early = np.concatenate([part.early for part in parts])
    assert np.abs(early - whole.early).max() < 1e-9 * np.abs(whole.early).max()
    assert whole.samples == 120
    assert late_start(60) == 45


def test_too_few_frames_are_refused():
    model = model_of("gru")
    with pytest.raises(ModelError, match=r"191 calibration frames; expected at least 192") as found:
        compensate(model, slow_frames(1, 191, 6, 0))
    assert 'quantize.rounding = "nearest"' in str(found.value.hint)
    compensate(model, slow_frames(1, 192, 6, 0))


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((600, 6), np.float32), "streams of shape"),
        (np.zeros((1, 600, 5), np.float32), "streams of shape"),
        (np.full((1, 600, 6), np.nan, np.float32), "not a finite number"),
    ],
)
def test_frames_that_are_none_are_refused(frames, message):
    with pytest.raises(ModelError, match=message):
        compensate(model_of("gru"), frames)
