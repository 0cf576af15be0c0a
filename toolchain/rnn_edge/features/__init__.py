"""Features of streams: log-mel frames of audio, windows of sensor channels, normalisation."""

from rnn_edge.features.logmel import LogMel, LogMelConfig
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.features.windows import WindowConfig, Windows

__all__ = ["LogMel", "LogMelConfig", "Normaliser", "WindowConfig", "Windows"]
