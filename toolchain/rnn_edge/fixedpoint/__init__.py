"""Integer arithmetic as TFLite's int16 kernels do it, on numpy arrays."""

from rnn_edge.fixedpoint.accumulators import accumulator_bound, row_bounds
from rnn_edge.fixedpoint.activation import SIGMOID_TABLE, logistic, tanh
from rnn_edge.fixedpoint.elementwise import add, multiply, requantize, subtract
from rnn_edge.fixedpoint.matrix import fully_connected
from rnn_edge.fixedpoint.scales import round_scale_up, row_multipliers

__all__ = [
    "SIGMOID_TABLE",
    "accumulator_bound",
    "add",
    "fully_connected",
    "logistic",
    "multiply",
    "requantize",
    "round_scale_up",
    "row_bounds",
    "row_multipliers",
    "subtract",
    "tanh",
]
