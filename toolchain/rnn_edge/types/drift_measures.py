"""Every figure of a drift result that a budget may limit: its name, and where it is read.

To add a measure, add a row to `MEASURES`. Figures are read from the JSON of a result, so that one
that was written to a file years ago is read like one that was measured just now.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Any

from rnn_edge.errors import SpecError
from rnn_edge.types.drift import Estimate, TrendVerdict

Reading = Estimate | TrendVerdict
"""What was measured; a figure without noise is an estimate whose interval is itself."""

Json = Mapping[str, Any]


class Worse(StrEnum):
    """In which direction a measure gets worse."""

    HIGHER = "higher"
    LOWER = "lower"
    GROWTH = "growth"


class Comparison(StrEnum):
    """How a measure is compared with that of a baseline."""

    RATIO = "ratio"
    """Value over baseline."""

    DIFFERENCE = "difference"
    """How much worse it is than the baseline, in the measure's own unit."""

    NONE = "none"


@dataclass(frozen=True)
class Measure:
    """A figure that a budget may limit.

    Attributes:
        name: Its key; "state.NAME.x" stands for a key of each state (h0, c0, h1, ...).
        meaning: What it is, in a sentence.
        unit: Of the value; empty for a share or a ratio.
        worse: In which direction it gets worse.
        comparison: How it is compared with a baseline.
        read: Returns it, given the JSON of the stream, that of the whole result, and the name of
            the tensor ("" where the measure is of none); None where it was not measured.
        needs: What a measurement has to take besides errors and decisions: "details" of single
            steps, the name of an analysis, or nothing.
        span: Between what it can be.
    """

    name: str
    meaning: str
    unit: str
    worse: Worse
    comparison: Comparison
    read: Callable[[Json, Json, str], Reading | None]
    needs: str = ""
    pairing: str = ""
    span: tuple[float, float] = (0.0, math.inf)


DETAILS = "details"

FORGOTTEN = 1e-8
"""What is left of an error after a step, at most, where its growth is not told as a number."""

REAL = "real units"
"""Those of the float model's state, 1 being full scale of a hidden state."""

STATE = re.compile(r"^state\.([hc]\d+)\.(\w+)$")
ANY_STATE = "state.NAME."


def find_measure(name: str) -> tuple[Measure, str]:
    """Return a measure by its key, and the tensor that the key names.

    Raises:
        SpecError: If there is none; it names all there are.
    """
    match = STATE.match(name)
    measure = MEASURES.get(f"{ANY_STATE}{match[2]}" if match else name)
    if measure is None or ANY_STATE in name:
        raise SpecError(f"Unknown measure: {name!r}; known are {', '.join(MEASURES)}.")
    if match:
        return measure, match[1]
    return measure, "y" if name.startswith("y.") else ""


def read_measure(name: str, stream: Json, result: Json) -> Reading | None:
    """Return what a drift result says of a measure, or None where it was not measured.

    Args:
        name: Key of the measure.
        stream: JSON of one `StreamDrift` of the result.
        result: JSON of the `DriftResult`.

    Raises:
        SpecError: If there is no such measure.
    """
    measure, tensor = find_measure(name)
    found = measure.read(stream, result, tensor)
    if isinstance(found, Estimate) and not all(map(math.isfinite, astuple(found))):
        return None
    return found


def exactly(value: object) -> Estimate | None:
    """Return a figure that is a fact about the frames that were replayed, and has no noise."""
    if not isinstance(value, int | float):
        return None
    return Estimate(float(value), float(value), float(value))


def estimated(found: Json | None) -> Estimate | None:
    """Return an estimate as JSON holds it; None where JSON had no number for a part of it."""
    if found is None or any(found[part] is None for part in ("value", "low", "high")):
        return None
    # A program that writes JSON anew may have made 1 of 1.0.
    return Estimate(float(found["value"]), float(found["low"]), float(found["high"]))


