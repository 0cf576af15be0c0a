"""Whether a device computes what the integer reference computes, and what that takes it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.engines.board import Place
from rnn_edge.engines.link_engine import LinkEngine
from rnn_edge.errors import DataError, ParityError
from rnn_edge.links.messages import LinkCounters
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.device_timing import count_frames
from rnn_edge.pipeline.replay import open_stream
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import IntegerReference
from rnn_edge.replay import compare_bits
from rnn_edge.types import Array, QuantizedModel, Trace
from rnn_edge.types.replay import ParityRow

STEPS = 200
NORMAL_DEVIATES = "normal deviates, seeded"
SAVED = "saved state"


@dataclass(frozen=True)
class ProofFrames:
    """What a device is proven on.

    Attributes:
        x: int16 (T, D).
        source: Where they come from.
        clipped: How many of them have a value beyond what the model's input holds.
    """

    x: Array
    source: str
    clipped: int = 0


def proof_frames(bundle: Bundle, data: Path | None, steps: int = STEPS) -> ProofFrames:
    """Return frames of a bundle's own stream, or normal deviates where it has none with it.

    Args:
        bundle: A finished bundle.
        data: Recordings in the layout of the bundle's spec; None for those of the build.
        steps: How many.

    Raises:
        DataError: If there are no such recordings.
    """
    model = bundle.model()
    try:
        stream, source = open_stream(bundle, data, None, steps)
    except DataError:
        if data is not None:
            raise
        deviates = count_frames(model)
        whole = np.tile(deviates, (-(-steps // len(deviates)), 1))
        return ProofFrames(whole[:steps], NORMAL_DEVIATES)
    return ProofFrames(quantize_input(stream.frames[:steps], model.input_exponent), source)


@dataclass(frozen=True)
class StepTime:
    """What a step takes.

    Attributes:
        unit: What was counted: "instructions" of an imitated processor, "cycles" of a board.
        mean: Of the unit, in a step.
        most: In the slowest step.
        clock_hz: Cycles per second of the device; None where that is not known.
        counted_on: "emulator", "simulator" or "board".
    """

    unit: str
    mean: float
    most: float
    clock_hz: int | None
    counted_on: str

    @property
    def mean_us(self) -> float | None:
        """Microseconds, with one cycle for each of the unit; None without a clock."""
        return None if self.clock_hz is None else 1e6 * self.mean / self.clock_hz

    @property
    def most_us(self) -> float | None:
        """The same of the slowest step."""
        return None if self.clock_hz is None else 1e6 * self.most / self.clock_hz

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "mean_us": self.mean_us, "most_us": self.most_us}


@dataclass(frozen=True)
class DeviceProof:
    """What a device gave beside what it had to give.

    Attributes:
        steps: That were compared, never reset.
        source: Where their frames come from.
        rows: A row for the outputs, each state, and the state that was saved at the end.
        counters: What the device has counted.
        time: What a step took; None where the device counts nothing.
    """

    steps: int
    source: str
    rows: tuple[ParityRow, ...]
    counters: LinkCounters
    time: StepTime | None

    @property
    def is_equal(self) -> bool:
        """Whether no bit differs."""
        return not any(row.differing for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "steps": self.steps,
            "source": self.source,
            "is_equal": self.is_equal,
            "rows": [row.to_json() for row in self.rows],
            "counters": asdict(self.counters),
        }

    def refuse_differences(self, what: str) -> None:
        """Raise if a bit differs.

        Args:
            what: The device, for the message.

        Raises:
            ParityError: Naming what differs, and from which step on.
        """
        wrong = [
            f"{row.tensor}: {row.differing:,} values differ by up to {row.max_lsb} LSB, first at "
            f"step {row.first_step}"
            for row in self.rows
            if row.differing
        ]
        if wrong:
            raise ParityError(
                f"{what} does not compute what the integer reference computes: {'; '.join(wrong)}.",
                "this is a fault of the firmware, its compiler or the chip; the bundle was not "
                "proven on it",
            )


def prove(
    engine: LinkEngine, place: Place, model: QuantizedModel, frames: ProofFrames
) -> DeviceProof:
    """Step a device from zero and hold every output and state to the integer reference.

    Args:
        engine: Speaks to it.
        place: Where it is.
        model: The model that it serves.
        frames: What it is stepped over.

    Raises:
        LinkError: If it does not answer any more.
    """
    before = engine.counters()
    engine.reset()
    trace = engine.run(frames.x)
    saved = engine.state()
    counters = engine.counters()
    wanted = IntegerReference(model).run(frames.x[None])
    expected = Trace(wanted.outputs[0], {name: value[0] for name, value in wanted.states.items()})
    rows = list(compare_bits(place.engine, expected, trace, 0))
    last = Trace(expected.outputs[-1:], {n: value[-1:] for n, value in expected.states.items()})
    found = Trace(trace.outputs[-1:], {name: value[None] for name, value in saved.items()})
    rows += [
        ParityRow(row.engine, f"{SAVED} {row.tensor}", *_at(row, len(frames.x)))
        for row in compare_bits(place.engine, last, found, 0)
        if row.tensor != "y"
    ]
    return DeviceProof(
        steps=len(frames.x),
        source=frames.source,
        rows=tuple(rows),
        counters=counters,
        time=step_time(place, before, counters),
    )


def _at(row: ParityRow, steps: int) -> tuple[int, int, int, int | None]:
    """Return a row's figures with its one step as the last of so many."""
    return 1, row.differing, row.max_lsb, None if row.first_step is None else steps - 1


def step_time(place: Place, before: LinkCounters, after: LinkCounters) -> StepTime | None:
    """Return what a step took a device between two looks at its counters."""
    steps, ticks = after.steps - before.steps, after.ticks - before.ticks
    if steps <= 0 or ticks <= 0:
        return None
    factor, unit, counted_on = counted(place)
    return StepTime(
        unit, ticks * factor / steps, after.most_ticks * factor, place.device.clock_hz, counted_on
    )


def counted(place: Place) -> tuple[float, str, str]:
    """Return what a tick of a device's counter is, its unit, and where that was counted."""
    device = place.device
    if device.emulator is not None:
        return device.emulator.instructions_per_tick, "instructions", "emulator"
    if place.is_simulated and device.simulator is not None:
        return device.simulator.instructions_per_tick, "instructions", "simulator"
    return 1.0, "cycles", "board"
