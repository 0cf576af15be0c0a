"""What a model is worth on its task."""

from rnn_edge.evaluation.anomaly import Detector, DetectorConfig, score_recordings
from rnn_edge.evaluation.keyword import classify_clips, keyword_metrics
from rnn_edge.evaluation.runners import Runner, float_runner, integer_runner

__all__ = [
    "Detector",
    "DetectorConfig",
    "Runner",
    "classify_clips",
    "float_runner",
    "integer_runner",
    "keyword_metrics",
    "score_recordings",
]
