"""How far out of its range a channel is drawn."""

import numpy as np

from rnn_edge.features.fixed_point import IntegerWindowConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.windows import WindowConfig
from rnn_edge.live.recorder import drawn_limits


def test_samples_are_drawn_as_far_beyond_their_range_as_it_is_wide():
    values = np.random.default_rng(0).normal(size=(400, 2)) * [1.0, 50.0] + [3.0, -200.0]
    config = IntegerWindowConfig(4, 4).fitted_to([values], 1.0, (), None)
    low, high = drawn_limits(FrontEnd(config, ("a", "b"), 10.0))
    # What is clipped lies one range of the training beyond it, and what is drawn three more.
    span = np.ptp(values, axis=0)
    np.testing.assert_allclose(low, values.min(axis=0) - 4.0 * span, rtol=1e-3)
    np.testing.assert_allclose(high, values.max(axis=0) + 4.0 * span, rtol=1e-3)


def test_without_ranges_everything_is_drawn():
    assert drawn_limits(FrontEnd(WindowConfig(4, 4), ("a",), 10.0)) is None
