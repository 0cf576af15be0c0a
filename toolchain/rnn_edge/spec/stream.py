"""Streams in `calibration/`: what models are replayed on, one table of keys per kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rnn_edge.spec.model import TaskName
from rnn_edge.spec.section import Natural, Section

MIN_STEPS = 10_000
"""Differences that build up show over a long stream only."""

MAX_STEPS = 100_000_000
"""Longest stream that a file may ask for: 23 days at 50 frames per second."""

MAX_HELD_STEPS = 10_000_000
"""Longest stream that a command may hold in memory as a whole, with every state of a run."""

Period = Annotated[int, Field(ge=2, le=1_000_000)]
Pattern = Literal["high", "low", "alternating", "random"]


class StreamSpec(Section):
    """Keys of every kind of stream; the state is never reset."""

    task: TaskName
    """The task it is made for."""

    split: Literal["train", "validation", "test"] = "test"
    """Part of the data that it is made of."""

    steps: Annotated[int, Field(ge=MIN_STEPS, le=MAX_STEPS)] = 20_000
    """Frames; a build, which proves its exports on whole recordings, takes the last one whole."""

    seed: Natural = 0
    """Seed of everything that is drawn."""

    @property
    def is_drawn(self) -> bool:
        """Whether another seed makes another stream."""
        return True


class RecordedStream(StreamSpec):
    """Sequences of the data, one after the other, each pass in another order."""

    kind: Literal["recorded"] = "recorded"
    """Recordings as they are; what a file without a kind means."""


class SyntheticStream(StreamSpec):
    """Frames that go on for ever with the data's own marginals and correlations."""

    kind: Literal["synthetic"]
    """Drawn from a vector autoregression that was fitted to the data."""

    order: Annotated[int, Field(ge=1, le=8)] = 1
    """Frames back that a frame depends on."""


class SilenceStream(StreamSpec):
    """One frame for ever: what the front end gives when nothing happens."""

    kind: Literal["silence"]
    """Level of the quietest frames (task "kws"), or every channel at its mean ("anomaly")."""

    @property
    def is_drawn(self) -> bool:
        """Never: a frame is as the one before."""
        return False


class SaturationStream(StreamSpec):
    """Inputs at the ends of their range, pattern after pattern."""

    kind: Literal["saturation"]
    """Every input is at -8 or at just below 8."""

    stretch: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    """Frames of a pattern before the next one begins."""

    patterns: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=16)] = (
        "high",
        "low",
        "alternating",
        "random",
    )
    """In turn: all inputs high, all low, every second one high, or each drawn anew per frame."""

    @property
    def is_drawn(self) -> bool:
        """Whether one of the patterns is."""
        return "random" in self.patterns


class _Periodic(StreamSpec):
    """Keys of the streams whose features have periods of their own."""

    shortest_period: Period = 2
    """Frames."""

    longest_period: Period = 5_000
    """Frames; after as many, every feature goes on to its next period."""

    periods: Annotated[int, Field(ge=1, le=64)] = 16
    """How many there are, evenly spaced on a logarithmic scale from the shortest to the longest."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.shortest_period > self.longest_period:
            raise ValueError(
                f"shortest_period = {self.shortest_period} is over longest_period = "
                f"{self.longest_period}"
            )
        return self


class StepsStream(_Periodic):
    """Every feature jumps from one level to another, each at a pace of its own."""

    kind: Literal["steps"]
    """A feature holds a level for its period; the next one is drawn."""

    levels: Annotated[int, Field(ge=2, le=1000)] = 5
    """Levels, evenly spaced from a feature's 1st to its 99th percentile."""


class SinesStream(_Periodic):
    """Every feature runs a sine, each of a period of its own."""

    kind: Literal["sines"]
    """From a feature's 1st to its 99th percentile."""


class AdversarialStream(StreamSpec):
    """The window of frames under which a model drifts most, again and again."""

    kind: Literal["adversarial"]
    """Found by a seeded search with the model at hand, so that it is another for every model."""

    window: Annotated[int, Field(ge=2, le=5_000)] = 100
    """Frames of the window."""

    population: Annotated[int, Field(ge=4, le=1_024)] = 32
    """Windows that are tried at once."""

    generations: Annotated[int, Field(ge=1, le=1_000)] = 40
    """How often; each begins with altered copies of the best windows so far."""

    between: Annotated[int, Field(ge=0, le=1_000_000)] = 500
    """Recorded frames between one window and the next; 0 repeats it end to end."""


STREAM_KINDS: dict[str, type[StreamSpec]] = {
    "recorded": RecordedStream,
    "synthetic": SyntheticStream,
    "silence": SilenceStream,
    "saturation": SaturationStream,
    "steps": StepsStream,
    "sines": SinesStream,
    "adversarial": AdversarialStream,
}
"""Every kind of stream and its keys."""

DEFAULT_KIND = "recorded"


def keys_of_kind(raw: dict[str, Any]) -> type[StreamSpec] | None:
    """Return the keys that a file's kind has, or None if there is no such kind."""
    kind = raw.get("kind", DEFAULT_KIND)
    return STREAM_KINDS.get(kind) if isinstance(kind, str) else None
