"""What a search for the worst input finds, beside what recordings alone come to.

python benchmarks/adversarial_stream.py out/kws out/pump

For the shipped model of every bundle and for its plain rounding after training: the hidden state
error of the window found, of the worst of as many random recorded windows, and of the mean one; and
over the window the error of the float model in single against double precision, which says whether
the model itself is at fault.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.replay import bundle_frames
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.spec import AdversarialStream, RecordedStream
from rnn_edge.streams import FrameStream, ModelPair, open_stream, read_whole
from rnn_edge.types import FloatModel, QuantizedModel

AFTER_TRAINING = ("student.npz", "model_after_training.npz")


def hidden_of_float(model: FloatModel, x: np.ndarray, precision: type) -> np.ndarray:
    engine = FloatReference(model)
    engine.state = {name: value.astype(precision) for name, value in engine.state.items()}
    rows = []
    for frame in x.astype(precision):
        engine.advance(frame[None])
        rows.append(np.concatenate([v[0] for n, v in engine.state.items() if n[0] == "h"]))
    return np.array(rows)


def hidden_of_integer(model: QuantizedModel, x: np.ndarray) -> np.ndarray:
    engine = IntegerReference(model)
    rows = []
    for frame in quantize_input(x, model.input_exponent):
        engine.advance(frame[None])
        rows.append(np.concatenate([v[0] for n, v in engine.state.items() if n[0] == "h"]))
    return np.array(rows) * 2.0**-15


def rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.square(error).mean()))


def drift_of(stream: FrameStream, models: ModelPair) -> float:
    x = read_whole(stream).frames
    return rms(
        hidden_of_integer(models.model, x) - hidden_of_float(models.float_model, x, np.float64)
    )


def measure(
    bundle: Bundle, name: str, models: ModelPair, arguments: argparse.Namespace
) -> dict[str, object]:
    task = bundle.spec().model.task
    frames, _ = bundle_frames(bundle, arguments.data)
    spec = AdversarialStream(
        task=task,
        kind="adversarial",
        split=arguments.split,
        seed=arguments.seed,
        window=arguments.window,
        population=arguments.population,
        generations=arguments.generations,
    )
    start = time.perf_counter()
    stream = open_stream(spec, frames, steps=arguments.steps, models=models)
    seconds = time.perf_counter() - start
    found = stream.found
    recorded = RecordedStream(task=task, split=arguments.split, seed=arguments.seed)
    plain = open_stream(recorded, frames, steps=arguments.steps)
    before = next(iter(plain.chunks(500))).frames
    x = np.concatenate([before, found.frames])
    single, double = (hidden_of_float(models.float_model, x, p) for p in (np.float32, np.float64))
    return {
        "bundle": bundle.spec().model.name,
        "model": name,
        "window": len(found.frames),
        "evaluations": found.evaluations,
        "found": found.drift,
        "worst_recorded": found.recorded_drift,
        "mean_recorded": found.recorded_mean,
        "gain": found.gain,
        "single_precision": rms((single - double)[len(before) :]),
        "steps": arguments.steps,
        "adversarial_stream": drift_of(stream, models),
        "recorded_stream": drift_of(plain, models),
        "search_seconds": seconds,
    }


def models_of(bundle: Bundle) -> list[tuple[str, ModelPair]]:
    student, rounded = (bundle.file(name) for name in AFTER_TRAINING)
    return [
        ("shipped", ModelPair(bundle.float_model(), bundle.model())),
        (
            "after training",
            ModelPair(FloatModel.load(student), QuantizedModel.load(rounded)),
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    parser.add_argument(
        "--data", type=Path, help="recordings, where a bundle does not hold its own"
    )
    parser.add_argument("--split", default="test", help="part of the data [default: test]")
    parser.add_argument("--window", type=int, default=100, help="frames [default: 100]")
    parser.add_argument("--population", type=int, default=32, help="windows at once [default: 32]")
    parser.add_argument("--generations", type=int, default=40, help="[default: 40]")
    parser.add_argument("--steps", type=int, default=20_000, help="of the streams [default: 20000]")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    rows = [
        measure(bundle, name, models, arguments)
        for bundle in map(Bundle.open, arguments.bundles)
        for name, models in models_of(bundle)
    ]
    if arguments.json:
        print(json.dumps({"rows": rows}))
        return
    print(
        f"hidden RMS error over windows of {arguments.window} frames, {rows[0]['evaluations']:,} "
        f"tried by each, and over streams of {arguments.steps:,} frames"
    )
    print(
        f"{'bundle':<14}{'model':<16}{'found':>10}{'recorded':>10}{'(mean)':>10}{'times':>7}"
        f"{'float32':>10}{'stream':>10}{'recorded':>10}{'search':>8}"
    )
    for row in rows:
        print(
            f"{row['bundle']:<14}{row['model']:<16}{row['found']:>10.5f}"
            f"{row['worst_recorded']:>10.5f}{row['mean_recorded']:>10.5f}{row['gain']:>7.1f}"
            f"{row['single_precision']:>10.1e}{row['adversarial_stream']:>10.5f}"
            f"{row['recorded_stream']:>10.5f}{row['search_seconds']:>6.1f} s"
        )


if __name__ == "__main__":
    with explained_errors():
        main()
