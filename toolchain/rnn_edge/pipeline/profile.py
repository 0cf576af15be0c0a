"""What a bundle costs on a machine: its engines measured beside each other."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge import __version__
from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.link_engine import LinkEngine, exported_sources
from rnn_edge.engines.program_engine import ATTEMPTS, TIMEOUT_S
from rnn_edge.errors import ParityError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.firmware.elf_sections import allocated_bytes
from rnn_edge.firmware.linux import LinuxTarget, build_binary
from rnn_edge.links.client import LinkClient
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.pipeline.profile_engines import (
    CANDIDATES,
    FRAMES,
    FRONT,
    TITLE_OF_C_FRONT_END,
    TITLES,
    C,
    Job,
    ProfileRequest,
    checksums,
    open_interpreters,
    open_subject,
)
from rnn_edge.pipeline.proof import integer_trace, single
from rnn_edge.pipeline.replay import open_stream
from rnn_edge.profiling.conditions import is_emulated, read_conditions
from rnn_edge.profiling.emulation import EmulatedMachine, instructions_per_step
from rnn_edge.profiling.measure import Tell, figures_of, measure
from rnn_edge.profiling.places import Place, ThisMachine
from rnn_edge.profiling.program import (
    MACHINES,
    PROCESSORS,
    build_for_host,
    build_for_target,
    target_of,
)
from rnn_edge.profiling.rails import COMMAND, RailMeter
from rnn_edge.profiling.ssh import SshHost
from rnn_edge.profiling.subject import Subject
from rnn_edge.profiling.worker import C_FRONT_END
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import IntegerReference
from rnn_edge.replay import compare_bits
from rnn_edge.types import Array, QuantizedModel, Trace

FORMAT = "rnn-edge profile 1"


def profile_bundle(bundle: Bundle, request: ProfileRequest, tell: Tell) -> dict[str, Any]:
    """Measure what a bundle's engines cost on a machine.

    Args:
        bundle: A finished bundle.
        request: What, where and how much.
        tell: Progress.

    Returns:
        The content of ``profile.json``.

    Raises:
        RnnEdgeError: If the machine refuses, or an engine that was asked for is not to be had.
        ParityError: If the C does not give the reference's bits there.
    """
    place = _place(request)
    machine = place.machine()
    model = bundle.model()
    front_end = FrontEnd.load(bundle.file(FRONT_END))
    rate_hz = front_end.frame_rate_hz
    hops = request.front_end_hops or front_end.hops_at_once
    stream, source = open_stream(bundle, None, None, FRAMES)
    facts: dict[str, Any] = {
        "format": FORMAT,
        "rnn_edge": __version__,
        "bundle": bundle.spec().model.name,
        "task": bundle.spec().model.task,
        "model_digest": model.digest(),
        "layers": [f"{layer.kind.upper()}({layer.hidden})" for layer in model.layers],
        "frame_rate_hz": rate_hz,
        "frames": len(stream.frames),
        "source": source,
        "place": {"name": place.name, "is_remote": place.is_remote, **machine.to_json()},
        "settings": {**request.settings.to_json(), "front_end_hops": hops},
    }
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as work, ExitStack() as stack:
        job = Job(bundle, model, request, place, machine, Path(work), tell)
        sources = exported_sources(
            EngineSource(bundle.float_model(), model, bundle.exports, job.work, bundle.path)
        )
        frames = quantize_input(stream.frames, model.input_exponent)
        expected = integer_trace(model, stream.frames)
        tell("compiling", 0, 1)
        binary = _binary(job, sources)
        first = open_subject(stack, place, {"program": binary}, ["program"], C)
        first.load(frames)
        _require_bits(first, expected, place.name)
        imitated = request.emulate is not None or is_emulated(first.read)
        facts["program"] = _program_sizes(binary, model, first)
        facts["place"]["is_emulated"] = imitated
        facts["subjects"], facts["not_measured"], facts["timeline"] = [], [], []
        facts["conditions"] = facts["instructions"] = facts["link"] = None
        if imitated:
            first.close()
        else:
            opened, facts["not_measured"] = open_interpreters(stack, job, stream.frames, expected)
            facts["conditions"] = {"before": read_conditions(first.read).to_json()}
            subjects = [first, *(each.subject for each in opened)]
            meter = _meter(stack, job)
            samples, moments = measure(subjects, request.settings, rate_hz, tell, meter)
            facts["conditions"]["after"] = read_conditions(first.read).to_json()
            facts["timeline"] = [moment.to_json() for moment in moments]
            bits = {C: "equal", **{each.subject.name: each.bits for each in opened}}
            facts["subjects"] = [
                _subject_facts(name, bits[name], figures_of(found, rate_hz))
                for name, found in samples.items()
            ]
        if place.is_remote or request.emulate is not None:
            facts["link"] = _over_link(job, sources, frames)
        if request.emulate is not None:
            facts["instructions"] = _instructions(job, sources)
    return facts


def _place(request: ProfileRequest) -> Place:
    if request.host is not None:
        return SshHost(request.host, request.ssh_config, request.host_folder, request.host_python)
    if request.emulate is not None:
        return EmulatedMachine(MACHINES[_MACHINE_OF[request.emulate]])
    return ThisMachine()


_MACHINE_OF = {"aarch64": "aarch64", "armv7": "armv7l", "armv6": "armv6l"}


def _meter(stack: ExitStack, job: Job) -> RailMeter | None:
    """Return what reads the rails of the machine, or None where nothing measures them."""
    if job.machine.rails in ("", "0"):
        return None
    stream = stack.enter_context(job.place.start({}, COMMAND, "readings of the PMIC"))
    return stack.enter_context(RailMeter(stream, job.place.name))


def _target(job: Job) -> LinuxTarget | None:
    """Return what is compiled for; None for this machine's own compiler."""
    if job.request.emulate is not None:
        return MACHINES[_MACHINE_OF[job.request.emulate]]
    if job.place.is_remote:
        return target_of(job.machine.machine, f"Host {job.place.name}")
    return None


