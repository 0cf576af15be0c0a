"""SOFTMAX on int16 against the kernels of LiteRT, and against the exact function."""

import numpy as np
import pytest

from rnn_edge.exporters.tflite_graph import SIGNATURE, FileWriter, Operator
from rnn_edge.fixedpoint import softmax as kernel

EXPONENTS = range(-15, 1)


def rows_of(columns):
    """Random logits at every size of difference; for two columns every difference there is."""
    rng = np.random.default_rng(columns)
    x = rng.integers(-32768, 32768, (2000, columns))
    x[:1000] //= 2 ** rng.integers(0, 16, (1000, 1))
    if columns == 2:
        x = np.stack([np.full(65536, 32767), 32767 - np.arange(65536)], axis=1)
    return x.astype(np.int16)


def run_litert(x, exponent, kernels):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    file = FileWriter("softmax")
    graph = file.subgraph("main")
    graph.tensor("x", x.shape, "int16", (2.0**exponent,))
    graph.tensor("y", x.shape, "int16", (2.0**-15,))
    graph.operator(Operator("SOFTMAX", 3, "SoftmaxOptions", (("beta", 1.0),)), ["x"], ["y"])
    file.signature(SIGNATURE, graph, {"x": "x"}, {"y": "y"})
    running = interpreter.Interpreter(
        model_content=file.pack({}),
        num_threads=1,
        experimental_op_resolver_type=getattr(interpreter.OpResolverType, kernels),
    )
    running.allocate_tensors()
    running.set_tensor(running.get_input_details()[0]["index"], x)
    running.invoke()
    return running.get_tensor(running.get_output_details()[0]["index"])


@pytest.mark.parametrize("kernels", ["BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF", "AUTO"])
@pytest.mark.parametrize("columns", [1, 2, 3, 12, 300])
def test_every_bit_is_that_of_litert(columns, kernels):
    x = rows_of(columns)
    for exponent in EXPONENTS:
        expected = run_litert(x, exponent, kernels)
        np.testing.assert_array_equal(kernel.softmax(x, exponent), expected, f"2^{exponent}")


@pytest.mark.parametrize("columns", [1, 2, 12, 300])
def test_probabilities_are_near_the_exact_ones(columns):
    x = rows_of(columns).astype(np.int64)
    for exponent in EXPONENTS:
        real = (x - x.max(axis=1, keepdims=True)) * 2.0**exponent
        exact = np.exp(real) / np.exp(real).sum(axis=1, keepdims=True)
        found = kernel.softmax(x.astype(np.int16), exponent) / 32768.0
        # No power is below two units, 2^-14, however far below a logit is: many classes add up.
        assert np.abs(found - exact).max() < 1e-3 + columns * 2.0**-14


def test_no_entry_of_a_table_hangs_on_the_last_bit_of_exp():
    # Another machine's exp may differ in the last bit; that must not turn a rounding over.
    def distance(values):
        return np.abs(np.abs(values - np.floor(values)) - 0.5).min()

    for function, low, high in ((np.exp, -10.0, 0.0), (lambda x: 1.0 / (1.0 + x), 0.0, 1.0)):
        step = (high - low) / 512
        at = low + step * np.arange(513)
        exact = function(at) * 32768.0
        middle = function(at[:-1] + step / 2.0) * 32768.0
        chord = (exact[1:] + np.rint(exact[:-1])) / 2.0
        for values in (exact[1:-1], middle, chord[:-1]):
            assert distance(values) > 1e-8
