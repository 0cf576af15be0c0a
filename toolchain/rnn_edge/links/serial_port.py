"""A serial port, through pyserial."""

from __future__ import annotations

from rnn_edge.errors import LinkError
from rnn_edge.extras import require
from rnn_edge.links.descriptors import DescriptorStream


class SerialStream(DescriptorStream):
    """Speaks over a serial port with 8 data bits, no parity, 1 stop bit and no flow control.

    Args:
        port: E.g. /dev/ttyACM0.
        baud: Bits per second.

    Raises:
        MissingDependencyError: If pyserial is not installed.
        LinkError: If the port cannot be opened.
    """

    def __init__(self, port: str, baud: int = 115_200) -> None:
        serial = require("serial", "serial", "serial ports")
        what = f"Serial port {port}"
        try:
            # Not shared: two hosts on one port would take each other's answers.
            self._port = serial.Serial(port, baud, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            raise LinkError(
                f"{what} at {baud} baud cannot be opened: {error}.",
                "is the board plugged in, is another program using it? On Linux you have to be in "
                "the group dialout: sudo usermod -aG dialout $USER, then log in again",
            ) from error
        super().__init__(what, self._port.fileno(), self._port.fileno())

    def _release(self) -> None:
        self._port.close()
