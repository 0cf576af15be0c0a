"""Sensor windows in integers: chunks, known answers, policies, and how near they are to float."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.errors import DataError
from rnn_edge.features.fixed_point import IntegerWindowConfig, IntegerWindows, SensorNormaliser
from rnn_edge.features.fixed_point.sensor_config import (
    LEAST_STUCK,
    MOST_STUCK,
    NONE,
    longest_run,
    raw_rows,
)
from rnn_edge.features.fixed_point.sensor_flags import (
    FAULT,
    FAULT_MISSING,
    FAULT_RANGE,
    FAULT_STUCK,
    MISSING,
    RANGE,
    SKIPPED,
    STUCK,
)
from rnn_edge.features.fixed_point.windows import floor_root
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.features.windows import WindowConfig, Windows

ONE = IntegerWindowConfig(
    1, 1, False, 2, 3, (0,), (-100,), (100,), (10,), (4,)
)  # hold 2, fault 3, -100..100 about 10, stuck after 4
HOLD_FAULT = SKIPPED | FAULT_MISSING


def flags_of(values, config=ONE):
    stream = IntegerWindows(config, 1)
    frames = stream.push(np.array(values, np.float64)[:, None])
    return stream.flags[:, 0].tolist(), frames[:, 0].tolist()


nan = math.nan


@pytest.mark.parametrize(
    ("values", "flags", "taken"),
    [
        ([1, 2, 3], [0, 0, 0], [1, 2, 3]),
        # Before there is any, a value is the mean.
        ([nan, 7], [MISSING | SKIPPED, 0], [10, 7]),
        ([5, nan, nan, 6], [0, *[MISSING | SKIPPED] * 2, 0], [5, 5, 5, 6]),
        # A third on end is a fault, that ends with the third good one.
        (
            [5, nan, nan, nan, 6, 7, 8, 9],
            [0, *[MISSING | SKIPPED] * 2, MISSING | HOLD_FAULT, HOLD_FAULT, HOLD_FAULT, 0, 0],
            [5, 5, 5, 5, 5, 5, 8, 9],
        ),
        # A missing one begins the count of good ones anew.
        (
            [5, nan, nan, nan, 6, 7, nan, 8, 9, 1],
            [
                0,
                *[MISSING | SKIPPED] * 2,
                MISSING | HOLD_FAULT,
                HOLD_FAULT,
                HOLD_FAULT,
                MISSING | HOLD_FAULT,
                HOLD_FAULT,
                HOLD_FAULT,
                0,
            ],
            [5, 5, 5, *[5] * 6, 1],
        ),
        # Clipped, and still a value; three on end are a fault, of a sensor that counts.
        ([500, 0, -500, -101], [RANGE, 0, RANGE, RANGE], [100, 0, -100, -100]),
        (
            [101, 102, 103, 1, 2, 3],
            [RANGE, RANGE, RANGE | FAULT_RANGE, *[FAULT_RANGE] * 2, 0],
            [100, 100, 100, 1, 2, 3],
        ),
        # A missing one between them does not make them fewer.
        (
            [101, 102, nan, 103],
            [RANGE, RANGE, MISSING | SKIPPED, RANGE | FAULT_RANGE],
            [100, 100, 100, 100],
        ),
        # The fourth of equal ones; of missing ones between them nothing is known.
        (
            [7, 7, nan, 7, 7, 8, 9, 8],
            [
                0,
                0,
                MISSING | SKIPPED,
                0,
                STUCK | SKIPPED | FAULT_STUCK,
                *[SKIPPED | FAULT_STUCK] * 2,
                0,
            ],
            [7, 7, 7, 7, 7, 7, 7, 8],
        ),
        # Stuck where it would be clipped: both, and over together.
        (
            [900] * 5,
            [
                RANGE,
                RANGE,
                RANGE | FAULT_RANGE,
                *[RANGE | STUCK | SKIPPED | FAULT_RANGE | FAULT_STUCK] * 2,
            ],
            [100, 100, 100, 100, 100],
        ),
        # Limits belong to the range.
        ([100, -100], [0, 0], [100, -100]),
    ],
)
def test_policies(values, flags, taken):
    found, frames = flags_of(values)
    assert found == flags
    np.testing.assert_array_equal(frames, taken)


def test_zero_turns_a_policy_off():
    config = IntegerWindowConfig(1, 1, False, 0, 1, (0,), (-100,), (100,), (0,), (0,))
    assert flags_of([1] * 50, config)[0] == [0] * 50
    # Without holding, the first missing one is a fault; one good one ends it.
    assert flags_of([1, nan, 2], config) == ([0, MISSING | HOLD_FAULT, 0], [1, 1, 2])
    # One that never told anything is at its mean.
    assert flags_of([nan, nan, 2], ONE)[1] == [10, 10, 2]


def test_a_frame_counts_while_most_of_its_samples_are_there():
    config = IntegerWindowConfig(4, 4, True, 9, 3, (0,), (-100,), (100,), (0,), (0,))
    values = [8, 8, 8, nan, 4, nan, nan, 4, 1, 2, 3, 6]
    found, frames = flags_of(values, config)
    assert found == [MISSING, MISSING | SKIPPED, 0]
    assert frames == [8.0, 4.0, 3.0]
    deviations = IntegerWindows(config, 1).frames(np.array(values)[:, None])[:, 1]
    # floor(4 * sqrt(3.5)) / 4
    assert deviations.tolist() == [0.0, 0.0, 1.75]


def test_a_silent_sensor_keeps_both_inputs_and_a_gap_forgets_what_is_held():
    config = IntegerWindowConfig(2, 2, True, 1, 2, (0,), (-100,), (100,), (20,), (0,))
    front = FrontEnd(
        config, ("a",), 1.0, Normaliser(np.array([20, 1], np.float32), np.ones(2, np.float32))
    )
    stream = front.stream()
    raw = stream.push(np.array([[22.0], [22.0], [nan], [nan]]))
    assert stream.flags.tolist() == [[0], [MISSING | HOLD_FAULT]]
    assert front.quantize_input(raw).tolist() == [[8192, -4096], [8192, -4096]]
    assert front.skipped_features(stream.flags).tolist() == [[False, False], [True, True]]
    assert front.skipped_features(stream.flags[:1]) is None
    stream.push(np.array([[5.0]]))
    stream.reset()
    # The window is empty, nothing is held, the fault stays until two good samples, and until then
    # the inputs do.
    raw = stream.push(np.array([[nan], [3.0], [4.0], [5.0]]))
    assert stream.flags.tolist() == [[MISSING | HOLD_FAULT], [0]]
    assert raw.tolist() == [[22.0, 0.0], [4.5, 0.5]]


@settings(max_examples=60, deadline=None)
@given(
    window=st.integers(1, 7),
    hop=st.integers(1, 9),
    has_deviation=st.booleans(),
    cuts=st.lists(st.integers(0, 60), max_size=8),
    seed=st.integers(0, 100),
)
def test_any_chunking_gives_the_same_bits(window, hop, has_deviation, cuts, seed):
    samples = bad_samples(seed)
    config = IntegerWindowConfig(window, hop, has_deviation, 2, 3).fitted_to(
        [bad_samples(0, 0.0)], 0.2, (), 4
    )
    whole, stream = IntegerWindows(config, 3), IntegerWindows(config, 3)
    expected = whole.frames(samples)
    chunks, flags = [], []
    for part in np.split(samples, sorted(cuts)):
        chunks.append(stream.push(part))
        flags.append(stream.flags)
    assert np.concatenate(chunks).tobytes() == expected.tobytes()
    assert np.concatenate(flags).tobytes() == whole.flags.tobytes()


@settings(max_examples=40, deadline=None)
@given(
    window=st.integers(1, 7),
    hop=st.integers(1, 9),
    at=st.integers(0, 60),
    seed=st.integers(0, 100),
)
def test_a_stream_goes_on_from_what_it_remembered(window, hop, at, seed):
    samples = bad_samples(seed)
    config = IntegerWindowConfig(window, hop, True, 2, 3).fitted_to(
        [bad_samples(0, 0.0)], 0.2, (), 4
    )
    first, second, whole = (IntegerWindows(config, 3) for _ in range(3))
    done = first.push(samples[:at])
    second.recall(first.memory())
    begin = len(done) * hop
    if begin > at:
        # Samples between two windows have passed, and are not seen again.
        begin = at
        samples = samples[:at]
    rest = second.push(samples[begin:])
    expected = whole.frames(samples)
    assert np.concatenate([done, rest]).tobytes() == expected.tobytes()


def bad_samples(seed, share=0.3):
    rng = np.random.default_rng(seed)
    samples = np.round(rng.normal(size=(60, 3)), 1) * [1.0, 50.0, 0.01] + [0.0, 7.0, 100.0]
    samples[rng.random(samples.shape) < share / 3] = nan
    samples[rng.random(samples.shape) < share / 3] = 1e12
    for k in range(3):
        start = rng.integers(0, 60)
        samples[start : start + int(share * rng.integers(1, 50)), k] = 7.0
    return samples


def test_memory_of_another_front_end_is_refused():
    stream = IntegerWindows(ONE, 1)
    for memory in ({"levels": np.zeros(1)}, {n: np.zeros(2) for n in stream.memory()}):
        with pytest.raises(ValueError, match="another front end"):
            stream.recall(memory)
    stream.recall({})


# The fixed point of a channel.


@pytest.mark.parametrize(
    ("values", "exponent"),
    [
        (np.arange(1000.0), 0),
        (np.arange(1000.0) * 4.0, 2),
        (np.arange(1000.0) * 0.25 + 1e3, -2),
        # No grid: steps as fine as those of the input, deviation / 2^16.
        (np.sin(np.arange(1000.0)), -17),
        (np.sin(np.arange(1000.0)) * 1e-9, -47),
        (np.sin(np.arange(1000.0)) * 1e12, 23),
        # A grid too fine for anything.
        (np.round(np.sin(np.arange(1000.0)), 3), -17),
        # So far from 0 that 31 bits end before.
        (np.sin(np.arange(1000.0)) + 1e7, -6),
    ],
)
def test_exponents_come_from_the_data(values, exponent):
    config = IntegerWindowConfig().fitted_to([values[:, None]], 1.0)
    assert config.exponents == (exponent,)
    scale = 2.0**exponent
    span = np.ptp(values)
    assert config.low[0] * scale == pytest.approx(values.min() - span, abs=scale)
    assert config.high[0] * scale == pytest.approx(values.max() + span, abs=scale)
    assert config.centre[0] * scale == pytest.approx(values.mean(), abs=scale)


@given(
    st.integers(1, 4096),
    st.floats(-1e9, 1e9),
    st.floats(1e-9, 1e9),
    st.floats(0, 100),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_whatever_is_chosen_is_within_its_ranges(window, middle, size, margin, has_deviation):
    values = np.array([[middle - size], [middle], [middle + 0.3 * size], [middle + size]])
    shape = (window, 1, has_deviation)
    config = IntegerWindowConfig(*shape).fitted_to([values], margin)  # refuses others itself
    assert config.reach * window < 2**30
    raw = raw_rows(values, config)
    assert ((raw >= config.low[0] - 1) & (raw <= config.high[0] + 1)).all()


def test_given_exponents_are_taken_or_refused():
    values = np.arange(100.0)[:, None] * [1.0, 1000.0]
    config = IntegerWindowConfig().fitted_to([values], 1.0, (-3, 2), 9)
    assert config.exponents == (-3, 2)
    assert config.stuck_samples == (9, 9)
    assert raw_rows(np.array([[1.5, 1001.0]]), config).tolist() == [[12, 250]]
    with pytest.raises(
        DataError, match=r"channel 1 with exponent -14; .* takes at least -10"
    ) as told:
        IntegerWindowConfig().fitted_to([values], 1.0, (0, -14))
    assert "set -10 in features.exponents" in told.value.hint
    with pytest.raises(DataError, match="exponent 20; its values 0 to 99000 are all one"):
        IntegerWindowConfig().fitted_to([values], 1.0, (0, 20))
    # One value is one step, whatever the step.
    assert IntegerWindowConfig().fitted_to([np.ones((9, 1))], 1.0, (20,)).exponents == (20,)
    with pytest.raises(DataError, match="1 exponents for 2 channels"):
        IntegerWindowConfig().fitted_to([values], 1.0, (0,))


def test_stuck_is_what_training_never_was():
    values = np.array([1.0, 2, 2, 2, 2, 2, 2, 2, 1, 1])[:, None]
    assert longest_run(values[:, 0]) == 7
    fit = IntegerWindowConfig().fitted_to
    assert fit([values], 1.0).stuck_samples == (28,)
    assert fit([values[:3]], 1.0).stuck_samples == (LEAST_STUCK,)
    # Runs do not go on from recording to recording, and one without end is none.
    assert fit([values[:4], values[4:]], 1.0).stuck_samples == (16,)
    long = np.concatenate([np.zeros(MOST_STUCK // 4 + 1), [1.0]])[:, None]
    assert fit([long], 1.0).stuck_samples == (0,)
    assert longest_run(values[:0, 0]) == 0


def test_raw_samples_saturate_and_round():
    config = IntegerWindowConfig(
        exponents=(-1,), low=(0,), high=(9,), centre=(0,), stuck_samples=(0,)
    )
    values = np.array([[0.26], [0.24], [1e300], [-1e300], [np.inf], [nan]])
    expected = [[1], [0], [2**31 - 1], [-(2**31) + 1], [2**31 - 1], [NONE]]
    assert raw_rows(values, config).tolist() == expected
    assert raw_rows(np.array([[NONE], [3]], np.int32), config).tolist() == [[NONE], [3]]


@pytest.mark.parametrize(
    "change",
    [
        {"window_samples": 4097},
        {"hop_samples": 5000},
        {"hold_samples": -1},
        {"hold_samples": 65_535},
        {"fault_samples": 0},
        {"low": (5,), "high": (4,)},
        {"high": (1 << 29,)},
        {"low": (-(2**30) - 1,), "high": (-(2**30),), "centre": (-(2**30),)},
        {"stuck_samples": (-1,)},
    ],
)
def test_what_the_c_does_not_hold_is_refused(change):
    values = {name: getattr(ONE, name) for name in ONE.__dataclass_fields__} | change
    with pytest.raises(DataError, match="Integer windows"):
        IntegerWindowConfig(**values)


def test_a_configuration_of_other_channels_is_refused():
    with pytest.raises(DataError, match="1 channels for 2"):
        IntegerWindows(ONE, 2)
    with pytest.raises(DataError, match="0 channels for 2"):
        IntegerWindows(IntegerWindowConfig(), 2)


@given(st.integers(0, 2**60 - 1))
def test_roots_are_exact(value):
    assert floor_root(np.array([value], np.int64))[0] == math.isqrt(value)


def test_roots_beside_squares():
    roots = np.concatenate([np.arange(300), 2**30 - 1 - np.arange(300)])
    squares = roots * roots
    np.testing.assert_array_equal(floor_root(squares), roots)
    np.testing.assert_array_equal(floor_root(squares[1:] - 1), roots[1:] - 1)


# How near to float.


@pytest.mark.parametrize("shape", [(1, 1, False), (5, 2, True), (64, 64, True)])
@pytest.mark.parametrize("seed", range(3))
def test_inputs_are_those_of_float_within_a_unit(shape, seed):
    rng = np.random.default_rng(seed)
    drift = np.cumsum(rng.normal(size=(4000, 3)), axis=0) * 0.02
    values = (rng.normal(size=(4000, 3)) + drift) * [1.0, 3e5, 1e-4] + [0.0, 5e5, 2.0]
    fitted = IntegerWindowConfig(*shape).fitted_to([values], 1.0)
    # In float64: Windows give float32, which is coarser than the integers are.
    windows = np.lib.stride_tricks.sliding_window_view(values, shape[0], axis=0)[:: shape[1]]
    exact = windows.mean(axis=2)
    if shape[2]:
        exact = np.concatenate([exact, windows.std(axis=2)], axis=1)
    normaliser = Normaliser.fit(exact)
    found = FrontEnd(fitted, ("a", "b", "c"), 1.0, normaliser).frames(values) * 4096
    expected = (exact - normaliser.mean) / normaliser.scale * 4096
    assert np.abs(found - expected).max() <= (0.76 if shape[0] == 1 else 1.5)
    assert expected.std() > 3000


def test_a_normaliser_of_anything_saturates():
    config = IntegerWindowConfig(1, 1, True, 5, 5, (0,), (-1000,), (1000,), (0,), (0,))
    raw = np.array([[900.0, 900.0], [-900.0, 0.0]])
    for mean, scale, expected in (
        (0.0, 1e-30, [32767, -32768]),
        (0.0, 1e30, [0, 0]),
        (3e38, 1.0, [-32768, -32768]),
        (0.0, 1.0, [32767, -32768]),
        (0.0, 900.0, [4096, -4096]),
    ):
        normaliser = Normaliser(np.full(2, mean, np.float32), np.full(2, scale, np.float32))
        assert SensorNormaliser.of(normaliser, config).apply(raw)[:, 0].tolist() == expected


def test_faults_are_a_part_of_the_flags():
    assert FAULT == FAULT_MISSING | FAULT_STUCK | FAULT_RANGE
    assert not FAULT & (MISSING | STUCK | RANGE | SKIPPED)


def test_floats_of_the_windows_are_those_of_the_integers():
    values = np.round(np.random.default_rng(0).normal(size=(50, 2)) * 8) / 8
    config = IntegerWindowConfig(4, 2, True).fitted_to([values], 1.0, (-3, -3))
    found = IntegerWindows(config, 2).frames(values)
    expected = Windows(WindowConfig(4, 2, True), 2).frames(values)
    np.testing.assert_array_equal(found[:, :2], expected[:, :2])
    below = expected[:, 2:] - found[:, 2:]
    assert (below > -1e-6).all()
    assert (below < 2.0**-3 / 4 + 1e-6).all()
