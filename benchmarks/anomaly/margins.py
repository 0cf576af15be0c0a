"""How smoothing and margin of a detector were chosen, and what the choice is worth.

python benchmarks/anomaly/margins.py --data DIR --work DIR [--set skab-lstm]

Takes the bundle that quality.py has left in --work and scores its int8 form for every smoothing and
margin. The best of all is chosen on the very recordings that it is then praised for; so every
recording is also judged by what is best on all others (leave one out), and those counts are added
up. Thresholds come from the normal part of each recording in any case.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from anomaly_sets import SETS, read_machines
from quality import sequences_of

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.evaluation import Detector, integer_runner
from rnn_edge.evaluation.anomaly_metrics import alarm_counts
from rnn_edge.evaluation.commissioning import score_commissioned
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.bundle import Bundle, bundle_detector
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.types import Array

SMOOTHINGS = (5.0, 10.0, 20.0)
MARGINS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0)


def figures(counts: Array) -> dict[str, float]:
    """Return F1, false and missed alarms by frame.

    Args:
        counts: int (R, 4), as of `alarm_counts`.
    """
    tp, fp, fn, tn = (int(v) for v in counts.sum(axis=0))
    return {
        "f1": 2 * tp / max(1, 2 * tp + fp + fn),
        "false_alarm_rate": fp / max(1, fp + tn),
        "missing_alarm_rate": fn / max(1, fn + tp),
    }


def leave_one_out(grid: dict[Any, Array]) -> tuple[Array, Counter[Any]]:
    """Return counts (R, 4) of recordings by what is best without each, and how often it is what."""
    keys = list(grid)
    counts = np.stack([grid[key] for key in keys])
    judged, chosen = [], Counter[Any]()
    for row in range(counts.shape[1]):
        others = np.delete(counts, row, axis=1)
        best = int(np.argmax([figures(each)["f1"] for each in others]))
        judged.append(counts[best, row])
        chosen[keys[best]] += 1
    return np.stack(judged), chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the archives")
    parser.add_argument("--work", type=Path, required=True, help="folder of the bundles")
    parser.add_argument("--set", default="skab-lstm", choices=list(SETS))
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    chosen = SETS[arguments.set]
    bundle = Bundle.open(arguments.work / chosen.spec)
    features = FrontEnd.load(bundle.file(FRONT_END))
    machines = read_machines(chosen, arguments.data / chosen.archive)
    sequences = sequences_of(machines, chosen, features)
    before = bundle_detector(bundle, "int8")
    run = integer_runner(bundle.model())
    grid: dict[Any, Array] = {}
    for smoothing in SMOOTHINGS:
        config = replace(before.config, smoothing_frames=smoothing, margin=1.0)
        detector = Detector(
            config, before.variance, before.threshold, before.offsets, before.whitening
        )
        logic, scored = score_commissioned(detector, run, sequences, features.frame_rate_hz)
        for margin in MARGINS:
            own = replace(logic, threshold=logic.threshold * margin)
            grid[smoothing, margin] = alarm_counts(own, scored)[:, :4]
    rows = [{"smoothing": s, "margin": m, **figures(c)} for (s, m), c in grid.items()]
    judged, choices = leave_one_out(grid)
    found = {
        "set": chosen.title,
        "rows": rows,
        "leave_one_out": figures(judged),
        "choices": [{"smoothing": s, "margin": m, "times": n} for (s, m), n in choices.items()],
    }
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{chosen.title}, int8: F1 / false alarms / missed, by smoothing (frames) and margin")
    print("| smoothing | " + " | ".join(f"{m:g}" for m in MARGINS) + " |")
    print("|---:|" + "---:|" * len(MARGINS))
    for smoothing in SMOOTHINGS:
        cells = [_cell(figures(grid[smoothing, m])) for m in MARGINS]
        print(f"| {smoothing:g} | " + " | ".join(cells) + " |")
    listed = ", ".join(f"{s:g} and {m:g} ({n} times)" for (s, m), n in choices.most_common())
    print(f"\nleave one recording out: {_cell(found['leave_one_out'])}; chosen: {listed}")


def _cell(found: dict[str, float]) -> str:
    keys = ("f1", "false_alarm_rate", "missing_alarm_rate")
    return " / ".join(f"{found[key]:.3f}" for key in keys)


if __name__ == "__main__":
    with explained_errors():
        main()
