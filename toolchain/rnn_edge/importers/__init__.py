"""Trained models of other frameworks as float models, without training anything.

Each function reads weights and options, copies them, and never changes what it was given. What
it cannot translate exactly it refuses by name. None of them imports the framework it reads from;
`from_onnx` needs the package onnx.
"""

from rnn_edge.importers.keras_model import from_keras
from rnn_edge.importers.onnx_model import from_onnx
from rnn_edge.importers.pytorch_model import from_pytorch

__all__ = ["from_keras", "from_onnx", "from_pytorch"]
