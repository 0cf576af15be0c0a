"""Integer arithmetic as TFLite's int16 kernels do it, on numpy arrays."""

from rnn_edge.fixedpoint.accumulators import accumulator_bound, rescaled_bounds, row_bounds
from rnn_edge.fixedpoint.activation import SIGMOID_TABLE, logistic, tanh
from rnn_edge.fixedpoint.elementwise import (
    add,
    multiply,
    requantize,
    subtract,
    wide_add,
    wide_multiply,
    wide_requantize,
    wide_subtract,
)
from rnn_edge.fixedpoint.matrix import accumulate, fully_connected, rescale
from rnn_edge.fixedpoint.saturate import INT16_MAX, INT16_MIN, saturate_int16
from rnn_edge.fixedpoint.scales import round_scale_up, row_multipliers

__all__ = [
    "INT16_MAX",
    "INT16_MIN",
    "SIGMOID_TABLE",
    "accumulate",
    "accumulator_bound",
    "add",
    "fully_connected",
    "logistic",
    "multiply",
    "requantize",
    "rescale",
    "rescaled_bounds",
    "round_scale_up",
    "row_bounds",
    "row_multipliers",
    "saturate_int16",
    "subtract",
    "tanh",
    "wide_add",
    "wide_multiply",
    "wide_requantize",
    "wide_subtract",
]
