"""Reset policies over many streams at once, in integers and in real units."""

import numpy as np
import pytest

from rnn_edge.drift.resets import FloatResets, IntegerResets
from rnn_edge.types.resets import ResetPolicy

STEPS, STREAMS, INPUTS, EXPONENT = 400, 5, 6, -12
POLICIES = [
    ResetPolicy(),
    ResetPolicy("every", 1),
    ResetPolicy("every", 7),
    ResetPolicy("quiet", 3, -0.25),
    ResetPolicy("quiet", 1, 0.5, "magnitude"),
    ResetPolicy("decay", shift=3),
    ResetPolicy("decay", shift=8),
]


def frames(seed=0):
    """Frames on the grid of the integers, so that both forms see the same numbers."""
    generator = np.random.default_rng(seed)
    x = generator.normal(0.0, 1.0, (STEPS, STREAMS, INPUTS))
    x *= 0.1 + 0.9 * (generator.random((STEPS, STREAMS, 1)) < 0.6)
    return np.rint(x * 2.0**-EXPONENT).astype(np.int16)


def states(seed=1):
    values = np.random.default_rng(seed).integers(-32768, 32768, (STEPS, STREAMS, 4))
    return values.astype(np.int16)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.words())
def test_both_forms_reset_the_same_streams(policy):
    x, h = frames(), states()
    of_integer = IntegerResets(policy, STREAMS, INPUTS, EXPONENT)
    of_float = FloatResets(policy, STREAMS)
    total = 0
    for t in range(STEPS):
        integer = {"h0": h[t].copy(), "c0": h[t, :, :2].copy()}
        real = {name: value.astype(np.float32) / 32768.0 for name, value in integer.items()}
        zeroed = of_integer.prepare(integer, x[t])
        in_float = of_float.prepare(real, x[t].astype(np.float32) * np.float32(2.0**EXPONENT))
        np.testing.assert_array_equal(zeroed, in_float)
        total += zeroed.sum()
        for name, value in integer.items():
            # A share is at most a unit off, and everything else is exact.
            limit = 1.0 if policy.kind == "decay" else 0.0
            assert np.abs(value - real[name] * 32768.0).max() <= limit + 0.01
            assert not value[zeroed].any()
        if policy.kind == "never":
            np.testing.assert_array_equal(integer["h0"], h[t])
    assert (total > 0) == (policy.kind in ("every", "quiet"))


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.words())
def test_streams_do_not_touch_each_other(policy):
    x, h = frames(), states()
    together = IntegerResets(policy, STREAMS, INPUTS, EXPONENT)
    alone = [IntegerResets(policy, 1, INPUTS, EXPONENT) for _ in range(STREAMS)]
    for t in range(STEPS):
        state = {"h0": h[t].copy()}
        together.prepare(state, x[t])
        for k, each in enumerate(alone):
            own = {"h0": h[t, k : k + 1].copy()}
            each.prepare(own, x[t, k : k + 1])
            np.testing.assert_array_equal(own["h0"][0], state["h0"][k])


def test_a_stream_is_reset_before_the_frame_after_n():
    resets = FloatResets(ResetPolicy("every", 3), 1)
    x, state = np.ones((1, 2), np.float32), {"h0": np.ones((1, 2), np.float32)}
    assert [bool(resets.prepare(state, x)[0]) for _ in range(10)] == [
        *(False, False, False, True),
        *(False, False, True, False, False, True),
    ]


@pytest.mark.parametrize(
    ("level", "inputs", "exponent", "threshold"),
    [
        (0.5, 3, -12, 6144),
        (-0.5, 3, -12, -6144),
        # Rounded down, towards what is less quiet.
        (0.1, 1, -12, 409),
        (-0.1, 1, -12, -410),
        (100.0, 65535, -15, 2**31 - 1),
        (-100.0, 65535, -15, -(2**31) + 1),
    ],
)
def test_the_threshold_is_exact_and_an_int32(level, inputs, exponent, threshold):
    assert ResetPolicy("quiet", 1, level).threshold(inputs, exponent) == threshold
