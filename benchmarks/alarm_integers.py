"""Integers of an alarm beside its floating-point detector, on the real SKAB test bench.

    python benchmarks/alarm_integers.py ../shared/data/anomaly-skab.tar.xz [BUNDLE...] [--json]

Linear models of any offsets stand in for trained ones; of a bundle trained on the same recordings
the int8 outputs are taken. Detectors are fitted on the validation part, and decide on the test part
in floating point and in the integers of a device, given the same outputs.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.evaluation.anomaly import DetectorConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.material import frames_of, read_dataset
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import IntegerReference

# The streams and the comparison that the tests hold to their bounds.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from alarm_accuracy import OFFSETS, Accuracy, accuracy
from skab_streams import EXPONENT, Stream, skab_streams

SCORES = ("variance", "covariance")


def config(score: str) -> DetectorConfig:
    """Return a detector that waits before it begins and ends an alarm."""
    return DetectorConfig(score=score, least_frames=3, release_frames=4)


def of_bundle(path: Path, pack: Path, score: str) -> Accuracy:
    """Compare on the int8 outputs of a trained bundle."""
    bundle = Bundle.open(path)
    spec, model = bundle.spec(), bundle.model()
    features = FrontEnd.load(bundle.file("front_end.npz"))
    streams, outputs = [], []
    for sequence in frames_of(read_dataset(spec, pack), features).sequences:
        x = quantize_input(sequence.frames, model.input_exponent)
        streams.append(Stream(sequence.split, x, np.zeros((len(x), 0)), model.input_exponent))
        outputs.append(IntegerReference(model).run(x[None]).outputs[0])
    offsets = tuple(spec.model.offsets)
    return accuracy(streams, offsets, config(score), model.output_exponent, outputs)


def main() -> None:
    parser = argparse.ArgumentParser(description="integers of an alarm on SKAB")
    parser.add_argument("pack", type=Path)
    parser.add_argument("bundles", type=Path, nargs="*")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    streams = skab_streams(arguments.pack)
    found: list[dict[str, Any]] = []
    for score in SCORES:
        for name, offsets in OFFSETS.items():
            row = asdict(accuracy(streams, offsets, config(score), EXPONENT))
            found.append({"model": f"linear, {name}", "score": score, **row})
        for path in arguments.bundles:
            row = asdict(of_bundle(path, arguments.pack, score))
            found.append({"model": path.name, "score": score, **row})
    if arguments.json:
        print(json.dumps({"rows": found}))
        return
    print(
        f"{'model':<22}{'score':<12}{'frames':>8}{'alarm':>8}{'differ':>8}{'events':>10}"
        f"{'near limit':>12}{'anywhere':>10}{'median':>10}"
    )
    for row in found:
        events = "{} / {}".format(*row["events"])
        print(
            f"{row['model']:<22}{row['score']:<12}{row['frames']:>8,}{row['alarms']:>8.1%}"
            f"{row['differ']:>8}{events:>10}{row['worst_near']:>12.1e}{row['worst']:>10.1e}"
            f"{row['median']:>10.1e}"
        )


if __name__ == "__main__":
    with explained_errors():
        main()
