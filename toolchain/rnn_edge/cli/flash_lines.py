"""A device that was flashed, or that would be, as text."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnn_edge.cli.device_lines import time

if TYPE_CHECKING:
    from rnn_edge.pipeline.flash import Flashed, FlashPlan

PLACES = {
    "emulator": "an emulator",
    "simulator": "a simulator",
    "host": "this host",
}


def flashed_lines(found: Flashed, named: Path | None) -> list[str]:
    """Return what a device runs, and how it was proven.

    Args:
        found: What was flashed.
        named: The bundle as it was typed; None if it was found.
    """
    result, device = found.to_json(), found.place.device
    lines = [f"{found.image.model} on {device.name}: {device.title}"]
    lines += _row("image", f"{_shown(found.image.path)}, {_age(found)}")
    lines += _row("compiler", found.image.toolchain)
    lines += _row("flash", _share(result["flash"]))
    lines += _row("RAM", _share(result["ram"], ", the place of the stack among them"))
    lines += _row("stack", _share(result["stack"], _bound(found)))
    lines += _row("step", _step(result["step"]))
    lines += _row("parity", _parity(found))
    return [*lines, _verdict(found, named)]


def plan_lines(plan: FlashPlan) -> list[str]:
    """Return the commands that flashing would call, as they are typed."""
    # A project is built by what flashes it.
    made = "is built by" if plan.build else "is written"
    lines = [f"# {plan.image} {'is there already' if plan.is_built else made}"]
    lines += [shlex.join(command) for command in plan.build]
    if plan.flash:
        lines.append(f"# flashed with {plan.runner} by")
        lines += [shlex.join(command) for command in plan.flash]
    if plan.link:
        lines += ["# run, with the link as input and output, by", shlex.join(plan.link)]
    return lines


def _shown(path: Path) -> Path:
    """Return a path from here, where it is below."""
    here = Path.cwd()
    return path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path


def _age(found: Flashed) -> str:
    return "built now" if found.image.is_new else "built before"


def _bound(found: Flashed) -> str:
    if found.image.flash_bytes is None:
        return " at most so far"
    bound = found.image.stack_bytes
    told = "not predicted with this compiler" if bound is None else f"predicted {bound:,}"
    return f" at most so far; {told}"


def _share(part: Mapping[str, Any], more: str = "") -> str:
    if part["bytes"] is None:
        return ""
    of = "" if part["of"] is None else f" of {part['of']:,}"
    return f"{part['bytes']:,}{of} bytes{more}"


def _step(step: Mapping[str, Any] | None) -> str:
    if step is None:
        return "not counted here"
    text = f"{step['mean']:,.0f} {step['unit']}, {step['most']:,.0f} in the slowest"
    if step["mean_us"] is not None:
        text += (
            f"; {time(step['mean_us'])}, {time(step['most_us'])} in the slowest, at "
            f"{step['clock_hz'] / 1e6:,.10g} MHz"
        )
    if step["counted_on"] == "board":
        return text
    one = ", one in each cycle" if step["mean_us"] is not None else ""
    return f"{text} (counted on {PLACES[step['counted_on']]}{one}: no measure of a board)"


def _parity(found: Flashed) -> str:
    proof = found.proof
    what = f"{proof.steps:,} steps of {proof.source}, never reset: "
    if proof.is_equal:
        return what + "every output and state bit equal to the integer reference"
    wrong = sum(row.differing for row in proof.rows)
    return f"{what}{wrong:,} values differ from the integer reference"


def _verdict(found: Flashed, named: Path | None) -> str:
    device, place = found.place.device, found.place
    if not found.proof.is_equal:
        return f"not proven: {device.name} does not compute what the model does"
    if not place.is_here:
        return f"running: {device.name} goes on by itself, its state at zero"
    where = "simulator" if place.is_simulated else "emulator" if place.is_imitated else "program"
    bundle = "" if named is None else f"{shlex.quote(str(named))} "
    option = " --simulate" if place.is_simulated else ""
    monitor = f"rnn-edge monitor {bundle}--device {device.name}{option}"
    return (
        f"running: proven; the {where} has ended with this command, "
        f'"{monitor}" starts it again and shows decisions'
    )


def _row(what: str, value: str) -> Sequence[str]:
    return [f"  {what:<9} {value}"] if value else []
