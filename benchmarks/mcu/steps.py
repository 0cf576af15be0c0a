"""A step of the exported C on emulated processors: instructions, per multiply-add, flash and RAM.

    python benchmarks/mcu/steps.py [--devices qemu-m4,...] [--shapes "lstm 64 40,..."] [--linux]
                                   [--optimize balanced] [--weights int8] [--frames-at-once 1]
                                   [--tables flash] [--level -O3] [--chart FILE.svg] [--json]

One image holds startup code and the model and nothing else; another one counts: a step is
everything from a frame to probabilities, cell, dense head and softmax. Every count is of a run
whose outputs and state had the bits of the integer reference. Instructions are counted by the
emulator and the same in every run; they are no cycles.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bare
import linux
from peers import PEERS
from subject import SHAPES, Shape, Subject, subject

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.errors import MissingDependencyError
from rnn_edge.spec import all_devices
from rnn_edge.types.c_choices import CChoices


def measure(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return a row for each model and processor."""
    choices = CChoices(
        arguments.optimize, arguments.weights, arguments.frames_at_once, arguments.tables
    )
    rows = []
    for shape in _shapes(arguments.shapes):
        with tempfile.TemporaryDirectory() as folder:
            one = subject(shape, choices, Path(folder), arguments.density)
            rows += [
                {
                    "model": shape.title,
                    "cell": shape.cell,
                    "hidden": shape.hidden,
                    "inputs": shape.inputs,
                    "macs": shape.macs,
                    "density": arguments.density,
                    "weight_bytes": one.model.weight_bytes,
                    **row,
                }
                for row in _rows(one, arguments, Path(folder) / "work")
            ]
    return rows


def _rows(one: Subject, arguments: argparse.Namespace, work: Path) -> Iterator[dict[str, Any]]:
    devices = all_devices()
    for name in arguments.devices.split(",") if arguments.devices else ():
        try:
            found = bare.measure(devices[name], one, arguments.level)
        except MissingDependencyError as error:
            yield {"device": name, "missing": error.message}
            continue
        yield {"device": name, **asdict(found), "ram_bytes": found.ram_bytes}
    for target in linux.TARGETS if arguments.linux else ():
        try:
            instructions, is_exact = linux.measure(target, one, work)
        except MissingDependencyError as error:
            yield {"device": target.name, "missing": error.message}
            continue
        yield {"device": target.name, "instructions": instructions, "is_exact": is_exact}


def _shapes(text: str | None) -> Sequence[Shape]:
    if text is None:
        return SHAPES
    cells = [part.split() for part in text.split(",")]
    return [Shape(cell, int(hidden), int(inputs)) for cell, hidden, inputs in cells]  # type: ignore[arg-type]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as text, each with the peers that were counted on the same processor."""
    lines = [
        f"{'model':<16}{'processor':<12}{'instructions':>13}{'per MAC':>9}{'bits':>7}"
        f"{'constants':>11}{'code':>7}{'text':>7}{'image':>9}{'RAM':>7}{'stack':>7}  peers"
    ]
    for row in rows:
        head = f"{row['model']:<16}{row['device']:<12}"
        if "missing" in row:
            lines.append(f"{head}not run: {row['missing']}")
            continue
        count = row["instructions"]
        bits = "equal" if row["is_exact"] else "OTHER"
        sizes = (
            f"{row['constants_bytes']:>11,}{row['code_bytes']:>7,}{row['text_bytes']:>7,}"
            f"{row['image_bytes']:>9,}"
            f"{row['ram_bytes']:>7,}{row['stack_bytes']:>7,}"
            if "image_bytes" in row
            else f"{'-':>11}{'-':>7}{'-':>7}{'-':>9}{'-':>7}{'-':>7}"
        )
        shape = Shape(row["cell"], row["hidden"], row["inputs"])
        peers = ", ".join(
            f"{name} {counts[shape] / count:.2f}x"
            for name, counts in PEERS.get(row["device"], {}).items()
            if shape in counts
        )
        ratio = count / row["macs"]
        lines.append(f"{head}{round(count):>13,}{ratio:>9.2f}{bits:>7}{sizes}  {peers}".rstrip())
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="a step of the exported C")
    parser.add_argument("--devices", default=",".join(bare.DEVICES))
    parser.add_argument("--shapes", help='"cell hidden inputs", separated by commas')
    parser.add_argument(
        "--density", type=float, default=1.0, help="share of the cell's weights that is left"
    )
    parser.add_argument("--linux", action="store_true", help="on processors under Linux too")
    parser.add_argument("--optimize", choices=("balanced", "speed", "size"), default="balanced")
    parser.add_argument("--weights", choices=("int8", "int16"), default="int8")
    parser.add_argument("--frames-at-once", type=int, choices=(1, 2, 4), default=1)
    parser.add_argument("--tables", choices=("flash", "ram"), default="flash")
    parser.add_argument("--level", help="optimization in place of the device's own")
    parser.add_argument("--chart", type=Path, help="an SVG of the counts beside the peers'")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    rows = measure(arguments)
    if arguments.chart is not None:
        from chart import write_chart

        write_chart(rows, arguments.chart)
    print(json.dumps({"rows": rows}) if arguments.json else table(rows))
    if not all(row.get("is_exact", True) for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    with explained_errors():
        main()
