"""Bundles on every device that is emulated or simulated here: bits, flash, RAM, stack and steps.

    python benchmarks/boards.py BUNDLE... [--devices NAME,...] [--steps 2000] [--json]

Each image is built, started, identified over the link, and steps frames of the bundle's own stream
without a reset. What was counted stands beside what was predicted before. Instructions are those of
an emulated or simulated processor: no cycles, and no measure of a board.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from rnn_edge.cli.scripts import explained_errors, positive
from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.board import Place
from rnn_edge.errors import DeviceError, MissingDependencyError, ModelError
from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.device_timing import InstructionCounter, StepCount
from rnn_edge.pipeline.flash import FlashRequest, flash_bundle
from rnn_edge.registry import lookup
from rnn_edge.spec import all_devices


def places(names: str | None) -> list[Place]:
    """Return the devices that are to be tried, those under QEMU first."""
    known = all_devices()
    devices = [lookup(known, name, "device") for name in (names.split(",") if names else known)]
    found = [
        *(Place(device) for device in devices if device.emulator is not None),
        *(Place(device, None, True) for device in devices if device.simulator is not None),
    ]
    if not found:
        raise DeviceError(
            f"Devices {names}: nothing emulates or simulates them; expected one that has either.",
            "see: rnn-edge devices list",
        )
    return found


def predicted(bundle: Bundle, place: Place) -> float | None:
    """Return the instructions that no step takes more of, counted before; None where nothing is."""
    spec, model = bundle.spec(), bundle.model()
    with tempfile.TemporaryDirectory() as work:
        source = EngineSource(bundle.float_model(), model, bundle.exports, Path(work), bundle.path)
        policy = spec.reset.resolved(model.task)
        count = InstructionCounter(source, all_devices(), policy).count(place.device)
    return count.bound_instructions if isinstance(count, StepCount) else None


def measure(bundle: Bundle, place: Place, steps: int) -> dict[str, Any]:
    """Return what a device gave, or why there is nothing."""
    request = FlashRequest(place, steps=steps)
    try:
        done = flash_bundle(bundle, request, lambda *told: None, lambda line: None)
    except (DeviceError, MissingDependencyError, ModelError) as error:
        return {"engine": place.engine, "missing": error.message}
    found = done.to_json()
    rows = found["parity"]["rows"]
    return {
        "engine": place.engine,
        "differing": sum(row["differing"] for row in rows),
        "seconds": done.seconds,
        "predicted": predicted(bundle, place),
        **{key: found[key] for key in ("flash", "ram", "stack", "step")},
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    lines = [
        "| engine | differing | flash | RAM | stack | predicted | instructions per step | most "
        "| predicted | s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if "missing" in row:
            lines.append(f"| `{row['engine']}` | {row['missing']} |" + " |" * 8)
            continue
        step, stack = row["step"], row["stack"]
        lines.append(
            f"| `{row['engine']}` | {row['differing']} | {row['flash']['bytes']:,} "
            f"| {row['ram']['bytes']:,} | {stack['bytes']:,} | {_number(stack['bound'])} "
            f"| {step['mean']:,.0f} | {step['most']:,.0f} | {_number(row['predicted'])} "
            f"| {row['seconds']:.0f} |"
        )
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE")
    parser.add_argument("--devices", metavar="NAME,...")
    parser.add_argument("--steps", type=positive, default=2000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    for folder in arguments.bundles:
        bundle = Bundle.open(folder)
        rows = [measure(bundle, place, arguments.steps) for place in places(arguments.devices)]
        found[bundle.model().name] = rows
        if not arguments.json:
            print(f"\n{bundle.model().name}, {arguments.steps:,} steps without a reset\n")
            print(table(rows), flush=True)
    if arguments.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    with explained_errors():
        main()
