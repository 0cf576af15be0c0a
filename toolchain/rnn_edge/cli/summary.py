"""Bundles and evaluations as JSON and as text."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnn_edge.report.formatting import number
from rnn_edge.report.sections.metrics import FEWEST_RECORDINGS

if TYPE_CHECKING:
    from rnn_edge.pipeline import Bundle

REPORT = "report.json"
QUANTIZATION = "quantization.json"
LAST_STAGE = "report"
STAGES_IN_WORDS = {
    "student": "trained, not yet quantized",
    "quantize": "quantized, not yet exported",
    "export": "exported, not yet proven",
}
PLOTTED = ("scores", "training")
"""Parts of a report that are for plots, not for a result on the command line."""


def bundle_payload(bundle: Bundle) -> dict[str, Any]:
    """Return what a program wants to know of a bundle: its place, manifest and key figures."""
    from rnn_edge.pipeline.device_notes import device_notes

    report = _report(bundle)
    figures = {key: value for key, value in report.items() if key not in PLOTTED}
    return {
        "bundle": str(bundle.path),
        "manifest": dict(bundle.manifest),
        "quantization": _quantization(bundle),
        "report": figures,
        "device_notes": list(device_notes(bundle)),
    }


def bundle_lines(bundle: Bundle) -> list[str]:
    """Return what a person wants to know of a bundle."""
    from rnn_edge.pipeline.device_notes import device_notes

    report = _report(bundle)
    lines = []
    if report:
        lines += headline(report)
        rows = {model["name"]: model["metrics"] for model in report["models"]}
        lines += metric_lines(report["task"], rows, report["data"])
        lines += baseline_lines(report.get("baselines"))
        lines += _drift_lines(report["drift"])
        lines += _proof_lines(report)
    lines += range_lines(_quantization(bundle), report.get("replayed_ranges", ()))
    lines += [f"note: {note}" for note in device_notes(bundle)]
    lines.append(f"Bundle: {bundle.path} ({_progress(bundle)})")
    if report:
        lines.append(f"Report: {bundle.path / 'report.html'}")
    return lines


def _progress(bundle: Bundle) -> str:
    """Say how far a build has come, and how it goes on."""
    until = bundle.manifest["until"]
    if until == LAST_STAGE:
        return "finished"
    done = STAGES_IN_WORDS.get(until, f"built up to the stage {until!r}")
    return f'{done}; "rnn-edge build {shlex.quote(str(bundle.path))}" goes on from there'


def evaluation_lines(result: Mapping[str, Any]) -> list[str]:
    """Return an evaluation as text."""
    data = result["data"]
    lines = metric_lines(result["task"], result["engines"], data, is_whole=data["part"] == "all")
    lines.append(f"scored: {_scored(data)}")
    if result["task"] == "kws":
        for engine, metrics in result["engines"].items():
            lines += _class_lines(engine, metrics["unreset"]["per_class"])
    lines += baseline_lines(result.get("baselines"))
    silent = result.get("silent_sensors", {})
    if silent:
        told = ", ".join(f"{name} {share:.2%}" for name, share in silent.items())
        lines.append(f"silent sensors, of which frames count nothing: {told}")
    return [*lines, *(f"note: {note}" for note in data["notes"])]


def baseline_lines(found: Mapping[str, Any] | None) -> list[str]:
    """Return simple baselines beside a model, and what follows from them."""
    if found is None:
        return []
    rows = found["rows"]
    widest = max((len(row["name"]) for row in rows), default=0)
    lines = ["baselines, by the same threshold method and alarm logic:"] if rows else []
    lines += [f"  {row['name']:<{widest}}  {_anomaly_cells(row['metrics'])}" for row in rows]
    lines += [f"  not fitted: {line}" for line in found["left_out"]]
    return [*lines, f"verdict: {found['advice']}"]


def _scored(data: Mapping[str, Any]) -> str:
    """Say how much was scored, and what of it no microphone has heard."""
    if "rows" in data:
        return f"{data['recordings']:,} recording(s), {data['rows']:,} rows"
    generated = ", ".join(
        f"{count:,} generated of {label}" for label, count in data["generated_clips"].items()
    )
    kind = "synthetic" if data["is_synthetic"] else "recorded"
    return f"{data['clips']:,} {kind} clip(s)" + (f", {generated}" if generated else "")


def range_lines(
    quantization: Mapping[str, Any], replayed: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return what is proved of ranges and sums, and a warning for each tensor that lost values.

    Args:
        quantization: Empty before the quantized model is made.
        replayed: Ranges on the replay stream; empty before the report is made.
    """
    if not quantization:
        return []
    tensors, matrices = (quantization["ranges"][key] for key in ("tensors", "matrices"))
    found = [row["verdict"] for row in tensors]
    narrow = sum(row["fits_int32"] for row in matrices)
    lines = [
        f"ranges: of {len(tensors)} tensors {found.count('never')} can never saturate, "
        f"{found.count('possible')} could, {_saturated(tensors)}; "
        f"sums of {narrow} of {len(matrices)} matrices proved to fit int32"
    ]
    for where, rows, key in (("calibration", tensors, "calibrated"), ("replay", replayed, "seen")):
        for row in rows:
            if row["loses"]:
                (low, high), (least, most) = row[key], row["representable"]
                lines.append(
                    f"warning: tensor {row['tensor']} saturates: {row['saturated']:,} of "
                    f"{row['values']:,} values in {where}, from {low:.4g} to {high:.4g} where "
                    f"{least:.4g} to {most:.4g} is held"
                )
    return lines


