"""Boards whose boot loader shows itself as a drive, by copying a file there.

Source: Microsoft, "USB Flashing Format (UF2)": ``INFO_UF2.TXT``.
"""

from __future__ import annotations

import sys

from rnn_edge.runners.base import Job, Runner

_PROGRAM = "rnn_edge.runners.uf2_copy"


class Uf2Runner(Runner):
    """Copies a UF2 file to the drive of a boot loader, which starts the program."""

    name = "uf2"
    title = "copies the program to the drive that the board's boot loader shows"
    image = "uf2"
    port = "folder"
    needs = ("board_id", "family")

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return one command; see `rnn_edge.runners.uf2_copy`, which looks for the drive.

        Raises:
            DeviceError: If the job has a probe, or the device's file does not say how the drive
                names the board.
        """
        self.refuse_unsupported(job)
        board = self.options(job.device)["board_id"]
        place = () if job.port is None else ("--drive", job.port)
        return ((sys.executable, "-m", _PROGRAM, str(job.image), board, *place),)


RUNNER = Uf2Runner()
