"""A board simulated by LabWired: a program whose input and output are the board's UART.

``python -m rnn_edge.runners.labwired_board IMAGE CHIP [UART]`` runs an image in virtual time for as
long as its input is open, so that a host speaks to it as to an emulator or to a board's port:

- The end of input, SIGTERM and SIGINT switch the power off; the exit code is 0.
- SIGUSR1 presses the reset button: RAM, flash and what came are kept, peripherals too.
- A processor that stops ends the program with exit code `FAULT`, a simulator that cannot begin with
  `REFUSED`; one line on stderr says why.

What the simulator does otherwise than the chip: bytes come and go as fast as the program takes
them, unless ``--baud`` paces those that come; none is ever lost; WFI does not wait; a watchdog that
is not fed does not restart the chip, and no register says why the chip started.

Source: labwired 0.25, ``labwired.Sim`` and ``configs/chips/*.yaml`` of the package.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_edge.errors import DeviceError, RnnEdgeError
from rnn_edge.extras import require

FAULT = 101
"""As images end that notice a fault themselves."""
REFUSED = 2

SLICE_S = 0.001
"""Of this host's time, between looks at the input; an answer waits for the end of a slice."""
FIRST_SLICE_S = 20e-6
SHORTEST_SLICE_S, LONGEST_SLICE_S = 1e-6, 0.02
REST_AFTER_S = 10.0
"""Without a byte in either direction the board is taken to do nothing but wait; one that was asked
something is not."""
REST_S = 0.02
"""Between the slices of a board that waits, unless a byte comes."""

_INTERRUPT_SET_PENDING = 0xE000E200
_RESET_CONTROL, _RESET_REQUEST = 0xE000ED0C, 0x05FA0004
_BITS_OF_A_BYTE = 10
_READ_BYTES = 1 << 16


class ProcessorStoppedError(DeviceError):
    """A simulated processor that cannot go on."""


@dataclass(frozen=True)
class Kept:
    """Memory whose contents outlive the power: in a file while it is off.

    Attributes:
        file: Holds the bytes; absent before the first time.
        origin: First address, a multiple of 4.
        count: Number of bytes, a multiple of 4.
    """

    file: Path
    origin: int
    count: int


@dataclass(frozen=True)
class Board:
    """What is simulated.

    Attributes:
        image: An ELF file.
        chip: What the simulator calls the chip.
        uart: What it calls the UART; None for the one that is the chip's console.
        interrupt: Number of the UART's interrupt, which the simulator does not raise for bytes
            that come: it is raised here. Whoever handles it has to take every byte that waits.
            None for a program that asks its UART.
        baud: Bits per second of what comes, in virtual time, ten for each byte; None for as fast
            as it comes.
        kept: Memory that outlives the power.
    """

    image: Path
    chip: str
    uart: str | None = None
    interrupt: int | None = None
    baud: int | None = None
    kept: tuple[Kept, ...] = ()


class Pace:
    """Chooses how much virtual time takes `SLICE_S` of this host's.

    Attributes:
        slice_s: The next slice, in virtual seconds.
    """

    def __init__(self) -> None:
        self.slice_s = FIRST_SLICE_S

    def took(self, wall_s: float) -> None:
        """Learn from the last slice; one that was interrupted changes it by half at most."""
        wanted = self.slice_s * min(2.0, max(0.5, SLICE_S / max(wall_s, 1e-9)))
        self.slice_s = min(LONGEST_SLICE_S, max(SHORTEST_SLICE_S, wanted))


class Line:
    """What comes from the host and has not reached the board yet.

    Args:
        baud: Of `Board`.
    """

    def __init__(self, baud: int | None) -> None:
        self._baud = baud
        self._waiting = bytearray()
        self._credit = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, data: bytes) -> None:
        """Take bytes of the host."""
        self._waiting += data

    def take(self, slice_s: float) -> bytes:
        """Return what arrives in a slice of virtual time.

        Args:
            slice_s: Its length in seconds.
        """
        count = len(self._waiting)
        if self._baud is not None:
            # A line that rested does not send the faster for it.
            self._credit = min(self._credit + slice_s * self._baud / _BITS_OF_A_BYTE, 1 + count)
            count = min(count, int(self._credit))
            self._credit -= count
        found = bytes(self._waiting[:count])
        del self._waiting[:count]
        return found


def run(board: Board, incoming: int, outgoing: int) -> None:
    """Run a board until its input ends or the power is switched off.

    Args:
        board: What is simulated.
        incoming: Descriptor of what the host sends.
        outgoing: Descriptor of what the board sends.

    Raises:
        DeviceError: If the simulator refuses the image or the chip, or the processor stops.
        MissingDependencyError: If the simulator is not installed.
    """
    with _opened(board) as simulator, _signals() as asked:
        for kept in board.kept:
            _load(simulator, kept)
        try:
            _serve(simulator, board, incoming, outgoing, asked)
        finally:
            for kept in board.kept:
                _save(simulator, kept)


@dataclass
class _Asked:
    """What signals asked for."""

    end: bool = False
    reset: bool = False


