"""The parity matrix of several bundles in one table.

python benchmarks/parity.py out/kws_gru out/kws_lstm --steps 100000
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.replay import ReplayRequest, replay_bundle
from rnn_edge.types import QuantizedModel

ENGINES = (
    *("c", "c-gcc-O0", "c-clang-O3", "litert", "litert-ref", "litert-stateful", "tflite-runtime"),
    *("tflm", "onnx-int8", "c-aarch64", "c-armv7", "c-armv6", "device:qemu-m0", "device:qemu-m3"),
    *("device:qemu-m4", "device:qemu-m7", "device:qemu-m33", "device:qemu-m55", "device:qemu-rv32"),
)


def shape(model: QuantizedModel) -> str:
    """Return the cells of a model in a few letters."""
    return " + ".join(f"{layer.kind.upper()}({layer.hidden})" for layer in model.layers)


def compare(path: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Replay one bundle through every engine."""
    bundle = Bundle.open(path)
    request = ReplayRequest(
        tuple(arguments.engines.split(",")),
        steps=arguments.steps,
        emulated_steps=arguments.emulated_steps,
    )

    def tell(engine: str, k: int, count: int) -> None:
        print(f"{path.name}: {engine}, {k + 1} of {count}", file=sys.stderr)

    matrix = replay_bundle(bundle, request, tell)
    model = bundle.model()
    widths = {"y": model.outputs, **model.state_sizes}
    rows: dict[str, dict[str, int]] = {}
    for row in matrix.parity:
        entry = rows.setdefault(row.engine, {"steps": row.steps, "values": 0, "differing": 0})
        entry["values"] += row.steps * widths[row.tensor]
        entry["differing"] += row.differing
    return {
        "name": path.name,
        "model": shape(model),
        "digest": model.digest(),
        "source": matrix.facts["source"],
        "engines": rows,
    }


def print_table(found: list[dict[str, object]], engines: list[str]) -> None:
    """Print differing values of all, a column per bundle."""
    print("| engine | " + " | ".join(f"{r['name']}: {r['model']}" for r in found) + " |")
    print("|---|" + "---|" * len(found))
    for engine in engines:
        cells = []
        for result in found:
            entry = result["engines"][engine]
            cells.append(
                f"{entry['differing']:,} of {entry['values']:,} in {entry['steps']:,} steps"
            )
        print(f"| {engine} | " + " | ".join(cells) + " |")


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--emulated-steps", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = [compare(path, arguments) for path in arguments.bundles]
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        print_table(found, arguments.engines.split(","))
    sys.exit(any(e["differing"] for result in found for e in result["engines"].values()))


if __name__ == "__main__":
    with explained_errors():
        main()
