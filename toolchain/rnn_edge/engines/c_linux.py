"""The exported C on other processors under Linux, run by an emulator of their instructions."""

from __future__ import annotations

from functools import partial

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.link_engine import exported_sources
from rnn_edge.engines.program_engine import ProgramStream, open_program
from rnn_edge.firmware.linux import TARGETS, LinuxTarget, build_binary
from rnn_edge.programs import program


def open_engine(target: LinuxTarget, source: EngineSource) -> Engine:
    """Compile the exported model, unless that was done before, and start it."""
    name = engine_name(target)
    emulator = program(target.emulator, f"the engine {name!r}")
    binary = build_binary(target, source.model, exported_sources(source), source.work)
    command = [emulator, "-cpu", target.processor, str(binary)]
    owner = f"engine {name!r}"
    return open_program(source.model, ProgramStream(command, owner), owner)


def engine_name(target: LinuxTarget) -> str:
    """Return what users type."""
    return f"c-{target.name}"


def engine_kinds() -> tuple[EngineKind, ...]:
    """Return an engine for every kind of machine."""
    return tuple(
        EngineKind(
            name=engine_name(target),
            summary=f"the exported C for {target.title}, emulated",
            is_integer=True,
            extra="cross",
            exporter="c",
            open=partial(open_engine, target),
            is_emulated=True,
        )
        for target in TARGETS
    )
