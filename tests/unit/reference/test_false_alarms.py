"""The floating-point reference and numpy's flag of invalid operations."""

import numpy as np
import pytest
from random_models import Shape, float_model

from rnn_edge.reference import FloatReference


@pytest.mark.parametrize("kind", ["gru", "gru_reset_before", "lstm", "rnn"])
def test_flag_of_an_invalid_operation_is_no_warning_and_shows_as_nan(kind):
    model = float_model(Shape((kind,), (6,), seed=0))
    runner = FloatReference(model)
    # Infinities of both signs meet in a sum: the flag is raised for certain, and here rightly.
    frame = np.full((1, model.inputs), np.inf, np.float32)
    with pytest.raises(FloatingPointError), np.errstate(invalid="raise"):
        frame @ model.layers[0].w_x.T
    assert np.isnan(runner.step(frame)).all()
