"""The result of `rnn-edge drift` as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_edge.cli.drift_causes import cause_lines

Json = Mapping[str, Any]


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
        f"{total['steps']:,} steps, never reset: {_duration(total['steps'] / rate)} at "
        f"{rate:g} frames per second"
        + (
            f"; stopped before the planned {total['planned_steps']:,}"
            if total["is_partial"]
            else ""
        )
    )
    lines += ["", *_tensors(total), "", *_decisions(total)]
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
        f"{word}; hidden state off by {rms['value']:.5f} rms ({rms['low']:.5f} to "
        f"{rms['high']:.5f}); {worst['tensor']} grows with time to the power of "
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
        interval = f"{rms['low']:.5f} to {rms['high']:.5f}"
        once = local.get(row["tensor"])
        gain = f"{rms['value'] / once:.1f}" if once else "-"
        lines.append(
            f"{row['tensor']:<7}{rms['value']:>9.5f}  {interval:<19} {row['maximum']:>8.4f} "
            f"{row['relative']:>9.2%} {'-' if once is None else f'{once:.6f}':>9} {gain:>6}  "
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
        f"missed, {found['extra_events']:,} extra; score off by {found['score_rms']:.5f} rms, "
        f"{found['score_maximum']:.4f} at most"
    )
    return lines


def _streams(streams: list[Json]) -> list[str]:
    lines = [f"{'stream':<28} {'steps':>11} {'hidden rms':>10} {'frames':>9} {'detections':>10}"]
    lines += [
        f"{stream['stream']:<28} {stream['steps']:>11,} {stream['hidden_rms']['value']:>10.5f} "
        f"{stream['decisions']['agreement']['value']:>9.3%} "
        f"{stream['detections']['agreement']['value']:>10.3%}  {verdict(stream).split(';')[0]}"
        for stream in streams
    ]
    return lines


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"
