"""What `rnn-edge replay` found in a log, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_edge.cli.matrix import comparison_lines, verdict

SHOWN_FEATURES = 10


def log_lines(result: Mapping[str, Any]) -> list[str]:
    """Return a replayed log as text; the last two lines are the verdicts."""
    log, logged = result["log"], result["logged"]
    lines = [
        f"{result['bundle']} on {result['source']}: {log['frames']:,} frames, "
        f"{_duration(log['seconds'])}",
        *_count_lines(log),
        *_logged_lines(log, logged),
    ]
    lines += comparison_lines(result)
    lines += _drift_lines(result["input_drift"])
    if result["cleaned"]:
        lines += _cleaned_lines(result["cleaned"])
    return [
        *lines,
        f"input drift: {_drift_verdict(result['input_drift'])}",
        f"verdict: {_verdict(result)}",
    ]


def _duration(seconds: float) -> str:
    if seconds < 120.0:
        return f"{seconds:.1f} s"
    return f"{seconds / 60.0:.1f} min" if seconds < 7200.0 else f"{seconds / 3600.0:.1f} h"


def _count_lines(log: Mapping[str, Any]) -> list[str]:
    gaps = log["gaps"]
    lost = f", {gaps['missing']:,} frames missing" if gaps["count"] else ""
    lines = [
        f"resets {log['resets']:,}, restarts {log['restarts']:,}, gaps {gaps['count']:,}{lost}, "
        f"duplicates {log['duplicates']:,}, out of order {log['out_of_order']:,}, "
        f"bad lines {log['bad_lines']['count']:,}"
    ]
    for gap in gaps["first"]:
        lines.append(f"  gap after step {gap['after']:,}: {gap['missing']:,} missing")
    if gaps["count"] > len(gaps["first"]):
        lines.append(f"  and {gaps['count'] - len(gaps['first']):,} gaps more")
    for bad in log["bad_lines"]["first"]:
        lines.append(f"  line {bad['line']:,} left out: {bad['reason']}")
    return lines


def _logged_lines(log: Mapping[str, Any], logged: Mapping[str, Any]) -> list[str]:
    lines = []
    if not log["is_same_model"]:
        lines.append(
            f"the log is of another model, {log['model']} {log['model_digest'][:12]}...: its "
            "outputs are not held against this one's"
        )
    for part, where in (("known_state", ""), ("unknown_state", " where the state is unknown")):
        found = logged[part]
        if found["frames"]:
            text = f"logged outputs{where}: {found['frames']:,} frames, "
            if found["differing_frames"]:
                text += (
                    f"{found['differing_frames']:,} differ by up to {found['max_lsb']:,} LSB, "
                    f"first at {_place(found['first'])}"
                )
            else:
                text += "equal to the integer reference in every bit"
            lines.append(text)
        if found["decisions"]:
            share = found["agreeing"] / found["decisions"]
            text = (
                f"logged decisions{where}: {found['agreeing']:,} of {found['decisions']:,} agree "
                f"({share:.2%})"
            )
            if found["first_disagreement"]:
                text += f", the first that does not is at {_place(found['first_disagreement'])}"
            lines.append(text)
        if found["scores"]:
            lines.append(
                f"logged scores{where}: {found['scores']:,}, off by at most "
                f"{found['max_score']:.3g}"
            )
    return lines


def _place(place: Mapping[str, int]) -> str:
    return f"step {place['step']:,} (line {place['line']:,})"


def _drift_lines(drift: Mapping[str, Any]) -> list[str]:
    if not drift["is_judged"]:
        return []
    rules = drift["rules"]
    width = max(len("feature"), *(len(row["name"]) for row in drift["features"][:SHOWN_FEATURES]))
    lines = [
        f"inputs against {drift['calibration_frames']:,} calibration frames: {drift['windows']:,} "
        f"windows of {rules['window']:,}, an alarm takes {rules['needed']} of {rules['among']} "
        f"with PSI {rules['on']:g} and p < {rules['level']:g}",
        f"{'feature':<{width}} {'PSI':>7} {'chance':>7} {'KS':>6} {'p':>8} {'frames':>8} "
        f"{'windows':>8} {'worst':>7} {'alarm at':>10} {'outside':>8}",
    ]
    for row in drift["features"][:SHOWN_FEATURES]:
        step = row["first_alarm_step"]
        lines.append(
            f"{row['name']:<{width}} {row['psi']:>7.3f} {row['psi_by_chance']:>7.3f} "
            f"{row['distance']:>6.3f} {row['p']:>8.1e} {row['independent']:>8,.0f} "
            f"{row['windows']:>8,} {row['worst']:>7.3f} {'-' if step is None else f'{step:,}':>10} "
            f"{row['outside']:>8.2%}"
        )
    left = len(drift["features"]) - SHOWN_FEATURES
    if left > 0:
        lines.append(f"and {left} features more, none of them worse (--json has all)")
    return lines


def _drift_verdict(drift: Mapping[str, Any]) -> str:
    if not drift["is_judged"]:
        hint = f" Hint: {drift['hint']}" if drift["hint"] else ""
        return f"not judged. {drift['reason']}{hint}"
    count = len(drift["features"])
    weak = ""
    if drift["weak"]:
        weak = (
            f"; {len(drift['weak'])} of them change so slowly that this log holds few independent "
            "frames of them, and says little of their drift"
        )
    if not drift["drifted"]:
        return (
            f"none found in {count} features; the largest score was {drift['largest_score']:.3g}"
            f"{weak}"
        )
    shown = ", ".join(drift["drifted"][:SHOWN_FEATURES])
    more = ", ..." if len(drift["drifted"]) > SHOWN_FEATURES else ""
    return (
        f"found in {len(drift['drifted'])} of {count} features ({shown}{more}); the largest score "
        f"was {drift['largest_score']:.3g}, the last {drift['score']:.3g}{weak}"
    )


def _cleaned_lines(cleaned: Mapping[str, Any]) -> list[str]:
    parts = [f"{name} dropped from {n:,} lines" for name, n in cleaned["dropped"].items() if n]
    parts += [f"{name} hashed in {n:,} lines" for name, n in cleaned["hashed"].items() if n]
    key = f"; the key of the hashes is {cleaned['key']}" if cleaned["key"] else ""
    lines = [f"cleaned log {cleaned['file']}: {', '.join(parts) or 'nothing to take out'}{key}"]
    if cleaned["not_found"]:
        lines.append(
            f"warning: {', '.join(cleaned['not_found'])} is nowhere in the log; nothing was taken "
            "out by that name"
        )
    return lines


def _verdict(result: Mapping[str, Any]) -> str:
    logged, log = result["logged"]["known_state"], result["log"]
    parts = []
    if not log["has_frames"]:
        return "nothing to replay: the frames were taken out of this log"
    if log["is_same_model"] and (logged["frames"] or logged["decisions"]):
        wrong = logged["differing_frames"] or logged["decisions"] - logged["agreeing"]
        parts.append(
            "what was logged differs from the integer reference"
            if wrong
            else "what was logged is what the integer reference gives"
        )
        unknown = result["logged"]["unknown_state"]
        beyond = max(unknown["frames"], unknown["decisions"])
        if beyond and not wrong:
            known = max(logged["frames"], logged["decisions"])
            parts[-1] += (
                f" on {known:,} of {known + beyond:,} frames; on the others its state is unknown"
            )
    if comparison_lines(result) or not parts:
        parts.append(verdict(result))
    return "; ".join(parts)