def _binary(job: Job, sources: Sequence[Path]) -> Path:
    target = _target(job)
    if target is None:
        return build_for_host(job.model, sources, job.work)
    return build_for_target(target, job.model, sources, job.work)


def _require_bits(subject: Subject, expected: Trace, where: str) -> None:
    if subject.trace() != checksums(expected, list(expected.states)):
        raise ParityError(
            f"Program on {where} does not give the bits of the integer reference over "
            f"{len(expected.outputs):,} steps.",
            "report this with the compiler's version; rnn-edge replay says where they differ",
        )


def _program_sizes(binary: Path, model: QuantizedModel, subject: Subject) -> dict[str, Any]:
    constant, variable = allocated_bytes(binary)
    values = sum(model.state_sizes.values())
    return {
        "file_bytes": binary.stat().st_size,
        "constant_bytes": constant,
        "variable_bytes": variable,
        "state_bytes": 2 * values,
        "stack_bytes": subject.memory().stack_bytes,
    }


def _subject_facts(name: str, bits: str, figures: dict[str, Any]) -> dict[str, Any]:
    titles = TITLES | {each.name: each.title for each in CANDIDATES}
    is_front_end_in_c = name == FRONT and figures["version"] == C_FRONT_END
    title = TITLE_OF_C_FRONT_END if is_front_end_in_c else titles[name]
    return {"engine": name, "title": title, "bits": bits, **figures}


def _over_link(job: Job, sources: Sequence[Path], frames: Array) -> dict[str, Any]:
    """Step the program that answers the link there, and compare every bit.

    Raises:
        ParityError: If one differs.
    """
    job.tell("parity over the link", 0, 1)
    target = _target(job)
    assert target is not None
    binary = build_binary(target, job.model, sources, job.work)
    steps = job.request.link_steps
    x = np.concatenate([frames] * -(-steps // len(frames)))[:steps]
    owner = f"link to {job.place.name}"
    with job.place.start({"program": binary}, ["program"], owner) as stream:
        engine = LinkEngine(job.model, LinkClient(stream, TIMEOUT_S, ATTEMPTS), owner)
        with engine:
            trace = engine.run(x)
    expected = single(IntegerReference(job.model).run(x[None]))
    rows = compare_bits("link", expected, trace)
    differing = [row for row in rows if row.differing]
    if differing:
        row = differing[0]
        raise ParityError(
            f"Program on {job.place.name} differs from the integer reference: {row.tensor} from "
            f"step {row.first_step} on, by up to {row.max_lsb} units.",
            "report this with the versions that rnn-edge doctor lists",
        )
    return {"steps": steps, "tensors": [row.tensor for row in rows]}


def _instructions(job: Job, sources: Sequence[Path]) -> list[dict[str, Any]]:
    target = _target(job)
    assert target is not None
    found = []
    for k, processor in enumerate(PROCESSORS[target.name]):
        job.tell("counting instructions", k, len(PROCESSORS[target.name]))
        binary = build_for_target(target, job.model, sources, job.work, processor)
        count = instructions_per_step(target.emulator, processor, binary)
        found.append({"processor": processor, "per_step": count})
    return found
