"""Boards with a debug probe, by pyOCD.

Source: ``pyocd load --help`` of pyOCD 0.46, which it calls ``flash`` too.
"""

from __future__ import annotations

from rnn_edge.errors import DeviceError
from rnn_edge.runners.base import Job, Runner
from rnn_edge.runners.udev import CMSIS_DAP_VENDORS, JLINK_VENDOR, RASPBERRY_PI_VENDOR, ST_VENDOR


class PyocdRunner(Runner):
    """Writes sectors over SWD, what they do not cover is kept, and resets the chip at the end."""

    name = "pyocd"
    title = "writes flash through a debug probe: ST-Link, CMSIS-DAP, J-Link"
    program = "pyocd"
    hint = "pip install 'rnn-edge[flash]'"
    image = "elf"
    takes_probe = True
    udev = (ST_VENDOR, JLINK_VENDOR, RASPBERRY_PI_VENDOR, *CMSIS_DAP_VENDORS)

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return one command; it fails at once where no probe is connected.

        Raises:
            DeviceError: If the job has a port, or the device's file does not say what pyOCD calls
                its chip.
        """
        self.refuse_unsupported(job)
        self.options(job.device)
        target = job.device.probe_target
        if target is None:
            raise DeviceError(
                f"Device {job.device.name}: probe_target is missing; runner pyocd needs it.",
                "name another --runner, or add it to the device's file",
            )
        probe = () if job.probe is None else ("--uid", job.probe)
        erase = ("--erase", "sector")
        return (
            ("pyocd", "flash", "--no-wait", "--target", target, *probe, *erase, str(job.image)),
        )


RUNNER = PyocdRunner()
