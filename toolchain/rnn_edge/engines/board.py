"""Devices as this host reaches them: an emulator, a simulator, a program, or a board on a port."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.engines.program_engine import ATTEMPTS, TIMEOUT_S, ProgramStream
from rnn_edge.engines.tied import tied
from rnn_edge.errors import DeviceError, LinkError
from rnn_edge.links.base import ByteStream
from rnn_edge.links.client import LinkClient
from rnn_edge.links.serial_port import SerialStream
from rnn_edge.links.tcp import TcpStream
from rnn_edge.runners.base import Job, Runner
from rnn_edge.runners.choice import choose_runner, resolved
from rnn_edge.spec import DeviceSpec

BAUD = 115_200
"""Where the device's file says nothing else: ``board.numbers.uart_baud``."""
SSH = "ssh"
"""The runner and the link of machines with Linux elsewhere."""
BOARD_TIMEOUT_S = 2.0
BOARD_ATTEMPTS = 10
ASKED_TIMEOUT_S = 0.5
RETRY_S = 0.2
_TCP = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class Place:
    """Where a device is.

    Attributes:
        device: What it is.
        port: Serial port, ``host:port`` or ``user@host`` of a board; None where none was named.
        is_simulated: Whether a simulator takes the place of the board.
    """

    device: DeviceSpec
    port: str | None = None
    is_simulated: bool = False

    def __post_init__(self) -> None:
        """Take the images that the simulator runs for those of the device."""
        if self.is_simulated:
            object.__setattr__(self, "device", self.device.as_simulated())

    @property
    def engine(self) -> str:
        """What users type."""
        return f"{'simulated' if self.is_simulated else 'device'}:{self.device.name}"

    @property
    def owner(self) -> str:
        """The start of messages."""
        return f"engine {self.engine!r}"

    @property
    def is_imitated(self) -> bool:
        """Whether a program of this host computes what its processor would."""
        return self.is_simulated or self.device.emulator is not None

    @property
    def is_here(self) -> bool:
        """Whether it runs on this host and ends with what started it."""
        return self.is_imitated or self.device.isa == "host"

    def require(self) -> None:
        """Refuse a place that cannot be.

        Raises:
            DeviceError: If there is no such simulator, or a board has no port, or what is no
                board has one.
        """
        device = self.device
        if self.is_simulated and device.simulator is None:
            raise DeviceError(
                f"Device {device.name}: nothing simulates it here; expected a device with a table "
                "[simulator].",
                f"rnn-edge devices show {device.name}",
            )
        if self.is_here and self.port is not None:
            what = "is simulated" if self.is_simulated else "runs on this host"
            raise DeviceError(
                f"Device {device.name} {what}: port {self.port}; expected none.",
                "leave --port out",
            )
        if not self.is_here and self.port is None:
            raise DeviceError(
                f"Device {device.name} is a board: no port is named; expected where it is.",
                self._what_to_type(),
            )
        if self.port is not None and (wrong := self._what_is_wrong(self.port)):
            raise DeviceError(
                f"Port {self.port!r} of {device.name} {wrong}; expected where the board is.",
                self._what_to_type(),
            )

    def _what_is_wrong(self, port: str) -> str:
        """Return why a port can never be one, however long it is waited for; or nothing."""
        if not port.strip():
            return "is empty"
        if self.device.links[0] == SSH or _TCP.fullmatch(port):
            return ""
        if Path(port).is_dir():
            return "is a folder"
        return "is a regular file" if Path(port).is_file() else ""

    def _what_to_type(self) -> str:
        port = "user@raspberrypi.local" if self.device.links[0] == SSH else "/dev/ttyACM0"
        hint = f'name it, e.g. --port {port}; "rnn-edge devices detect" lists what is connected'
        if self.device.simulator is not None:
            hint += f'; without a board, "simulated:{self.device.name}" or --simulate'
        return hint


def runner_here(place: Place) -> Runner:
    """Return what runs the program of a device on this host.

    Raises:
        MissingDependencyError: If it is not installed, with how to get it.
    """
    return choose_runner(place.device, is_simulated=place.is_simulated)


