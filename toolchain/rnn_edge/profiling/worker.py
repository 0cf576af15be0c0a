"""A program that measures a model in an interpreter, in this process and on this machine.

    python worker.py RUNTIME FILE [--once]
    python worker.py front-end:HOPS FILE [LIBRARY NAME] [--once]

It is copied to other machines and run as a file by the Python that has the runtime, so it imports
nothing of this package but for the runtime "front-end". It answers the commands of
``firmware_templates/linux/rnn_edge_profile.c``, which says what they are, in the same way. A step
is what an application does: hand over frame and state, invoke, take result and state.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import itertools
import os
import select
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

STEPS_MOST = 16384
READ_MOST = 4096
CLOCK_READINGS = 2000
PATIENCE_S = 300.0
WATCH_MOST_MS = 60_000
LOOK_NS = 20_000_000
LINE_BYTES = 256
C_FRONT_END = "C"
"""Version of a front end that does not run in numpy."""

Step = Callable[[Any], Any]


class Session:
    """A loaded file.

    Attributes:
        version: Of the runtime.
        dtype: Of frames, states and results.
        inputs: D of a frame.
        states: Vectors by name, in the order of their names; carried from step to step.
        step: Advances by one frame (D,) and returns the result (C,).
    """

    version: str
    dtype: str
    inputs: int
    states: dict[str, Any]
    step: Step


class LiteSession(Session):
    """A TFLite file: default kernels, no delegate, one thread."""

    def __init__(self, module: str, package: str, path: str) -> None:
        runtime = importlib.import_module(module)
        interpreter = runtime.Interpreter(
            model_path=path,
            num_threads=1,
            experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
        entering = {each["name"]: each for each in interpreter.get_input_details()}
        leaving = {each["name"]: each for each in interpreter.get_output_details()}
        x, y = entering.pop("x"), leaving["y"]["index"]
        self.version = importlib.metadata.version(package)
        self.dtype = np.dtype(x["dtype"]).name
        self.inputs = int(x["shape"][-1])
        put, get, invoke, x_index = (
            interpreter.set_tensor,
            interpreter.get_tensor,
            interpreter.invoke,
            x["index"],
        )
        names = sorted(name.removesuffix("_in") for name in entering)
        self.states = {
            name: np.zeros(entering[f"{name}_in"]["shape"], entering[f"{name}_in"]["dtype"])
            for name in names
        }
        carried = self.states
        places = [
            (name, entering[f"{name}_in"]["index"], leaving[f"{name}_out"]["index"])
            for name in names
        ]

        def step(frame: Any) -> Any:  # noqa: ANN401 - arrays
            put(x_index, frame[None])
            for name, place, _ in places:
                put(place, carried[name])
            invoke()
            for name, _, place in places:
                carried[name] = get(place)
            return get(y)[0]

        self.step = step


class OnnxSession(Session):
    """An ONNX file on one thread of the CPU."""

    def __init__(self, path: str) -> None:
        runtime = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        # A dimension with a name, as that of time, is one step of one stream.
        shapes = {
            each.name: [n if isinstance(n, int) else 1 for n in each.shape]
            for each in session.get_inputs()
        }
        kinds = {each.name: each.type for each in session.get_inputs()}
        self.version = runtime.__version__
        self.dtype = "float32" if kinds["x"] == "tensor(float)" else "int16"
        shape = shapes.pop("x")
        self.inputs = shape[-1]
        names = sorted(name.removesuffix("_in") for name in shapes)
        self.states = {name: np.zeros(shapes[f"{name}_in"], self.dtype) for name in names}
        carried, run = self.states, session.run
        wanted = ["y", *(f"{name}_out" for name in names)]
        enters = [(name, f"{name}_in") for name in names]

        def step(frame: Any) -> Any:  # noqa: ANN401 - arrays
            feeds = {place: carried[name] for name, place in enters}
            feeds["x"] = frame.reshape(shape)
            found = run(wanted, feeds)
            for name, value in zip(names, found[1:], strict=True):
                carried[name] = value
            return found[0].reshape(-1)

        self.step = step


class FrontEndSession(Session):
    """What turns samples into frames of the model, int16, as `rnn_edge.live` does; a step is a hop.

    Args:
        path: The front end.
        hops: Are waited for before frames are made of all of them at once.
        library: Of its exported C, and the name of the model there; empty for numpy.
    """

    def __init__(self, path: str, hops: int = 1, library: Sequence[str] = ()) -> None:
        features = importlib.import_module("rnn_edge.features.front_end")
        front_end = features.FrontEnd.load(path)
        spectra = front_end.stream()
        self.version = f"numpy {np.__version__}"
        if library:
            exported = importlib.import_module("rnn_edge.engines.c_frontend")
            spectra = exported.CFrontEnd(front_end.config, library[1], Path(library[0]))
            self.version = C_FRONT_END
        self.dtype = "int16"
        self.inputs = front_end.config.hop_samples
        self.states = {}

        waiting: list[Any] = []

        def step(samples: Any) -> Any:  # noqa: ANN401 - arrays
            waiting.append(samples)
            if len(waiting) < hops:
                return None
            together = waiting[0] if hops == 1 else np.concatenate(waiting)
            waiting.clear()
            return front_end.quantize_input(spectra.push(together))

        self.step = step


RUNTIMES: dict[str, Callable[[str], Session]] = {
    "litert": lambda path: LiteSession("ai_edge_litert.interpreter", "ai-edge-litert", path),
    "tflite-runtime": lambda path: LiteSession(
        "tflite_runtime.interpreter", "tflite-runtime", path
    ),
    "onnx": OnnxSession,
    "front-end": FrontEndSession,
}


class RefusedError(Exception):
    """A command that cannot be followed."""


class Server:
    """Answers commands about a session.

    Args:
        session: What is measured.
        again: The command that starts this program for one step.
    """

    def __init__(self, session: Session, again: list[str]) -> None:
        self._session = session
        self._again = again
        self._frames: Any = None
        self._next = 0

    def answer(self, line: str, receive: Callable[[int], bytes]) -> tuple[str, bytes]:
        """Return the fields of an answer and what stands behind it.

        Args:
            line: The command.
            receive: Returns as many bytes as are asked for.

        Raises:
            RefusedError: If it cannot be followed.
        """
        command, _, rest = line.partition(" ")
        if command == "about":
            return self._about(), b""
        if command == "read":
            return "", _content(rest)
        if command in ("power", "idle"):
            milliseconds, _, path = rest.partition(" ")
            if not milliseconds.isdigit() or int(milliseconds) > WATCH_MOST_MS:
                raise RefusedError(f"time: expected at most {WATCH_MOST_MS}")
            return self._watch(int(milliseconds), path, has_steps=command == "power"), b""
        words = rest.split()
        if not all(word.isdigit() for word in words):
            raise RefusedError("expected numbers")
        numbers = [int(word) for word in words]
        if command == "frames" and len(numbers) == 1:
            count, width = numbers[0], self._session.inputs
            content = receive(count * width * np.dtype(self._session.dtype).itemsize)
            self._frames = np.frombuffer(content, self._session.dtype).reshape(count, width)
            self._next = 0
            return "", b""
        if command == "cold" and len(numbers) == 1:
            return "", _packed([self._start() for _ in range(numbers[0])])
        if self._frames is None:
            raise RefusedError("expected frames first")
        if command == "trace" and not numbers:
            return self._trace(), b""
        if command == "memory" and not numbers:
            return f"rss_bytes={_status('VmRSS:')} peak_bytes={_status('VmHWM:')}", b""
        if numbers and not 1 <= numbers[0] <= STEPS_MOST:
            raise RefusedError(f"steps: expected 1 to {STEPS_MOST}")
        if command == "round" and len(numbers) == 1:
            return self._round(numbers[0])
        if command == "paced" and len(numbers) == 2:
            return self._paced(*numbers)
        raise RefusedError("unknown command")

    def _about(self) -> str:
        now = time.perf_counter_ns
        readings = [now() for _ in range(CLOCK_READINGS)]
        gaps = [b - a for a, b in itertools.pairwise(readings) if b > a]
        resolution = round(time.get_clock_info("perf_counter").resolution * 1e9)
        reading = (readings[-1] - readings[0]) // CLOCK_READINGS
        version = self._session.version.replace(" ", "-")
        return (
            f"resolution_ns={max(1, resolution)} smallest_ns={min(gaps)} reading_ns={reading} "
            f"dtype={self._session.dtype} inputs={self._session.inputs} steps={STEPS_MOST} "
            f"version={version}"
        )

    def _frame(self) -> Any:  # noqa: ANN401 - an array
        frame = self._frames[self._next]
        self._next = (self._next + 1) % len(self._frames)
        return frame

    def _trace(self) -> str:
        states = self._session.states
        for name, value in states.items():
            states[name] = np.zeros_like(value)
        outputs = after = 0
        for frame in self._frames:
            outputs = zlib.crc32(np.ascontiguousarray(self._session.step(frame)).tobytes(), outputs)
            for value in states.values():
                after = zlib.crc32(np.ascontiguousarray(value).tobytes(), after)
        self._next = 0
        return f"outputs={outputs:08x} states={after:08x}"

    def _round(self, steps: int) -> tuple[str, bytes]:
        now, step, taken = time.perf_counter_ns, self._session.step, [0] * steps
        used, start = time.process_time_ns(), now()
        for k in range(steps):
            frame = self._frame()
            before = now()
            step(frame)
            taken[k] = now() - before
        elapsed, used = now() - start, time.process_time_ns() - used
        return f"elapsed_ns={elapsed} cpu_ns={used}", _packed(taken)

    def _paced(self, steps: int, period_ns: int) -> tuple[str, bytes]:
        now, step = time.perf_counter_ns, self._session.step
        taken, answered = [0] * steps, [0] * steps
        used, due = time.process_time_ns(), now()
        for k in range(steps):
            frame = self._frame()
            due += period_ns
            while (left := due - now()) > 0:
                time.sleep(left * 1e-9)
            before = now()
            step(frame)
            end = now()
            taken[k], answered[k] = end - before, end - due
        used = time.process_time_ns() - used
        return f"cpu_ns={used}", _packed(taken) + _packed(answered)

    def _watch(self, milliseconds: int, path: str, *, has_steps: bool) -> str:
        if self._frames is None:
            raise RefusedError("expected frames first")
        now, step, seen, steps = time.perf_counter_ns, self._session.step, [], 0
        start = now()
        due, end = start + LOOK_NS, start + milliseconds * 1_000_000
        while due <= end:
            while (left := due - now()) > 0:
                if has_steps:
                    step(self._frame())
                    steps += 1
                else:
                    time.sleep(left * 1e-9)
            due += LOOK_NS
            if not path:
                continue
            try:
                seen.append(int(_content(path)))
            except ValueError as error:
                raise RefusedError("the sensor cannot be read") from error
        mean = sum(seen) // len(seen) if seen else 0
        return f"microwatts={mean} steps={steps} elapsed_ns={now() - start}"

    def _start(self) -> int:
        start = time.perf_counter_ns()
        with subprocess.Popen(
            self._again, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            found = process.stdout.read(1)
            end = time.perf_counter_ns()
        if not found:
            raise RefusedError("the program does not start once more")
        return end - start


def _packed(values: list[int]) -> bytes:
    return np.minimum(values, 2**32 - 1).astype("<u4").tobytes()


def _content(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(READ_MOST)
    except OSError as error:
        raise RefusedError("it cannot be read") from error


def _status(name: str) -> int:
    """Return the value of a line of /proc/self/status in bytes; 0 where there is none."""
    for line in _content("/proc/self/status").decode(errors="replace").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _receiver(descriptor: int) -> Callable[[int], bytes]:
    def receive(count: int) -> bytes:
        found = b""
        while len(found) < count:
            ready, _, _ = select.select([descriptor], [], [], PATIENCE_S)
            part = os.read(descriptor, count - len(found)) if ready else b""
            if not part:
                raise EOFError
            found += part
        return found

    return receive


def _line(receive: Callable[[int], bytes]) -> str:
    found = b""
    while not found.endswith(b"\n"):
        if len(found) > LINE_BYTES:
            raise EOFError
        found += receive(1)
    return found.decode(errors="replace").strip()


def serve(server: Server, receive: Callable[[int], bytes], write: Callable[[bytes], None]) -> None:
    """Answer commands until ``receive`` raises EOFError at the end of the input."""
    while True:
        try:
            line = _line(receive)
            fields, content = server.answer(line, receive)
        except EOFError:
            return
        except RefusedError as refusal:
            write(f"error {refusal}\n".encode())
            continue
        size = f"bytes={len(content)}" if content else ""
        write(" ".join(filter(None, ("ok", fields, size))).encode() + b"\n" + content)


def main() -> None:
    """Load the file, then step once or serve; what a runtime prints goes to stderr."""
    words = [word for word in sys.argv[1:] if word != "--once"]
    runtime, path, *library = words
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)

    def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[replies.write(rest) :]

    name, _, hops = runtime.partition(":")
    session = FrontEndSession(path, int(hops), library) if hops else RUNTIMES[name](path)
    if sys.argv[-1] == "--once":
        session.step(np.zeros(session.inputs, session.dtype))
        write(b"!")
        return
    again = [sys.executable, str(Path(__file__).resolve()), *words, "--once"]
    serve(Server(session, again), _receiver(0), write)


if __name__ == "__main__":
    main()
