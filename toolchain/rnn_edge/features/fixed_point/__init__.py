"""Front ends in integers alone, bit for bit what those in C compute."""

from rnn_edge.features.fixed_point.config import IntegerLogMelConfig
from rnn_edge.features.fixed_point.logmel import IntegerLogMel
from rnn_edge.features.fixed_point.normaliser import IntegerNormaliser
from rnn_edge.features.fixed_point.sensor_config import IntegerWindowConfig
from rnn_edge.features.fixed_point.sensor_normaliser import SensorNormaliser
from rnn_edge.features.fixed_point.tables import FrontEndTables, front_end_tables
from rnn_edge.features.fixed_point.windows import IntegerWindows

__all__ = [
    "FrontEndTables",
    "IntegerLogMel",
    "IntegerLogMelConfig",
    "IntegerNormaliser",
    "IntegerWindowConfig",
    "IntegerWindows",
    "SensorNormaliser",
    "front_end_tables",
]
