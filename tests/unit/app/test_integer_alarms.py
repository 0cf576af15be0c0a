"""Alarms in integers: the C has the bits of the reference, whatever the rule is made of."""

import zlib

import numpy as np
import pytest
from decision_programs import NOTHING, RESTORE, SETTLE, decided, expect, mask_bytes, probe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_edge.errors import ModelError
from rnn_edge.reference.decisions import (
    AlarmNumbers,
    IntegerRule,
    KeywordLimits,
    alarm_numbers,
    keyword_rule,
)

FRAMES = 3000
COMPILERS = (("gcc", "-O0"), ("gcc", "-O2"), ("clang", "-O0"), ("clang", "-O2"))


def triangle(rng, count, sizes):
    """A whitening of residuals that vary together, each of its own size."""
    mixing = np.tril(rng.normal(0, 0.4, (count, count)), -1) + np.diag(rng.uniform(0.3, 1.0, count))
    return np.tril(np.linalg.inv(sizes[:, None] * mixing))


def rule_of(offsets, channels, exponents=(-12, -12), *, is_whitened=False, **more):
    """The numbers of a rule whose residuals have sizes from a few units up."""
    rng = np.random.default_rng(len(offsets) + channels)
    count = len(offsets) * channels
    sizes = 2.0 ** (rng.uniform(3, 9, count) + max(exponents))
    whitening = triangle(rng, count, sizes) if is_whitened else None
    values = {"least_frames": 1, "release_frames": 1, "warmup_frames": 3, **more}
    return alarm_numbers(
        sizes**2,
        exponents,
        3.5,
        values.pop("threshold", 1.7),
        values.pop("warmup_frames"),
        100.0,
        0.5,
        offsets=offsets,
        whitening=whitening,
        **values,
    )


CASES = {
    "next frame": rule_of((1,), 4),
    "next frame, far scales": rule_of((1,), 4, (-15, -1)),
    "four ahead, patient": rule_of((1, 2, 3, 4), 3, least_frames=3, release_frames=4),
    "autoencoder, covariance": rule_of(tuple(range(0, -8, -1)), 2, (-12, -9), is_whitened=True),
    "both ways, covariance": rule_of((2, -3, 0, 5), 9, (0, -14), is_whitened=True, least_frames=2),
    "one back": rule_of((-1,), 11, warmup_frames=0, release_frames=7),
    "largest covariance": rule_of((0, -1, -2, -3), 16, is_whitened=True, threshold=2.5),
}


