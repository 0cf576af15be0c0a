"""From a float model to integers."""

from rnn_edge.quantize.calibration import calibrate
from rnn_edge.quantize.compensated import compensate
from rnn_edge.quantize.ranges import model_ranges, replayed_ranges
from rnn_edge.quantize.rounding import quantize_input, quantize_model, quantize_rows

__all__ = [
    "calibrate",
    "compensate",
    "model_ranges",
    "quantize_input",
    "quantize_model",
    "quantize_rows",
    "replayed_ranges",
]
