"""A connection to a TCP port."""

from __future__ import annotations

import socket

from rnn_edge.errors import LinkError
from rnn_edge.links.descriptors import DescriptorStream


class TcpStream(DescriptorStream):
    """Speaks to whatever listens: a serial server, an emulator's port, a program on a Pi.

    Args:
        host: Name or address.
        port: 1..65,535.
        timeout_s: For the connection.

    Raises:
        LinkError: If nobody listens there.
    """

    def __init__(self, host: str, port: int, timeout_s: float = 10.0) -> None:
        what = f"Connection to {host}:{port}"
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
        except (OSError, OverflowError) as error:
            raise LinkError(
                f"{what} cannot be made: {error}; expected a listener there."
            ) from error
        # Requests are small and waited for: none of them may wait for another one.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(what, self._socket.fileno(), self._socket.fileno())

    def _release(self) -> None:
        self._socket.close()
