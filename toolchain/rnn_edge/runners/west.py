"""Zephyr applications, by west.

Source: Zephyr documentation, "Building, Flashing and Debugging": ``west build``, ``west flash``.
"""

from __future__ import annotations

from rnn_edge.runners.base import BUILD_TIMEOUT_S, Job, Runner


class WestRunner(Runner):
    """Builds a project inside of a Zephyr workspace and flashes it as Zephyr does."""

    name = "west"
    title = "builds a project with Zephyr, and flashes it"
    program = "west"
    hint = "pip install west, then a workspace: https://docs.zephyrproject.org/latest/develop/getting_started"
    image = "project"
    takes_probe = True
    needs = ("board",)
    may = ("runner",)
    ecosystem = "zephyr"
    timeout_s = BUILD_TIMEOUT_S

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return what builds and what flashes; they run where ``west`` finds its workspace.

        Raises:
            DeviceError: If the job has a port, or the device's file does not name the board.
        """
        self.refuse_unsupported(job)
        options = self.options(job.device)
        build = str(job.image / "build")
        runner = ("--runner", options["runner"]) if "runner" in options else ()
        probe = () if job.probe is None else ("--dev-id", job.probe)
        return (
            ("west", "build", "--board", options["board"], "--build-dir", build, str(job.image)),
            ("west", "flash", "--build-dir", build, *runner, *probe),
        )


RUNNER = WestRunner()
