"""What `rnn-edge drift --analyse` found, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]

MOST_ROWS = 6
UNEXPLAINED = 2.0
"""From so many times the predicted drift on something else than rounding is at work."""


def cause_lines(analysis: Json) -> list[str]:
    """Return a paragraph for every analysis that was made."""
    lines: list[str] = []
    for name, tell in (
        ("stability", _stability),
        ("time_constants", _memory),
        ("attribution", _attribution),
        ("recommendations", _recommendations),
        ("resets", _resets),
        ("parity", _parity),
    ):
        if name in analysis:
            lines += [*tell(analysis[name]), ""]
    return lines


def _stability(found: Json) -> list[str]:
    lyapunov, prediction = found["lyapunov"], found["prediction"]
    if lyapunov["exponent"] is None:
        first = "stability: the float model forgets an error at once"
    else:
        first = (
            f"stability: {lyapunov['rate']:.3f} of an error is left after a step (largest Lyapunov "
            f"exponent {lyapunov['exponent']:+.4f} per step, {lyapunov['low']:+.4f} to "
            f"{lyapunov['high']:+.4f})"
        )
        if lyapunov["half_life"] is not None:
            first += f", half of it after {lyapunov['half_life']:.0f}"
    second = (
        f"  the local errors predict a hidden drift of {prediction['hidden_predicted']:.5f}; "
        f"measured over the same frames: {prediction['hidden_measured']:.5f}, over the whole "
        f"stream: {found['measured']:.5f}"
    )
    if found["unexplained"] <= UNEXPLAINED:
        return [first, second]
    third = (
        f"  warning: the engine drifts {found['unexplained']:.1f} times as far as its local errors "
        "explain: a state that is lost, or steps that are not the model's; see rnn-edge check"
    )
    return [first, second, third]


def _memory(found: Json) -> list[str]:
    if not found["warnings"]:
        return ["memory: no unit remembers longer than its format resolves"]
    lines = ["memory: units that remember longer than their format resolves"]
    lines += [
        f"  {each['state']}, unit {each['unit']}: {each['reason']}"
        for each in found["warnings"][:MOST_ROWS]
    ]
    left = len(found["warnings"]) - MOST_ROWS
    return [*lines, *([f"  and {left} more"] if left > 0 else [])]


def _attribution(found: Json) -> list[str]:
    lines = [
        f"causes: hidden drift {found['hidden']:.5f} with every quantizer on",
        f"  {'quantizer':<18} {'alone on':>9} {'share':>6} {'alone off':>10} {'saved':>7}",
    ]
    lines += [
        f"  {row['name']:<18} {row['alone']:>9.5f} {row['share']:>6.1%} {row['without']:>10.5f} "
        f"{row['saved']:>7.1%}"
        for row in found["rows"][:MOST_ROWS]
        if row["alone"] > 0.0
    ]
    lines += [
        f"  not rounding: {each['quantizer']}: {each['reason']}" for each in found["suspicions"]
    ]
    return lines


def _recommendations(found: Json) -> list[str]:
    if not found["changes"]:
        return [f"what to change: {found['remark']}"]
    lines = ["what to change:"]
    for change in found["changes"]:
        kind = change["setting"] or "no setting does this yet"
        drift = f"{-change['saved']:+.0%}" if change["is_measured"] else (
            f"{-change['saved']:+.0%} at most"
        )  # fmt: skip
        lines.append(f"  {change['title']}: drift {drift}; {change['price']} ({kind})")
    return [*lines, f"  {found['remark']}"] if found["remark"] else lines


def _resets(found: Json) -> list[str]:
    lines = [
        f"reset policies on {found['frames']:,} frames, {found['metric']}; now {found['current']}",
        f"  {'policy':<36} {'drift':>8} {'metric':>8} {'change':>8} {'resets/1000':>12}",
    ]
    lines += [
        f"  {row['words']:<36} {row['hidden_rms']:>8.5f} {row['metric']:>8.1%} "
        f"{row['difference']:>+8.1%} {row['resets_per_1000']:>12.2f}  {row['reason']}"
        for row in found["rows"]
    ]
    return lines


def _parity(rows: list[Json]) -> list[str]:
    wrong = [row for row in rows if row["max_lsb"] > row["allowed_lsb"]]
    engines = ", ".join(dict.fromkeys(row["engine"] for row in rows))
    if not wrong:
        return [f"parity: {engines} give the reference's bits over {rows[0]['steps']:,} steps"]
    return [
        "parity: "
        + "; ".join(
            f"{row['engine']} differs in {row['differing']:,} values of {row['tensor']}, first at "
            f"step {row['first_step']:,}"
            for row in wrong
        )
    ]
