"""Boards that LabWired simulates on this host."""

from __future__ import annotations

import sys

from rnn_edge.errors import DeviceError
from rnn_edge.runners.base import Job, Runner
from rnn_edge.spec import DeviceSpec

_PROGRAM = "rnn_edge.runners.labwired_board"


class LabwiredRunner(Runner):
    """Simulates a board for as long as somebody speaks to its UART."""

    name = "labwired"
    title = "simulates the whole board on this host"
    module = "labwired"
    hint = "pip install 'rnn-edge[sim]' (x86-64 Linux)"
    image = "elf"
    runs = True

    def suits(self, device: DeviceSpec) -> bool:
        """Whether the device's file says what simulates it."""
        return device.simulator is not None

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return nothing: the image is loaded where it is run."""
        self.link(job)
        return ()

    def link(self, job: Job) -> tuple[str, ...]:
        """Return the simulator; see `rnn_edge.runners.labwired_board`."""
        self.refuse_unsupported(job)
        simulator = job.device.simulator
        if simulator is None:
            raise DeviceError(
                f"Device {job.device.name}: no simulator is known for it; expected the table "
                "[simulator] in its file.",
                f"rnn-edge devices show {job.device.name}",
            )
        uart = () if simulator.uart is None else (simulator.uart,)
        numbers = {} if job.device.board is None else job.device.board.numbers
        interrupt = numbers.get("uart_irq")
        raised = () if interrupt is None else ("--interrupt", str(interrupt))
        return (sys.executable, "-m", _PROGRAM, str(job.image), simulator.chip, *uart, *raised)


RUNNER = LabwiredRunner()
