"""Programs that ESP-IDF has built, by esptool.

Source: ``esptool write-flash --help`` of esptool 5.6; ESP-IDF, ``flasher_args.json`` of a build.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_edge.errors import DeviceError
from rnn_edge.runners import idf_py
from rnn_edge.runners.base import Job, Runner
from rnn_edge.runners.udev import ESPRESSIF_VENDOR, SILICON_LABS_VENDOR

_ARGUMENTS = "build/flasher_args.json"


class EsptoolRunner(Runner):
    """Writes boot loader, partition table and program of a build over a serial port."""

    name = "esptool"
    title = "writes what ESP-IDF has built over a serial port"
    program = "esptool"
    hint = "pip install 'rnn-edge[flash]'"
    version_flag = "version"
    image = "project"
    port = "serial"
    udev = (ESPRESSIF_VENDOR, SILICON_LABS_VENDOR)
    needs = ("chip",)
    ecosystem = "esp-idf"

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return one command with every file of the build and its address.

        Raises:
            DeviceError: If the job has no port, has a probe, the device's file does not name the
                chip, or the project was not built, or for another chip.
        """
        self.refuse_unsupported(job)
        port = self.required_port(job, "/dev/ttyUSB0")
        chip = self.options(job.device)["chip"]
        arguments = _read(job.image / _ARGUMENTS)
        extra, settings = arguments["extra_esptool_args"], arguments["flash_settings"]
        if extra["chip"] != chip:
            raise DeviceError(
                f"Project {job.image} was built for {extra['chip']}; expected {chip}.",
                f"idf.py -C {job.image} set-target {chip} build",
            )
        files = sorted(
            ((int(address, 0), name) for address, name in arguments["flash_files"].items()),
        )
        placed = [
            word
            for address, name in files
            for word in (f"{address:#x}", str(job.image / "build" / name))
        ]
        return (
            (
                *("esptool", "--chip", chip, "--port", port),
                *("--before", _word(extra["before"]), "--after", _word(extra["after"])),
                *("write-flash", "--flash-mode", settings["flash_mode"]),
                *("--flash-size", settings["flash_size"], "--flash-freq", settings["flash_freq"]),
                *placed,
            ),
        )


def _word(name: str) -> str:
    """Return a name as esptool 5 spells it: with hyphens."""
    return name.replace("_", "-")


def _read(file: Path) -> Mapping[str, Any]:
    what = f"ESP-IDF's build {file}"
    remedy = f"build it: --runner idf.py does, with ESP-IDF: {idf_py.RUNNER.hint}"
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        for part, keys in (
            ("extra_esptool_args", ("chip", "before", "after")),
            ("flash_settings", ("flash_mode", "flash_size", "flash_freq")),
            ("flash_files", ()),
        ):
            if not all(isinstance(found[part][key], str) for key in keys):
                raise ValueError(part)
        if not found["flash_files"]:
            raise ValueError("flash_files")
        for address, name in found["flash_files"].items():
            int(address, 0)
            if not isinstance(name, str):
                raise TypeError(name)
    except FileNotFoundError as error:
        raise DeviceError(f"{what} is not there; expected a project that is built.", remedy) from (
            error
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeviceError(f"{what} cannot be read: {error}; expected what ESP-IDF writes.") from (
            error
        )
    return found


RUNNER = EsptoolRunner()
