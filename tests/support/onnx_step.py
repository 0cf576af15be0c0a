"""Integer programs as ONNX files in memory, run in onnxruntime."""

from types import MappingProxyType

import numpy as np

from rnn_edge.exporters.onnx_graph import OnnxGraph
from rnn_edge.exporters.onnx_program import write_program
from rnn_edge.types.program import Program, Tensor, Unary


def one_operator(op, entering, leaving):
    """Return a program of one operator; tensors are name to (size, exponent).

    The operator reads ``x`` and, if there is a second operand, ``b``; it writes ``y``.
    """
    ops, states = [op], {}
    if "b" in entering:
        # A program reads one frame; what else goes in is a state, here one that stays.
        leaving = {**leaving, "b_out": entering["b"]}
        ops.append(Unary("quantize", "b", "b_out"))
        states["b"] = ("b", "b_out")
    tensors = {n: Tensor(n, *shape) for n, shape in {**entering, **leaving}.items()}
    return Program("one", MappingProxyType(tensors), tuple(ops), "x", "y", MappingProxyType(states))


def model_of(program):
    """Return the checked file of a program."""
    graph = OnnxGraph()
    write_program(program, graph)
    return graph.model(program.name, 17, 8, {}).SerializeToString()


def session_of(content, optimized=True):
    """Return a session with one thread, and with the runtime's graph rewriting on or off."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimized else level.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def steps(runner, names, frames, state):
    """Yield y and the state after every step.

    Args:
        runner: A session, or onnx's own evaluator.
        names: Of the states.
        frames: int16 (T, B, D).
        state: int16 (B, H) by name.
    """
    for frame in frames:
        feeds = {f"{name}_in": state[name] for name in names}
        y, *after = runner.run(["y", *(f"{name}_out" for name in names)], {"x": frame, **feeds})
        state = dict(zip(names, after, strict=True))
        yield y, state


def assert_same_steps(runner, reference, frames, label):
    """Step a runner and an `IntegerReference` side by side from the reference's state."""
    names = list(reference.state)
    start = {name: value.copy() for name, value in reference.state.items()}
    for t, (y, state) in enumerate(steps(runner, names, frames, start)):
        expected = {"y": reference.step(frames[t]), **reference.state}
        for name, actual in {"y": y, **state}.items():
            assert actual.dtype == np.int16
            np.testing.assert_array_equal(actual, expected[name], f"{label}: step {t}, {name}")
