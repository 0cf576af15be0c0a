"""Whether thresholds keep to the false alarms a day that were wanted.

    python benchmarks/alarm_rates.py BUNDLE... [--hours 6] [--draws 4] [--json]

The bundles are of the simulated machine. Recordings of an hour in normal operation are made anew; a
detector is fitted to some of them by method "peaks", and all others tell how often it alarms; then
it is fitted to the next ones. The int8 model runs, each recording from a zero state.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.evaluation import Detector, DetectorConfig, integer_runner
from rnn_edge.evaluation.runners import Runner
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.material import FRONT_END, frames_of, read_dataset
from rnn_edge.spec import ModelSpec, load_spec
from rnn_edge.types.frames import FrameSequence, FrameSet

DAY_S, HOUR_S = 86_400.0, 3600.0
LANES = 12
WANTED = (1.0, 6.0, 24.0)
RULES = {
    "variance": DetectorConfig(method="peaks"),
    "covariance": DetectorConfig(method="peaks", score="covariance"),
}


@dataclass(frozen=True)
class Row:
    """What came of the thresholds of one rule and rate, one for each draw of hours.

    Attributes:
        bundle: Its folder.
        offsets: Of its model.
        rule: Name of the score.
        wanted_per_day: False alarms.
        extrapolated: Time between two of them, in units of the time that was fitted to.
        at_home: Alarms a day in the hours that each threshold was fitted to, mean over the draws.
        elsewhere: In all other hours, of each draw.
        worst_hour: Alarms in the one hour that has most.
    """

    bundle: str
    offsets: str
    rule: str
    wanted_per_day: float
    extrapolated: float
    at_home: float
    elsewhere: tuple[float, ...]
    worst_hour: int


def main() -> None:
    """Print a table, or its rows as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--hours", type=int, default=6, help="normal operation to fit to")
    parser.add_argument(
        "--draws", type=int, default=4, help="times that other hours are fitted to, at least 2"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.draws < 2:
        parser.error(f"--draws {options.draws}; expected 2 at least: the others are counted in")
    rows = [
        row
        for path in options.bundles
        for row in measure(Bundle.open(path), options.hours, options.draws)
    ]
    if options.json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    print(
        "| offsets | score | wanted a day | 1 / rate over what was seen | where it was fitted | "
        "elsewhere, mean (least to most of the draws) | most in one hour |\n"
        "|---|---|---:|---:|---:|---:|---:|"
    )
    for row in rows:
        found = row.elsewhere
        print(
            f"| `{row.offsets}` | {row.rule} | {row.wanted_per_day:g} | {row.extrapolated:.2g} | "
            f"{row.at_home:.3g} | {np.mean(found):.3g} ({min(found):.3g} to {max(found):.3g}) | "
            f"{row.worst_hour} |"
        )


def measure(bundle: Bundle, hours: int, draws: int) -> list[Row]:
    """Return a row for every rule and wanted rate.

    Hours differ, so that one draw of them says little of a method: each draw is fitted to hours of
    its own, and its alarms are counted in those of all others.
    """
    spec, run = bundle.spec(), integer_runner(bundle.model())
    frames = normal_frames(bundle, spec, hours * draws)
    recordings = frames.part("validation")
    stored = outputs_of(run, recordings)
    offsets = str(list(spec.model.offsets))
    rows = []
    for name, rule in RULES.items():
        counts = [
            _alarms(rule, recordings, stored, slice(k * hours, (k + 1) * hours), frames, spec)
            for k in range(draws)
        ]
        for w, wanted in enumerate(WANTED):
            own = [each[w, k * hours : (k + 1) * hours] for k, each in enumerate(counts)]
            others = [
                np.delete(each[w], slice(k * hours, (k + 1) * hours))
                for k, each in enumerate(counts)
            ]
            rows.append(
                Row(
                    bundle.path.name,
                    offsets,
                    name,
                    wanted,
                    DAY_S / wanted / (hours * HOUR_S),
                    float(np.mean(own)) * DAY_S / HOUR_S,
                    tuple(float(each.mean()) * DAY_S / HOUR_S for each in others),
                    int(max(each.max() for each in others)),
                )
            )
    return rows


def _alarms(
    rule: DetectorConfig,
    recordings: Sequence[FrameSequence],
    stored: np.ndarray,
    fitted: slice,
    frames: FrameSet,
    spec: ModelSpec,
) -> np.ndarray:
    """Return how often each recording alarms, int (wanted rates, recordings)."""
    detector = Detector.fit(
        rule, lambda _: stored[fitted], recordings[fitted], spec.model.offsets, frames.frame_rate_hz
    )
    assert detector.tail is not None, "fitted to peaks"
    scores = detector.scores(lambda _: stored, recordings)
    found = []
    for wanted in WANTED:
        own = replace(detector, threshold=detector.tail.height(wanted))
        begun = [np.diff(own.alarms(each).astype(np.int8), prepend=0) == 1 for each in scores]
        found.append([int(each.sum()) for each in begun])
    return np.array(found)


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
    with explained_errors():
        main()
