"""What a monitor sees, as text: a line per event, a status line, and a summary."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from rnn_edge.cli.device_lines import time as time_text
from rnn_edge.cli.output import Output

if TYPE_CHECKING:
    from rnn_edge.engines.board import Place
    from rnn_edge.links.application import AppStatus, Event

SECONDS_BETWEEN_LINES = 10.0
_CLEARED = "\r\x1b[2K"


class LiveView:
    """Writes events on stdout, and a status line on stderr: over itself on a terminal.

    Args:
        output: How to talk; with ``--json`` nothing is written before the end.
        place: The device.
    """

    def __init__(self, output: Output, place: Place) -> None:
        self._output = output
        self._place = place
        self._is_terminal = sys.stderr.isatty()
        self._is_silent = output.is_json or output.is_quiet
        self._next_line = 0.0

    def event(self, event: Event, name: str, score: float) -> None:
        """Write a detection that began or ended."""
        if self._output.is_json:
            return
        self.clear()
        what = "begins" if event.has_begun else "ends"
        clock = time.strftime("%H:%M:%S")
        click.echo(f"{clock}  step {event.step:>9,}  {what:<6}  {name:<16}  {score:.3f}")

    def status(self, status: AppStatus) -> None:
        """Show how the device does."""
        if self._is_silent:
            return
        text = status_text(status, self._place)
        if self._is_terminal:
            click.echo(f"{_CLEARED}{text}", nl=False, err=True)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            click.echo(text, err=True)

    def tell(self, line: str) -> None:
        """Write what is no detection."""
        self.clear()
        self._output.note(line)

    def clear(self) -> None:
        """Take the status line away, for what comes in its place."""
        if self._is_terminal and not self._is_silent:
            click.echo(_CLEARED, nl=False, err=True)


def status_text(status: AppStatus, place: Place) -> str:
    """Return how a device does, in a line."""
    saves = status.saved_to_ram + status.saved_to_flash
    parts = [
        f"{status.frames:,} frames",
        f"{status.dropped:,} dropped",
        f"{status.detections:,} detections",
        f"slowest step {step_text(status.most_ticks, place)}",
        f"{saves:,} saves",
    ]
    if status.failed_saves:
        parts.append(f"{status.failed_saves:,} failed")
    if status.watchdog_restarts:
        parts.append(f"{status.watchdog_restarts:,} restarts by the watchdog")
    if status.lost_bytes:
        parts.append(f"{status.lost_bytes:,} bytes of the line lost")
    return ", ".join(parts)


def step_text(ticks: int, place: Place) -> str:
    """Return what the slowest step took: a time on a board, instructions of an imitation."""
    from rnn_edge.pipeline.device_proof import counted

    if not ticks:
        return "not counted"
    factor, unit, counted_on = counted(place)
    text = f"{ticks * factor:,.0f} {unit}"
    clock = place.device.clock_hz
    if clock is not None and counted_on == "board":
        text += f" ({time_text(1e6 * ticks * factor / clock)})"
    return text


def feed_line(source: str, frames: int, rate_hz: float | None) -> str:
    """Return what a device is fed, for how long, and how it goes faster.

    Args:
        source: Where the frames are from.
        frames: How many there are.
        rate_hz: Of the feed; None for as fast as can be.
    """
    text = f"feeding {frames:,} frames of {source}"
    if rate_hz is None:
        return f"{text}, as fast as the device steps them"
    lasts_s = round(frames / rate_hz)
    hours, minutes, seconds = lasts_s // 3600, lasts_s // 60 % 60, lasts_s % 60
    return (
        f"{text}, {rate_hz:g} per second as their sensor would: {hours}:{minutes:02}:{seconds:02} "
        "hours; --rate max feeds them as fast as the device steps"
    )


def summary_lines(result: Mapping[str, Any]) -> list[str]:
    """Return what was seen, after it."""
    frames, status = result["frames"], result["status"]
    lines = [
        f"{result['device']}: {frames:,} frames stepped, {result['dropped']:,} dropped, "
        f"{result['event_count']:,} events"
        + (f", {result['missed_events']:,} lost" if result["missed_events"] else "")
        + (f", {result['restarts']:,} restarts" if result["restarts"] else "")
    ]
    if result["log"] is not None:
        log = result["log"]
        lost = f", {log['lost']:,} were forgotten before" if log["lost"] else ""
        lines.append(
            f"log: {log['path']}, {log['records']:,} steps{lost}; "
            f'"rnn-edge replay {result["bundle"]} --data {log["path"]}" holds it to the bits'
        )
    if not frames and status is not None and status["mode"] == "sensor":
        lines.append(
            "no frame came: nothing pushes frames of a sensor yet (docs/firmware.md); "
            "--feed test feeds frames of the bundle"
        )
    return lines