def _saturated(tensors: Sequence[Mapping[str, Any]]) -> str:
    """Say how many tensors saturated in calibration, and how many lost nothing by it."""
    seen = [row["loses"] for row in tensors if row["verdict"] == "seen"]
    if not seen or all(seen):
        return f"{len(seen)} did in calibration"
    if not any(seen):
        return f"{len(seen)} did in calibration, harmlessly"
    return f"{len(seen)} did in calibration, {seen.count(False)} of them harmlessly"


def metric_lines(
    task: str, rows: Mapping[str, Any], data: Mapping[str, Any], *, is_whole: bool = False
) -> list[str]:
    """Return a table of the task's metrics, one row for each model or engine."""
    source = data["source"]
    if data["is_synthetic"] and "synthetic" not in source:
        source += " (synthetic)"
    widest = max(map(len, rows))
    few = _few_recordings(rows) if task == "anomaly" else ""
    lines = [f"{'all' if is_whole else 'test part'} of {source}{few}:"]
    for name, metrics in rows.items():
        cells = _keyword_cells(metrics) if task == "kws" else _anomaly_cells(metrics)
        lines.append(f"  {name:<{widest}}  {cells}")
    return lines


def _keyword_cells(metrics: Mapping[str, Any]) -> str:
    parts = []
    for name in ("reset", "unreset"):
        if name in metrics:
            low, high = metrics[name]["accuracy_interval"]
            parts.append(
                f"{name} {_percent(metrics[name]['accuracy'])} "
                f"({_percent(low)} to {_percent(high)})"
            )
    return "  ".join(parts)


def _anomaly_cells(metrics: Mapping[str, Any]) -> str:
    if not metrics["is_labelled"]:
        return (
            f"nothing is labelled  alarm in {_percent(metrics['alarm_rate'])} of the frames, "
            f"{metrics['false_alarm_runs']} times"
        )
    if not metrics["events"]:
        # F1 and AUC-PR mean nothing where there is nothing to find.
        alarms = f"{metrics['false_alarm_runs']}{_per_day(metrics)}"
        return f"no labelled anomaly to find  false alarms {alarms}"
    return (
        f"F1 {_percent(metrics['f1'])}{_f1_interval(metrics)}  "
        f"AUC-PR {_percent(metrics['auc_pr'])}  "
        f"events {metrics['events_found']}/{metrics['events']}  "
        f"false alarms {metrics['false_alarm_runs']}{_per_day(metrics)}"
    )


