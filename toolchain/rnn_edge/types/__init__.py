"""The frozen types that data flows through; each is compared by its digest."""

from rnn_edge.types.arrays import Array
from rnn_edge.types.datasets import (
    SPLITS,
    AudioClip,
    AudioDataset,
    Dataset,
    SensorDataset,
    SensorRecording,
    Split,
)
from rnn_edge.types.float_model import (
    GATES,
    INSTEAD_OF_BIDIRECTIONAL,
    NOT_BIDIRECTIONAL,
    CellKind,
    DenseWeights,
    FloatModel,
    HeadKind,
    RecurrentWeights,
    Task,
)
from rnn_edge.types.quantized_model import QuantizedLayer, QuantizedMatrix, QuantizedModel
from rnn_edge.types.saved_state import SavedState
from rnn_edge.types.trace import Trace

__all__ = [
    "GATES",
    "INSTEAD_OF_BIDIRECTIONAL",
    "NOT_BIDIRECTIONAL",
    "SPLITS",
    "Array",
    "AudioClip",
    "AudioDataset",
    "CellKind",
    "Dataset",
    "DenseWeights",
    "FloatModel",
    "HeadKind",
    "QuantizedLayer",
    "QuantizedMatrix",
    "QuantizedModel",
    "RecurrentWeights",
    "SavedState",
    "SensorDataset",
    "SensorRecording",
    "Split",
    "Task",
    "Trace",
]
