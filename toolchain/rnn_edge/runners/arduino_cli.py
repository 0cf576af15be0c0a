"""Arduino sketches, by arduino-cli.

Source: Arduino CLI documentation, commands ``compile`` (``--fqbn``, ``--library``,
``--build-path``) and ``upload`` (``--fqbn``, ``--port``, ``--input-dir``).
"""

from __future__ import annotations

from rnn_edge.runners.base import BUILD_TIMEOUT_S, Job, Runner


class ArduinoCliRunner(Runner):
    """Compiles a sketch with the library round it, and uploads it as the board's core does."""

    name = "arduino-cli"
    title = "compiles a sketch, and uploads it"
    program = "arduino-cli"
    hint = "https://arduino.github.io/arduino-cli/latest/installation"
    version_flag = "version"
    image = "project"
    port = "serial"
    needs = ("fqbn",)
    ecosystem = "arduino"
    timeout_s = BUILD_TIMEOUT_S

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return what compiles and what uploads; the sketch is two folders below its library.

        Raises:
            DeviceError: If the job has no port, has a probe, or the device's file does not say what
                the board is called.
        """
        self.refuse_unsupported(job)
        port = self.required_port(job, "/dev/ttyACM0")
        board = ("--fqbn", self.options(job.device)["fqbn"])
        sketch, build = str(job.image), str(job.image / "build")
        library = str(job.image.parent.parent)
        return (
            (
                *("arduino-cli", "compile", *board, "--library", library),
                *("--build-path", build, sketch),
            ),
            ("arduino-cli", "upload", *board, "--port", port, "--input-dir", build, sketch),
        )


RUNNER = ArduinoCliRunner()
