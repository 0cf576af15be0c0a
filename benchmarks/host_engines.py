"""Time per step of every engine on this host, in interleaved rounds.

python benchmarks/host_engines.py --cell gru --hidden 64 --inputs 40 --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.engines import c_compilers
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters.base import ExportSource, all_exporters
from rnn_edge.quantize import calibrate, quantize_input, quantize_model
from rnn_edge.quantize.spans import measure_spans
from rnn_edge.types import GATES, DenseWeights, FloatModel, RecurrentWeights

PEER = "litert-float"
LABELS = 12


def random_model(cell: str, hidden: int, inputs: int) -> FloatModel:
    """Return a model with weights of usual size; speed does not depend on what it learned."""
    generator = np.random.Generator(np.random.PCG64(0))
    rows = len(GATES[cell]) * hidden
    layer = RecurrentWeights(
        cell,
        generator.normal(0, inputs**-0.5, (rows, inputs)),
        generator.normal(0, hidden**-0.5, (rows, hidden)),
        np.zeros(rows),
        np.zeros(rows),
    )
    head = DenseWeights(generator.normal(0, hidden**-0.5, (LABELS, hidden)), np.zeros(LABELS))
    return FloatModel("benchmark", "kws", (layer,), head, tuple(f"c{k}" for k in range(LABELS)))


def measure(arguments: argparse.Namespace) -> dict[str, object]:
    """Return median and spread of the time per step, and the ratio to the peer."""
    float_model = random_model(arguments.cell, arguments.hidden, arguments.inputs)
    generator = np.random.Generator(np.random.PCG64(1))
    x = generator.normal(0, 1, (arguments.steps, arguments.inputs)).astype(np.float32)
    model = quantize_model(float_model, calibrate(float_model, x[None]))
    times: dict[str, list[float]] = {}
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        exports = Path(folder)
        models = ExportSource(float_model, model, spans=measure_spans(float_model, x[None]))
        for exporter in all_exporters().values():
            if not exporter.cells or arguments.cell in exporter.cells:
                exporter.export(models, exports)
        source = EngineSource(float_model, model, exports, exports / "work")
        source.work.mkdir()
        opened = {}
        # The C once more, behind a pipe: they show bits, and the pipe would be timed.
        others = {kind.name for kind in c_compilers.engine_kinds()}
        for name, kind in all_engines().items():
            if kind.is_emulated or kind.needs_port or name in others:
                continue
            try:
                engine = stack.enter_context(kind.open(source))
            except MissingDependencyError as error:
                missing[name] = error.message
                continue
            opened[name] = (engine, quantize_input(x) if kind.is_integer else x)
        for _ in range(arguments.rounds):
            for name, (engine, frames) in opened.items():
                engine.reset()
                start = time.perf_counter()
                engine.run(frames)
                elapsed = time.perf_counter() - start
                times.setdefault(name, []).append(1e6 * elapsed / len(frames))
    peer = statistics.median(times[PEER]) if PEER in times else None
    return {
        "cell": arguments.cell,
        "hidden": arguments.hidden,
        "inputs": arguments.inputs,
        "steps": arguments.steps,
        "rounds": arguments.rounds,
        "peer": PEER,
        "engines": {
            name: {
                "median_us": statistics.median(rounds),
                "min_us": min(rounds),
                "max_us": max(rounds),
                "peer_over_it": peer / statistics.median(rounds) if peer else None,
            }
            for name, rounds in sorted(times.items(), key=lambda item: statistics.median(item[1]))
        },
        "missing": missing,
    }


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cell", choices=sorted(GATES), default="gru")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--inputs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    found = measure(arguments)
    if arguments.json:
        print(json.dumps(found))
        return
    print(
        f"{found['cell'].upper()}({found['hidden']}), {found['inputs']} inputs, "
        f"{found['rounds']} rounds of {found['steps']} steps, state carried; us per step"
    )
    print(f"{'engine':<16}{'median':>9}{'min':>9}{'max':>9}  times as fast as {found['peer']}")
    for name, row in found["engines"].items():
        ratio = f"{row['peer_over_it']:.2f}" if row["peer_over_it"] else "-"
        print(
            f"{name:<16}{row['median_us']:>9.2f}{row['min_us']:>9.2f}{row['max_us']:>9.2f}  {ratio}"
        )
    for name, why in found["missing"].items():
        print(f"{name:<16}not run: {why}")


if __name__ == "__main__":
    with explained_errors():
        main()
