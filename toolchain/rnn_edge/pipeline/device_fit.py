"""Which devices a bundle's model fits, by how much, and how long a step may take there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnn_edge.engines.base import EngineSource
from rnn_edge.exporters.c_source import sources_in
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.device_app import app_config, with_front_end
from rnn_edge.pipeline.device_needs import Need
from rnn_edge.pipeline.device_remedies import fitting_hidden, fitting_log, ways_to_fit
from rnn_edge.pipeline.device_timing import (
    BASIS,
    InstructionCounter,
    StepCount,
    bound_us,
    step_us,
)
from rnn_edge.pipeline.kept_needs import kept_need
from rnn_edge.spec import DeviceSpec, all_devices
from rnn_edge.types import QuantizedModel
from rnn_edge.types.c_choices import CChoices


@dataclass(frozen=True)
class DeviceFit:
    """A model on a device.

    Attributes:
        device: The device.
        need: What the model takes there.
        flash_bytes: What the device has; None where an operating system loads programs.
        ram_bytes: What it has.
        count: Instructions of a step, or why they are not known.
        hidden: Units of each layer with which a model that lacks memory would fit; None where it
            lacks none, or where one unit is still too many.
        log_records: Steps in the log of its application with which it would fit as it is; None
            where it lacks no memory, or where a shorter log is not enough.
    """

    device: DeviceSpec
    need: Need
    flash_bytes: int | None
    ram_bytes: int
    count: StepCount | str
    hidden: int | None
    log_records: int | None

    @property
    def flash_left(self) -> int | None:
        """Bytes of flash that stay free, negative where they lack; None without a flash."""
        if self.flash_bytes is None or self.need.flash_bytes is None:
            return None
        return self.flash_bytes - self.need.flash_bytes

    @property
    def ram_left(self) -> int:
        """Bytes of RAM that stay free, negative where they lack."""
        return self.ram_bytes - self.need.ram_bytes

    @property
    def has_memory(self) -> bool:
        """Whether neither flash nor RAM lacks."""
        return self.ram_left >= 0 and (self.flash_left is None or self.flash_left >= 0)

    @property
    def fits(self) -> bool:
        """Whether nothing lacks, of the place of the stack neither."""
        return self.has_memory and not self.need.stack_over

    @property
    def step_us(self) -> float | None:
        """Time of a step in microseconds, or None where there is no basis for one."""
        clock = self.device.clock_hz
        if isinstance(self.count, str) or clock is None:
            return None
        return step_us(self.count, clock)

    @property
    def bound_us(self) -> float | None:
        """Time that no step is beyond in microseconds, or None where there is no basis for one."""
        clock = self.device.clock_hz
        if isinstance(self.count, str) or clock is None:
            return None
        numbers = {} if self.device.board is None else self.device.board.numbers
        return bound_us(self.count, clock, numbers.get("uart_baud", 0))

    def ways(self, hidden_now: int) -> str:
        """Return in words what a spec could say for a model to fit that lacks memory.

        Args:
            hidden_now: Units that each of its layers has.
        """
        return ways_to_fit(self.hidden, hidden_now, self.log_records, self.need.log_records)

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values; without a basis there is no time."""
        time = self.step_us
        count = None if isinstance(self.count, str) else asdict(self.count)
        return {
            "device": self.device.name,
            "title": self.device.title,
            "fits": self.fits,
            "flash_bytes": self.flash_bytes,
            "ram_bytes": self.ram_bytes,
            "need": {
                **asdict(self.need),
                "flash_bytes": self.need.flash_bytes,
                "ram_bytes": self.need.ram_bytes,
                "variables": dict(self.need.variables),
            },
            "flash_left_bytes": self.flash_left,
            "ram_left_bytes": self.ram_left,
            "count": count,
            "no_count": self.count if isinstance(self.count, str) else None,
            "step": None
            if time is None
            else {"us": time, "bound_us": self.bound_us, "basis": BASIS},
            "hidden": self.hidden,
            "log_records": self.log_records,
        }


def fit_bundle(
    bundle: Bundle,
    names: Sequence[str] | None = None,
    tell: Callable[[str, int, int], None] = lambda name, k, count: None,
) -> list[DeviceFit]:
    """Return how the model of a bundle fits devices.

    Args:
        bundle: A finished bundle.
        names: Of the devices; None for every one.
        tell: Called with device, index and count before each.

    Returns:
        First where it fits, the smallest flash and then the smallest RAM first.

    Raises:
        RnnEdgeError: If the bundle has no exported C, it does not compile, or an emulator fails.
    """
    devices = all_devices()
    model, spec = bundle.model(), bundle.spec()
    chosen = [device for name, device in devices.items() if names is None or name in names]
    is_resetting = spec.reset.policy != "never"
    needs: dict[Hashable, Need] = {}
    rows = []
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as work:
        source = EngineSource(bundle.float_model(), model, bundle.exports, Path(work), bundle.path)
        policy, choices = spec.reset.resolved(model.task), spec.c.choices()
        counter = InstructionCounter(source, devices, policy, choices)
        for k, device in enumerate(chosen):
            tell(device.name, k, len(chosen))
            made = _made(device)
            if made not in needs:
                app, exports = app_config(bundle, device.name), bundle.exports
                needs[made] = kept_need(
                    device,
                    model,
                    with_front_end(sources_in(model, exports), app, model.name, exports),
                    is_resetting=is_resetting,
                    app=app,
                    choices=choices,
                )
            rows.append(_fit(device, model, needs[made], counter.count(device), choices))
    return sorted(rows, key=_order)


def _made(device: DeviceSpec) -> Hashable:
    """Return all that the bytes of a model depend on; devices of one kind are compiled once."""
    memory = device.memory
    place = memory and (memory.flash_origin, memory.ram_origin, memory.stack_bytes)
    # An image tells the name of its device.
    return device.template, device.build, place, device.board and device.name


def _fit(
    device: DeviceSpec,
    model: QuantizedModel,
    need: Need,
    count: StepCount | str,
    choices: CChoices,
) -> DeviceFit:
    ram = device.ram_bytes or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    row = DeviceFit(device, need, device.flash_bytes, ram, count, None, None)
    if row.has_memory:
        return row
    flash_over = 0 if row.flash_left is None else -row.flash_left
    over = (flash_over, -row.ram_left)
    hidden = fitting_hidden(device, model, *over, need.state_copies, choices)
    records = fitting_log(model, need, *over)
    return DeviceFit(device, need, device.flash_bytes, ram, count, hidden, records)


def _order(row: DeviceFit) -> tuple[bool, bool, int, int, str]:
    flash = row.flash_bytes
    return not row.fits, flash is None, flash or 0, row.ram_bytes, row.device.name
