"""What is heard, as bars that move in a terminal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rnn_edge.cli.listening_lines import clock, title
from rnn_edge.live.listening import Listener
from rnn_edge.types import Array

_RECENT = 6
_REFRESH_S = 1.0 / 15.0
_WIDEST, _NARROWEST = 60, 10
_BESIDE_BAR = 30
"""Columns that labels, figures and gaps take."""
_FULL, _EMPTY, _MARK = "█", "·", "│"


class Screen:
    """A bar for the smoothed probability of every output, and the last detections.

    A bar has a mark at the threshold of its keyword, and stands out while the keyword is detected.

    Args:
        console: The terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._listener: Listener | None = None
        self._means: Array | None = None
        self._time_s = 0.0
        self._drawn_s = 0.0
        self._active = ""
        self._counts: dict[str, int] = {}
        self._recent: deque[Text] = deque(maxlen=_RECENT)

    def begin(self, listener: Listener) -> None:
        """Begin to draw."""
        self._listener = listener
        self._live = Live(console=self._console, auto_refresh=False, get_renderable=self._drawing)
        self._live.start()

    def frame(self, time_s: float, means: Array) -> None:
        """Take the probabilities, and draw them where it is time to."""
        self._time_s, self._means = time_s, means
        now_s = time.monotonic()
        if now_s - self._drawn_s >= _REFRESH_S:
            self._draw(now_s)

    def event(self, event: Mapping[str, Any]) -> None:
        """Take what begins or ends, and draw it at once."""
        label, at = event["label"], clock(event["time_s"])
        if event["event"] == "begin":
            self._active = label
            self._counts[label] = self._counts.get(label, 0) + 1
            line = Text(f"{at}  {label}", style="bold green")
            self._recent.append(line.append(f"  {event['score']:.2f}", style="default"))
        else:
            self._active = ""
        self._draw(time.monotonic())

    def end(self) -> None:
        """Draw what was last, and leave it there."""
        if self._live is not None:
            self._live.refresh()
            self._live.stop()
            self._live = None

    def _draw(self, now_s: float) -> None:
        self._drawn_s = now_s
        if self._live is not None:
            self._live.refresh()

    def _drawing(self) -> Group:
        listener = self._listener
        if listener is None:
            return Group()
        head = Text(title(listener), style="bold", overflow="ellipsis", no_wrap=True)
        table = Table.grid(padding=(0, 1))
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        width = max(_NARROWEST, min(_WIDEST, self._console.width - _BESIDE_BAR))
        for k, label in enumerate(listener.labels):
            mean = 0.0 if self._means is None else float(self._means[k])
            threshold = listener.thresholds[k]
            if threshold is None:
                continue
            style = "bold green" if label == self._active else "cyan"
            count = self._counts.get(label, 0)
            table.add_row(
                Text(label, style=style if label == self._active else "default"),
                _bar(mean, threshold, width, style),
                f"{mean:.2f}",
                f"×{count}" if count else "",
            )
        foot = Text(f"{clock(self._time_s)}  {sum(self._counts.values())} detections", style="dim")
        return Group(head, table, foot, *self._recent)


def _bar(mean: float, threshold: float, width: int, style: str) -> Text:
    filled = round(min(max(mean, 0.0), 1.0) * width)
    mark = min(width - 1, int(threshold * width))
    bar = Text(_FULL * filled, style=style).append(_EMPTY * (width - filled), style="dim")
    plain = bar.plain
    return Text.assemble(
        bar[:mark], (_MARK if plain[mark] == _EMPTY else _FULL, "yellow"), bar[mark + 1 :]
    )