def _rows(stream: Json, tensor: str) -> list[Json]:
    """Return the rows of a tensor; with "" those of all states, with "h" of all hidden ones."""
    if tensor in ("", "h"):
        states = (row for row in stream["tensors"] if row["tensor"] != "y")
        return [row for row in states if row["tensor"].startswith(tensor)]
    return [row for row in stream["tensors"] if row["tensor"] == tensor]


def _rms(stream: Json, _: Json, tensor: str) -> Reading | None:
    rows = _rows(stream, tensor)
    return estimated(rows[0]["rms"]) if rows else None


def _maximum(stream: Json, _: Json, tensor: str) -> Reading | None:
    rows = _rows(stream, tensor or "h")
    return exactly(max(row["maximum"] for row in rows)) if rows else None


def _relative(stream: Json, _: Json, tensor: str) -> Reading | None:
    rows = _rows(stream, tensor)
    if not rows:
        return None
    value, rms = float(rows[0]["relative"]), rows[0]["rms"]
    # The size of the reference is that of these frames; only the error is an estimate.
    scale = value / rms["value"] if rms["value"] > 0.0 else 0.0
    return Estimate(value, rms["low"] * scale, rms["high"] * scale)


def _slope(stream: Json, _: Json, tensor: str) -> Reading | None:
    slopes = [estimated(row["trend"]["slope"]) for row in _rows(stream, tensor)]
    return max((s for s in slopes if s is not None), key=lambda slope: slope.value, default=None)


def _trend(stream: Json, _: Json, tensor: str) -> Reading | None:
    found = {TrendVerdict(row["trend"]["verdict"]) for row in _rows(stream, tensor)}
    order = (TrendVerdict.GROWTH, TrendVerdict.UNDECIDED, TrendVerdict.PLATEAU)
    return next((verdict for verdict in order if verdict in found), None)


def _local(stream: Json, _: Json, tensor: str) -> Reading | None:
    rows = [row for row in stream["details"].get("local", ()) if _is_of(row["tensor"], tensor)]
    if not rows:
        return None
    return exactly(math.sqrt(sum(row["rms"] ** 2 for row in rows) / len(rows)))


def _gain(stream: Json, result: Json, tensor: str) -> Reading | None:
    local = _local(stream, result, tensor)
    drift = _rms(stream, result, tensor) if tensor else _hidden_rms(stream)
    if not isinstance(local, Estimate) or not isinstance(drift, Estimate) or local.value <= 0.0:
        return None
    return Estimate(*(part / local.value for part in astuple(drift)))


def _is_of(name: str, tensor: str) -> bool:
    """Return whether a row is that of a tensor; with "" whether it is a hidden state's."""
    return name == tensor if tensor else name.startswith("h")


def _saturated(stream: Json, *_: object) -> Reading | None:
    if "saturation" not in stream["details"]:
        return None
    rows = [row for row in stream["details"]["saturation"] if not row["is_harmless"]]
    return exactly(max((row["share"] for row in rows), default=0.0))


def _dead_units(stream: Json, *_: object) -> Reading | None:
    rows = stream["details"].get("dead")
    return None if rows is None else exactly(sum(len(row["never_moved"]) for row in rows))


def _dead_updates(stream: Json, *_: object) -> Reading | None:
    rows = stream["details"].get("dead")
    return exactly(max(row["share_half"] for row in rows)) if rows else None


def _lyapunov(_stream: Json, result: Json, _tensor: str) -> Reading | None:
    found = result["analysis"].get("stability", {}).get("lyapunov")
    if found is None:
        return None
    if found["exponent"] is None and found["is_contracting"]:
        # Nothing is left after a step, or less than can be told from nothing.
        return exactly(math.log(FORGOTTEN))
    return estimated({**found, "value": found["exponent"]})


def _hidden_rms(stream: Json, *_: object) -> Reading | None:
    return estimated(stream["hidden_rms"])


