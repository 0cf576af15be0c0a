"""A terminal device of this machine, as a pseudo-terminal is one."""

from __future__ import annotations

import os
import termios
from pathlib import Path

from rnn_edge.errors import LinkError
from rnn_edge.links.descriptors import DescriptorStream


class TerminalStream(DescriptorStream):
    """Speaks through a terminal as it is set, except that bytes are left as they are.

    A serial port also has a rate to be set: see `rnn_edge.links.serial_port`.

    Args:
        path: E.g. /dev/pts/3.

    Raises:
        LinkError: If it cannot be opened, or is no terminal.
    """

    def __init__(self, path: Path) -> None:
        what = f"Terminal {path}"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
        except OSError as error:
            raise LinkError(f"{what} cannot be opened: {error.strerror}.") from error
        try:
            line = termios.tcgetattr(descriptor)
            # Input, output and local flags: no translation, no echo, no lines, no signals.
            line[0] = line[1] = line[3] = 0
            termios.tcsetattr(descriptor, termios.TCSANOW, line)
        except termios.error as error:
            os.close(descriptor)
            raise LinkError(f"{what} is none: {error.args[-1]}; expected a terminal.") from error
        super().__init__(what, descriptor, descriptor)
