"""Boards with an ST-Link, by st-flash of stlink-tools.

Source: ``st-flash --help`` of stlink 1.7.
"""

from __future__ import annotations

from rnn_edge.errors import DeviceError
from rnn_edge.runners.base import Job, Runner
from rnn_edge.runners.udev import ST_VENDOR


class StFlashRunner(Runner):
    """Writes flash through the ST-Link of a board of ST, and resets the chip."""

    name = "st-flash"
    title = "writes flash through an ST-Link"
    program = "st-flash"
    hint = "apt install stlink-tools"
    image = "bin"
    takes_probe = True
    udev = (ST_VENDOR,)

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return one command.

        Raises:
            DeviceError: If the job has a port, or the device's file does not say where flash is.
        """
        self.refuse_unsupported(job)
        self.options(job.device)
        probe = () if job.probe is None else ("--serial", job.probe)
        address = flash_address(job)
        return (("st-flash", "--reset", *probe, "write", str(job.image), address),)


def flash_address(job: Job) -> str:
    """Return the first address of flash in hexadecimal digits.

    Raises:
        DeviceError: If the device's file does not say where flash is.
    """
    if job.device.memory is None:
        raise DeviceError(
            f"Device {job.device.name} has no [memory]; expected where its flash begins."
        )
    return f"{job.device.memory.flash_origin:#010x}"


RUNNER = StFlashRunner()
