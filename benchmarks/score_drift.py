"""What integers do to the scores and false alarms of a detector, over a million unreset steps.

python benchmarks/score_drift.py BUNDLE...

One side is the float model with a detector in floating point; the other is what a device does: the
exported C and the integers of its alarm, from score to hysteresis. Both have the threshold of the
bundle. The exit code is 1 where a share of false alarms moves by more than --most.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.drift.closed_loop import Side, replay_pair
from rnn_edge.engines.base import all_engines
from rnn_edge.errors import DataError
from rnn_edge.evaluation import Detector
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.device_app import detector_numbers
from rnn_edge.pipeline.drift import subject_of
from rnn_edge.pipeline.replay import bundle_frames
from rnn_edge.quantize import quantize_input
from rnn_edge.reference.decisions import IntegerRule
from rnn_edge.spec import load_stream
from rnn_edge.streams import open_stream
from rnn_edge.types import Array, QuantizedModel
from rnn_edge.types.decisions import Decided

STREAMS = ("anomaly_normal", "anomaly_million")
ENGINES = ("c-float", "c")


class DeviceAlarms:
    """The alarm of a device, as a rule on values in real units.

    Args:
        detector: As fitted.
        model: Whose frames and outputs it takes.
        settling_frames: For which the start of a recording is seen in the score.
    """

    frame_kind = "whether a score is above the threshold, in integers"
    detection_kind = "alarm of a device, in integers"

    def __init__(self, detector: Detector, model: QuantizedModel, settling_frames: int) -> None:
        numbers = detector_numbers(detector, (model.input_exponent, model.output_exponent))
        self.alarm_threshold: float | None = detector.threshold
        self.settling_frames = settling_frames
        self._model, self._scale = model, 2.0**numbers.score_exponent
        self._rule = IntegerRule(numbers)
        self._step, self._is_on = 0, False

    def update(self, frames: Array, outputs: Array) -> Decided:
        """Decide on frames float (T, D) and outputs (T, C), which are integers times a scale."""
        x = quantize_input(frames, self._model.input_exponent)
        y = np.rint(outputs * 2.0**-self._model.output_exponent).astype(np.int16)
        found = self._rule.update(x, y)
        alarms = np.empty(len(frames), np.int64)
        done = 0
        for change in self._rule.changes:
            at = change.step - self._step
            alarms[done:at], done, self._is_on = self._is_on, at, change.has_begun
        alarms[done:] = self._is_on
        self._rule.changes.clear()
        self._step += len(frames)
        return Decided(found.frames, alarms, found.scores * self._scale)


def measure(bundle: Bundle, name: str, steps: int) -> dict[str, Any]:
    """Return what becomes of scores and false alarms over a stream, as plain values.

    Raises:
        DataError: If the bundle detects no anomalies, or nothing is known of the frames.
    """
    spec = bundle.spec()
    subject = subject_of(bundle, spec)
    if subject.detector is None:
        raise DataError(f"Bundle {bundle.path} detects keywords; expected one of anomalies.")
    frames, source = bundle_frames(bundle, None)
    stream_spec = load_stream(name, spec.model.task)
    used = replace(frames, sequences=frames.part(stream_spec.split))
    exact = subject.rule()
    device = DeviceAlarms(subject.detector, subject.model, exact.settling_frames)
    kinds = [all_engines()[engine] for engine in ENGINES]
    with tempfile.TemporaryDirectory() as folder:
        opened = subject.source(Path(folder))
        with kinds[0].open(opened) as reference, kinds[1].open(opened) as engine:
            found = replay_pair(
                open_stream(stream_spec, used, steps=steps, name=name),
                Side(ENGINES[0], reference, None),
                Side(ENGINES[1], engine, subject.model),
                (exact, device),
            ).result()
    if found.alarms is None:
        raise DataError(f"Stream {name}: nothing is known of its frames; expected labels.")
    detections = found.to_json()["detections"]
    return {
        "bundle": spec.model.name,
        "source": source,
        "stream": name,
        "steps": found.steps,
        "score_rms": detections["score_rms"],
        "agreement": detections["agreement"]["value"],
        **found.to_json()["alarms"],
    }


def line(row: dict[str, Any]) -> str:
    """Return a row of the table."""
    near, change = row["score_at_threshold"], row["change"]
    shares = [
        row[key] / max(row["normal_frames"], 1) for key in ("reference_false", "engine_false")
    ]
    return (
        f"{row['bundle']:<16} {row['stream']:<16} {row['steps']:>9,} {row['score_relative']:>9.3%} "
        f"{'-' if near is None else f'{near:.3%}':>9} {shares[0]:>9.4%} {shares[1]:>9.4%} "
        f"{'-' if change is None else format(change['value'], '+.2%'):>8} "
        f"{row['reference_events']:>7,} {row['engine_events']:>7,} "
        f"{'-' if row['event_change'] is None else format(row['event_change'], '+.2%'):>8}"
    )


def main() -> int:
    """Parse the command line, measure, print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    parser.add_argument("--streams", nargs="+", default=STREAMS)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--most", type=float, default=0.05, help="largest change that passes")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    rows = []
    if not arguments.json:
        print(
            f"{'bundle':<16} {'stream':<16} {'steps':>9} {'score':>9} {'at thr.':>9} "
            f"{'float':>9} {'device':>9} {'change':>8} {'events':>7} {'device':>7} {'change':>8}"
        )
    for path in arguments.bundles:
        bundle = Bundle.open(path)
        for name in arguments.streams:
            row = measure(bundle, name, arguments.steps)
            rows.append(row)
            if not arguments.json:
                print(line(row), flush=True)
    changes = [row["change"] for row in rows]
    is_within = all(c is not None and abs(c["value"]) <= arguments.most for c in changes)
    if arguments.json:
        print(json.dumps({"most": arguments.most, "is_within": is_within, "rows": rows}))
    else:
        print(f"false alarms by frame: {'within' if is_within else 'beyond'} {arguments.most:.0%}")
    return 0 if is_within else 1


if __name__ == "__main__":
    with explained_errors():
        sys.exit(main())
