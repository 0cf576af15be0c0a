"""Measures engines in turns, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from rnn_edge.profiling.conditions import frequency_mhz, power_sensor, temperature_c
from rnn_edge.profiling.figures import (
    MS,
    US,
    histogram_of,
    models_per_core,
    per_second,
    rate_of,
    times_of,
)
from rnn_edge.profiling.rails import RailMeter
from rnn_edge.profiling.subject import Clock, Energy, Memory, Paced, Round, Subject
from rnn_edge.types import Array
from rnn_edge.types.drift import Estimate

ENERGY_S = 2.0
"""Of stepping, and of sleeping before, while the sensor is read."""
Tell = Callable[[str, int, int], None]
"""(what, done, total)."""


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes:
        rounds: Of every engine, one after the other in turns.
        steps: Of a round, flat out.
        warm_up: Steps before the first round, which count for nothing.
        paced_s: Seconds of the stream that each engine steps in real time.
        starts: Cold starts of every engine.
    """

    rounds: int = 10
    steps: int = 2000
    warm_up: int = 500
    paced_s: float = 3.0
    starts: int = 10

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass
class Samples:
    """What was measured of one engine.

    Attributes:
        clock: What time was taken with.
        version: Of the runtime.
        rounds: Flat out.
        paced: In real time; none where the time was too short.
        starts: Seconds from before each start to the first result.
        memory: After all rounds.
        energy: Where the machine has a sensor of power.
    """

    clock: Clock
    version: str
    rounds: list[Round] = field(default_factory=list)
    paced: list[Paced] = field(default_factory=list)
    starts: list[Array] = field(default_factory=list)
    memory: Memory | None = None
    energy: Energy | None = None


@dataclass(frozen=True)
class Moment:
    """A look at the processor between two rounds.

    Attributes:
        at_s: Since the first round.
        round: Which one has ended.
        temperature_c: None where the machine does not say.
        frequency_mhz: None where the machine does not say.
    """

    at_s: float
    round: int
    temperature_c: float | None
    frequency_mhz: float | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def paced_steps(settings: Settings, frame_rate_hz: float) -> int:
    """Return the steps of a paced round; 0 where the time is too short for one in each round."""
    return int(settings.paced_s * frame_rate_hz / settings.rounds)


def measure(
    subjects: Sequence[Subject],
    settings: Settings,
    frame_rate_hz: float,
    tell: Tell,
    meter: RailMeter | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[dict[str, Samples], list[Moment]]:
    """Measure engines that have their frames; return what was measured by name, and the moments.

    Args:
        subjects: At least one; the first also says how the machine is.
        settings: How much.
        frame_rate_hz: Of the stream.
        tell: Progress.
        meter: Of the machine's rails, read where no sensor is in its supply; None for none.
        clock: Seconds, rising.

    Raises:
        EngineError: If one of them fails.
    """
    found = {each.name: Samples(each.about.clock, each.about.version) for each in subjects}
    for subject in subjects:
        if settings.warm_up:
            subject.round(settings.warm_up)
    watched, start = subjects[0], clock()
    moments = [_moment(watched, 0.0, 0)]
    steps = paced_steps(settings, frame_rate_hz)
    for k in range(settings.rounds):
        tell("rounds", k, settings.rounds)
        # Whoever comes after a heavy one finds other caches: every one comes first in its turn.
        for j in range(len(subjects)):
            subject = subjects[(k + j) % len(subjects)]
            samples = found[subject.name]
            samples.rounds.append(subject.round(settings.steps))
            if steps:
                samples.paced.append(subject.paced(steps, 1.0 / frame_rate_hz))
        moments.append(_moment(watched, clock() - start, k + 1))
    sensor = power_sensor(watched.read)
    for k, subject in enumerate(subjects):
        if sensor is None and meter is None:
            break
        tell("energy", k, len(subjects))
        if sensor is not None:
            found[subject.name].energy = subject.energy(sensor, ENERGY_S)
        elif meter is not None:
            found[subject.name].energy = meter.energy(subject, ENERGY_S, 1.0 / frame_rate_hz)
    for k in range(settings.starts):
        tell("cold starts", k, settings.starts)
        for subject in subjects:
            found[subject.name].starts.append(subject.cold(1))
    for subject in subjects:
        found[subject.name].memory = subject.memory()
    return found, moments


def _moment(subject: Subject, at_s: float, index: int) -> Moment:
    return Moment(at_s, index, temperature_c(subject.read), frequency_mhz(subject.read))


def figures_of(samples: Samples, frame_rate_hz: float) -> dict[str, Any]:
    """Return what was measured of an engine as plain values.

    Args:
        samples: Of at least one round.
        frame_rate_hz: Of the stream.
    """
    taken = [part.taken_s for part in samples.rounds]
    counts = [len(part) for part in taken]
    seconds = per_second(taken, frame_rate_hz)
    # Without what other processes took of the core in between.
    able = rate_of(counts, [part.cpu_s for part in samples.rounds])
    memory = samples.memory
    return {
        "version": samples.version,
        "clock": asdict(samples.clock),
        "step_us": times_of(taken, US).to_json(),
        "per_second_ms": None if seconds is None else times_of(seconds, MS).to_json(),
        "steps_per_second": asdict(rate_of(counts, [part.elapsed_s for part in samples.rounds])),
        "models_per_core": models_per_core(able, frame_rate_hz),
        "core_share": _share(able, frame_rate_hz),
        "histogram": histogram_of(taken).to_json(),
        "by_round": [
            {"p50_us": float(np.median(part)) * US, "p99_us": float(np.quantile(part, 0.99)) * US}
            for part in taken
        ],
        "paced": _paced(samples, 1.0 / frame_rate_hz),
        "cold_start_ms": times_of(samples.starts, MS).to_json() if samples.starts else None,
        "memory": None if memory is None else asdict(memory),
        "energy": None
        if samples.energy is None
        else {**asdict(samples.energy), "step_uj": samples.energy.step_j * US},
    }


def _share(able: Estimate, frame_rate_hz: float) -> dict[str, float]:
    """Return what a stream takes of a core that is able to do so many steps a second."""
    ends = (able.value, able.high, able.low)
    return asdict(Estimate(*(frame_rate_hz / end for end in ends)))


def _paced(samples: Samples, period_s: float) -> dict[str, Any] | None:
    if not samples.paced:
        return None
    answered = [part.answered_s for part in samples.paced]
    counts = [len(part) for part in answered]
    able = rate_of(counts, [part.cpu_s for part in samples.paced])
    return {
        "steps": sum(counts),
        "period_ms": period_s * MS,
        "missed": int(sum((part > period_s).sum() for part in answered)),
        "step_us": times_of([part.taken_s for part in samples.paced], US).to_json(),
        "answered_us": times_of(answered, US).to_json(),
        "core_share": _share(able, 1.0 / period_s),
    }
