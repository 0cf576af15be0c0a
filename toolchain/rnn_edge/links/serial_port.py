"""A serial port, through pyserial."""

from __future__ import annotations

import os
from pathlib import Path

from rnn_edge.errors import DeviceError, LinkError
from rnn_edge.extras import require
from rnn_edge.links.descriptors import DescriptorStream


def require_terminal(port: str) -> None:
    """Refuse a file, a folder or a device that no serial line is behind.

    What is not there, or cannot be opened, is left to whoever opens it: it may still come.

    Raises:
        DeviceError: Naming it.
    """
    try:
        # Not waited for: some drivers hold up whoever opens a port until a line is there.
        waits = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
        descriptor = os.open(port, waits)
    except OSError:
        return
    try:
        is_terminal = os.isatty(descriptor)
    finally:
        os.close(descriptor)
    if not is_terminal:
        what = "a folder" if Path(port).is_dir() else "no serial port"
        raise DeviceError(
            f"Port {port} is {what}; expected a serial port, e.g. /dev/ttyACM0.",
            '"rnn-edge devices detect" lists the ports of boards that are plugged in',
        )


class SerialStream(DescriptorStream):
    """Speaks over a serial port with 8 data bits, no parity, 1 stop bit and no flow control.

    Args:
        port: E.g. /dev/ttyACM0.
        baud: Bits per second.

    Raises:
        MissingDependencyError: If pyserial is not installed.
        DeviceError: If the port is something else than a serial port.
        LinkError: If the port cannot be opened.
    """

    def __init__(self, port: str, baud: int = 115_200) -> None:
        serial = require("serial", "serial", "serial ports")
        what = f"Serial port {port}"
        try:
            # Not shared: two hosts on one port would take each other's answers.
            self._port = serial.Serial(port, baud, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            require_terminal(port)
            raise LinkError(
                f"{what} at {baud} baud cannot be opened: {error}.",
                "is the board plugged in, is another program using it? On Linux you have to be in "
                "the group dialout: sudo usermod -aG dialout $USER, then log in again",
            ) from error
        super().__init__(what, self._port.fileno(), self._port.fileno())

    def _release(self) -> None:
        self._port.close()
