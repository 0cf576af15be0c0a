"""What is heard, as lines of text or of JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import click

from rnn_edge.live.listening import Listener
from rnn_edge.types import Array


def clock(time_s: float) -> str:
    """Return a time of a stream: 00:03.42, or 1:00:03.42."""
    minutes, seconds = divmod(math.floor(time_s * 100.0 + 0.5), 6000)
    hours, minutes = divmod(minutes, 60)
    return f"{f'{hours}:' if hours else ''}{minutes:02d}:{seconds // 100:02d}.{seconds % 100:02d}"


def title(listener: Listener) -> str:
    """Return what is listened to, and how."""
    chosen = (
        "limits that treat all keywords alike"
        if listener.per_hour is None
        else f"limits for {listener.per_hour:g} false accepts per hour"
    )
    return f"{listener.model} listens to {listener.source}, with {chosen}"


class TextLines:
    """A line for every detection, and for what is most likely every so often.

    Args:
        every_s: Seconds of the stream between two lines of probabilities; 0 for none.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._due_s = every_s
        self._keywords: list[tuple[int, str]] = []

    def begin(self, listener: Listener) -> None:
        """Write what is listened to."""
        self._keywords = _keywords(listener)
        click.echo(title(listener))

    def frame(self, time_s: float, means: Array) -> None:
        """Write the three likeliest keywords where it is time to."""
        if not self._every_s or time_s < self._due_s:
            return
        self._due_s += self._every_s
        best = sorted(self._keywords, key=lambda found: -means[found[0]])[:3]
        cells = "  ".join(f"{label} {means[k]:.2f}" for k, label in best)
        click.echo(f"{clock(time_s)}  {cells}")

    def event(self, event: Mapping[str, Any]) -> None:
        """Write what begins or ends."""
        verb = "begins" if event["event"] == "begin" else "ends"
        click.echo(f"{clock(event['time_s'])}  {event['label']} {verb}, score {event['score']:.2f}")

    def end(self) -> None:
        """Everything is written."""


class JsonLines:
    """The events of `rnn-edge run`, and the probabilities every so often, a line of JSON each.

    Args:
        every_s: As of `TextLines`.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._due_s = every_s
        self._keywords: list[tuple[int, str]] = []

    def begin(self, listener: Listener) -> None:
        """Write what is listened to."""
        self._keywords = _keywords(listener)
        _write(
            {
                "event": "started",
                "model": listener.model,
                "source": listener.source,
                "labels": list(listener.labels),
                "thresholds": list(listener.thresholds),
                "false_accepts_per_hour": listener.per_hour,
                "frame_rate_hz": listener.frame_rate_hz,
            }
        )

    def frame(self, time_s: float, means: Array) -> None:
        """Write the probabilities where it is time to."""
        if not self._every_s or time_s < self._due_s:
            return
        self._due_s += self._every_s
        found = {label: float(means[k]) for k, label in self._keywords}
        _write({"event": "probabilities", "time_s": time_s, "means": found})

    def event(self, event: Mapping[str, Any]) -> None:
        """Write an event."""
        _write(event)

    def end(self) -> None:
        """Everything is written."""


def _keywords(listener: Listener) -> list[tuple[int, str]]:
    """Return output and label of everything that is ever detected."""
    found = zip(listener.labels, listener.thresholds, strict=True)
    return [(k, label) for k, (label, limit) in enumerate(found) if limit is not None]


def _write(event: Mapping[str, Any]) -> None:
    click.echo(json.dumps(dict(event), allow_nan=False))