def _agreement(kind: str) -> Callable[[Json, Json, str], Reading | None]:
    return lambda stream, _result, _tensor: estimated(stream[kind]["agreement"])


def _alarms(key: str) -> Callable[[Json, Json, str], Reading | None]:
    # Results of earlier versions have no alarms.
    return lambda stream, _result, _tensor: exactly((stream.get("alarms") or {}).get(key))


def _false_alarm_change(stream: Json, *_: object) -> Reading | None:
    found = estimated((stream.get("alarms") or {}).get("change"))
    return None if found is None else _size(found)


def _false_event_change(stream: Json, *_: object) -> Reading | None:
    found = (stream.get("alarms") or {}).get("event_change")
    return None if found is None else exactly(abs(found))


def _size(found: Estimate) -> Estimate:
    """Return how far from 0 an estimate is: more false alarms and fewer are a change alike."""
    ends = abs(found.low), abs(found.high)
    least = 0.0 if found.low <= 0.0 <= found.high else min(ends)
    return Estimate(abs(found.value), least, max(ends))


def _count(kind: str, key: str) -> Callable[[Json, Json, str], Reading | None]:
    return lambda stream, _result, _tensor: exactly(stream[kind][key])


def _table(*measures: Measure) -> Mapping[str, Measure]:
    return {measure.name: measure for measure in measures}


_SHARE, _ANY = (0.0, 1.0), (-math.inf, math.inf)
_UP, _RATIO, _DIFFERENCE = Worse.HIGHER, Comparison.RATIO, Comparison.DIFFERENCE

