"""Boards with a debug probe, by OpenOCD.

Source: OpenOCD User's Guide, "Flash Programming" (``program``) and "Debug Adapter Configuration"
(``adapter serial``, ``adapter speed``); ``scripts/board``, ``interface`` and ``target`` of
OpenOCD 0.12.
"""

from __future__ import annotations

import re

from rnn_edge.errors import DeviceError
from rnn_edge.runners.base import Job, Runner
from rnn_edge.runners.udev import CMSIS_DAP_VENDORS, JLINK_VENDOR, RASPBERRY_PI_VENDOR, ST_VENDOR

_TCL = re.compile(r"[{}\\\n]")
_PROBE = re.compile(r"[\w.:-]+")


class OpenocdRunner(Runner):
    """Writes flash over SWD or JTAG, compares it with the image, and resets the chip."""

    name = "openocd"
    title = "writes flash through a debug probe: ST-Link, CMSIS-DAP, J-Link, ..."
    program = "openocd"
    hint = "apt install openocd"
    image = "elf"
    takes_probe = True
    udev = (ST_VENDOR, JLINK_VENDOR, RASPBERRY_PI_VENDOR, *CMSIS_DAP_VENDORS)
    needs = ("config",)
    may = ("speed_khz",)

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return one command.

        Raises:
            DeviceError: If the job has a port, the device's file names no configuration, or the
                image's path or the probe cannot be written as a word of Tcl.
        """
        self.refuse_unsupported(job)
        options = self.options(job.device)
        image = str(job.image)
        if _TCL.search(image):
            raise DeviceError(
                f"Image {image}: OpenOCD takes no braces and backslashes in a path.",
                "put the bundle into a folder with a plainer name",
            )
        if job.probe is not None and not _PROBE.fullmatch(job.probe):
            raise DeviceError(f"Probe {job.probe!r}: expected a serial number.")
        files = [word for name in options["config"].split() for word in ("-f", name)]
        speed = options.get("speed_khz")
        before = [] if job.probe is None else ["-c", f"adapter serial {job.probe}"]
        before += [] if speed is None else ["-c", f"adapter speed {speed}"]
        return (("openocd", *files, *before, "-c", f"program {{{image}}} verify reset exit"),)


RUNNER = OpenocdRunner()
