"""Whether an imported model computes what onnxruntime does, where that is installed."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.extras import require
from rnn_edge.importers.assembly import refuse
from rnn_edge.importers.onnx_file import first_line
from rnn_edge.importers.onnx_reader import Reader
from rnn_edge.reference import FloatReference
from rnn_edge.types import Array, FloatModel

TOLERANCE = 1e-3
"""Largest difference, relative to the largest output but at least to 1.

A hundred times what another order of summation makes of small models, and far below what a gate,
a step or an axis in another place makes.
"""
_QUIET = 4


def compare(source: Path | Any, reader: Reader, model: FloatModel) -> None:  # noqa: ANN401
    """Refuse a model whose outputs on a short random sequence are not onnxruntime's.

    Args:
        source: The file, or its ``ModelProto``.
        reader: What followed its graph.
        model: What came of it.

    Raises:
        ModelError: Naming the output and the difference, or why the graph cannot run.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        return
    runtime = require("onnxruntime", "onnx", "comparing an imported model")
    states = require(
        "onnxruntime.capi.onnxruntime_pybind11_state", "onnx", "comparing an imported model"
    )
    invalid = (states.InvalidGraph, states.InvalidProtobuf)
    options = runtime.SessionOptions()
    options.log_severity_level = _QUIET
    given = os.fspath(source) if isinstance(source, Path) else source.SerializeToString()
    try:
        session = runtime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    except invalid as error:
        refuse(f"onnxruntime: {first_line(error)}", "a graph that is valid")
    except (states.Fail, states.NotImplemented, states.RuntimeException, RuntimeError):
        # It has no kernel for an operator that is valid all the same: nothing to compare with.
        return
    values = _values(session, reader)
    names = list(reader.outputs)
    try:
        found = session.run(names, values)
    except (states.Fail, states.InvalidArgument, states.RuntimeException, ValueError) as error:
        refuse(f"the graph cannot run: {first_line(error)}", "a graph that onnxruntime runs")
    frames = values[reader.frames].ravel()[reader.entry].transpose(1, 0, 2)
    ours = FloatReference(model, reader.sizes.streams).run(frames.astype(np.float32)).outputs
    steps_first = ours.transpose(1, 0, 2)
    for name, theirs in zip(names, found, strict=True):
        _require_same(name, np.asarray(theirs), steps_first, reader)


def _values(session: Any, reader: Reader) -> dict[str, Array]:  # noqa: ANN401 - no types
    """Return seeded frames, and zeros for the states, by the name of the input."""
    generator = np.random.default_rng(0)
    values: dict[str, Array] = {}
    for item in session.get_inputs():
        shape = [
            length if isinstance(length, int) else reader.sizes.streams
            for length in reader.shapes.get(item.name, item.shape)
        ]
        dtype = {"tensor(double)": np.float64, "tensor(int64)": np.int64}.get(item.type, np.float32)
        values[item.name] = np.zeros(shape, dtype)
        if item.name == reader.frames:
            values[item.name] = generator.normal(0, 1, shape).astype(dtype)
    return values


def _require_same(name: str, theirs: Array, steps_first: Array, reader: Reader) -> None:
    """Refuse a difference; ``steps_first`` is float32 (T, B, C)."""
    signal = reader.outputs[name]
    if np.issubdtype(theirs.dtype, np.integer):
        two = np.sort(steps_first, axis=-1)[..., -2:]
        is_clear = two[..., -1] - two[..., 0] > TOLERANCE * np.maximum(1, np.abs(two[..., -1]))
        is_clear |= steps_first.shape[-1] == 1
        ours = steps_first.argmax(axis=-1).ravel()[signal.places]
        apart = np.abs(theirs - ours) * is_clear.ravel()[signal.places]
        limit = 0.0
    else:
        ours = steps_first.ravel()[signal.places]
        apart = np.abs(theirs.reshape(ours.shape) - ours)
        limit = TOLERANCE * max(1.0, float(np.abs(ours).max(initial=0.0)))
    if not (apart <= limit).all():
        refuse(
            f"output {name!r} is {float(apart.max()):.3g} away from onnxruntime's on "
            f"{reader.sizes.steps} random frames",
            f"at most {limit:.3g}",
        )
