"""The engines that are measured beside each other, and how each is started where it is measured."""

from __future__ import annotations

import importlib.util
import sys
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rnn_edge.engines.environment import interpreter_of, nothing_made
from rnn_edge.engines.front_library import build_front_end
from rnn_edge.engines.tflite_runtime import ENVIRONMENT, require_wheels
from rnn_edge.errors import MissingDependencyError, RnnEdgeError
from rnn_edge.exporters import onnx_float, onnx_int8, tflite, tflite_float
from rnn_edge.exporters.front_library import SOUND_LIBRARY
from rnn_edge.features.fixed_point import IntegerLogMelConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.profiling import worker
from rnn_edge.profiling.measure import Settings, Tell
from rnn_edge.profiling.places import Machine, Place
from rnn_edge.profiling.subject import Subject
from rnn_edge.quantize import quantize_input
from rnn_edge.types import Array, QuantizedModel, Trace

FRAMES = 1000
"""Stepped again and again: what differs from step to step is the same for every engine."""
EMULATED = ("aarch64", "armv7", "armv6")
C, FRONT = "c", "front-end"
LOUDNESS = 3000.0
"""Of the noise that the front end is measured with, int16; its time does not depend on it."""


@dataclass(frozen=True)
class Candidate:
    """An interpreter and a file that it runs.

    Attributes:
        name: What users type.
        title: What it is.
        runtime: One of ``worker.RUNTIMES``.
        file: Below the exports.
        module: What has to be there.
        is_integer: Which model the file holds.
        extra: What installs it.
    """

    name: str
    title: str
    runtime: str
    file: str
    module: str
    is_integer: bool
    extra: str


CANDIDATES = (
    Candidate(
        "litert", "LiteRT, int8", "litert", tflite.FILE, "ai_edge_litert", True, "litert"
    ),
    Candidate(
        "litert-float", "LiteRT, float", "litert", tflite_float.FILE, "ai_edge_litert", False,
        "litert",
    ),
    Candidate(
        "tflite-runtime", "tflite-runtime, int8", "tflite-runtime", tflite.FILE, "tflite_runtime",
        True, "tflite",
    ),
    Candidate(
        "tflite-runtime-float", "tflite-runtime, float", "tflite-runtime", tflite_float.FILE,
        "tflite_runtime", False, "tflite",
    ),
    Candidate(
        "onnx-int8", "onnxruntime, int8", "onnx", onnx_int8.FILE, "onnxruntime", True, "onnx"
    ),
    Candidate(
        "onnx", "onnxruntime, float", "onnx", onnx_float.FILE, "onnxruntime", False, "onnx"
    ),
)  # fmt: skip
TITLES = {C: "exported C, int8", FRONT: "audio front end (numpy)"}
TITLE_OF_C_FRONT_END = "audio front end (exported C)"
ENGINES = (C, *(each.name for each in CANDIDATES), FRONT)


@dataclass(frozen=True)
class ProfileRequest:
    """What to measure, and where.

    Attributes:
        engines: Of `ENGINES`; None for all that are there.
        host: ``user@host``; None for this machine.
        ssh_config: Another configuration of ssh than the user's.
        host_folder: Where the host keeps what is copied for a while.
        host_python: The host's Python whose interpreters are measured.
        emulate: One of `EMULATED` to imitate that processor on this machine; None for none.
        front_end_hops: Of audio that the front end takes at once; None for as many as a stream in
            real time does.
        settings: How much is measured.
        link_steps: Steps that a program on another processor is held to the reference over the
            link.
    """

    engines: tuple[str, ...] | None = None
    host: str | None = None
    ssh_config: Path | None = None
    host_folder: str = "/tmp"
    host_python: str = "python3"
    emulate: str | None = None
    front_end_hops: int | None = None
    settings: Settings = field(default_factory=Settings)
    link_steps: int = 1000


@dataclass(frozen=True)
class Job:
    """One measurement.

    Attributes:
        bundle: What is measured.
        model: Its quantized model.
        request: What, where and how much.
        place: Where programs are started.
        machine: What that says of itself.
        work: For what is compiled.
        tell: Progress.
    """

    bundle: Bundle
    model: QuantizedModel
    request: ProfileRequest
    place: Place
    machine: Machine
    work: Path
    tell: Tell

    def is_wanted(self, name: str) -> bool:
        """Whether an engine is to be measured."""
        return self.request.engines is None or name in self.request.engines


def open_subject(
    stack: ExitStack, place: Place, files: Mapping[str, Path], command: Sequence[str], name: str
) -> Subject:
    """Start a program that measures itself; it ends with the stack.

    Args:
        stack: Ends it.
        place: Where it runs.
        files: What it needs, by name.
        command: Program and arguments, names of files among them.
        name: Of the engine.

    Raises:
        RnnEdgeError: If it does not start there, or does not answer.
    """
    stream = stack.enter_context(place.start(files, command, f"engine {name!r}"))
    return stack.enter_context(Subject(stream, name))


