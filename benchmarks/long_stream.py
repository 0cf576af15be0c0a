"""A day of frames through a float and an integer engine, with everything `rnn-edge drift` adds up.

python benchmarks/long_stream.py --steps 4320000
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from initial_models import initial_model, slow_noise

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.drift.closed_loop import Side, replay_pair
from rnn_edge.drift.details import StepDetails
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import MissingDependencyError
from rnn_edge.evaluation.detections import KeywordRule
from rnn_edge.exporters.base import ExportSource, all_exporters
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.replay import bundle_frames
from rnn_edge.quantize import calibrate, quantize_input, quantize_model
from rnn_edge.spec import RecordedStream
from rnn_edge.streams import FrameStream, ModelPair, open_stream
from rnn_edge.types import FloatModel, QuantizedModel
from rnn_edge.types.frames import FrameSequence, FrameSet

REFERENCE, ENGINE = "c-float", "c"
PEERS = ("onnx", "litert-float", "litert", "float", "int8")
PEER_STEPS = 2_000
DAY = 24 * 3600 * 50
"""Frames of a day at 50 per second."""


def subject(bundle: Path | None) -> tuple[FloatModel, QuantizedModel, FrameSet, str]:
    """Return models, the frames that a stream repeats, and what to call them."""
    if bundle is not None:
        opened = Bundle.open(bundle)
        frames, source = bundle_frames(opened, None)
        return opened.float_model(), opened.model(), frames, f"{bundle.name} on {source}"
    x = slow_noise(20_000, 40, 1)
    float_model = initial_model("gru", 1, 64, 40, 0)
    model = quantize_model(float_model, calibrate(float_model, x[None, :4000]))
    pieces = tuple(
        FrameSequence(f"piece {k}", part, 0, None, "test")
        for k, part in enumerate(np.split(x, 400))
    )
    frames = FrameSet(model.labels, 50.0, pieces)
    return float_model, model, frames, "untrained GRU(64), 40 inputs, slow noise"


def peak_mib() -> float:
    """Return the most memory this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def timed_replay(
    stream: FrameStream, source: EngineSource
) -> tuple[float, float, dict[str, object]]:
    """Return wall seconds, CPU seconds and the figures of one replay."""
    kinds = all_engines()
    model = source.model
    rules = [KeywordRule(model.labels, model.head_kind, 15, 0.5) for _ in range(2)]
    with kinds[REFERENCE].open(source) as reference, kinds[ENGINE].open(source) as engine:
        wall, cpu = time.perf_counter(), time.process_time()
        found = replay_pair(
            stream,
            Side(REFERENCE, reference, None),
            Side(ENGINE, engine, model),
            (rules[0], rules[1]),
            StepDetails(source.float_model, model),
        ).result()
        seconds = time.perf_counter() - wall, time.process_time() - cpu
    return *seconds, {
        "hidden_rms": found.hidden_rms.value,
        "trend": str(found.tensor("h0").trend.verdict),
        "frame_agreement": found.decisions.agreement.value,
        "detection_agreement": found.detections.agreement.value,
    }


def engine_rates(source: EngineSource, stream: FrameStream) -> dict[str, float | str]:
    """Return steps per second of each engine alone, over the first frames of the stream."""
    frames = next(stream.chunks(PEER_STEPS)).frames
    long = np.concatenate([frames] * 50)
    rates: dict[str, float | str] = {}
    for name in (REFERENCE, ENGINE, *PEERS):
        kind = all_engines()[name]
        x = long if name in (REFERENCE, ENGINE) else frames
        x = quantize_input(x, source.model.input_exponent) if kind.is_integer else x
        try:
            with kind.open(source) as engine:
                engine.run(x[:100])
                begin = time.perf_counter()
                engine.run(x)
                rates[name] = len(x) / (time.perf_counter() - begin)
        except MissingDependencyError as error:
            rates[name] = error.message
    return rates


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, nargs="?", help="[default: an untrained GRU(64)]")
    parser.add_argument("--steps", type=int, default=DAY)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    float_model, model, frames, what = subject(arguments.bundle)
    spec = RecordedStream(task="kws", steps=max(10_000, arguments.steps), seed=1)
    with tempfile.TemporaryDirectory() as folder:
        exports = Path(folder)
        for name in ("c", "onnx", "tflite", "tflite-float"):
            all_exporters()[name].export(ExportSource(float_model, model), exports)
        source = EngineSource(float_model, model, exports, exports / "work")
        rows = []
        for steps in (arguments.steps // 10, arguments.steps):
            pair = ModelPair(float_model, model)
            stream = open_stream(spec, frames, steps=steps, models=pair)
            wall, cpu, figures = timed_replay(stream, source)
            rows.append(
                {"steps": steps, "wall_s": wall, "cpu_s": cpu, "peak_mib": peak_mib(), **figures}
            )
        rates = engine_rates(source, stream)
    found = {"subject": what, "engines": [REFERENCE, ENGINE], "rows": rows, "rates": rates}
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{what}: engine {ENGINE} against {REFERENCE}, all sums of rnn-edge drift, one process")
    print(f"{'steps':>10} {'wall s':>8} {'CPU s':>8} {'peak MiB':>9} {'hidden rms':>11}  trend")
    for row in rows:
        print(
            f"{row['steps']:>10,} {row['wall_s']:>8.1f} {row['cpu_s']:>8.1f} "
            f"{row['peak_mib']:>9.0f} {row['hidden_rms']:>11.5f}  {row['trend']}"
        )
    print(f"\n{'engine':<14} {'steps/s':>10}  of {REFERENCE}")
    own = rates[REFERENCE]
    for name, rate in rates.items():
        if isinstance(rate, str) or isinstance(own, str):
            print(f"{name:<14} not run: {rate}")
        else:
            print(f"{name:<14} {rate:>10,.0f}  {rate / own:.3f}")


if __name__ == "__main__":
    with explained_errors():
        main()
