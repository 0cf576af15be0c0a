"""Projects of the Pico SDK, by CMake and picotool.

Source: Raspberry Pi, "Getting started with Raspberry Pi Pico-series": ``PICO_BOARD``,
``PICO_SDK_PATH``; CMake documentation, ``cmake -S -B`` and ``cmake --build``.
"""

from __future__ import annotations

from dataclasses import replace

from rnn_edge.runners import picotool
from rnn_edge.runners.base import BUILD_TIMEOUT_S, Job, Runner
from rnn_edge.spec import DeviceSpec

_TARGET = "device"
"""What the project's CMakeLists.txt calls its program."""


class PicoSdkRunner(Runner):
    """Builds a project with the Pico SDK and writes it with picotool."""

    name = "pico-sdk"
    title = "builds a project with the Pico SDK, and writes it over USB"
    hint = "apt install cmake gcc-arm-none-eabi; the Pico SDK with PICO_SDK_PATH; picotool"
    image = "project"
    takes_probe = True
    udev = picotool.RUNNER.udev
    needs = ("board",)
    ecosystem = "pico-sdk"
    timeout_s = BUILD_TIMEOUT_S

    def programs(self, device: DeviceSpec | None = None) -> tuple[str, ...]:
        """Return what builds and what writes."""
        return ("cmake", "picotool")

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return what configures, builds and writes.

        Raises:
            DeviceError: If the job has a port, or the device's file does not name the board.
        """
        self.refuse_unsupported(job)
        board = self.options(job.device)["board"]
        build = job.image / "build"
        written = replace(job, image=build / f"{_TARGET}.uf2", device=_without_options(job.device))
        return (
            ("cmake", "-S", str(job.image), "-B", str(build), f"-DPICO_BOARD={board}"),
            ("cmake", "--build", str(build)),
            *picotool.RUNNER.commands(written),
        )


def _without_options(device: DeviceSpec) -> DeviceSpec:
    return device.model_copy(update={"options": {}})


RUNNER = PicoSdkRunner()
