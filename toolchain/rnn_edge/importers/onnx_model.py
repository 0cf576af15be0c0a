"""From ONNX: a file with the operators RNN, GRU or LSTM.

A graph is followed for given lengths of a sequence. Every value of the signal carries its place
(`onnx_signal`); operators that move axes are run on the places, so that each layer can be held to
read the frames, all of them, in order. Graphs whose lengths are free are followed for two, and
must be the same model for both. Where onnxruntime is installed, its outputs are compared too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rnn_edge.importers.assembly import Assembly, refuse
from rnn_edge.importers.onnx_comparison import compare
from rnn_edge.importers.onnx_file import File, load
from rnn_edge.importers.onnx_reader import RECURRENT, Reader
from rnn_edge.types import FloatModel, Task

_LENGTHS = ((7, 5), (3, 11))
"""Of the first and of every other free axis; unlike each other, so that axes can be told apart."""


def from_onnx(
    path: Any,  # noqa: ANN401 - onnx has no types
    name: str = "model",
    labels: Sequence[str] | None = None,
    task: Task = "kws",
) -> FloatModel:
    """Return the float model of an ONNX file.

    The operators RNN, GRU (``linear_before_reset`` 0 and 1) and LSTM, forward, then MatMul with Add
    or Gemm, then nothing, Softmax or ArgMax. Operators that only move axes, or choose the last
    step, may stand between them. Initial states are zero, or inputs of the graph.

    Args:
        path: The file, or an ``onnx.ModelProto``; it stays as it is.
        name: Name of the model, a C identifier.
        labels: Names of the outputs; numbers by default.
        task: What the outputs are.

    Raises:
        MissingDependencyError: If onnx is not installed.
        ModelError: If the file cannot be read, an operator or an option has no exact
            counterpart, the frames do not reach the layers, or the outputs the end of the graph,
            whole and in order, or onnxruntime computes something else.
    """
    proto = load(path)
    file = File(proto)
    read: list[tuple[Reader, FloatModel]] = []
    for lengths in _LENGTHS:
        reader = Reader(file, dict(_shapes(file, lengths)), Assembly(name, task, labels))
        read.append((reader, reader.read()))
        if not reader.is_free:
            break
    (first, model), (_, last) = read[0], read[-1]
    if model.digest() != last.digest():
        refuse("the weights depend on the length of the sequence", "constant weights")
    compare(proto if isinstance(path, type(proto)) else Path(path), first, model)
    return model


def _shapes(file: File, lengths: tuple[int, int]) -> Iterator[tuple[str, list[int | str | None]]]:
    """Yield the shape of every input of the graph; None where the frames do not settle it.

    The frames' own free lengths are filled in, the same for axes of the same name.
    """
    constants = {item.name for item in file.graph.initializer}
    inputs = {item.name: item for item in file.graph.input if item.name not in constants}
    frames = _frames(file)
    if frames not in inputs:
        refuse("no recurrent layer reads an input of the graph", "RNN, GRU or LSTM on the frames")
    width = _width(file)
    named: dict[str, int] = {}
    shape = _declared(inputs[frames]) or [None, None, width]
    if not isinstance(shape[-1], int):
        shape[-1] = width
    for k, length in enumerate(shape):
        if not isinstance(length, int):
            key = length or f" axis {k}"
            named.setdefault(key, lengths[min(len(named), 1)])
            shape[k] = named[key]
    yield frames, shape
    for key, item in inputs.items():
        if key != frames:
            yield key, [named.get(d, d) if isinstance(d, str) else d for d in _declared(item)]


def _frames(file: File) -> str:
    """Return the name of the input that the first recurrent operator reads."""
    makers = {item: node for node in file.graph.node for item in node.output if item}
    constants = {item.name for item in file.graph.initializer}
    constants |= {item for item, node in makers.items() if node.op_type == "Constant"}
    for node in file.graph.node:
        if node.op_type in RECURRENT and node.input:
            signal, seen = node.input[0], set[str]()
            while signal in makers and signal not in seen:
                seen.add(signal)
                read = [item for item in makers[signal].input if item not in constants]
                signal = read[0] if read else signal
            return str(signal)
    refuse("no recurrent operator", "RNN, GRU or LSTM")


def _width(file: File) -> int | None:
    """Return the number of features that the first recurrent operator's weights are for."""
    shapes = {item.name: tuple(item.dims) for item in file.graph.initializer}
    for node in file.graph.node:
        if node.op_type in RECURRENT and len(node.input) > 1:
            shape = shapes.get(node.input[1], ())
            return int(shape[-1]) if shape else None
    return None


def _declared(item: Any) -> list[int | str | None]:  # noqa: ANN401 - onnx has no types
    """Return the lengths, names or None of an input's axes."""
    return [
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else dim.dim_param or None
        for dim in item.type.tensor_type.shape.dim
    ]
