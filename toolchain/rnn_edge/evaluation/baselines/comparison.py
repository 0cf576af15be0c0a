"""The baselines beside a model, and which of them is to be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rnn_edge.evaluation.alarms import AlarmLogic
from rnn_edge.evaluation.anomaly import ScoredRecording
from rnn_edge.evaluation.anomaly_metrics import anomaly_metrics
from rnn_edge.evaluation.baselines.judging import JudgedBaseline, available_baselines
from rnn_edge.evaluation.commissioning import head_of, in_thresholds, is_enough
from rnn_edge.types.frames import FrameSequence

FIGURES = {"f1": "F1 by frame", "event_f1": "F1 by event", "auc_pr": "AUC-PR"}
"""What a baseline is compared in. One that is better in most of them is recommended."""
MOST = 2


def compare_baselines(
    judged: Sequence[JudgedBaseline],
    recordings: Sequence[FrameSequence],
    model: Mapping[str, Any],
    frame_rate_hz: float,
) -> dict[str, Any]:
    """Return how baselines do where a model did, and what follows.

    Args:
        judged: Fitted on the same parts as the model.
        recordings: That the model was scored on.
        model: What `anomaly_metrics` says of the model.
        frame_rate_hz: Frames per second.

    Returns:
        JSON values: "rows" of "name", "title" and "metrics", "left_out" with what those that
        could not be fitted need, "wins" of the baselines by figure, "recommended" (a name, or
        None for the model) and "advice" in words.
    """
    kinds, left_out = available_baselines()
    here = {kind.name for kind in kinds}
    is_commissioned = any(r.commissioning for r in recordings)
    rows: list[dict[str, Any]] = []
    for each in judged:
        if is_commissioned and each.kind.name not in here:
            continue
        logic, scored = _scored(each, recordings, frame_rate_hz)
        rows.append(
            {
                "name": each.kind.name,
                "title": each.kind.title,
                "metrics": anomaly_metrics(logic, scored, frame_rate_hz),
            }
        )
    told = {row["name"] for row in rows}
    left_out += [
        f"{name}: more validation material for a threshold, or a build where it is installed"
        for name in sorted(here)
    ]
    return {
        "rows": rows,
        "left_out": [line for line in left_out if line.partition(":")[0] not in told],
        **recommendation(model, {row["name"]: row["metrics"] for row in rows}),
    }


def recommendation(
    model: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return where baselines are better than a model, and which detector is to be used.

    Args:
        model: What `anomaly_metrics` says of it.
        baselines: The same of each baseline, by name.
    """
    known = {key: title for key, title in FIGURES.items() if model[key] is not None}
    if not known or not baselines:
        return {
            "wins": {},
            "recommended": None,
            "advice": "No anomaly is labelled, so that nothing says which detector is best."
            if baselines
            else "There is no baseline to compare the model with.",
        }
    better = {
        name: [key for key in known if _value(metrics, key) > _value(model, key)]
        for name, metrics in baselines.items()
    }
    wins = {
        key: [name for name, keys in better.items() if key in keys]
        for key in known
        if any(key in keys for keys in better.values())
    }
    needed = min(MOST, len(known))
    candidates = [name for name, keys in better.items() if len(keys) >= needed]
    best = max(candidates, key=lambda name: _sum(baselines[name], known), default=None)
    return {"wins": wins, "recommended": best, "advice": _advice(model, baselines, known, best)}


def _scored(
    judged: JudgedBaseline, recordings: Sequence[FrameSequence], frame_rate_hz: float
) -> tuple[AlarmLogic, list[ScoredRecording]]:
    """Return the scores of a baseline, commissioned where the recordings are."""
    logic = judged.detector.logic
    if not any(r.commissioning for r in recordings):
        return logic, judged.score(recordings)
    scored = []
    for recording in recordings:
        own = judged
        if is_enough(judged.detector, recording.commissioning):
            head = [head_of(recording)]
            own = JudgedBaseline.fit(judged.kind, judged.detector.config, head, head, frame_rate_hz)
        (one,) = own.score([recording])
        scored.append(in_thresholds(recording, one.scores, own.detector.threshold))
    return replace(logic, threshold=1.0), scored


def _value(metrics: Mapping[str, Any], key: str) -> float:
    return -1.0 if metrics[key] is None else float(metrics[key])


def _sum(metrics: Mapping[str, Any], known: Mapping[str, str]) -> float:
    return sum(_value(metrics, key) for key in known)


def _advice(
    model: Mapping[str, Any],
    baselines: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, str],
    best: str | None,
) -> str:
    if best is not None:
        figures = ", ".join(
            f"{title} {_percent(baselines[best][key])} against {_percent(model[key])}"
            for key, title in known.items()
        )
        return (
            f"A baseline wins: {best} does better than the model in most figures ({figures}). On "
            f"such data use {best}, which needs no network, or change the model."
        )
    leads = []
    for key, title in known.items():
        name = max(baselines, key=lambda each: _value(baselines[each], key))
        if _value(baselines[name], key) > _value(model, key):
            leads.append(
                f"{title} ({name} {_percent(baselines[name][key])}, the model "
                f"{_percent(model[key])})"
            )
    if leads:
        return (
            f"No baseline is better than the model in most figures, but one is in "
            f"{' and in '.join(leads)}. Where that is what counts, use it."
        )
    return f"The model is better than every baseline in {', '.join(known.values())}."


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f} %"
