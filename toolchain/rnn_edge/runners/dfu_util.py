"""Chips of ST in their boot loader, over USB, by dfu-util.

Source: ``dfu-util --help`` of dfu-util 0.11; ST, "USB DFU protocol used in the STM32 bootloader",
AN3156.
"""

from __future__ import annotations

from rnn_edge.runners.base import Job, Runner
from rnn_edge.runners.st_flash import flash_address
from rnn_edge.runners.udev import ST_VENDOR


class DfuUtilRunner(Runner):
    """Writes flash over the chip's own USB, without a probe, and starts the program."""

    name = "dfu-util"
    title = "writes flash over USB, with the chip in its boot loader"
    program = "dfu-util"
    hint = "apt install dfu-util"
    image = "bin"
    takes_probe = True
    udev = (ST_VENDOR,)
    needs = ("id",)
    may = ("alt",)

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return one command; the comma says that the id is that of the boot loader.

        Raises:
            DeviceError: If the job has a port, the device's file does not say what its boot loader
                is on USB, or where flash is.
        """
        self.refuse_unsupported(job)
        options = self.options(job.device)
        probe = () if job.probe is None else ("--serial", job.probe)
        return (
            (
                "dfu-util",
                *("--device", f",{options['id']}"),
                *probe,
                *("--alt", options.get("alt", "0")),
                *("--dfuse-address", f"{flash_address(job)}:leave"),
                *("--download", str(job.image)),
            ),
        )


RUNNER = DfuUtilRunner()
