"""Projects of ESP-IDF, by idf.py.

Source: ESP-IDF Programming Guide, "IDF Frontend - idf.py": ``-C``, ``-B``, ``-D``, ``-p``,
``build``, ``flash``.
"""

from __future__ import annotations

from rnn_edge.runners.base import BUILD_TIMEOUT_S, Job, Runner
from rnn_edge.runners.udev import ESPRESSIF_VENDOR, SILICON_LABS_VENDOR


class IdfPyRunner(Runner):
    """Builds a project with ESP-IDF and flashes boot loader, partition table and program."""

    name = "idf.py"
    title = "builds a project with ESP-IDF, and flashes it over a serial port"
    program = "idf.py"
    hint = (
        "https://docs.espressif.com/projects/esp-idf/en/stable/get-started, then "
        ". $IDF_PATH/export.sh"
    )
    image = "project"
    port = "serial"
    udev = (ESPRESSIF_VENDOR, SILICON_LABS_VENDOR)
    needs = ("target",)
    ecosystem = "esp-idf"
    timeout_s = BUILD_TIMEOUT_S

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return what builds and what flashes.

        Raises:
            DeviceError: If the job has no port, has a probe, or the device's file does not name
                the chip.
        """
        self.refuse_unsupported(job)
        port = self.required_port(job, "/dev/ttyUSB0")
        target = self.options(job.device)["target"]
        project = ("idf.py", "-C", str(job.image), "-B", str(job.image / "build"))
        return (
            (*project, f"-DIDF_TARGET={target}", "build"),
            (*project, "-p", port, "flash"),
        )


RUNNER = IdfPyRunner()