def _f1_interval(metrics: Mapping[str, Any]) -> str:
    """Return the interval of F1, or nothing where there are too few recordings to resample."""
    if metrics["recordings"] < FEWEST_RECORDINGS:
        return ""
    low, high = metrics["f1_interval"]
    return f" ({_percent(low)} to {_percent(high)})"


def _few_recordings(rows: Mapping[str, Any]) -> str:
    """Say why figures of sensors have no interval, where that is so."""
    counts = [row["recordings"] for row in rows.values() if row["is_labelled"] and row["events"]]
    if not counts or max(counts) >= FEWEST_RECORDINGS:
        return ""
    few = f"{max(counts)} recording{'s' * (max(counts) != 1)}"
    return f" ({few}, too few for an interval of F1)"


def _per_day(metrics: Mapping[str, Any]) -> str:
    """Return how many false alarms that is in a day of normal operation."""
    if metrics.get("false_alarms_per_day") is None:
        return ""
    low, high = map(number, metrics["false_alarms_per_day_interval"])
    return f", {number(metrics['false_alarms_per_day'])} a day ({low} to {high})"


def _class_lines(engine: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [f"by class, {engine}, unreset:"]
    for row in rows:
        if not row["count"]:
            lines.append(f"  {row['label']:<12} no clips")
            continue
        low, high = row["recall_interval"]
        lines.append(
            f"  {row['label']:<12} recall {_percent(row['recall'])} "
            f"({_percent(low)} to {_percent(high)})  precision {_percent(row['precision'])}  "
            f"{row['count']} clips"
        )
    return lines


def headline(report: Mapping[str, Any]) -> list[str]:
    """Return what was built: sizes, and what the C has of them where it leaves zeros out."""
    macs = report.get("c_macs", report["macs"])
    pruned = (
        f"; in the C, without zeros: {report['memory']['constants']:,} bytes of constants and "
        f"{macs:,} MAC"
        if macs < report["macs"]
        else ""
    )
    heard = "".join(
        f"{layer['stretches']} x {layer['units']} local units, "
        for layer in report.get("local", ())
    )
    return [
        f"{report['name']}: {report['cell'].upper()}, {report['inputs']} inputs, {heard}"
        f"{report['layers']} x {report['hidden']} units, {report['outputs']} outputs; "
        f"{report['weight_bytes']:,} bytes of weights and biases, {report['macs']:,} MAC a step"
        f"{pruned}"
    ]


def _drift_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    widest = max(len(row["name"]) for row in rows)
    lines = [f"drift from the float run over {rows[0]['steps']:,} steps, never reset:"]
    for row in rows:
        lines.append(
            f"  {row['name']:<{widest}}  hidden RMS {row['hidden_rms']:.4f}  "
            f"decisions equal {_percent(row['agreement'])}"
        )
    return lines


def _proof_lines(report: Mapping[str, Any]) -> list[str]:
    lines = []
    for engine, rows in _by_engine(report["parity"]).items():
        wrong = sum(row["differing"] for row in rows)
        verdict = f"{wrong:,} values differ" if wrong else "every output and state bit equal"
        lines.append(f"  {engine:<14} {verdict} over {rows[0]['steps']:,} steps")
    for engine, rows in _by_engine(report["float_engines"]).items():
        worst = max(row["maximum"] for row in rows)
        own = "" if rows[0]["tolerance"] is not None else ", in an arithmetic of its own"
        lines.append(f"  {engine:<14} within {worst:.1e} of the float model{own}")
    return ["engines against the reference:", *lines] if lines else []


def _by_engine(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row["engine"], []).append(row)
    return grouped


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _quantization(bundle: Bundle) -> dict[str, Any]:
    if QUANTIZATION not in bundle.manifest["files"]:
        return {}
    found: dict[str, Any] = json.loads(bundle.file(QUANTIZATION).read_text())
    return found


def _report(bundle: Bundle) -> dict[str, Any]:
    if REPORT not in bundle.manifest["files"]:
        return {}
    report: dict[str, Any] = json.loads(bundle.file(REPORT).read_text())
    return report
