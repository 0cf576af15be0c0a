"""From a bundle to a device that runs it: built, flashed, asked who it is, and held to the bits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_edge.engines.board import Place, answering, client_of, open_here, open_port
from rnn_edge.engines.device import leave_running
from rnn_edge.engines.link_engine import LinkEngine
from rnn_edge.errors import MissingDependencyError
from rnn_edge.firmware.image_formats import write_image
from rnn_edge.links.base import ByteStream
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.device_app import require_time
from rnn_edge.pipeline.device_commands import run_command
from rnn_edge.pipeline.device_image import (
    DeviceImage,
    build_command,
    build_device_image,
    device_project_image,
    kept_device_image,
    project_folder,
)
from rnn_edge.pipeline.device_project import project_for
from rnn_edge.pipeline.device_proof import STEPS, DeviceProof, proof_frames, prove
from rnn_edge.runners.base import Job, Runner
from rnn_edge.runners.choice import choose_runner, resolved

TIMEOUT_S = 30.0
"""For a board to answer after it was flashed."""
Tell = Callable[[str, int, int], None]
"""Called with what is done, how far it is, and how far it goes."""
Say = Callable[[str], None]
"""Called with a line for whoever watches."""


@dataclass(frozen=True)
class FlashRequest:
    """What to put where.

    Attributes:
        place: The device, and where it is.
        probe: Unique id of a debug probe; None for the only one.
        runner: Name of what flashes; None for the first of the device's that is installed.
        builds: Whether the image is built; else the one that was built before is taken.
        timeout_s: For the device to answer.
        steps: That are compared with the integer reference.
        data: Recordings for them; None for those of the build.
    """

    place: Place
    probe: str | None = None
    runner: str | None = None
    builds: bool = True
    timeout_s: float = TIMEOUT_S
    steps: int = STEPS
    data: Path | None = None


@dataclass(frozen=True)
class FlashPlan:
    """What flashing would do.

    Attributes:
        image: The file that the device would run, as the compiler writes it.
        is_built: Whether it is there already.
        build: Commands that build it; none with `FlashRequest.builds` off, or where it is there.
        flash: Commands that put it on the device; none where it is run here.
        link: Command whose input and output is the link; empty for a board on a port.
        runner: Name of what flashes or runs it; empty where nothing does.
    """

    image: Path
    is_built: bool
    build: tuple[tuple[str, ...], ...]
    flash: tuple[tuple[str, ...], ...]
    link: tuple[str, ...]
    runner: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "image": str(self.image),
            "is_built": self.is_built,
            "build": [list(command) for command in self.build],
            "flash": [list(command) for command in self.flash],
            "link": list(self.link),
            "runner": self.runner,
        }


@dataclass(frozen=True)
class Flashed:
    """A device that was flashed and proven.

    Attributes:
        place: The device, and where it is.
        runner: Name of what flashed or ran it; empty where nothing did.
        image: What it runs.
        proof: What it gave.
        seconds: From the start of the command to the end of the proof.
    """

    place: Place
    runner: str
    image: DeviceImage
    proof: DeviceProof
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        device, memory = self.place.device, self.place.device.memory
        return {
            "device": device.name,
            "title": device.title,
            "where": _where(self.place),
            "port": self.place.port,
            "runner": self.runner,
            "model": self.image.model,
            "model_digest": self.image.model_digest,
            "image": {
                "path": str(self.image.path),
                "sha256": self.image.sha256,
                "toolchain": self.image.toolchain,
                "is_new": self.image.is_new,
            },
            "flash": {"bytes": self.image.flash_bytes, "of": device.flash_bytes},
            "ram": {"bytes": self.image.ram_bytes, "of": device.ram_bytes},
            "stack": {
                "bytes": self.proof.counters.stack_bytes or None,
                "bound": self.image.stack_bytes,
                "of": None if memory is None else memory.stack_bytes,
            },
            "step": None if self.proof.time is None else self.proof.time.to_json(),
            "parity": self.proof.to_json(),
            "is_running": self.proof.is_equal and not self.place.is_here,
            "is_passed": self.proof.is_equal,
        }


def plan_flash(bundle: Bundle, request: FlashRequest) -> FlashPlan:
    """Return what `flash_bundle` would do; nothing is changed, and no device is spoken to.

    Raises:
        RnnEdgeError: If the device, its place, the runner or the image that was built before is
            not to be had.
    """
    place = request.place
    if place.is_here:
        place.require()
    try:
        runner = choose_runner(place.device, request.runner, is_simulated=place.is_simulated)
    except MissingDependencyError:
        # What would be called can be told of a program that is not there yet, too.
        runner = choose_runner(
            place.device,
            request.runner,
            is_simulated=place.is_simulated,
            missing=lambda _runner, _device: (),
        )
    build: tuple[tuple[str, ...], ...] = ()
    if runner.ecosystem:
        project = project_for(place.device, bundle, runner.ecosystem)
        path = project_folder(bundle, place.device, runner.ecosystem) / project.folder
        is_built = path.is_dir()
    elif request.builds:
        command, path, is_built = build_command(bundle, place.device)
        build = () if is_built else (command,)
    else:
        path, is_built = kept_device_image(bundle, place.device).path, True
    job = _job(request, runner, in_form(path, runner))
    link = runner.link(job)
    return FlashPlan(
        image=path,
        is_built=is_built,
        build=build,
        flash=tuple(resolved(command) for command in runner.commands(job)),
        link=() if link is None else resolved(link),
        runner=runner.name,
    )


def flash_bundle(bundle: Bundle, request: FlashRequest, tell: Tell, say: Say) -> Flashed:
    """Build the image of a bundle, put it on a device, and prove it there.

    Args:
        bundle: A finished bundle.
        request: What to put where.
        tell: Told of every step of the work.
        say: Told the commands and what they write.

    Raises:
        RnnEdgeError: If the image does not fit or cannot be built, no runner or board is there,
            flashing fails, or the device does not answer or serves another model. Bits that
            differ are in the result.
        KeyboardInterrupt: If it is interrupted; nothing of what was started is left.
    """
    begun, place = time.monotonic(), request.place
    place.require()
    device = place.device
    # Before anything is compiled for it.
    runner = choose_runner(device, request.runner, is_simulated=place.is_simulated)
    tell("build", 0, 1)
    image = _image(bundle, request, runner)
    frames = proof_frames(bundle, request.data, request.steps)
    form = image.path if in_form(image.path, runner) == image.path else None
    job = _job(request, runner, form or write_image(image.path, runner.image, device))
    commands = runner.commands(job)
    for k, command in enumerate(commands):
        tell(f"flash with {runner.name}", k, len(commands))
        run_command(runner, job, resolved(command), say)
    tell(f"wait for {device.name}", 0, 1)
    with reach(request, image.path, bundle) as engine:
        tell("parity", 0, 1)
        proof = prove(engine, place, bundle.model(), frames)
        leave_running(engine.client)
    if proof.time is not None and proof.time.most_us is not None:
        require_time(bundle, device, proof.time.most_us / 1e6)
    return Flashed(place, runner.name, image, proof, time.monotonic() - begun)


def reach(request: FlashRequest, program: Path, bundle: Bundle) -> LinkEngine:
    """Return an engine on the device as soon as it answers; it serves the bundle's model.

    Raises:
        DeviceError: If it does not answer in time.
        EngineError: If it serves another model.
    """
    stream = open_device(request.place, program, request.timeout_s)
    try:
        return LinkEngine(bundle.model(), client_of(request.place, stream))
    except BaseException:
        stream.close()
        raise


def open_device(place: Place, program: Path | None, timeout_s: float) -> ByteStream:
    """Return a stream on which a device answers.

    Args:
        place: Where it is.
        program: What it runs, where it is started here.
        timeout_s: For the first answer.

    Raises:
        DeviceError: If it does not answer in time.
        LinkError: If its program ends.
    """

    def open_stream() -> ByteStream:
        if not place.is_here:
            return open_port(place)
        assert program is not None, place.engine
        return open_here(place, program)

    what = f"Device {place.device.name}"
    if place.port is not None:
        what += f" on {place.port}"
    return answering(open_stream, timeout_s, what, is_program=place.is_here)


def program_of(bundle: Bundle, place: Place) -> Path | None:
    """Return what a device that is started here runs; None for a board, which has its own.

    Raises:
        RnnEdgeError: If it cannot be built, or what runs it is not installed.
    """
    if not place.is_here:
        return None
    choose_runner(place.device, is_simulated=place.is_simulated)
    return build_device_image(bundle, place.device).path


def in_form(path: Path, runner: Runner) -> Path:
    """Return where the form of an image lies that a runner takes; nothing is written."""
    is_ready = runner.image in ("elf", "program", "project")
    return path if is_ready else path.with_suffix(f".{runner.image}")


def _image(bundle: Bundle, request: FlashRequest, runner: Runner) -> DeviceImage:
    """Return what the device is to run, built where that is asked for."""
    device = request.place.device
    if runner.ecosystem:
        return device_project_image(bundle, device, runner.ecosystem, builds=request.builds)
    if request.builds:
        return build_device_image(bundle, device)
    return kept_device_image(bundle, device)


def _job(request: FlashRequest, runner: Runner, image: Path) -> Job:
    """Return a runner's job; a port that only the link goes over is none of its concerns."""
    place = request.place
    port = place.port if runner.port in ("serial", "host") else None
    return Job(place.device, image, port, request.probe)


def _where(place: Place) -> str:
    if place.is_simulated:
        return "simulator"
    if place.device.emulator is not None:
        return "emulator"
    return "host" if place.is_here else "board"
