"""Instructions of a step on a device's instruction set, and what time they suggest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rnn_edge.cache import cache_folder
from rnn_edge.engines import device as emulation
from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.board import Place
from rnn_edge.engines.link_engine import exported_sources
from rnn_edge.errors import DeviceError, EngineError, MissingDependencyError, ModelError
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_arrays import c_matrix
from rnn_edge.exporters.c_source import EXPORTER, has_library_of_today
from rnn_edge.firmware.baremetal import recipe
from rnn_edge.firmware.footprint import standing_in
from rnn_edge.firmware.program import LINK, plan_of, serving
from rnn_edge.pipeline.files import explained, write_json
from rnn_edge.pipeline.stress_models import stress_batches, stress_models, stress_policy
from rnn_edge.quantize import quantize_input
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import QuantizedModel
from rnn_edge.types.arrays import Array
from rnn_edge.types.c_choices import DEFAULT, CChoices
from rnn_edge.types.resets import ResetPolicy

BASIS = "estimated from instruction counts, no wait states"
STEPS = 64
SEED = 11
MARGIN = 0.005
"""Of the longest step that was found with all units on one path. One in a hundred of those steps is
within 0.2 % of the longest, so that none that was not found is far above it."""
WIDE_ROW_INSTRUCTIONS = 16
"""By which a row of a matrix in the wide form may take longer: its shift of 64 bits depends on the
row's own number."""
BYTE_CYCLES = 100
"""More than the interrupt of a byte that came takes, with what the processor does by itself."""
BITS_OF_A_BYTE = 10
OTHER_KERNELS = "its C has the kernels of another version; build it again, and they are counted"
"""Why steps of an older export are not."""
KEPT = "counts-2"
"""Folder of the cache; another number where other frames are counted."""

Batch = tuple[Mapping[str, Array] | None, Array]
"""A state to begin with, None for zeros, and frames int16 (T, D)."""


@dataclass(frozen=True)
class StepCount:
    """Instructions that an emulator counted.

    Attributes:
        instructions: Of a step, the mean.
        most_instructions: Of the longest step.
        bound_instructions: No step takes more, whatever frame and state: counted with all units on
            the longest path at once, without interrupts.
        counted_on: The emulated device.
    """

    instructions: float
    most_instructions: float
    bound_instructions: float
    counted_on: str


def count_frames(model: QuantizedModel) -> Array:
    """Return int16 (T, D): the normal deviates that normalised features are like, seeded."""
    generator = np.random.Generator(np.random.PCG64(SEED))
    x = generator.standard_normal((STEPS, model.inputs)).astype(np.float32)
    return quantize_input(x, model.input_exponent)


class InstructionCounter:
    """Counts the instructions of a model's steps, once for each way to compile it.

    What was counted is kept in the cache of the user, by all that it depends on.

    Args:
        source: The model and its exported C.
        devices: Every device by name.
        policy: What the C was exported with.
        choices: How the C was exported.
    """

    def __init__(
        self,
        source: EngineSource,
        devices: Mapping[str, DeviceSpec],
        policy: ResetPolicy,
        choices: CChoices = DEFAULT,
    ) -> None:
        self._source = source
        self._devices = devices
        self._policy = policy
        self._choices = choices
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
        if not has_library_of_today(self._source.exports):
            # The longest step is counted with today's kernels, and would be that of another image.
            return OTHER_KERNELS
        place = Place(standing_in(counter, device.build, counter.memory))
        model = self._source.model
        try:
            mean, most = _ticks(place, self._source, [(None, count_frames(model))])
            bound = sum(self._longest(place, k, stress) for k, stress in self._stress())
        except MissingDependencyError as error:
            return error.message
        except (DeviceError, ModelError):
            return f"the model does not fit {counter.name}, which counts"
        factor = counter.emulator.instructions_per_tick
        wide = sum(
            len(matrix.weight)
            for name, matrix in model.matrices.items()
            if not c_matrix(matrix, name).is_narrow
        )
        return StepCount(
            mean * factor,
            most * factor,
            bound * factor * (1 + MARGIN) + wide * WIDE_ROW_INSTRUCTIONS,
            counter.name,
        )

    def _stress(self) -> Iterable[tuple[int, QuantizedModel]]:
        return enumerate(stress_models(self._source.model))

    def _longest(self, place: Place, k: int, stress: QuantizedModel) -> int:
        """Return the most ticks of a step of a layer, one more than was read."""
        folder = self._source.work / f"stress{k}"
        with explained(f"Writing the C of layer {k}"):
            folder.mkdir(parents=True, exist_ok=True)
        policy = stress_policy(self._policy)
        exported = ExportSource(self._source.float_model, stress, reset=policy, c=self._choices)
        EXPORTER.export(exported, folder)
        source = replace(self._source, model=stress, exports=folder)
        _, most = _ticks(place, source, list(stress_batches(stress)))
        return most + 1


def _ticks(place: Place, source: EngineSource, batches: Iterable[Batch]) -> tuple[float, int]:
    """Return the mean and the most ticks of a step, counted now or before."""
    how = serving(recipe(place.device), source.model, LINK)
    plan = plan_of(how, source.model.name, exported_sources(source), source.work)
    kept = cache_folder() / KEPT / f"{plan.output.stem}.json"
    if (found := _kept(kept)) is not None:
        return found
    with emulation.open_imitated(place, source) as engine:
        for state, frames in batches:
            engine.reset(state)
            engine.run_deployed(frames)
        counters = engine.counters()
    mean = counters.ticks / counters.steps
    with explained(f"Writing {kept}"):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_json(kept, {"mean": mean, "most": counters.most_ticks})
    return mean, counters.most_ticks


def _kept(path: Path) -> tuple[float, int] | None:
    """Return what was counted before; what cannot be read is counted again."""
    try:
        found = json.loads(path.read_text())
        return float(found["mean"]), int(found["most"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def step_us(count: StepCount, clock_hz: int) -> float:
    """Return the time of a step in microseconds, with one instruction in each cycle."""
    return 1e6 * count.instructions / clock_hz


def bound_us(count: StepCount, clock_hz: int, baud: int) -> float:
    """Return the time of the longest step in microseconds, with one instruction in each cycle.

    Args:
        count: What was counted.
        clock_hz: Of the processor.
        baud: Of the link: so often, divided by ten, a byte interrupts the step; 0 for never.
    """
    interrupted = baud / BITS_OF_A_BYTE * BYTE_CYCLES / clock_hz
    return 1e6 * count.bound_instructions / clock_hz / (1 - interrupted)
