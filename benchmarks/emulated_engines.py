"""The C on emulated processors: bits against the reference, instructions, memory, speed.

    python benchmarks/emulated_engines.py [--cell gru] [--hidden 64] [--steps 2000] [--json]

Instructions are counted by the emulator and the same in every run. They are no cycles: QEMU knows
neither wait states nor how long a multiplication takes. Steps per second say how long an emulated
replay takes on this machine, and nothing about a board.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from host_engines import random_model

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.engines.link_engine import LinkEngine, exported_sources
from rnn_edge.errors import MissingDependencyError, ModelError
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.firmware.stack_prediction import image_with_bound
from rnn_edge.pipeline.device_timing import InstructionCounter
from rnn_edge.quantize import calibrate, quantize_input, quantize_model
from rnn_edge.reference import IntegerReference
from rnn_edge.spec import all_devices
from rnn_edge.types.resets import NEVER


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    float_model = random_model(arguments.cell, arguments.hidden, arguments.inputs)
    generator = np.random.Generator(np.random.PCG64(1))
    x = generator.normal(0, 1, (arguments.steps, arguments.inputs)).astype(np.float32)
    model = quantize_model(float_model, calibrate(float_model, x[None]))
    frames = quantize_input(x, model.input_exponent)
    expected = IntegerReference(model).run(frames[None])
    rows: dict[str, dict[str, Any]] = {}
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        exports = Path(folder)
        EXPORTER.export(ExportSource(float_model, model), exports)
        source = EngineSource(float_model, model, exports, exports / "work")
        counter = InstructionCounter(source, all_devices(), NEVER)
        for name, kind in all_engines().items():
            if not kind.is_emulated or name.startswith("simulated:"):
                continue
            try:
                engine = kind.open(source)
            except (MissingDependencyError, ModelError) as error:
                missing[name] = error.message
                continue
            assert isinstance(engine, LinkEngine)
            with engine:
                start = time.perf_counter()
                trace = engine.run(frames)
                elapsed = time.perf_counter() - start
                counters = engine.counters()
            differing = int((trace.outputs != expected.outputs[0]).sum()) + sum(
                int((value != expected.states[state][0]).sum())
                for state, value in trace.states.items()
            )
            rows[name] = {
                "differing": differing,
                "steps_per_second": round(arguments.steps / elapsed),
            }
            device = all_devices().get(name.removeprefix("device:"))
            if device is not None and device.emulator is not None:
                files = exported_sources(source)
                image, stack = image_with_bound(device, model, files, source.work)
                count = counter.count(device)
                factor = device.emulator.instructions_per_tick
                rows[name] |= {
                    "instructions": round(counters.ticks * factor / counters.steps),
                    "most_instructions": round(counters.most_ticks * factor),
                    "flash_bytes": image.flash_bytes,
                    "ram_bytes": image.ram_bytes,
                    "stack_bytes": counters.stack_bytes,
                    "stack_bound": stack if isinstance(stack, str) else stack.total_bytes,
                    "bound_instructions": count
                    if isinstance(count, str)
                    else round(count.bound_instructions),
                }
    return {
        "cell": arguments.cell,
        "hidden": arguments.hidden,
        "inputs": arguments.inputs,
        "steps": arguments.steps,
        "macs": model.macs,
        "engines": rows,
        "missing": missing,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="the C on emulated processors")
    parser.add_argument("--cell", choices=("gru", "lstm"), default="gru")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--inputs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    found = measure(arguments)
    if arguments.json:
        print(json.dumps(found))
        return
    print(
        f"{found['cell'].upper()}({found['hidden']}), {found['inputs']} inputs, "
        f"{found['macs']:,} multiply-adds, {found['steps']:,} steps, state never reset"
    )
    print(
        f"{'engine':<18}{'differing':>10}{'instructions':>14}{'most':>10}{'bound':>10}"
        f"{'flash B':>10}{'RAM B':>8}{'stack B':>9}{'bound':>7}{'steps/s':>9}"
    )
    for name, row in found["engines"].items():
        counted = (
            f"{row['instructions']:>14,}{row['most_instructions']:>10,}"
            f"{_number(row['bound_instructions']):>10}{row['flash_bytes']:>10,}"
            f"{row['ram_bytes']:>8,}{row['stack_bytes']:>9,}{_number(row['stack_bound']):>7}"
            if "instructions" in row
            else f"{'-':>14}{'-':>10}{'-':>10}{'-':>10}{'-':>8}{'-':>9}{'-':>7}"
        )
        print(f"{name:<18}{row['differing']:>10,}{counted}{row['steps_per_second']:>9,}")
    for name, why in found["missing"].items():
        print(f"{name:<18}not run: {why}")


def _number(value: int | str) -> str:
    """Return a number, or a dash for the reason why there is none."""
    return "-" if isinstance(value, str) else f"{value:,}"


if __name__ == "__main__":
    with explained_errors():
        main()
