"""Whether the frames a model gets are still distributed like those it was calibrated on."""

from rnn_edge.input_drift.monitor import DriftRules, FeatureDrift, InputDrift, WindowDrift
from rnn_edge.input_drift.reference import InputReference

__all__ = ["DriftRules", "FeatureDrift", "InputDrift", "InputReference", "WindowDrift"]
