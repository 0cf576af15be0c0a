"""Section [firmware]: what the application of a device does around its model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rnn_edge.spec.section import Section, Share

Frames = Annotated[int, Field(ge=0, le=1_000_000_000)]


class FirmwareSection(Section):
    """What the application of a device does around its model; see firmware.md.

    What it detects is decided by [detector] for anomalies; for keywords by false_accepts_per_hour,
    and by [drift] where that is not set.
    """

    false_accepts_per_hour: Annotated[float, Field(ge=0.1, le=3600.0)] | None = None
    """Threshold, smoothing, least length and refractory time of each keyword are chosen for so many
    on the validation part of the data; without it all keywords have those of [drift]."""

    release: Share | None = None
    """A detection of a keyword ends where its own score falls below this part of the threshold, so
    that one that wavers is one; not set, 0.8. Alarms have detector.release."""

    ring_frames: Annotated[int, Field(ge=1, le=65_535)] = 16
    """Frames that may wait for the model."""

    ring_samples: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Raw samples that may wait for the front end of a device that makes its frames itself; 0 for
    two hops of sound, or 16 rows of sensors."""

    log_records: Annotated[int, Field(ge=0, le=1_000_000)] = 16
    """Steps that the device's log remembers, for a host to fetch."""

    event_records: Annotated[int, Field(ge=1, le=65_535)] = 16
    """Beginnings and ends of detections that it remembers."""

    retain_every: Frames = 50
    """Frames from save to save of the state in RAM that outlives a restart; 0 for never."""

    flash_every: Frames = 0
    """The same in flash, which wears; 0 for only when a host asks for it."""

    watchdog_ms: Annotated[int, Field(ge=0, le=60_000)] = 4_000
    """The board restarts when a turn of its main loop takes longer; 0 for no watchdog."""
