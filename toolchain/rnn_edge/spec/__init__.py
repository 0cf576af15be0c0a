"""Specs: what is built, from which data, as checked and frozen values."""

from rnn_edge.spec.c import CSection
from rnn_edge.spec.data import (
    SensorTableData,
    SpeechCommandsData,
    SyntheticKeywordsData,
    SyntheticMachineData,
    SyntheticPhrasesData,
)
from rnn_edge.spec.detector import DetectorSection
from rnn_edge.spec.device import DeviceSpec, all_devices, find_device
from rnn_edge.spec.device_parts import BuildSection, EmulatorSection, MemorySection
from rnn_edge.spec.drift import DriftSection
from rnn_edge.spec.export import ExportSection
from rnn_edge.spec.features import ChannelFeatures, LogMelFeatures
from rnn_edge.spec.firmware import FirmwareSection
from rnn_edge.spec.load import DEFAULT_SPEC, load_spec, load_stream, resolved_toml, spec_origin
from rnn_edge.spec.model import ModelSection
from rnn_edge.spec.quantize import QuantizeSection
from rnn_edge.spec.replay import ReplaySection
from rnn_edge.spec.reset import ResetSection
from rnn_edge.spec.spec import ModelSpec
from rnn_edge.spec.stream import (
    MAX_HELD_STEPS,
    AdversarialStream,
    RecordedStream,
    SaturationStream,
    SilenceStream,
    SinesStream,
    StepsStream,
    StreamSpec,
    SyntheticStream,
)
from rnn_edge.spec.training import AugmentSection, QatSection, StudentSection, TeacherSection

__all__ = [
    "DEFAULT_SPEC",
    "MAX_HELD_STEPS",
    "AdversarialStream",
    "AugmentSection",
    "BuildSection",
    "CSection",
    "ChannelFeatures",
    "DetectorSection",
    "DeviceSpec",
    "DriftSection",
    "EmulatorSection",
    "ExportSection",
    "FirmwareSection",
    "LogMelFeatures",
    "MemorySection",
    "ModelSection",
    "ModelSpec",
    "QatSection",
    "QuantizeSection",
    "RecordedStream",
    "ReplaySection",
    "ResetSection",
    "SaturationStream",
    "SensorTableData",
    "SilenceStream",
    "SinesStream",
    "SpeechCommandsData",
    "StepsStream",
    "StreamSpec",
    "StudentSection",
    "SyntheticKeywordsData",
    "SyntheticMachineData",
    "SyntheticPhrasesData",
    "SyntheticStream",
    "TeacherSection",
    "all_devices",
    "find_device",
    "load_spec",
    "load_stream",
    "resolved_toml",
    "spec_origin",
]
