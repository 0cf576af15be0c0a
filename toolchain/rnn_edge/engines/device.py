"""Devices of ``devices/``: the exported C in an image for one, run by an emulator or on a board."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.board import Place, answering, client_of, open_here, open_port, runner_here
from rnn_edge.engines.link_engine import LinkEngine, exported_sources
from rnn_edge.engines.program_engine import open_program
from rnn_edge.errors import EngineError, LinkError
from rnn_edge.firmware.device_program import device_program
from rnn_edge.links.application import Mode
from rnn_edge.links.client import LinkClient
from rnn_edge.spec import DeviceSpec, all_devices

ANSWER_TIMEOUT_S = 10.0
"""For a board that is on already."""


class BoardEngine(LinkEngine):
    """Steps a model on a board, whose application goes on when this is closed."""

    def close(self) -> None:
        """Give the model back to the sensor, its state at zero, and close the link."""
        if self.client.is_open:
            # Whoever reports a failure is not to be told of this one instead.
            with suppress(LinkError):
                leave_running(self.client)
        super().close()


def leave_running(client: LinkClient) -> None:
    """Let the application of a device go on with its sensor, from a state of zero.

    Raises:
        LinkError: If the device does not answer.
    """
    client.reset()
    client.set_mode(Mode.SENSOR)


def open_engine(device: DeviceSpec, source: EngineSource) -> LinkEngine:
    """Compile the image of the exported model, unless that was done before, and start it.

    Raises:
        EngineError: If nothing emulates the device, or the program does not answer.
    """
    if device.emulator is None:
        raise EngineError(f"Device {device.name} has no emulator; an engine runs in one.")
    return open_imitated(Place(device), source)


def open_imitated(place: Place, source: EngineSource) -> LinkEngine:
    """Compile the image of the exported model, unless that was done before, and start it.

    Raises:
        RnnEdgeError: If it cannot be compiled or started, or does not answer.
    """
    place.require()
    # Before anything is compiled for it.
    runner_here(place)
    made = device_program(place.device, source.model, exported_sources(source), source.work)
    return open_program(source.model, open_here(place, made.path), place.owner)


def open_board(device: DeviceSpec, source: EngineSource) -> Engine:
    """Speak to a board that runs the image of a model already.

    Raises:
        DeviceError: If no port is named, or nothing answers there.
        EngineError: If it serves another model.
    """
    place = Place(device, source.port)
    place.require()
    what = f"Device {device.name} on {source.port}"
    stream = answering(lambda: open_port(place), ANSWER_TIMEOUT_S, what, is_program=False)
    try:
        return BoardEngine(source.model, client_of(place, stream), place.owner)
    except BaseException:
        stream.close()
        raise


def engine_name(device: DeviceSpec) -> str:
    """Return what users type."""
    return Place(device).engine


def engine_kinds() -> tuple[EngineKind, ...]:
    """Return an engine for every device, and one more for what a simulator can take the place of.

    Raises:
        SpecError: If a device's file has mistakes.
    """
    devices = all_devices().values()
    return (
        *(_imitated(Place(device)) for device in devices if device.emulator is not None),
        *(_imitated(Place(device, None, True)) for device in devices if device.simulator),
        *(_board(device) for device in devices if device.emulator is None),
    )


def _imitated(place: Place) -> EngineKind:
    opened = (
        partial(open_imitated, place) if place.is_simulated else partial(open_engine, place.device)
    )
    how = ", simulated" if place.is_simulated else ""
    return EngineKind(
        name=place.engine,
        summary=f"the exported C on {place.device.title}{how}",
        is_integer=True,
        extra="",
        exporter="c",
        open=opened,
        is_emulated=True,
    )


def _board(device: DeviceSpec) -> EngineKind:
    return EngineKind(
        name=engine_name(device),
        summary=f"the board {device.title}, on --port",
        is_integer=True,
        extra="",
        exporter="",
        open=partial(open_board, device),
        needs_port=True,
    )