MEASURES: Mapping[str, Measure] = _table(
    Measure(
        "hidden_rms",
        "Root mean square error over the hidden states of all layers.",
        REAL,
        _UP,
        _RATIO,
        _hidden_rms,
        pairing="hidden",
    ),
    Measure(
        "hidden_max",
        "Largest error of any hidden state in the frames that were replayed.",
        REAL,
        _UP,
        _RATIO,
        _maximum,
    ),
    Measure(
        "state.NAME.rms",
        "Root mean square error of one state.",
        REAL,
        _UP,
        _RATIO,
        _rms,
        pairing="tensor",
    ),
    Measure("state.NAME.max", "Largest error of one state.", REAL, _UP, _RATIO, _maximum),
    Measure(
        "state.NAME.relative",
        "Root mean square error of one state over the reference's own root mean square.",
        "",
        _UP,
        _RATIO,
        _relative,
        pairing="tensor",
    ),
    Measure(
        "y.rms", "Root mean square error of the outputs.", REAL, _UP, _RATIO, _rms, pairing="tensor"
    ),
    Measure("y.max", "Largest error of an output.", REAL, _UP, _RATIO, _maximum),
    Measure(
        "y.relative",
        "Root mean square error of the outputs over the reference's own root mean square.",
        "",
        _UP,
        _RATIO,
        _relative,
        pairing="tensor",
    ),
    Measure(
        "frame_agreement",
        "Share of frames with the same unsmoothed decision.",
        "",
        Worse.LOWER,
        _DIFFERENCE,
        _agreement("decisions"),
        pairing="decisions",
        span=_SHARE,
    ),
    Measure(
        "frame_flips",
        "Frames with another unsmoothed decision.",
        "frames",
        _UP,
        _DIFFERENCE,
        _count("decisions", "flips"),
    ),
    Measure(
        "detection_agreement",
        "Share of frames with the same decision after smoothing and threshold.",
        "",
        Worse.LOWER,
        _DIFFERENCE,
        _agreement("detections"),
        pairing="detections",
        span=_SHARE,
    ),
    Measure(
        "missed_events",
        "Detections of the reference during which the engine never decides the same.",
        "events",
        _UP,
        _DIFFERENCE,
        _count("detections", "missed_events"),
    ),
    Measure(
        "extra_events",
        "Detections of the engine during which the reference never decides the same.",
        "events",
        _UP,
        _DIFFERENCE,
        _count("detections", "extra_events"),
    ),
    Measure(
        "score_rms",
        "Root mean square difference of the scores that are compared with the threshold.",
        "score",
        _UP,
        _RATIO,
        _count("detections", "score_rms"),
    ),
    Measure(
        "score_max",
        "Largest difference of the scores that are compared with the threshold.",
        "score",
        _UP,
        _RATIO,
        _count("detections", "score_maximum"),
    ),
    Measure(
        "score_relative",
        "Root mean square difference of the scores of alarms over the reference's own.",
        "",
        _UP,
        _RATIO,
        _alarms("score_relative"),
    ),
    Measure(
        "score_at_threshold",
        "The same over the threshold, where the reference's score is within a tenth of it.",
        "",
        _UP,
        _RATIO,
        _alarms("score_at_threshold"),
    ),
    Measure(
        "false_alarm_change",
        "By how much the share of normal frames in alarm changes, as a part of the reference's.",
        "",
        _UP,
        _DIFFERENCE,
        _false_alarm_change,
    ),
    Measure(
        "false_event_change",
        "By how much the number of false alarms changes, each counted once, as a part of the "
        "reference's.",
        "",
        _UP,
        _DIFFERENCE,
        _false_event_change,
    ),
    Measure(
        "trend",
        'Where the error of the states goes; the worst of them counts. Its limit is "plateau".',
        "",
        Worse.GROWTH,
        Comparison.NONE,
        _trend,
    ),
    Measure(
        "state.NAME.trend",
        "Where the error of one state goes.",
        "",
        Worse.GROWTH,
        Comparison.NONE,
        _trend,
    ),
    Measure(
        "y.trend",
        "Where the error of the outputs goes.",
        "",
        Worse.GROWTH,
        Comparison.NONE,
        _trend,
    ),
    Measure(
        "slope",
        "d ln(rms) / d ln(step) of the state that grows fastest: 0 on a plateau.",
        "",
        _UP,
        _DIFFERENCE,
        _slope,
        span=_ANY,
    ),
    Measure("state.NAME.slope", "The same of one state.", "", _UP, _DIFFERENCE, _slope, span=_ANY),
    Measure("y.slope", "The same of the outputs.", "", _UP, _DIFFERENCE, _slope, span=_ANY),
    Measure(
        "local_error",
        "Root mean square error that one step adds to the hidden states, from the float state.",
        REAL,
        _UP,
        _RATIO,
        _local,
        DETAILS,
    ),
    Measure(
        "gain",
        "hidden_rms over local_error: by how much the closed loop makes it larger.",
        "",
        _UP,
        _RATIO,
        _gain,
        DETAILS,
        pairing="hidden",
    ),
    Measure(
        "state.NAME.gain",
        "The same of one state.",
        "",
        _UP,
        _RATIO,
        _gain,
        DETAILS,
        pairing="tensor",
    ),
    Measure(
        "saturated_share",
        "Share of values at an end of their range, in the tensor where it is largest; tensors "
        "that are flat there anyway do not count.",
        "",
        _UP,
        _DIFFERENCE,
        _saturated,
        DETAILS,
        span=_SHARE,
    ),
    Measure(
        "dead_units",
        "Units of all states whose integer never changed in the steps that were looked into.",
        "units",
        _UP,
        _DIFFERENCE,
        _dead_units,
        DETAILS,
    ),
    Measure(
        "dead_updates",
        "Share of updates of at least half a unit of the last place that were rounded to nothing, "
        "in the state where it is largest.",
        "",
        _UP,
        _DIFFERENCE,
        _dead_updates,
        DETAILS,
        span=_SHARE,
    ),
    Measure(
        "lyapunov",
        "Largest Lyapunov exponent of the float model on the first stream: below 0 an error is "
        "forgotten.",
        "1/step",
        _UP,
        _DIFFERENCE,
        _lyapunov,
        "stability",
        span=_ANY,
    ),
)
"""By name."""
