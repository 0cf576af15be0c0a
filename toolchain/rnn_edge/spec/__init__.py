"""Specs: what is built, from which data, as checked and frozen values."""

from rnn_edge.spec.data import (
    SensorTableData,
    SpeechCommandsData,
    SyntheticKeywordsData,
    SyntheticMachineData,
)
from rnn_edge.spec.detector import DetectorSection
from rnn_edge.spec.device import DeviceSpec, all_devices
from rnn_edge.spec.export import ExportSection
from rnn_edge.spec.features import ChannelFeatures, LogMelFeatures
from rnn_edge.spec.load import DEFAULT_SPEC, load_spec, load_stream, resolved_toml, spec_origin
from rnn_edge.spec.model import ModelSection
from rnn_edge.spec.quantize import QuantizeSection
from rnn_edge.spec.replay import ReplaySection, StreamSpec
from rnn_edge.spec.spec import ModelSpec
from rnn_edge.spec.training import AugmentSection, QatSection, StudentSection, TeacherSection

__all__ = [
    "DEFAULT_SPEC",
    "AugmentSection",
    "ChannelFeatures",
    "DetectorSection",
    "DeviceSpec",
    "ExportSection",
    "LogMelFeatures",
    "ModelSection",
    "ModelSpec",
    "QatSection",
    "QuantizeSection",
    "ReplaySection",
    "SensorTableData",
    "SpeechCommandsData",
    "StreamSpec",
    "StudentSection",
    "SyntheticKeywordsData",
    "SyntheticMachineData",
    "TeacherSection",
    "all_devices",
    "load_spec",
    "load_stream",
    "resolved_toml",
    "spec_origin",
]
