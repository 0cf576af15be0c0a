"""Cases, inputs, reference traces and the comparison of the conformance tests."""

import dataclasses
import functools

import numpy as np
import pytest
from random_models import INPUT_EXPONENT, Shape, source

from rnn_edge.quantize.spans import measure_spans
from rnn_edge.reference import FloatReference, IntegerReference

STEPS = 1000

FLOAT_TOLERANCE = 5e-6
"""After 1,000 steps, relative to the greater of 1 and the value."""

CASES = {
    "gru": Shape(("gru",), (13,), seed=1),
    "lstm": Shape(("lstm",), (13,), seed=2),
    "gru-gru": Shape(("gru", "gru"), (8, 11), seed=3),
    "lstm-lstm": Shape(("lstm", "lstm"), (9, 6), seed=4, cell_exponent=-12),
    "gru-lstm": Shape(("gru", "lstm"), (10, 7), seed=5),
    "lstm-gru": Shape(("lstm", "gru"), (5, 12), inputs=40, outputs=1, seed=6),
    "lstm-gru-lstm": Shape(("lstm", "gru", "lstm"), (4, 6, 8), inputs=3, seed=7),
    "rnn": Shape(("rnn",), (13,), seed=11),
    "reset-before": Shape(("gru_reset_before",), (13,), seed=12),
    # Every cell after every other one: each has another layout of state and scratch memory.
    "rnn-before-lstm-gru": Shape(
        ("rnn", "gru_reset_before", "lstm", "gru"), (6, 9, 5, 7), inputs=4, seed=13
    ),
    "lstm-before-rnn": Shape(("lstm", "gru_reset_before", "rnn"), (7, 4, 10), seed=14),
    "softmax": Shape(("gru",), (13,), outputs=12, seed=17, head="softmax"),
    "argmax": Shape(("lstm", "rnn"), (9, 11), outputs=6, seed=18, head="argmax"),
    "one-unit": Shape(("gru",), (1,), inputs=1, outputs=1, seed=8),
    # Weights this large drive gates and states into saturation.
    "gru-steep": Shape(("gru",), (16,), gain=8.0, seed=9),
    "lstm-steep": Shape(("lstm",), (16,), gain=8.0, seed=10, cell_exponent=-13),
    "rnn-steep": Shape(("rnn",), (16,), gain=8.0, seed=15),
    "reset-before-steep": Shape(("gru_reset_before",), (16,), gain=8.0, seed=16),
}


def _random(rng, inputs):
    """Slowly varying, as features are."""
    noise = rng.normal(0, 1, (STEPS, inputs))
    for t in range(1, STEPS):
        noise[t] = 0.8 * noise[t - 1] + 0.6 * noise[t]
    return np.clip(np.rint(noise * 2.0**-INPUT_EXPONENT), -32768, 32767).astype(np.int16)


def _saturating(rng, inputs):
    return rng.choice(np.array([-32768, 32767], np.int16), (STEPS, inputs))


def _zeros(rng, inputs):
    del rng
    return np.zeros((STEPS, inputs), np.int16)


def _silence(rng, inputs):
    """A loud start, then nothing: what was heard must fade in the same way everywhere."""
    frames = _random(rng, inputs)
    frames[100:] = 0
    return frames


INPUTS = {"random": _random, "saturating": _saturating, "zeros": _zeros, "silence": _silence}


@functools.cache
def frames_of(case, name):
    frames = INPUTS[name](np.random.default_rng(CASES[case].seed + 100), CASES[case].inputs)
    frames.setflags(write=False)
    return frames


@functools.cache
def models_of(case):
    return source(CASES[case])


@functools.cache
def export_source(case):
    """The models of a case with what some formats need besides: the spans of their tensors."""
    models = models_of(case)
    spans = measure_spans(models.float_model, real_units(frames_of(case, "random"))[None])
    return dataclasses.replace(models, spans=spans)


def real_units(frames):
    return (frames * 2.0**INPUT_EXPONENT).astype(np.float32)


@functools.cache
def integer_trace(case, name):
    return IntegerReference(models_of(case).model).run(frames_of(case, name)[None])


@functools.cache
def float_trace(case, name):
    reference = FloatReference(models_of(case).float_model)
    return reference.run(real_units(frames_of(case, name))[None])


def _fail_at(engine, name, actual, expected, wrong):
    first = tuple(int(k) for k in np.argwhere(wrong)[0])
    pytest.fail(
        f"engine {engine}: step {first[0]}, tensor {name}, index {first[1:]}: "
        f"actual {actual[first]!r}, expected {expected[first]!r} "
        f"({int(wrong.sum())} of {wrong.size} values differ)"
    )


def assert_same_trace(engine, actual, expected, tolerance=None):
    """Compare a trace (T, ...) with a reference's (1, T, ...) or (T, ...): bits or tolerance."""
    assert list(actual.states) == list(expected.states)
    pairs = {"y": (actual.outputs, expected.outputs)}
    pairs.update({name: (actual.states[name], expected.states[name]) for name in actual.states})
    for name, (got, wanted) in pairs.items():
        reference = wanted[0] if wanted.ndim == got.ndim + 1 else wanted
        assert got.shape == reference.shape, f"engine {engine}: shape of {name}"
        assert got.dtype == reference.dtype, f"engine {engine}: dtype of {name}"
        if tolerance is None:
            wrong = got != reference
        else:
            # A float cell state grows with the input, so that its last bits do too.
            allowed = tolerance * np.maximum(1.0, np.abs(reference))
            wrong = ~(np.abs(got.astype(np.float64) - reference) <= allowed)
        if wrong.any():
            _fail_at(engine, name, got, reference, wrong)
