"""Listening to one source with a keyword model, for somebody who watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from rnn_edge.errors import DataError
from rnn_edge.live.counts import Counts
from rnn_edge.live.keyword_rule import LiveKeywords
from rnn_edge.live.lane import Stepped
from rnn_edge.live.opening import SourceRequest, open_lane, open_source
from rnn_edge.live.service import compiled_models
from rnn_edge.live.stream import Stream, StreamOptions
from rnn_edge.live.told import Teller
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.detections import bundle_limits
from rnn_edge.types import Array


@dataclass(frozen=True)
class Listener:
    """What somebody who watches has to know first.

    Attributes:
        model: Name of the model.
        source: What is listened to.
        labels: Of the outputs.
        thresholds: Mean probability from which each is heard; None for one that never is.
        per_hour: False accepts per hour that the thresholds were chosen for, or None.
        frame_rate_hz: Frames per second.
    """

    model: str
    source: str
    labels: tuple[str, ...]
    thresholds: tuple[float | None, ...]
    per_hour: float | None
    frame_rate_hz: float


class View(Protocol):
    """Shows what is heard."""

    def begin(self, listener: Listener) -> None:
        """Show what is listened to."""

    def frame(self, time_s: float, means: Array) -> None:
        """Show the smoothed probability of each output, float64 (C,)."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Show an event as `rnn-edge run` tells it."""


@dataclass(frozen=True)
class ListenRequest:
    """What a command line says.

    Attributes:
        source: Where sound comes from.
        engine: Name of the engine.
        steps: Frames after which it ends; None for as many as there are.
    """

    source: SourceRequest
    engine: str = "c"
    steps: int | None = None


class _Events:
    """An outlet of the stream that passes every event on."""

    def __init__(self, view: View) -> None:
        self._view = view

    def send(self, event: Mapping[str, Any]) -> None:
        self._view.event(event)

    def close(self) -> None:
        """Nothing waits here."""


def listen(
    bundle: Bundle, request: ListenRequest, view: View, say: Callable[[str], None]
) -> Counts:
    """Listen until the source ends, with the features, engine and rule of `rnn-edge run`.

    Args:
        bundle: Of a keyword model.
        request: What to listen to.
        view: Shows what is heard.
        say: Told what goes wrong with single samples.

    Raises:
        DataError: If the model does not detect keywords, or the source is no sound.
        RnnEdgeError: If something cannot be opened, or fails.
    """
    if bundle.spec().model.task != "kws":
        raise DataError(
            f"Bundle {bundle.path} detects anomalies; listening is for keywords.",
            "use: rnn-edge run",
        )
    tell, counts = Teller(say), Counts()
    with ExitStack() as opened:
        lane = open_lane(bundle, request.engine, compiled_models())
        opened.callback(lane.close)
        source = open_source(bundle, lane.parts.front_end, request.source, tell)
        opened.callback(source.close)
        rule, front_end = lane.parts.rule, lane.parts.front_end
        assert isinstance(rule, LiveKeywords)
        kept = bundle_limits(bundle, lane.model)
        view.begin(
            Listener(
                lane.model.name,
                source.name,
                lane.model.labels,
                tuple(
                    None if each is None else each.threshold / (each.frames * 32768.0)
                    for each in rule.numbers.keywords
                ),
                None if kept is None else kept.per_hour,
                front_end.frame_rate_hz,
            )
        )
        options = StreamOptions(steps=request.steps)
        stream = Stream(lane, source, [_Events(view)], None, options, counts, tell)
        # A decision is there when its frame's last sample is.
        window_s = front_end.config.window_samples / front_end.sample_rate_hz

        def show(step: int, stepped: Stepped) -> None:
            del stepped
            view.frame(step / front_end.frame_rate_hz + window_s, rule.means())

        stream.on_frame = show
        opened.pop_all()
    stream.begin(None)
    stream.run()
    return counts
