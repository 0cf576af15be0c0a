"""The exported C on other processors under Linux, run by an emulator of their instructions."""

from __future__ import annotations

from functools import partial

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.service import ENDINGS, ServiceEngine, exported_sources
from rnn_edge.engines.stream_process import StreamProcess
from rnn_edge.firmware.linux import TARGETS, LinuxTarget, build_binary
from rnn_edge.firmware.tools import program


def open_engine(target: LinuxTarget, source: EngineSource) -> Engine:
    """Compile the exported model, unless that was done before, and start it."""
    name = engine_name(target)
    emulator = program(target.emulator, f"the engine {name!r}")
    binary = build_binary(target, source.model, exported_sources(source), source.work)
    command = [emulator, "-cpu", target.processor, str(binary)]
    return ServiceEngine(source.model, StreamProcess(command, f"engine {name!r}", ENDINGS))


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
