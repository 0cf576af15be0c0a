"""The result of `rnn-edge drift` as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_edge.cli.drift_causes import cause_lines

Json = Mapping[str, Any]

NEVER = "never"


def drift_lines(result: Json) -> list[str]:
    """Return a drift result as text; the last line is the verdict."""
    total = result["total"]
    rate = result["frame_rate_hz"]
    lines = [
        f"{result['bundle']} on {result['source']}: engine {result['engine']} against "
        f"{result['reference']}, each on its own state",
    ]
    for stream in result["streams"]:
        lines.append(f"stream {stream['stream']}: {stream['description']}")
    lines.append(
        f"{total['steps']:,} steps{_parts(result['streams'])}, never reset: "
        f"{_duration(total['steps'] / rate)} at {rate:g} frame{'' if rate == 1.0 else 's'} per "
        "second"
        + (
            f"; stopped before the planned {total['planned_steps']:,}"
            if total["is_partial"]
            else ""
        )
    )
    policy = result.get("reset_policy", NEVER)
    if policy != NEVER:
        lines.append(
            f"the bundle's own reset policy, {policy}, is left out: this is what it acts on"
        )
    lines += ["", *_tensors(total), "", *_decisions(total)]
    if not total["details"]:
        lines.append("local errors and gain need a reference in floating point, and integers")
    if len(result["streams"]) > 1:
        lines += ["", *_streams(result["streams"])]
    lines += ["", *cause_lines(result["analysis"])]
    if left := result.get("unfinished_analyses"):
        lines += [f"stopped before the end of: {', '.join(left)}", ""]
    return [*lines, f"verdict: {verdict(total)}"]


def verdict(stream: Json) -> str:
    """Return in one line where the error of the hidden states goes."""
    hidden = [row for row in stream["tensors"] if row["tensor"].startswith("h")]
    words = {row["trend"]["verdict"] for row in hidden}
    word = next(each for each in ("growth", "undecided", "plateau") if each in words)
    worst = max(hidden, key=lambda row: row["trend"]["slope"]["high"])
    slope = worst["trend"]["slope"]
    rms = stream["hidden_rms"]
    return (
        f"{word}; hidden state off by {_error(rms['value'])} rms ({_error(rms['low'])} to "
        f"{_error(rms['high'])}); {worst['tensor']} grows with time to the power of "
        f"{slope['value']:+.3f} ({slope['low']:+.3f} to {slope['high']:+.3f})"
    )


def _tensors(stream: Json) -> list[str]:
    local = {row["tensor"]: row["rms"] for row in stream["details"].get("local", ())}
    lines = [
        f"{'tensor':<7}{'rms':>9}  {'95 % interval':<19} {'largest':>8} {'relative':>9} "
        f"{'local':>9} {'gain':>6}  trend"
    ]
    for row in stream["tensors"]:
        rms = row["rms"]
        interval = f"{_error(rms['low'])} to {_error(rms['high'])}"
        once = local.get(row["tensor"])
        gain = f"{rms['value'] / once:.1f}" if once else "-"
        lines.append(
            f"{row['tensor']:<7}{_error(rms['value']):>9}  {interval:<19} "
            f"{_error(row['maximum'], 4):>8} "
            f"{row['relative']:>9.2%} {'-' if once is None else _error(once, 6):>9} {gain:>6}  "
            f"{row['trend']['verdict']}"
        )
    return lines


def _decisions(stream: Json) -> list[str]:
    lines = []
    for title, row in (("frames", stream["decisions"]), ("detections", stream["detections"])):
        share = row["agreement"]
        first = "never" if row["first_flip"] is None else f"first at step {row['first_flip']:,}"
        lines.append(
            f"{title}: {share['value']:.3%} decided alike ({share['low']:.3%} to "
            f"{share['high']:.3%}), {row['flips']:,} otherwise, {first}; {row['kind']}"
        )
    found = stream["detections"]
    lines.append(
        f"events: {found['reference_events']:,} of the reference, {found['missed_events']:,} "
        f"missed, {found['extra_events']:,} extra; score off by {_error(found['score_rms'])} rms, "
        f"{_error(found['score_maximum'], 4)} at most"
    )
    return [*lines, *_alarms(stream)]


def _alarms(stream: Json) -> list[str]:
    """Return what becomes of false alarms, where something is known of the frames."""
    found = stream.get("alarms")
    if found is None:
        return []
    near = found["score_at_threshold"]
    lines = [
        f"scores of alarms: off by {found['score_relative']:.2%} rms of the reference's own"
        + (
            f"; by {near:.2%} of the threshold {found['threshold']:.4g} on the "
            f"{found['frames_at_threshold']:,} frames near it"
            if near is not None
            else f"; never near the threshold {found['threshold']:.4g}"
        )
    ]
    normal, change = found["normal_frames"], found["change"]
    shares = [f"{found[key] / max(normal, 1):.4%}" for key in ("reference_false", "engine_false")]
    words = "none by the reference, which leaves no ratio"
    if change is not None:
        words = f"{change['value']:+.2%} ({change['low']:+.2%} to {change['high']:+.2%})"
    lines.append(
        f"false alarms, of {normal:,} normal frames: {shares[0]} by the reference, {shares[1]} by "
        f"the engine: {words}"
    )
    events = found["event_change"]
    lines.append(
        f"false alarms, each counted once: {found['reference_events']:,} by the reference, "
        f"{found['engine_events']:,} by the engine" + ("" if events is None else f": {events:+.2%}")
    )
    return lines


def _streams(streams: list[Json]) -> list[str]:
    lines = [f"{'stream':<28} {'steps':>11} {'hidden rms':>10} {'frames':>9} {'detections':>10}"]
    lines += [
        f"{stream['stream']:<28} {stream['steps']:>11,} "
        f"{_error(stream['hidden_rms']['value']):>10} "
        f"{stream['decisions']['agreement']['value']:>9.3%} "
        f"{stream['detections']['agreement']['value']:>10.3%}  {verdict(stream).split(';')[0]}"
        for stream in streams
    ]
    return lines


def _parts(streams: list[Json]) -> str:
    return f" in {len(streams)} streams" if len(streams) > 1 else ""


def _error(value: float, places: int = 5) -> str:
    """Return an error with so many places, one that is too small for them as a power of ten."""
    text = f"{value:.{places}f}"
    return f"{value:.1e}" if float(text) == 0.0 != value else text


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"
