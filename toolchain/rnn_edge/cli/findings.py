"""What `rnn-edge check` found, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnn_edge.cli.matrix import comparison_lines
from rnn_edge.cli.matrix import verdict as device_verdict
from rnn_edge.report.figures import limit, reading, subject, value_alone


def gate_lines(result: Mapping[str, Any]) -> list[str]:
    """Return what a check found as text; the last line is the verdict."""
    lines = check_lines(result) if result["state"] else []
    if result["drift"]:
        lines += [""] if lines else []
        lines += budget_lines(result)
    if result.get("device"):
        lines += [""] if lines else []
        lines += comparison_lines(result["device"])
    return [*lines, f"verdict: {_verdict(result)}"]


def _verdict(result: Mapping[str, Any]) -> str:
    """Return in a line whether the bundle may go out; what fails is named in the error."""
    drift = result["drift"]
    rows = drift["rows"] if drift else []
    failed = sum(row["is_failure"] for row in rows)
    unsure = sum(row["verdict"] == "unsure" and not row["is_failure"] for row in rows)
    parts = ["passed" if result["is_passed"] else "failed"]
    if failed:
        parts.append(f"{failed} of {len(rows)} limits not kept")
    if unsure:
        parts.append(f"{unsure} of {len(rows)} limits unsure, which more steps make surer")
    if result.get("device"):
        parts.append(device_verdict(result["device"]))
    if drift and not rows:
        parts.append("every limit is off, so that no drift was judged")
    return "; ".join(parts)


def budget_lines(result: Mapping[str, Any]) -> list[str]:
    """Return what a budget says as text, a line per limit."""
    drift = result["drift"]
    measured = drift["result"]
    streams = [f"{each['stream']} ({each['steps']:,} frames)" for each in measured["streams"]]
    lines = [
        f"{result['bundle']} on {result['source']}: drift of {measured['engine']} against "
        f"{measured['reference']}, never reset, on {', '.join(streams)}"
    ]
    if drift["baseline"]:
        lines.append(f"baseline: {drift['baseline']}")
    table = [("stream", "measure", "value (95 % interval)", "budget", "baseline", "verdict")]
    table += [
        (
            row["stream"],
            subject(row),
            reading(row["judged"]),
            limit(row),
            value_alone(row["baseline"]),
            row["verdict"],
        )
        for row in drift["rows"]
    ]
    # A column that says the same in every line says nothing.
    left_out = {0} if len(streams) == 1 else set()
    left_out |= set() if drift["baseline"] else {4}
    lines += _aligned([[cell for k, cell in enumerate(row) if k not in left_out] for row in table])
    lines += [f"stopped before its end: {name}" for name in drift["unfinished"]]
    return [*lines, *drift["notes"]]


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def check_lines(result: Mapping[str, Any]) -> list[str]:
    """Return what the state probe found as text, a line per engine."""
    state = result["state"]
    first, second = state["frames"]
    names = [each["engine"] for each in (*state["engines"], *state["left_out"])]
    width = max(map(len, ("engine", *names)))
    lines = [
        f"{result['bundle']} on {result['source']}, frames {first:,} and {second:,} of the stream "
        f"{state['stream']}",
        f"{'engine':<{width}}  {'two steps':<30} {'reset':<6} restore",
    ]
    for row in state["engines"]:
        if row["verdict"] is None:
            lines.append(f"{row['engine']:<{width}}  failed: {row['detail']}")
            continue
        detail = f"  {row['detail']}" if row["detail"] else ""
        restore = {True: "yes", False: "no", None: "takes none"}[row["restores"]]
        lines.append(
            f"{row['engine']:<{width}}  {row['verdict']:<30} "
            f"{'yes' if row['resets'] else 'no':<6} {restore}{detail}"
        )
    for each in state["left_out"]:
        lines.append(
            f"{each['engine']:<{width}}  left out: {each['reason']} {each['hint']}".rstrip()
        )
    return lines
