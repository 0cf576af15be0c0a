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
"""What a baseline is compared in. One that is better in most of them is recommended, and so is one
that is worse in none: it is simpler."""
MOST = 2
DECIMALS = 1
"""Of a percentage."""


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
        name: [key for key in known if _shown(metrics, key) > _shown(model, key)]
        for name, metrics in baselines.items()
    }
    wins = {
        key: [name for name, keys in better.items() if key in keys]
        for key in known
        if any(key in keys for keys in better.values())
    }
    needed = min(MOST, len(known))
    candidates = [name for name, keys in better.items() if len(keys) >= needed] or [
        name for name, metrics in baselines.items() if not _worse(metrics, model, known)
    ]
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


def _shown(metrics: Mapping[str, Any], key: str) -> float:
    """Return a figure as it is printed: what is printed the same is called equal."""
    return round(_value(metrics, key), DECIMALS + 2)


def _worse(
    metrics: Mapping[str, Any], model: Mapping[str, Any], known: Mapping[str, str]
) -> list[str]:
    return [key for key in known if _shown(metrics, key) < _shown(model, key)]


def _sum(metrics: Mapping[str, Any], known: Mapping[str, str]) -> float:
    return sum(_value(metrics, key) for key in known)


def _advice(
    model: Mapping[str, Any],
    baselines: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, str],
    best: str | None,
) -> str:
    if best is not None:
        own = baselines[best]
        figures = ", ".join(_against(own, model, key, title) for key, title in known.items())
        better = [key for key in known if _shown(own, key) > _shown(model, key)]
        if len(better) >= min(MOST, len(known)):
            return (
                f"A baseline wins: {best} does better than the model in most figures ({figures}). "
                f"On such data use {best}, which needs no network, or change the model."
                f"{_more_alarms(own, model)}"
            )
        found = "worse than the model in no figure" if better else "equal to the model"
        return (
            f"A tie: {best} is {found} ({figures}). On such data use {best}, which needs no "
            f"network and is simpler, or change the model.{_more_alarms(own, model)}"
        )
    leads, ties, ahead = [], [], []
    for key, title in known.items():
        name = max(baselines, key=lambda each: _value(baselines[each], key))
        of_baseline, of_model = _shown(baselines[name], key), _shown(model, key)
        if of_baseline > of_model:
            leads.append(
                f"{title} ({name} {_percent(baselines[name][key])}, the model "
                f"{_percent(model[key])})"
            )
        elif of_baseline == of_model:
            ties.append(f"{title} ({name}, {_percent(model[key])})")
        else:
            ahead.append(title)
    if leads:
        return (
            f"No baseline is better than the model in most figures, but one is in "
            f"{' and in '.join(leads)}. Where that is what counts, use it."
        )
    if not ahead:
        return (
            "No baseline is better than the model in any figure, and each is worse in some; equal "
            f"are {', '.join(ties)}."
        )
    tied = f"; one equals it in {' and in '.join(ties)}" if ties else ""
    return f"The model is better than every baseline in {', '.join(ahead)}{tied}."


def _against(own: Mapping[str, Any], model: Mapping[str, Any], key: str, title: str) -> str:
    """Return a figure of a baseline beside that of the model."""
    if _shown(own, key) == _shown(model, key):
        return f"{title} {_percent(model[key])} of both"
    of_baseline = "none" if own[key] is None else _percent(own[key])
    return f"{title} {of_baseline} against {_percent(model[key])}"


def _more_alarms(own: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Return what a recommended baseline costs in alarms of nothing, which no figure counts."""
    of_baseline, of_model = (m.get("false_alarms_per_day") for m in (own, model))
    if of_baseline is None or of_model is None or of_baseline <= of_model:
        return ""
    return (
        f" But it has {of_baseline:.3g} false alarms a day where the model has {of_model:.3g}: "
        "where somebody has to answer each of them, that may count for more."
    )


def _percent(share: float) -> str:
    return f"{100.0 * share:.{DECIMALS}f} %"
