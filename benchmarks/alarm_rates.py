"""Whether thresholds keep to the false alarms a day that were wanted.

    python benchmarks/alarm_rates.py BUNDLE... [--hours 4] [--test-hours 48] [--json]

The bundles are of the simulated machine. Recordings of an hour in normal operation are made anew; a
detector is fitted to the first of them by method "peaks", and the others tell how often it alarms.
The int8 model runs, each recording from a zero state.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from rnn_edge.evaluation import Detector, DetectorConfig, integer_runner
from rnn_edge.evaluation.runners import Runner
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.material import FRONT_END, frames_of, read_dataset
from rnn_edge.spec import ModelSpec, load_spec
from rnn_edge.statistics import poisson_interval
from rnn_edge.types.frames import FrameSequence, FrameSet

DAY_S, HOUR_S = 86_400.0, 3600.0
LANES = 12
WANTED = (1.0, 6.0, 24.0, 96.0)
RULES = {
    "variance": DetectorConfig(method="peaks"),
    "covariance": DetectorConfig(method="peaks", score="covariance"),
    "covariance, 5 frames": DetectorConfig(method="peaks", score="covariance", least_frames=5),
}


@dataclass(frozen=True)
class Row:
    """What came of one threshold."""

    bundle: str
    offsets: str
    rule: str
    wanted_per_day: float
    extrapolated: float
    threshold: float
    alarms: int
    per_day: float
    low: float
    high: float


def main() -> None:
    """Print a table, or its rows as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--hours", type=int, default=4, help="normal operation to fit to")
    parser.add_argument("--test-hours", type=int, default=48, help="normal operation to count in")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [
        row
        for path in options.bundles
        for row in measure(Bundle.open(path), options.hours, options.test_hours)
    ]
    if options.json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    print(
        "| offsets | score | wanted a day | extrapolated | threshold | alarms | a day (95 %) |\n"
        "|---|---|---|---|---|---|---|"
    )
    for row in rows:
        print(
            f"| {row.offsets} | {row.rule} | {row.wanted_per_day:g} | x{row.extrapolated:.3g} | "
            f"{row.threshold:.3f} | {row.alarms} | {row.per_day:.3g} "
            f"({row.low:.3g} to {row.high:.3g}) |"
        )


def measure(bundle: Bundle, hours: int, test_hours: int) -> list[Row]:
    """Return a row for every rule and wanted rate."""
    spec, run = bundle.spec(), integer_runner(bundle.model())
    frames = normal_frames(bundle, spec, hours + test_hours)
    recordings = frames.part("validation")
    stored = outputs_of(run, recordings)
    known = [recordings[:hours], recordings[hours:]]
    rate, offsets = frames.frame_rate_hz, spec.model.offsets
    rows = []
    for name, rule in RULES.items():
        for wanted in WANTED:
            detector = Detector.fit(
                replace(rule, false_alarms_per_day=wanted),
                lambda _: stored[:hours],
                known[0],
                offsets,
                rate,
            )
            scores = detector.scores(lambda _: stored[hours:], known[1])
            begun = [np.diff(detector.alarms(s).astype(np.int8), prepend=0) == 1 for s in scores]
            alarms, days = sum(int(b.sum()) for b in begun), test_hours * HOUR_S / DAY_S
            low, high = (v / days for v in poisson_interval(alarms))
            rows.append(
                Row(
                    bundle.path.name,
                    str(list(offsets)),
                    name,
                    wanted,
                    DAY_S / wanted / (hours * HOUR_S),
                    detector.threshold,
                    alarms,
                    alarms / days,
                    low,
                    high,
                )
            )
    return rows


def normal_frames(bundle: Bundle, spec: ModelSpec, hours: int) -> FrameSet:
    """Return frames of hours in normal operation that no model has learned from."""
    longer = load_spec(
        bundle.file("spec.toml"),
        [
            f"seed={spec.seed + 1000}",
            "data.recording_s=3600.0",
            "data.train_recordings=1",
            f"data.validation_recordings={hours}",
            "data.test_recordings=1",
        ],
    )
    return frames_of(read_dataset(longer, None), FrontEnd.load(bundle.file(FRONT_END)))


def outputs_of(run: Runner, recordings: Sequence[FrameSequence]) -> np.ndarray:
    """Return the outputs of recordings of the same length, a few at a time."""
    x = np.stack([r.frames for r in recordings])
    return np.concatenate([run(x[k : k + LANES]) for k in range(0, len(x), LANES)])


if __name__ == "__main__":
    main()
