"""Instructions of a step on a device's instruction set, and what time they suggest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_edge.engines import device as emulation
from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.service import ServiceEngine
from rnn_edge.errors import EngineError, MissingDependencyError, ModelError
from rnn_edge.firmware.footprint import standing_in
from rnn_edge.quantize import quantize_input
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import QuantizedModel
from rnn_edge.types.arrays import Array

BASIS = "estimated from instruction counts, no wait states"
STEPS = 64
SEED = 11


@dataclass(frozen=True)
class StepCount:
    """Instructions that an emulator counted.

    Attributes:
        instructions: Of a step, the mean.
        most_instructions: Of the longest step.
        counted_on: The emulated device.
    """

    instructions: float
    most_instructions: float
    counted_on: str


def count_frames(model: QuantizedModel) -> Array:
    """Return int16 (T, D): the normal deviates that normalised features are like, seeded."""
    generator = np.random.Generator(np.random.PCG64(SEED))
    x = generator.standard_normal((STEPS, model.inputs)).astype(np.float32)
    return quantize_input(x, model.input_exponent)


class InstructionCounter:
    """Counts the instructions of a model's steps, once for each way to compile it.

    Args:
        source: The model and its exported C.
        devices: Every device by name.
    """

    def __init__(self, source: EngineSource, devices: Mapping[str, DeviceSpec]) -> None:
        self._source = source
        self._devices = devices
        self._found: dict[tuple[str, tuple[str, ...]], StepCount | str] = {}

    def count(self, device: DeviceSpec) -> StepCount | str:
        """Return the instructions of a step of a device, or why they are not known.

        Raises:
            EngineError: If the export is not there or does not compile, or the emulator fails.
        """
        name = device.name if device.emulator is not None else device.counted_on
        if name is None or device.build is None:
            return "nothing emulates its instructions"
        key = (name, device.build.flags)
        if key not in self._found:
            self._found[key] = self._counted(device, self._devices[name])
        return self._found[key]

    def _counted(self, device: DeviceSpec, counter: DeviceSpec) -> StepCount | str:
        if counter.emulator is None or counter.memory is None or device.build is None:
            raise EngineError(f"Device {counter.name} has no emulator to count in.")
        try:
            engine = emulation.open_engine(
                standing_in(counter, device.build, counter.memory), self._source
            )
        except MissingDependencyError as error:
            return error.message
        except ModelError:
            return f"the model does not fit {counter.name}, which counts"
        if not isinstance(engine, ServiceEngine):
            raise EngineError(f"Engine of {counter.name} counts nothing.")
        with engine:
            engine.run(count_frames(self._source.model))
            counters = engine.counters()
        factor = counter.emulator.instructions_per_tick
        return StepCount(
            counters.ticks * factor / counters.steps, counters.most_ticks * factor, counter.name
        )


def step_us(count: StepCount, clock_hz: int) -> float:
    """Return the time of a step in microseconds, with one instruction in each cycle."""
    return 1e6 * count.instructions / clock_hz
