"""Runs a TFLite file over a stream that is never reset, in a process of its own.

    python benchmarks/converter_replay.py FILE.tflite FRAMES.npy FEEDBACK OUT.npz

FEEDBACK is how the state goes back: ``raw`` hands the integers back as they came, ``host``
converts them from the scale of the output to the scale of the input. OUT gets the hidden states
in real units, float32 (T, H) by name.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from converter_files import Port, read_content

from rnn_edge.types import Array


def to_integers(values: Array, port: Port, dtype: type) -> Array:
    """Return real values at the scale of a tensor, saturating; floats stay what they are."""
    if port.scale is None:
        return np.asarray(values, dtype)
    limits = np.iinfo(dtype)
    units = np.rint(np.asarray(values, np.float64) / port.scale) + port.zero_point
    return np.asarray(np.clip(units, limits.min, limits.max).astype(dtype))


def to_reals(values: Array, port: Port) -> Array:
    """Return what the values of a tensor stand for, float32."""
    if port.scale is None:
        return np.asarray(values, np.float32)
    return np.asarray((values.astype(np.float64) - port.zero_point) * port.scale, np.float32)


def replay(content: bytes, frames: Array, feedback: str) -> dict[str, Array]:
    """Return the hidden states after every frame.

    Args:
        content: The file; its input "x" is one frame (1, D) or a window (1, W, D).
        frames: float32 (T, D). A last window that is not full is filled up with zeros.
        feedback: "raw" or "host".
    """
    file = read_content(content)
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    details = interpreter.get_input_details() + interpreter.get_output_details()
    dtypes = {item["index"]: item["dtype"] for item in details}
    x = file.inputs["x"]
    window = x.shape[1] if len(x.shape) == 3 else 1
    invokes = -(-len(frames) // window)
    padded = np.zeros((invokes * window, frames.shape[1]), np.float32)
    padded[: len(frames)] = frames
    given = to_integers(padded, x, dtypes[x.index]).reshape(invokes, *x.shape)
    states = list(file.state_pairs().values())
    held = [to_integers(np.zeros(i.shape), i, dtypes[i.index]) for i, _ in states]
    suffix = "_out" if window == 1 else ""
    hidden = {
        name.removesuffix(suffix): port
        for name, port in file.outputs.items()
        if name[0] == "h" and name.endswith("_out") == bool(suffix)
    }
    traces = {
        name: np.empty((invokes * window, port.shape[-1]), dtypes[port.index])
        for name, port in hidden.items()
    }
    rows = [(traces[name], port.index) for name, port in hidden.items()]
    for t in range(invokes):
        interpreter.set_tensor(x.index, given[t])
        for value, (entering, _) in zip(held, states, strict=True):
            interpreter.set_tensor(entering.index, value)
        interpreter.invoke()
        held = [interpreter.get_tensor(leaving.index) for _, leaving in states]
        if feedback == "host":
            held = [
                to_integers(to_reals(value, leaving), entering, dtypes[entering.index])
                for value, (entering, leaving) in zip(held, states, strict=True)
            ]
        for trace, index in rows:
            values = interpreter.get_tensor(index)
            trace[t * window : (t + 1) * window] = values.reshape(window, -1)
    return {name: to_reals(trace[: len(frames)], hidden[name]) for name, trace in traces.items()}


def main() -> None:
    file, frames, feedback, out = sys.argv[1:]
    np.savez(out, **replay(Path(file).read_bytes(), np.load(frames), feedback))


if __name__ == "__main__":
    main()