def checksums(trace: Trace, names: Sequence[str]) -> tuple[str, str]:
    """Return the CRC-32 of all outputs and of all states, as the measuring programs form them.

    Args:
        trace: Over all frames.
        names: The states in the program's order.
    """
    states = np.concatenate([trace.states[name] for name in names], axis=1)
    return tuple(  # type: ignore[return-value]
        f"{zlib.crc32(np.ascontiguousarray(part).tobytes()):08x}"
        for part in (trace.outputs, states)
    )


@dataclass(frozen=True)
class Opened:
    """An interpreter that is ready, and whether it gives the reference's bits."""

    subject: Subject
    bits: str


def open_interpreters(
    stack: ExitStack, job: Job, real: Array, expected: Trace
) -> tuple[list[Opened], list[dict[str, str]]]:
    """Open what is there of the interpreters; return also what is not measured, and why.

    Raises:
        RnnEdgeError: If one that was asked for by its name is not to be had.
    """
    opened: list[Opened] = []
    missing: list[dict[str, str]] = []
    for k, each in enumerate(CANDIDATES):
        if not job.is_wanted(each.name):
            continue
        job.tell("opening engines", k, len(CANDIDATES))
        try:
            files, command = _started(job, each)
            subject = open_subject(stack, job.place, files, command, each.name)
            if each.is_integer:
                subject.load(quantize_input(real, job.model.input_exponent))
            else:
                subject.load(real.astype(np.float32))
            opened.append(Opened(subject, _bits(subject, each, expected)))
        except RnnEdgeError as error:
            if job.request.engines is not None:
                raise
            missing.append({"engine": each.name, "title": each.title, "reason": error.message})
    if job.is_wanted(FRONT) and job.bundle.spec().model.task == "kws":
        if job.place.is_remote:
            reason = "it is part of this package, which is not asked for on the host"
            missing.append({"engine": FRONT, "title": TITLES[FRONT], "reason": reason})
        else:
            opened.append(Opened(_front_end(stack, job), "not compared"))
    return opened, missing


def _started(job: Job, each: Candidate) -> tuple[dict[str, Path], list[str]]:
    """Return the files and the command of an interpreter.

    Raises:
        MissingDependencyError: If it is not there.
    """
    files = {"worker.py": Path(worker.__file__), "model": job.bundle.exports / each.file}
    if not files["model"].is_file():
        raise MissingDependencyError(
            f"Export {each.file} is not there.", f"rnn-edge export {job.bundle.path}"
        )
    if job.place.is_remote:
        python = job.request.host_python
        if each.module not in job.machine.packages:
            what = f"has no {each.module}" if job.machine.python else "was not found"
            raise MissingDependencyError(
                f"{python} on {job.place.name} {what}.",
                "name a Python that has it with --host-python",
            )
    elif each.module == "tflite_runtime":
        python = _tflite_python(job)
    elif importlib.util.find_spec(each.module) is None:
        raise MissingDependencyError(
            f"Package {each.module} is not installed.", f"pip install 'rnn-edge[{each.extra}]'"
        )
    else:
        python = sys.executable
    return files, [python, "worker.py", each.runtime, "model"]


def _tflite_python(job: Job) -> str:
    """Return the Python that has tflite-runtime, made from the network only where it was named."""
    try:
        require_wheels(ImportError("tflite_runtime"))
        if job.request.engines is not None:
            return str(interpreter_of(ENVIRONMENT))
        with nothing_made():
            return str(interpreter_of(ENVIRONMENT))
    except MissingDependencyError:
        if importlib.util.find_spec("tflite_runtime") is None:
            raise
        return sys.executable


def _bits(subject: Subject, each: Candidate, expected: Trace) -> str:
    if not each.is_integer:
        return "float"
    outputs, states = checksums(expected, sorted(expected.states))
    found = subject.trace()
    if found[1] != states:
        return "differ"
    return "equal" if found[0] == outputs else "states equal"


def _front_end(stack: ExitStack, job: Job) -> Subject:
    files = {"worker.py": Path(worker.__file__), "model": job.bundle.file(FRONT_END)}
    front_end = FrontEnd.load(files["model"])
    hops = job.request.front_end_hops or front_end.hops_at_once
    command = [sys.executable, "worker.py", f"{FRONT}:{hops}", "model"]
    config = front_end.config
    assert isinstance(config, LogMelConfig)
    if isinstance(config, IntegerLogMelConfig):
        # In C, as `rnn-edge run` has it.
        files["library"] = build_front_end(SOUND_LIBRARY, job.model, job.bundle.exports, job.work)
        command += ["library", job.model.name]
    subject = open_subject(stack, job.place, files, command, FRONT)
    noise = np.random.default_rng(0).normal(0.0, LOUDNESS, (FRAMES, config.hop_samples))
    subject.load(np.clip(noise, -32768, 32767).astype(np.int16))
    return subject
