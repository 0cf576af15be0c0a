import numpy as np
import pytest
from single_operator import run_operator

from rnn_edge.errors import ModelError
from rnn_edge.exporters.tflite_graph import Operator
from rnn_edge.fixedpoint import SIGMOID_TABLE, logistic, tanh

EVERY = np.arange(-32768, 32768).astype(np.int16)
KERNELS = ["BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF"]


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize(
    ("code", "function", "exponent"), [("LOGISTIC", logistic, -11), ("TANH", tanh, -13)]
)
def test_kernel_over_every_input(code, function, exponent, kernels):
    pytest.importorskip("ai_edge_litert")
    actual = run_operator(Operator(code, 3), [(EVERY, exponent)], (len(EVERY), -15), kernels)
    np.testing.assert_array_equal(actual, function(EVERY, exponent))


def test_the_functions_approximate_what_they_are_named_after():
    x = EVERY / 2048.0
    assert np.abs(logistic(EVERY, -11) / 32768.0 - 1 / (1 + np.exp(-x))).max() < 2**-12
    x = EVERY / 8192.0
    assert np.abs(tanh(EVERY, -13) / 32768.0 - np.tanh(x)).max() < 2**-11


def test_the_functions_are_monotonic():
    for values in (logistic(EVERY, -11), tanh(EVERY, -13)):
        assert (np.diff(values.astype(int)) >= 0).all()


def test_the_table_is_off_by_one_in_44_places_and_never_by_more():
    exact = np.floor(65536 / (1 + np.exp(-np.arange(256) / 24)) + 0.5).astype(int)
    assert sorted(np.unique(SIGMOID_TABLE - exact, return_counts=True)[1]) == [44, 212]
    assert set(SIGMOID_TABLE - exact) == {0, 1}


@pytest.mark.parametrize(("function", "exponent"), [(logistic, -12), (tanh, -11), (tanh, -12)])
def test_scales_at_which_kernels_disagree_are_refused(function, exponent):
    with pytest.raises(ModelError, match="expected 2"):
        function(EVERY, exponent)
