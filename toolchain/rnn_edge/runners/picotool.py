"""Boards with an RP2040 or RP2350 in their boot loader, by picotool.

Source: picotool 2.2, ``README.md``: ``picotool load``.
"""

from __future__ import annotations

from rnn_edge.runners.base import Job, Runner
from rnn_edge.runners.udev import RASPBERRY_PI_VENDOR


class PicotoolRunner(Runner):
    """Writes flash over USB, compares it with the image, and starts the program."""

    name = "picotool"
    title = "writes flash over USB, with the chip in its boot loader"
    program = "picotool"
    version_flag = "version"
    hint = (
        "apt install picotool (Debian 13, Ubuntu 24.10), or https://github.com/raspberrypi/picotool"
    )
    image = "uf2"
    takes_probe = True
    udev = (RASPBERRY_PI_VENDOR,)

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return one command; a program that offers it is asked to enter the boot loader.

        Raises:
            DeviceError: If the job has a port.
        """
        self.refuse_unsupported(job)
        self.options(job.device)
        chosen = () if job.probe is None else ("--ser", job.probe)
        return (("picotool", "load", "-v", "-x", str(job.image), *chosen, "-f"),)


RUNNER = PicotoolRunner()
