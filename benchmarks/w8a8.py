"""The fused int8 LSTM (w8a8) beside w8a16: drift, and how far LiteRT and TFLM are apart.

python benchmarks/w8a8.py                    a random LSTM on a random stream
python benchmarks/w8a8.py --bundle out/kws   the models and the replay stream of a bundle
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.engines.base import EngineSource
from rnn_edge.exporters import tflite_w8a8
from rnn_edge.exporters.base import ExportSource
from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.replay import open_stream
from rnn_edge.pipeline.w8a8 import measure_fused
from rnn_edge.quantize import calibrate, quantize_model
from rnn_edge.quantize.spans import measure_spans
from rnn_edge.types import GATES, DenseWeights, FloatModel, RecurrentWeights

LABELS = 12


def random_model(hidden: int, inputs: int, seed: int, forget_bias: float) -> FloatModel:
    generator = np.random.Generator(np.random.PCG64(seed))
    rows = len(GATES["lstm"]) * hidden
    bias = np.zeros(rows)
    bias[hidden : 2 * hidden] = forget_bias
    layer = RecurrentWeights(
        "lstm",
        generator.normal(0, inputs**-0.5, (rows, inputs)),
        generator.normal(0, hidden**-0.5, (rows, hidden)),
        bias,
        np.zeros(rows),
    )
    head = DenseWeights(generator.normal(0, hidden**-0.5, (LABELS, hidden)), np.zeros(LABELS))
    return FloatModel("benchmark", "kws", (layer,), head, tuple(f"c{k}" for k in range(LABELS)))


def slow_noise(steps: int, inputs: int, seed: int) -> np.ndarray:
    noise = np.random.Generator(np.random.PCG64(seed)).normal(0, 1, (steps, inputs))
    for t in range(1, steps):
        noise[t] = 0.8 * noise[t - 1] + 0.6 * noise[t]
    return noise.astype(np.float32)


def of_random_model(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    model = random_model(arguments.hidden, arguments.inputs, arguments.seed, arguments.forget_bias)
    # Calibrated on one stream, measured on another.
    heard = slow_noise(arguments.steps, arguments.inputs, arguments.seed + 1)[None]
    quantized = quantize_model(model, calibrate(model, heard))
    tflite_w8a8.export(ExportSource(model, quantized, spans=measure_spans(model, heard)), folder)
    source = EngineSource(model, quantized, folder, folder / "work")
    found = measure_fused(source, slow_noise(arguments.steps, arguments.inputs, arguments.seed + 2))
    bias = f", forget bias {arguments.forget_bias:g}" if arguments.forget_bias else ""
    return {"model": f"random LSTM({arguments.hidden}), {arguments.inputs} inputs{bias}", **found}


def of_bundle(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    bundle = Bundle.open(arguments.bundle)
    stream, _ = open_stream(bundle, arguments.data, None, arguments.steps)
    source = EngineSource(bundle.float_model(), bundle.model(), bundle.exports, folder)
    return {"model": bundle.spec().model.name, **measure_fused(source, stream.frames)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, help="with exports/model_w8a8.tflite")
    parser.add_argument("--data", type=Path, help="recordings for the bundle's replay stream")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--inputs", type=int, default=40)
    parser.add_argument("--forget-bias", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure = of_bundle if arguments.bundle else of_random_model
        found = measure(arguments, Path(name))
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{found['model']}, {found['steps']:,} steps, never reset")
    print(
        f"{'against the float model':<24}{'hidden RMS':>11}{'y RMS':>9}{'y relative':>12}"
        "  decisions"
    )
    for row in found["drift"]:
        y = row["rows"][0]
        print(
            f"{row['name']:<24}{row['hidden_rms']:>11.5f}{y['rms']:>9.4f}{y['relative']:>12.4f}"
            f"  {100 * row['agreement']:.2f} % equal"
        )
    print(f"{'between runtimes':<24}{'tensor':>11}{'equal':>9}{'max LSB':>12}  first at step")
    for row in found["disagreement"]:
        first = "-" if row["first_step"] is None else row["first_step"]
        print(
            f"{' / '.join(row['engines']):<24}{row['tensor']:>11}{100 * row['equal']:>8.2f}%"
            f"{row['max_lsb']:>12}  {first}"
        )
    for name, keeps in found["keeps_state"].items():
        print(f"{name}: state {'kept' if keeps else 'LOST'} between two invocations")
    for row in found["not_run"]:
        print(f"{row['engine']} not run: {row['reason']}")


if __name__ == "__main__":
    with explained_errors():
        main()
