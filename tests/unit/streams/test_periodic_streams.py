"""Steps and sines: features that move at a pace of their own."""

import numpy as np

from rnn_edge.streams import open_stream, read_whole
from rnn_edge.streams.periodic import log_periods

KEYS = {"shortest_period": 2, "longest_period": 64, "periods": 6}


def ends(frames):
    """The 1st and 99th percentile of each feature, from all frames."""
    heard = np.concatenate([s.frames for s in frames.sequences]).astype(float)
    return np.percentile(heard, 1, axis=0), np.percentile(heard, 99, axis=0)


def stretches(kind, make_spec, frames, **keys):
    """Six stretches of 64 frames, (6, 64, 3), as heights from 0 to 1."""
    stream = open_stream(make_spec(kind, **KEYS, **keys), frames, steps=6 * 64)
    low, high = ends(frames)
    return (read_whole(stream).frames.reshape(6, 64, 3) - low) / (high - low)


def test_periods_are_spread_on_a_logarithmic_scale():
    assert list(log_periods(2, 64, 6)) == [2, 4, 8, 16, 32, 64]
    assert list(log_periods(2, 4, 64)) == [2, 3, 4]
    assert list(log_periods(7, 7, 3)) == [7]


def test_every_feature_swings_with_every_period(make_spec, make_frames):
    found = stretches("sines", make_spec, make_frames())
    met = [set(), set(), set()]
    for stretch in found:
        used = []
        for k in range(3):
            spectrum = np.abs(np.fft.rfft(stretch[:, k] - stretch[:, k].mean()))
            used.append(64 // int(spectrum.argmax()))
            met[k].add(used[-1])
        # Spread over the features at any time.
        assert len(set(used)) == 3
    assert met == [{2, 4, 8, 16, 32, 64}] * 3


def test_sines_go_from_one_percentile_to_the_other(make_spec, make_frames):
    found = stretches("sines", make_spec, make_frames())
    assert np.allclose(found.max(axis=1), 1.0, atol=0.01)
    assert np.allclose(found.min(axis=1), 0.0, atol=0.01)


def test_steps_hold_levels_for_their_period(make_spec, make_frames):
    found = stretches("steps", make_spec, make_frames(), levels=4)
    assert set(np.unique(np.round(found * 3, 2))) == {0.0, 1.0, 2.0, 3.0}
    for number, stretch in enumerate(found):
        for k in range(3):
            period = 2 ** (1 + (2 * k + number) % 6)
            jumps = np.flatnonzero(np.abs(np.diff(stretch[:, k])) > 0.01) + 1
            # A level is never drawn twice in a row, so that every step is one.
            assert list(jumps) == list(range(period, 64, period))


def test_a_stream_of_one_feature_meets_all_periods(make_spec, make_frames):
    one = make_frames()
    one = type(one)(
        ("a",),
        one.frame_rate_hz,
        tuple(type(s)(s.sequence_id, s.frames[:, :1], -1, None, s.split) for s in one.sequences),
    )
    stream = open_stream(make_spec("steps", **KEYS, levels=2), one, steps=6 * 64)
    found = read_whole(stream).frames.reshape(6, 64)
    counts = [int((np.diff(row) != 0).sum()) for row in found]
    assert counts == [31, 15, 7, 3, 1, 0]