def _serve(simulator: Any, board: Board, incoming: int, outgoing: int, asked: _Asked) -> None:  # noqa: ANN401
    poller = select.poll()
    poller.register(incoming, select.POLLIN)
    pace, line, last_byte = Pace(), Line(board.baud), time.monotonic()
    is_answered = True
    while not asked.end:
        rests = is_answered and not line and time.monotonic() - last_byte > REST_AFTER_S
        if poller.poll(1000 * REST_S if rests else 0):
            came = os.read(incoming, _READ_BYTES)
            if not came:
                return
            line.put(came)
            last_byte, is_answered = time.monotonic(), False
        if asked.reset:
            asked.reset = False
            simulator.write_u32(_RESET_CONTROL, _RESET_REQUEST)
        _hand_over(simulator, board, line.take(pace.slice_s))
        begun = time.perf_counter()
        try:
            simulator.run_for(pace.slice_s)
        except RuntimeError as error:
            raise ProcessorStoppedError(
                f"The simulated {board.chip} stopped after {simulator.cycles:,} cycles: {error}."
            ) from error
        pace.took(time.perf_counter() - begun)
        sent = simulator.read_uart_bytes()
        if sent:
            last_byte, is_answered = time.monotonic(), True
            if not _write(outgoing, sent, asked):
                return


def _hand_over(simulator: Any, board: Board, data: bytes) -> None:  # noqa: ANN401 - untyped package
    if not data:
        return
    simulator.send_bytes(data)
    if board.interrupt is not None:
        word, bit = divmod(board.interrupt, 32)
        simulator.write_u32(_INTERRUPT_SET_PENDING + 4 * word, 1 << bit)


def _write(outgoing: int, data: bytes, asked: _Asked) -> bool:
    """Send all of it, waiting for the host; False where nobody reads any more."""
    poller = select.poll()
    poller.register(outgoing, select.POLLOUT)
    rest = memoryview(data)
    while rest and not asked.end:
        try:
            rest = rest[os.write(outgoing, rest) :]
        except BlockingIOError:
            poller.poll(1000 * REST_S)
        except BrokenPipeError:
            return False
    return not asked.end


@contextlib.contextmanager
def _opened(board: Board) -> Iterator[Any]:
    labwired = require("labwired", "sim", "a simulated board")
    try:
        simulator = labwired.Sim(str(board.image), chip=board.chip, uart=board.uart)
    except (RuntimeError, ValueError, OSError) as error:
        what = f"{board.image}, chip {board.chip}, UART {board.uart or 'of the console'}"
        raise DeviceError(f"LabWired refuses {what}: {error}.") from error
    with simulator:
        yield simulator


@contextlib.contextmanager
def _signals() -> Iterator[_Asked]:
    asked = _Asked()

    def end(_number: int, _frame: object) -> None:
        asked.end = True

    def reset(_number: int, _frame: object) -> None:
        asked.reset = True

    before = {
        number: signal.signal(number, handler)
        for number, handler in (
            (signal.SIGTERM, end),
            (signal.SIGINT, end),
            (signal.SIGUSR1, reset),
        )
    }
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _load(simulator: Any, kept: Kept) -> None:  # noqa: ANN401 - untyped package
    try:
        data = kept.file.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise DeviceError(f"Kept memory {kept.file} cannot be read: {error.strerror}.") from error
    if len(data) != kept.count:
        raise DeviceError(
            f"Kept memory {kept.file}: {len(data):,} bytes; expected {kept.count:,}.",
            "remove the file: the board then begins with empty memory",
        )
    for at in range(0, kept.count, 4):
        simulator.write_u32(kept.origin + at, int.from_bytes(data[at : at + 4], "little"))


def _save(simulator: Any, kept: Kept) -> None:  # noqa: ANN401 - untyped package
    data = simulator.read_memory(kept.origin, kept.count)
    with tempfile.NamedTemporaryFile(dir=kept.file.parent, delete=False) as file:
        file.write(data)
    Path(file.name).replace(kept.file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; see the module."""
    board = _board(arguments)
    # The simulator may print; the output is the board's alone.
    outgoing = os.dup(1)
    os.dup2(2, 1)
    os.set_blocking(outgoing, False)
    try:
        run(board, 0, outgoing)
    except RnnEdgeError as error:
        sys.stderr.write(f"{error}\n")
        return FAULT if isinstance(error, ProcessorStoppedError) else REFUSED
    finally:
        os.set_blocking(outgoing, True)
    return 0


def _board(arguments: Sequence[str] | None) -> Board:
    parser = argparse.ArgumentParser(
        prog="python -m rnn_edge.runners.labwired_board",
        description="Simulate a board; input and output are its UART.",
    )
    parser.add_argument("image", type=Path, help="ELF file")
    parser.add_argument("chip", help="what LabWired calls the chip")
    parser.add_argument("uart", nargs="?", help="what it calls the UART (default: the console)")
    parser.add_argument("--interrupt", type=int, help="number of the UART's interrupt")
    parser.add_argument("--baud", type=int, help="bits per second of what comes, in virtual time")
    parser.add_argument(
        "--keep",
        nargs=3,
        action="append",
        default=[],
        metavar=("FILE", "ORIGIN", "BYTES"),
        help="memory that outlives the power: its file, first address and size",
    )
    found = parser.parse_args(arguments)
    try:
        kept = tuple(Kept(Path(file), int(at, 0), int(count, 0)) for file, at, count in found.keep)
    except ValueError as error:
        parser.error(f"argument --keep: {error}")
    return Board(found.image, found.chip, found.uart, found.interrupt, found.baud, kept)


if __name__ == "__main__":
    sys.exit(main())