def open_here(place: Place, program: Path) -> ProgramStream:
    """Start the program of a device on this host; its input and output are the link.

    Raises:
        MissingDependencyError: If what runs it is not installed.
        LinkError: If it does not start.
    """
    command = runner_here(place).link(Job(place.device, program))
    assert command is not None, place.engine
    is_emulated = place.device.emulator is not None
    words = resolved(command)
    stream = ProgramStream(
        tied(words) if is_emulated else words, place.owner, ends_with_input=not is_emulated
    )
    if is_emulated:
        _keep_together(stream.pid)
    return stream


def _keep_together(pid: int) -> None:
    """Keep an emulator on one processor.

    Its threads hand each byte of the line to one another: that takes twice the time where it
    wakes another processor.
    """
    try:
        known = sorted(os.sched_getaffinity(pid))
        os.sched_setaffinity(pid, {known[pid % len(known)]})
    except OSError:
        # It has ended already, which whoever speaks to it is told.
        return


def open_port(place: Place) -> ByteStream:
    """Return the stream to a board on a port.

    Raises:
        MissingDependencyError: If what opens it is not installed.
        DeviceError: If the port is none.
        LinkError: If it cannot be opened.
    """
    place.require()
    port = place.port or ""
    tcp = _TCP.fullmatch(port)
    if tcp is not None:
        return TcpStream(tcp["host"].strip("[]"), int(tcp["port"]))
    if place.device.links[0] == SSH:
        command = choose_runner(place.device, SSH).link(Job(place.device, Path(), port))
        assert command is not None
        return ProgramStream(resolved(command), place.owner)
    return SerialStream(port, baud_of(place.device))


def baud_of(device: DeviceSpec) -> int:
    """Return the bits per second of a device's serial port."""
    return BAUD if device.board is None else device.board.numbers.get("uart_baud", BAUD)


def client_of(place: Place, stream: ByteStream) -> LinkClient:
    """Return a client with the patience that a device's steps take."""
    if place.is_here:
        return LinkClient(stream, TIMEOUT_S, ATTEMPTS)
    return LinkClient(stream, BOARD_TIMEOUT_S, BOARD_ATTEMPTS)


class CountingStream:
    """A stream that counts what comes, to tell silence from another language.

    Args:
        stream: What carries the bytes.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.received = 0

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, as `ByteStream` does."""
        found = self._stream.read(timeout_s)
        self.received += len(found)
        return found

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send bytes, as `ByteStream` does."""
        self._stream.write(data, timeout_s)

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


def answering(
    open_stream: Callable[[], ByteStream],
    timeout_s: float,
    what: str,
    *,
    is_program: bool,
    clock: Callable[[], float] = time.monotonic,
) -> ByteStream:
    """Return a stream on which a device answers, however long it takes to start.

    A board's port may go and come back while it starts, and is opened again then.

    Args:
        open_stream: Opens it.
        timeout_s: For the first answer.
        what: What is spoken to, for messages.
        is_program: Whether the stream is a program, which is not started again when it ends.
        clock: Seconds, rising.

    Raises:
        DeviceError: If nothing answers in the time, with what came instead.
        LinkError: If the program ended.
        MissingDependencyError: If what opens it is not installed.
    """
    deadline, received, last = clock() + timeout_s, 0, ""
    while True:
        counted = client = None
        try:
            counted = CountingStream(open_stream())
            attempts = max(1, round((deadline - clock()) / ASKED_TIMEOUT_S))
            client = LinkClient(counted, ASKED_TIMEOUT_S, attempts)
            client.open()
        except LinkError as error:
            last = error.message
            has_spoken = client is not None and client.statistics.traffic.received > 0
            if counted is not None:
                received += counted.received
                counted.close()
            if has_spoken and type(error) is LinkError:
                raise LinkError(f"{what}: {error.message}", error.hint) from error
            if has_spoken or (is_program and clock() < deadline):
                raise
        except BaseException:
            if counted is not None:
                counted.close()
            raise
        else:
            return counted
        if clock() >= deadline:
            raise _silent(what, timeout_s, received, last)
        time.sleep(RETRY_S)


def _silent(what: str, timeout_s: float, received: int, last: str) -> DeviceError:
    if received:
        return DeviceError(
            f"{what} did not answer within {timeout_s:g} s: {received:,} bytes came that are no "
            "frames of the link; expected an image with the link.",
            "is the rate of the port right, and is it the port of this board?",
        )
    return DeviceError(
        f"{what} did not answer within {timeout_s:g} s: {last}",
        "is it powered, is this its port, does it run an image with the link?",
    )
