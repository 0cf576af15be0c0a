"""This host, as a device that runs Linux."""

from __future__ import annotations

from rnn_edge.runners.base import Job, Runner
from rnn_edge.spec import DeviceSpec


class HostRunner(Runner):
    """Runs a program here; its input and output are the link."""

    name = "host"
    title = "runs the program on this host"
    image = "program"
    runs = True

    def suits(self, device: DeviceSpec) -> bool:
        """Whether the device is this host."""
        return device.isa == "host"

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return nothing: the program is run where it is."""
        self.link(job)
        return ()

    def link(self, job: Job) -> tuple[str, ...]:
        """Return the program."""
        self.refuse_unsupported(job)
        return (str(job.image.absolute()),)


RUNNER = HostRunner()
