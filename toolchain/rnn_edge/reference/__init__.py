"""The meaning of a model in numpy: floating point and integer, over any number of streams."""

from rnn_edge.reference.float_run import FloatReference
from rnn_edge.reference.integer_run import IntegerReference

__all__ = ["FloatReference", "IntegerReference"]
