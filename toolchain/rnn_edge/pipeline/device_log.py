"""The log of a device, fetched as it grows and written as a replay log (docs/logs.md)."""

from __future__ import annotations

from pathlib import Path

from rnn_edge.features.front_end import FrontEnd
from rnn_edge.links import device_log
from rnn_edge.links.application import About
from rnn_edge.links.client import LinkClient
from rnn_edge.links.device_log import detected_name
from rnn_edge.logs import LogWriter
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.files import explained
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.types.closing import Closing

__all__ = ["DeviceLog", "detected_name"]


class DeviceLog(Closing):
    """A replay log that grows by what a device remembers of its steps.

    Its counter goes on over restarts of the device; a gap in it is where steps are not known.

    Args:
        bundle: Whose model the device serves.
        path: The file, which must not be there.
        device: Name of the device, told in the header.

    Raises:
        DataError: If the file is there already.
        BundleError: If the bundle does not say its frame rate.
    """

    def __init__(self, bundle: Bundle, path: Path, device: str) -> None:
        front_end = FrontEnd.load(bundle.file(FRONT_END))
        model = bundle.model()
        header = LogWriter.header_of(
            model, front_end.frame_rate_hz, front_end.feature_names, device=device
        )
        self._writer = LogWriter(path, header)
        self._log = device_log.DeviceLog(self._writer, model.labels)

    @property
    def records(self) -> int:
        """Steps that were written."""
        return self._log.frames

    @property
    def lost(self) -> int:
        """Steps that the device had forgotten before they were fetched."""
        return self._log.lost

    def begin(self, steps: int) -> None:
        """Take the next steps of a device from here on.

        Args:
            steps: That the device has taken since it started.
        """
        self._log.begin(steps)

    def fetch(self, client: LinkClient, about: About) -> int:
        """Write what the device has stepped since the last time; return how many steps are lost.

        Args:
            client: Speaks to the device.
            about: What the device says of itself.

        Raises:
            LinkError: If it does not answer.
            EnvironmentFailureError: If it cannot be written.
        """
        with explained(f"Writing the log {self._writer.path}"):
            return self._log.fetch(client, about).lost

    def close(self) -> None:
        """End the log; calling it twice is fine.

        Raises:
            EnvironmentFailureError: If what is left of it cannot be written.
        """
        with explained(f"Writing the log {self._writer.path}"):
            self._writer.close()
