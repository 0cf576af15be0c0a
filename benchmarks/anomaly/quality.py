"""The anomaly detectors of this toolchain beside simple baselines, on public recordings.

python benchmarks/anomaly/quality.py --data DIR --work DIR [--sets skab-gru,skab-lstm,...]

For every set a model is trained as its spec in models/ says, on the normal parts alone, and its
int8 form is scored beside baselines that have the same smoothing, threshold method and alarm
logic. Machines that are commissioned one by one get normaliser, covariance and threshold from their
own normal part, baselines too. --data holds the archives; --work keeps the bundles, and goes on
there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from anomaly_sets import SETS, Machine, PublicSet, read_machines, write_normal

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.evaluation import float_runner, integer_runner
from rnn_edge.evaluation.anomaly_metrics import anomaly_metrics
from rnn_edge.evaluation.baselines.comparison import compare_baselines
from rnn_edge.evaluation.baselines.judging import load_baselines
from rnn_edge.evaluation.commissioning import score_commissioned
from rnn_edge.features.commissioning import FEWEST_FRAMES, commission_front_end
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline import build_bundle
from rnn_edge.pipeline.bundle import BASELINES, Bundle, bundle_detector
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.resources import data_folder
from rnn_edge.spec import load_spec
from rnn_edge.types import Array
from rnn_edge.types.frames import FrameSequence

COLUMNS = ("F1", "FAR", "MAR", "AUC-PR", "event F1", "events", "false/day")


def measure(chosen: PublicSet, data: Path, work: Path) -> dict[str, Any]:
    """Return the figures of one set, JSON values."""
    place = data / chosen.archive
    machines = read_machines(chosen, place)
    bundle = _bundle(chosen, place, machines, work)
    features = FrontEnd.load(bundle.file(FRONT_END))
    sequences = sequences_of(machines, chosen, features)
    rate = features.frame_rate_hz
    rows = []
    for name, run in (
        ("float", float_runner(bundle.float_model())),
        ("int8", integer_runner(bundle.model())),
    ):
        logic, scored = score_commissioned(bundle_detector(bundle, name), run, sequences, rate)
        metrics = anomaly_metrics(logic, scored, rate)
        rows.append({"name": f"model, {name}", "metrics": metrics})
    config = bundle_detector(bundle, "int8").config
    judged = load_baselines(bundle.file(BASELINES), config)
    compared = compare_baselines(judged, sequences, rows[-1]["metrics"], rate)
    return {
        "set": chosen.title,
        "spec": chosen.spec,
        "used": chosen.words,
        "machines": len(machines),
        "frame_rate_hz": rate,
        "weight_bytes": bundle.model().weight_bytes,
        "arithmetic": bundle.spec().features.arithmetic,
        "rows": rows + compared.pop("rows"),
        **compared,
    }


def _bundle(chosen: PublicSet, place: Path, machines: Sequence[Machine], work: Path) -> Bundle:
    """Build the model of a set, or take the one that is there."""
    path = data_folder("models") / f"{chosen.spec}.toml"
    if not chosen.spec.startswith("anomaly_skab"):
        place = work / f"{chosen.spec}_data"
        channels = load_spec(path, []).data.channels
        write_normal(list(machines), channels, place)
    spec = load_spec(path, [f"data.path={place}"])
    tell = lambda stage, done, total, _: print(  # noqa: E731 - one line of progress
        f"\r{chosen.title}: {stage} {done}/{total}   ", end="", file=sys.stderr
    )
    bundle = build_bundle(spec, work / chosen.spec, progress=tell)
    print(file=sys.stderr)
    return bundle


def sequences_of(
    machines: Sequence[Machine], chosen: PublicSet, features: FrontEnd
) -> list[FrameSequence]:
    """Return what is scored of a set, each behind what it is commissioned with."""
    return [_sequence(machine, chosen, features) for machine in machines]


def _sequence(machine: Machine, chosen: PublicSet, features: FrontEnd) -> FrameSequence:
    """Return what is scored, behind what the machine is commissioned with."""
    head = np.concatenate(machine.normal)
    if not chosen.is_commissioned or len(head) < 2 * FEWEST_FRAMES:
        return _framed(machine.name, features, machine.test, machine.anomalous)
    own = commission_front_end(features, head)
    values = np.concatenate([head, machine.test])
    flags = np.concatenate([np.zeros(len(head), bool), machine.anomalous])
    sequence = _framed(machine.name, own, values, flags)
    return replace(sequence, commissioning=own.config.frame_count(len(head)))


def _framed(name: str, features: FrontEnd, values: Array, flags: Array) -> FrameSequence:
    """Return samples as frames, with what counts nothing as a sensor is silent."""
    labels, skipped = features.frame_labels(flags), features.skipped(values)
    return FrameSequence(name, features.frames(values), -1, labels, "test", skipped)


def _cells(metrics: dict[str, Any]) -> list[str]:
    shares = [metrics[k] for k in ("f1", "false_alarm_rate", "missing_alarm_rate", "auc_pr")]
    return [
        *("-" if share is None else f"{share:.3f}" for share in shares),
        f"{metrics['event_f1']:.3f}",
        f"{metrics['events_found']}/{metrics['events']}",
        f"{metrics['false_alarms_per_day']:.3g}",
    ]


def table(found: dict[str, Any]) -> list[str]:
    """Return the figures of a set as a table of Markdown."""
    lines = [
        f"**{found['set']}** ({found['machines']} recordings, {found['weight_bytes']:,} bytes of "
        f"weights, {found['arithmetic']} front end). Normal; scored: {found['used']}.",
        "",
        "| detector | " + " | ".join(COLUMNS) + " |",
        "|---|" + "---:|" * len(COLUMNS),
    ]
    for row in found["rows"]:
        lines.append(f"| {row['name']} | " + " | ".join(_cells(row["metrics"])) + " |")
    return [*lines, "", found["advice"], *(f"Not fitted: {line}" for line in found["left_out"]), ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the archives")
    parser.add_argument("--work", type=Path, required=True, help="folder for bundles, kept")
    parser.add_argument("--sets", default=",".join(SETS), help=f"some of {', '.join(SETS)}")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    names = arguments.sets.split(",")
    unknown = sorted(set(names) - set(SETS))
    if unknown:
        parser.error(f"unknown set {unknown[0]}; known are {', '.join(SETS)}")
    arguments.work.mkdir(parents=True, exist_ok=True)
    found = []
    for name in names:
        found.append(measure(SETS[name], arguments.data, arguments.work))
        if not arguments.json:
            print("\n".join(table(found[-1])), flush=True)
    if arguments.json:
        print(json.dumps({"sets": found}))


if __name__ == "__main__":
    with explained_errors():
        main()
