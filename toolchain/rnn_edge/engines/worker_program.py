"""A program that steps a TFLite file in a runtime that this process can import.

It is run as a file by the Python of another environment, so it imports nothing of this package
and works with any numpy. Requests come on stdin and replies go to stdout as frames: a fixed head,
a JSON header, then the raw bytes of the arrays that the header lists. The host reads and writes
the same frames with the functions below, and uses the sessions where it can import the runtime.
"""

from __future__ import annotations

import importlib
import json
import os
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

HEAD = struct.Struct("=4sIQ")
"""Magic, bytes of the header, bytes of the arrays; both ends are on one machine."""
MAGIC = b"RNEW"
HEADER_LIMIT_BYTES = 1 << 20
PAYLOAD_LIMIT_BYTES = 1 << 30
DTYPES = ("uint8", "int16", "float32")

_IDENTIFIER = b"TFL3"
_ARENA_PER_FILE_BYTE = 10
_ARENA_LEAST_BYTES = 1 << 16

Tensors = dict[str, tuple[tuple[int, ...], str]]
"""Name to shape and dtype."""


class FrameError(Exception):
    """Bytes that are not a frame."""


def pack_frame(header: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    """Return the bytes of a message.

    Args:
        header: JSON values; the key "arrays" is used by the frame itself.
        arrays: Name to array of one of `DTYPES`.
    """
    parts = [np.asarray(array) for array in arrays.values()]
    listed = [
        [name, part.dtype.name, list(part.shape)] for name, part in zip(arrays, parts, strict=True)
    ]
    text = json.dumps({**header, "arrays": listed}).encode()
    payload = b"".join(part.tobytes() for part in parts)
    return HEAD.pack(MAGIC, len(text), len(payload)) + text + payload


def read_frame(read: Callable[[int], bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a message; return its header and its arrays by name.

    Args:
        read: Returns exactly the number of bytes asked for, or raises.

    Raises:
        FrameError: If the bytes are not a frame.
    """
    head = read(HEAD.size)
    magic, header_bytes, payload_bytes = HEAD.unpack(head)
    if magic != MAGIC:
        raise FrameError(f"starts with {head!r}")
    if header_bytes > HEADER_LIMIT_BYTES or payload_bytes > PAYLOAD_LIMIT_BYTES:
        raise FrameError(f"claims {header_bytes} and {payload_bytes} bytes")
    text = read(header_bytes)
    try:
        header = json.loads(text)
        listed = [
            (str(name), str(dtype), tuple(int(n) for n in shape))
            for name, dtype, shape in header.pop("arrays")
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FrameError(f"has the header {text[:200]!r}") from error
    if any(dtype not in DTYPES or min(shape, default=0) < 0 for _, dtype, shape in listed):
        raise FrameError(f"lists arrays {listed}")
    sizes = [np.dtype(dtype).itemsize * int(np.prod(shape)) for _, dtype, shape in listed]
    if sum(sizes) != payload_bytes:
        raise FrameError(f"lists {sum(sizes)} bytes of arrays and has {payload_bytes}")
    payload, at, arrays = read(payload_bytes), 0, {}
    for (name, dtype, shape), size in zip(listed, sizes, strict=True):
        values = np.frombuffer(payload[at : at + size], dtype)
        arrays[name] = values.reshape(shape)
        at += size
    return header, arrays


class Session:
    """One loaded file, stepped with its state going in and out.

    A subclass sets the attributes.

    Attributes:
        inputs: Tensors by name: x, h0_in, ...
        outputs: Tensors by name: y, h0_out, ...
    """

    inputs: Tensors
    outputs: Tensors
    _set: Callable[[str, Any], object]
    _get: Callable[[str], Any]
    _invoke: Callable[[], object]

    def run(self, x: Any, state: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:  # noqa: ANN401
        """Advance by T frames.

        Args:
            x: Frames (T, D) of the file's dtype.
            state: Vectors (H,) by name (h0, c0, ...).

        Returns:
            Outputs (T, C), and states (T, H) after each frame by name.
        """
        steps = len(x)
        y_shape, dtype = self.outputs["y"]
        outputs = np.empty((steps, y_shape[-1]), dtype)
        states = {name: np.empty((steps, len(state[name])), dtype) for name in state}
        rows = [(f"{name}_in", f"{name}_out", states[name]) for name in state]
        carried = {f"{name}_in": value[None] for name, value in state.items()}
        put, get, invoke = self._set, self._get, self._invoke
        for t in range(steps):
            put("x", x[t : t + 1])
            for entering, value in carried.items():
                put(entering, value)
            invoke()
            outputs[t] = get("y")[0]
            for entering, leaving, row in rows:
                row[t] = get(leaving)[0]
                carried[entering] = row[t : t + 1]
        return outputs, states

    def close(self) -> None:
        """Release nothing: the runtime goes with the object."""


class LiteSession(Session):
    """A file in a package with TFLite's Python interpreter, on one thread without delegates."""

    def __init__(self, package: Any, content: bytes) -> None:  # noqa: ANN401 - no types
        interpreter = package.Interpreter(
            model_content=content,
            num_threads=1,
            experimental_op_resolver_type=package.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
        entering, leaving = interpreter.get_input_details(), interpreter.get_output_details()
        self.inputs, self.outputs = (
            {item["name"]: _tensor(item) for item in details} for details in (entering, leaving)
        )
        index = {item["name"]: item["index"] for item in (*entering, *leaving)}
        self._set = lambda name, value: interpreter.set_tensor(index[name], value)
        self._get = lambda name: interpreter.get_tensor(index[name])
        self._invoke = interpreter.invoke


class MicroSession(Session):
    """A file in TFLM's Python interpreter, which counts inputs and outputs as the file does."""

    def __init__(self, package: Any, content: bytes) -> None:  # noqa: ANN401 - no types
        runtime = package.runtime
        graph = runtime.convert_bytearray_to_object(content).subgraphs[0]
        enters, leaves = (
            {graph.tensors[index].name.decode(): k for k, index in enumerate(indices)}
            for indices in (graph.inputs, graph.outputs)
        )
        arena_bytes = _ARENA_LEAST_BYTES + _ARENA_PER_FILE_BYTE * len(content)
        interpreter = runtime.Interpreter.from_bytes(content, arena_size=arena_bytes)
        self.inputs = {n: _tensor(interpreter.get_input_details(k)) for n, k in enters.items()}
        self.outputs = {n: _tensor(interpreter.get_output_details(k)) for n, k in leaves.items()}
        self._set = lambda name, value: interpreter.set_input(value, enters[name])
        self._get = lambda name: interpreter.get_output(leaves[name])
        self._invoke = interpreter.invoke


RUNTIMES: dict[str, tuple[str, Callable[[Any, bytes], Session]]] = {
    "tflite-runtime": ("tflite_runtime.interpreter", LiteSession),
    "tflm": ("tflite_micro", MicroSession),
}
"""Runtime to its module and what opens a file with it."""


def open_session(runtime: str, content: bytes) -> Session:
    """Load a TFLite file into a runtime.

    Args:
        runtime: One of `RUNTIMES`.
        content: The file.

    Raises:
        ValueError: If it is not a TFLite file.
        ImportError: If the runtime does not load here.
        RuntimeError: If the runtime refuses the file.
    """
    # TFLM aborts the process on a file whose start is something else.
    if content[4:8] != _IDENTIFIER:
        raise ValueError("it is not a TFLite file")
    module, kind = RUNTIMES[runtime]
    package = importlib.import_module(module)
    return kind(package, content)


def serve(read: Callable[[int], bytes], write: Callable[[bytes], object]) -> None:
    """Answer requests until ``read`` raises EOFError at the end of the input.

    "load" names a runtime and brings the file as the array "model"; the reply describes its
    tensors. "run" brings "x" (T, D) and the state before it, and the reply has "y" (T, C) and the
    state after each frame. What the runtime refuses is answered with the key "error", and a
    runtime that cannot be imported with the key "missing".
    """
    session: Session | None = None
    while True:
        try:
            request, arrays = read_frame(read)
        except EOFError:
            return
        reply: dict[str, Any] = {}
        sent: dict[str, Any] = {}
        try:
            if request["command"] == "load":
                session = open_session(request["runtime"], arrays["model"].tobytes())
                reply = {"inputs": session.inputs, "outputs": session.outputs}
            else:
                assert session is not None
                outputs, sent = session.run(arrays.pop("x"), arrays)
                sent = {"y": outputs, **sent}
        except (ValueError, RuntimeError) as error:
            reply, sent = {"error": f"{error}"}, {}
        except ImportError as error:
            reply = {"missing": f"{error}"}
        write(pack_frame(reply, sent))


def _tensor(details: Mapping[str, Any]) -> tuple[tuple[int, ...], str]:
    shape = tuple(int(n) for n in details["shape"])
    return shape, np.dtype(details["dtype"]).name


def _reader(file: BinaryIO) -> Callable[[int], bytes]:
    def read(count: int) -> bytes:
        data = file.read(count)
        if len(data) != count:
            raise EOFError
        return data

    return read


def main() -> None:
    """Serve on stdin and stdout; whatever a runtime prints goes to stderr instead."""
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)

    def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[replies.write(rest) :]

    serve(_reader(sys.stdin.buffer), write)


if __name__ == "__main__":
    main()