def stream_of(numbers, count, seed):
    """Frames and outputs that are alike for a while, and of any size for another."""
    rng = np.random.default_rng(seed)
    channels, outputs = numbers.channel_count, len(numbers.channels)
    x, y = (rng.integers(-32768, 32768, (count, n)) for n in (channels + 2, outputs))
    far = rng.choice([0, 4, 30, 300], count // 50 + 1).repeat(50)[:count, None]
    is_near = (rng.random(count // 50 + 1) < 0.8).repeat(50)[:count]
    # At zero all scales agree.
    x[is_near] = (rng.normal(0, 1, x.shape) * far)[is_near]
    y[is_near] = (rng.normal(0, 1, y.shape) * far)[is_near]
    low, high = -32768, 32767
    return x.clip(low, high).astype(np.int16), y.clip(low, high).astype(np.int16)


def masks_of(numbers, count, seed):
    """Channels that do not count, and faulty ones, for stretches of a stream."""
    rng = np.random.default_rng(seed)
    blocks = rng.random((2, count // 40 + 1, numbers.channel_count)) < 0.1
    return blocks.repeat(40, axis=1)[:, :count]


@pytest.fixture(scope="module", params=CASES)
def program(request, tmp_path_factory):
    numbers = CASES[request.param]
    return numbers, probe(
        numbers, numbers.channel_count + 2, len(numbers.channels), tmp_path_factory.mktemp("alarm")
    )


def test_alarms_have_the_bits_of_the_reference(program):
    numbers, binary = program
    x, y = stream_of(numbers, FRAMES, 1)
    rule = expect(binary, numbers, x, y)
    assert len(rule.changes) > 10
    commands = np.where(np.arange(FRAMES) % 13 == 12, RESTORE, 0)
    again = expect(binary, numbers, x, y, commands=commands)
    assert again.changes == rule.changes


def test_channels_that_do_not_count_and_faults_have_the_bits_of_the_reference(program):
    numbers, binary = program
    x, y = stream_of(numbers, FRAMES, 2)
    left_out, faulty = masks_of(numbers, FRAMES, 3)
    rng = np.random.default_rng(4)
    commands = rng.choice([0, SETTLE, NOTHING, RESTORE], FRAMES, p=[0.85, 0.01, 0.04, 0.1])
    more = {"left_out": left_out, "faulty": faulty}
    rule = expect(binary, numbers, x, y, commands=commands, **more)
    labels = {change.label for change in rule.changes}
    assert labels == {1, *range(2, 2 + numbers.channel_count)}
    # What does not count may be anything.
    wild = x.copy()
    wild[:, 2:][left_out] = np.random.default_rng(5).integers(-32768, 32768, left_out.sum())
    rows, _ = decided(binary, numbers, x, y, left_out=left_out)
    other, _ = decided(binary, numbers, wild, y, left_out=left_out)
    np.testing.assert_array_equal(other["score"], rows["score"])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_stream_has_the_bits_of_the_reference(program, data):
    numbers, binary = program
    count = data.draw(st.integers(1, 60))
    values = st.sampled_from([-32768, -32767, -300, -2, -1, 0, 1, 2, 300, 32766, 32767])
    rng = np.random.default_rng(data.draw(st.integers(0, 1 << 32)))
    edges = np.array(data.draw(st.lists(values, min_size=1, max_size=6)))
    x = rng.choice(edges, (count, numbers.channel_count + 2)).astype(np.int16)
    y = rng.choice(edges, (count, len(numbers.channels))).astype(np.int16)
    share = data.draw(st.sampled_from([0.0, 0.05, 0.5]))
    masks = rng.random((2, count, numbers.channel_count)) < share
    commands = rng.choice([0, 0, 0, SETTLE, NOTHING, RESTORE, 7], count)
    expect(binary, numbers, x, y, commands=commands, left_out=masks[0], faulty=masks[1])


def test_a_record_is_taken_whole_or_not_at_all(program):
    numbers, binary = program
    x, y = stream_of(numbers, 120, 6)
    left_out, faulty = masks_of(numbers, 120, 7)
    rows, said = decided(
        binary, numbers, x, y, left_out=left_out, faulty=faulty, arguments=("try all bytes",)
    )
    assert len(rows) == 120
    refused = int(said.split()[0])
    # The label, the counters, the score and what masks have bits left for have ranges.
    assert refused > 254 + 3 * 254 + 128 + 2 * 254
    unused = 8 * mask_bytes(numbers) - numbers.channel_count
    assert unused == 0 or refused > 1500


@pytest.mark.slow
@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
def test_every_compiler_gives_the_bits_of_the_reference(compiler, level, tmp_path):
    sanitizers = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    for k, (name, numbers) in enumerate(CASES.items()):
        folder = tmp_path / str(k)
        folder.mkdir()
        widths = (numbers.channel_count + 2, len(numbers.channels))
        binary = probe(numbers, *widths, folder, compiler, (level, *sanitizers))
        x, y = stream_of(numbers, FRAMES, 8 + k)
        left_out, faulty = masks_of(numbers, FRAMES, 9)
        rule = expect(binary, numbers, x, y, left_out=left_out, faulty=faulty)
        assert len(rule.changes) > 10, name


def test_a_block_decides_as_its_frames_do_and_goes_on_from_anywhere():
    numbers = CASES["both ways, covariance"]
    x, y = stream_of(numbers, 900, 10)
    left_out, faulty = masks_of(numbers, 900, 11)
    whole = IntegerRule(numbers)
    expected = whole.update(x, y, left_out, faulty)
    for cut in (1, 4, 5, 6, 333, 899):
        first, second = IntegerRule(numbers), IntegerRule(numbers)
        found = first.update(x[:cut], y[:cut], left_out[:cut], faulty[:cut])
        second.recall(first.memory())
        rest = second.update(x[cut:], y[cut:], left_out[cut:], faulty[cut:])
        scores = np.concatenate([found.scores, rest.scores])
        np.testing.assert_array_equal(scores, expected.scores)
        changes = [(c.step, c.label, c.has_begun) for c in first.changes]
        changes += [(c.step + cut, c.label, c.has_begun) for c in second.changes]
        assert changes == [(c.step, c.label, c.has_begun) for c in whole.changes]


def test_memory_of_another_rule_is_refused():
    numbers = CASES["four ahead, patient"]
    rule = IntegerRule(numbers)
    good = rule.memory()
    for name, value in {
        "active": np.array(2),
        "faulty": np.zeros(4, bool),
        "outputs": np.zeros((3, 12), np.int64),
        "score": np.array(1 << 31),
        "seen": np.array(numbers.warmup_frames + 2),
        "loud": np.array(4),
        "quiet": np.array(-1),
    }.items():
        with pytest.raises(ValueError, match="memory of another rule"):
            rule.recall({**good, name: value})
        with pytest.raises(ValueError, match="memory of another rule"):
            rule.recall({key: each for key, each in good.items() if key != name} | {"active": None})
    rule.recall(good)


def plain_stream(count, width, seed):
    """Integers that no release of numpy makes differently."""
    values, state = np.empty(count * width, np.int64), seed
    for k in range(len(values)):
        state = (state * 1103515245 + 12345) % (1 << 31)
        values[k] = (state >> 8) % 65536 - 32768
    return values.reshape(count, width)


def test_the_first_rule_has_the_bits_that_it_always_had():
    """One step ahead, each channel over its variance, at once: the CRC is of earlier versions."""
    variance = 2.0**-18 * np.array([1.0, 37.5, 4e4])
    numbers = alarm_numbers(variance, (-12, -9), 3.5, 1.7, 10, 100.0, 0.5)
    far = np.where(np.arange(2000) % 100 < 60, 1 << 15, 1)[:, None]
    x, y = (plain_stream(2000, n, seed) // far for n, seed in ((5, 1), (3, 2)))
    rule = IntegerRule(numbers)
    found = rule.update(x.astype(np.int16), y.astype(np.int16))
    rows = [found.frames, found.detections, found.scores]
    changes = np.array([(c.step, c.has_begun, c.label, c.score) for c in rule.changes])
    assert len(changes) > 10
    crc = zlib.crc32(np.array(rows, "<i8").tobytes() + changes.astype("<i8").tobytes())
    assert crc == 3751961895


def raised(scores, **more):
    """When an alarm begins and ends whose raw scores are these, in units of its threshold."""
    numbers = alarm_numbers(np.full(1, 4.0), (0, 0), 0.01, 1.0, 0, 4.0, 0.5, **more)
    rule = IntegerRule(numbers)
    # Without smoothing a score is a squared error over the variance; frame 0 has none.
    x = np.sqrt(4 * np.array([0.0, *scores]))[:, None]
    rule.update(x.astype(np.int16), np.zeros((len(x), 1), np.int16))
    return [(change.step - 1, change.has_begun) for change in rule.changes]


LOUD, HALF, LOW = 4.0, 1.0, 0.25


def test_an_alarm_waits_for_its_least_length():
    assert raised([LOUD, LOW, LOUD, LOUD, LOW]) == [(0, True), (1, False), (2, True), (4, False)]
    found = raised([LOUD, LOUD, LOW, LOUD, LOUD, LOUD, LOW], least_frames=3)
    assert found == [(5, True), (6, False)]
    # At the threshold is not above it.
    assert raised([LOUD, HALF, LOUD], least_frames=2) == []


def test_an_alarm_ends_when_it_was_low_for_long_enough():
    # Between release and threshold it neither begins nor ends.
    assert raised([LOUD, HALF, HALF, LOW]) == [(0, True), (3, False)]
    found = raised([LOUD, LOW, HALF, LOW, LOW, LOUD], release_frames=2)
    assert found == [(0, True), (4, False), (5, True)]


def test_a_gap_warms_an_alarm_up_anew_and_ends_it_as_usual():
    numbers = rule_of((1,), 4)
    x, y = stream_of(numbers, 400, 12)
    far = np.full_like(x, 5000)
    rule = IntegerRule(numbers)
    for _ in range(2):
        rule.update(far[:40], -np.ones_like(y[:40]))
        assert rule.active == 1
        rule.settle()
        assert rule.active == 1
        found = rule.update(far[:5], -np.ones_like(y[:5]))
        # The first frame has no forecast, three more do not count.
        np.testing.assert_array_equal(found.scores > 0, [False] * 4 + [True])
        assert not rule.changes[-1].has_begun or rule.changes[-1].step % 45 == 44


@settings(max_examples=200, deadline=None)
@given(
    variance=st.lists(st.floats(1e-5, 1e6), min_size=1, max_size=20),
    exponents=st.tuples(st.integers(-12, 0), st.integers(-12, 0)),
    smoothing=st.floats(0.01, 100_000),
    limit=st.floats(1.0, 1e4),
    data=st.data(),
)
def test_no_product_of_an_alarm_overflows(variance, exponents, smoothing, limit, data):
    numbers = alarm_numbers(np.array(variance), exponents, smoothing, limit / 2, 0, limit, 0.8)
    least = min(exponents)
    most_error = 2**15 * (2 ** (exponents[0] - least) + 2 ** (exponents[1] - least))
    assert most_error <= 2**30
    assert numbers.share_limit * len(variance) < 2**31
    assert 1 <= numbers.take < 2**31
    for channel, each in zip(numbers.channels, variance, strict=True):
        assert 1 <= channel.most <= 2**30
        assert 0 <= channel.factor < (2**24 if channel.shift else 2**32)
        assert 0 <= channel.shift <= 63
        coarse = (channel.most - 1) >> channel.coarser
        assert coarse < 2**19
        assert coarse**2 * channel.factor < 2**63
        # The share of an error is that of the formula, to what its integers hold.
        size = data.draw(st.integers(0, channel.most - 1))
        share = ((size >> channel.coarser) ** 2 * channel.factor) >> channel.shift
        real = (size * 2.0**least) ** 2 / each * 2.0**numbers.fraction_bits / len(variance)
        lost = 2 * ((1 << channel.coarser) - 1) / max(1, size)
        assert abs(share - real) <= 1 + real * (lost + 2.0**-22)


@settings(max_examples=150, deadline=None)
@given(
    count=st.integers(1, 64),
    exponents=st.tuples(st.integers(-12, 0), st.integers(-12, 0)),
    spread=st.floats(0.0, 6.0),
    limit=st.floats(1.0, 1e4),
    seed=st.integers(0, 1 << 32),
)
def test_a_whitening_stays_in_its_range_and_near_the_real_one(
    count, exponents, spread, limit, seed
):
    rng = np.random.default_rng(seed)
    least = min(exponents)
    sizes = 2.0 ** (rng.uniform(0, 14, count) + least)
    mixing = np.tril(rng.normal(0, spread, (count, count)), -1)
    whitening = (mixing + np.diag(rng.uniform(0.5, 5.0, count))) / sizes
    numbers = alarm_numbers(
        sizes**2, exponents, 4.0, limit / 2, 0, limit, 0.8, whitening=whitening
    ).whitening
    matrix, shifts = numbers.matrix(), np.array(numbers.shifts)
    assert np.abs(matrix).max() <= 32767
    # So that no partial sum leaves 32 bits.
    assert numbers.most_row_weight == np.abs(matrix).sum(axis=1).max() <= 65_535
    assert numbers.most_row_weight * 32768 < 2**31
    assert 0 <= shifts.min() <= shifts.max() <= 15
    assert [len(row) for row in numbers.weights] == list(range(1, count + 1))
    # The real whitening, of errors that an int16 holds, to half a unit of every number.
    errors = np.rint(rng.normal(0, 3, count) * sizes * 2.0**-least)
    most = 2.0**15 * (2 ** (exponents[0] - least) + 2 ** (exponents[1] - least))
    errors = errors.clip(-most, most).astype(np.int64)
    half = (np.int64(1) << shifts) >> 1
    residuals = (errors + half) >> shifts
    errors, residuals = (np.where(np.abs(residuals) <= 32767, v, 0) for v in (errors, residuals))
    scale = np.abs(matrix).max(axis=1) / (np.abs(whitening) * 2.0 ** (least + shifts)).max(axis=1)
    found = matrix @ residuals / scale
    wanted = whitening @ (errors * 2.0**least)
    per_unit = np.abs(whitening) @ (2.0 ** (least + shifts - 1) * (shifts > 0))
    # The scale is known here to half a unit of the greatest weight only.
    bound = per_unit + np.abs(residuals).sum() / 2 / scale
    bound += np.abs(found) / np.abs(matrix).max(axis=1)
    assert (np.abs(found - wanted) <= bound + 1e-9).all()


TRIANGLE = np.tril(np.ones((2, 2)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: alarm_numbers(np.ones(2), (-15, 0), 8.0, 1.0, 1, 9.0, 1.0), "apart"),
        (lambda: alarm_numbers(np.ones(2), (0, 0), 8.0, 1e-9, 1, 1e9, 1.0), "31 bits"),
        (lambda: alarm_numbers(np.ones(2), (0, 0), 1e12, 1.0, 1, 9.0, 1.0), "never changes"),
        (lambda: alarm_numbers(np.zeros(2), (0, 0), 8.0, 1.0, 1, 9.0, 1.0), "variance 0"),
        (lambda: rule_of((1, 1), 2), r"frames \[1, 1\]"),
        (lambda: rule_of((), 2), r"frames \[\]"),
        (lambda: rule_of((256,), 2), r"frames \[256\]"),
        (
            lambda: alarm_numbers(np.ones(3), (0, 0), 8.0, 1.0, 1, 9.0, 1.0, offsets=(1, 2)),
            "3 outputs for 2 frames",
        ),
        (lambda: rule_of((1,), 254), "254 channels"),
        (lambda: rule_of((1,), 2, least_frames=0), "least_frames 0"),
        (lambda: rule_of((1,), 2, release_frames=65_536), "release_frames 65,536"),
        (lambda: rule_of((1, 2), 33, is_whitened=True), "covariance of 66 residuals"),
    ],
)
def test_what_the_integers_do_not_hold_is_refused(make, words):
    with pytest.raises(ModelError, match=words):
        make()


@pytest.mark.parametrize(
    ("whitening", "words"),
    [
        (np.triu(np.ones((2, 2))), "lower triangle"),
        (np.ones((3, 3)), "lower triangle"),
        (TRIANGLE * [[-1.0], [1.0]], "diagonal"),
        (TRIANGLE * np.nan, "numbers that are none"),
    ],
)
def test_a_whitening_that_is_none_is_refused(whitening, words):
    with pytest.raises(ModelError, match=words):
        alarm_numbers(np.ones(2), (0, 0), 8.0, 1.0, 1, 9.0, 1.0, whitening=whitening)


def test_rules_that_remember_something_else_have_other_keys():
    keys = [numbers.key for numbers in CASES.values()]
    keys.append(rule_of((1,), 4, least_frames=2).key)
    keys.append(rule_of((2,), 4).key)
    keys.append(keyword_rule("softmax", -15, (KeywordLimits(1, 9, 9),)).key)
    assert len(set(keys)) == len(keys)
    assert rule_of((1,), 4, threshold=1.9).key == keys[0]
    assert isinstance(CASES["next frame"], AlarmNumbers)
