import dataclasses

import numpy as np
import pytest
from random_models import Shape, float_model

from rnn_edge.errors import ModelError
from rnn_edge.quantize.spans import measure_spans
from rnn_edge.reference import FloatReference

MODEL = float_model(Shape(("lstm", "gru"), (5, 4), seed=2))
FRAMES = np.random.default_rng(1).normal(0, 1, (3, 70, 5)).astype(np.float32)


def test_spans_are_those_of_the_whole_run():
    trace = FloatReference(MODEL, 3).run(FRAMES)
    found = measure_spans(MODEL, FRAMES, headroom_bits=0.0)
    assert list(found) == ["y", *trace.states]
    for name, values in {"y": trace.outputs, **trace.states}.items():
        assert (found[name].low, found[name].high) == (values.min(), values.max())


def test_the_reserve_is_for_the_outputs_alone():
    bare, wide = measure_spans(MODEL, FRAMES, 0.0), measure_spans(MODEL, FRAMES, 1.5)
    assert wide["y"].high == pytest.approx(2**1.5 * bare["y"].high)
    assert wide["y"].low == pytest.approx(2**1.5 * bare["y"].low)
    assert {**wide, "y": None} == {**bare, "y": None}


def test_a_softmax_does_not_count():
    shares = dataclasses.replace(MODEL, head_kind="softmax")
    assert measure_spans(shares, FRAMES) == measure_spans(MODEL, FRAMES)


def test_what_is_not_finite_is_refused():
    broken = FRAMES.copy()
    broken[1, 30, 2] = np.nan
    with pytest.raises(ModelError, match="is not a finite number at step 30"):
        measure_spans(MODEL, broken)
