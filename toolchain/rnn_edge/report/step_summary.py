"""A check as GitHub-flavoured Markdown, for the summary of a step of GitHub Actions.

Curves are drawn with block characters in a code block: these show everywhere that Markdown does,
also where diagrams are not rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnn_edge.report.figures import limit, reading, subject, value_alone
from rnn_edge.report.formatting import count, number

BARS = "▁▂▃▄▅▆▇█"
SIGNS = {"within": "✅", "outside": "❌", "unsure": "⚠️", "not measured": "❌"}


def summary_markdown(check: Mapping[str, Any]) -> str:
    """Return a check as Markdown that ends with a newline.

    Args:
        check: JSON of the check; or of one that broke off: "bundle", and "error" with kind,
            message and hint.
    """
    lines = [f"## rnn-edge check: {_cell(check['bundle'])}", ""]
    if "error" in check:
        lines += ["❌ **Broken off.**", "", *_fenced([check["error"]["message"]])]
        if check["error"]["hint"]:
            lines += ["", *_fenced([f"Hint: {check['error']['hint']}"])]
    else:
        lines += [_verdict(check)]
    if check.get("drift"):
        lines += ["", *_drift(check["drift"])]
    if check.get("state"):
        lines += ["", *_state(check["state"])]
    if check.get("device"):
        lines += ["", *_device(check["device"])]
    return "\n".join(lines) + "\n"


def sparkline(values: Sequence[float], top: float) -> str:
    """Return values from 0 to ``top`` as bars, a character each."""
    if top <= 0.0:
        return BARS[0] * len(values)
    last = len(BARS) - 1
    return "".join(BARS[min(last, int(value / top * len(BARS)))] for value in values)


def _verdict(check: Mapping[str, Any]) -> str:
    if not check["is_passed"]:
        return f"❌ **Failed**: {', '.join(_failures(check))}."
    unsure = [r for r in _rows(check) if r["verdict"] == "unsure"]
    if unsure:
        plural = "s" if len(unsure) > 1 else ""
        return (
            f"⚠️ **Passed, {len(unsure)} measure{plural} unsure**: the interval straddles the "
            "limit; more steps make it narrower."
        )
    return "✅ **Passed.**"


def _failures(check: Mapping[str, Any]) -> Iterator[str]:
    for row in _rows(check):
        if row["is_failure"]:
            yield _cell(f"{row['measure']} on {row['stream']} is {row['verdict']}")
    if check.get("drift"):
        for name in check["drift"]["unfinished"]:
            yield _cell(f"stream {name} was stopped before its end")
    if check.get("state"):
        for row in check["state"]["engines"]:
            if not row["is_sound"]:
                said = row["verdict"] if row["verdict"] != "state carried" else "reset or restore"
                yield _cell(f"engine {row['engine']}: {said or 'failed'}")
    if check.get("device"):
        for row in check["device"]["parity"]:
            if row["differing"]:
                yield _cell(f"{row['engine']} differs in {row['tensor']}")


def _rows(check: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return check["drift"]["rows"] if check.get("drift") else ()


def _drift(drift: Mapping[str, Any]) -> list[str]:
    result = drift["result"]
    lines = [
        "### Drift",
        "",
        f"`{result.get('engine')}` against `{result.get('reference')}`, each on its own state, "
        "never reset" + (f"; baseline {_cell(drift['baseline'])}." if drift["baseline"] else "."),
        "",
        "| stream | steps | measure | value (95 % interval) | budget | baseline | verdict |",
        "|---|--:|---|---|---|---|---|",
    ]
    steps = {stream["stream"]: stream["steps"] for stream in result["streams"]}
    for row in drift["rows"]:
        cells = [
            row["stream"],
            count(steps[row["stream"]]),
            subject(row),
            reading(row["judged"]),
            limit(row),
            value_alone(row["baseline"]),
            f"{SIGNS[row['verdict']]} {row['verdict']}",
        ]
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    for note in drift["notes"]:
        lines += ["", _cell(note)]
    for stream in result["streams"]:
        lines += ["", *_curves(stream, _same_stream(drift["baseline_result"], stream["stream"]))]
    return lines


def _same_stream(result: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    streams = result["streams"] if result else ()
    return next((stream for stream in streams if stream["stream"] == name), None)


def _curves(stream: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[str]:
    """Return the error of every tensor along a stream, over that of the baseline."""
    earlier = {row["tensor"]: row for row in before["tensors"]} if before else {}
    width = max(len(row["tensor"]) for row in stream["tensors"])
    lines = []
    for row in stream["tensors"]:
        drawn = [("", row)]
        if row["tensor"] in earlier:
            drawn.append(("baseline", earlier[row["tensor"]]))
        top = max(point["rms"] for _, each in drawn for point in each["curve"])
        for name, each in drawn:
            bars = sparkline([point["rms"] for point in each["curve"]], top)
            label = "" if name else row["tensor"]
            trend = each["trend"]["verdict"]
            lines.append(
                f"{label:<{width}} {bars}  {trend}, rms {number(each['rms']['value'])}"
                f"{', baseline' if name else f', top of the bars {number(top)}'}"
            )
    title = f"Error along {_cell(stream['stream'])}, from step 1 to {count(stream['steps'])}, "
    return [title + "steps spaced logarithmically:", "", *_fenced(lines)]


def _device(device: Mapping[str, Any]) -> list[str]:
    lines = [
        "### Device",
        "",
        "| engine | tensor | steps | differing | |",
        "|---|---|--:|--:|---|",
    ]
    for row in device["parity"]:
        sign = SIGNS["outside" if row["differing"] else "within"]
        cells = [row["engine"], row["tensor"], count(row["steps"]), count(row["differing"]), sign]
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return lines


def _state(state: Mapping[str, Any]) -> list[str]:
    lines = [
        "### State probe",
        "",
        "| engine | two steps | reset | restore | |",
        "|---|---|---|---|---|",
    ]
    for row in state["engines"]:
        sign = "✅" if row["is_sound"] else "❌"
        if row["verdict"] is None:
            cells = [row["engine"], f"failed: {row['detail']}", "", "", sign]
        else:
            restore = {True: "yes", False: "no", None: "takes none"}[row["restores"]]
            resets = "yes" if row["resets"] else "no"
            said = f"{row['verdict']} {row['detail']}".strip()
            cells = [row["engine"], said, resets, restore, sign]
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    left = [each["engine"] for each in state["left_out"]]
    if left:
        lines += ["", f"Left out, since they do not run here: {_cell(', '.join(left))}."]
    return lines


def _cell(text: str) -> str:
    """Return text that neither ends a cell of a table nor begins markup."""
    held = " ".join(str(text).split()).replace("\\", "\\\\").replace("|", "\\|")
    for sign in "<`*":
        held = held.replace(sign, f"\\{sign}")
    return held


def _fenced(lines: Sequence[str]) -> list[str]:
    """Return lines as a code block, which none of them can end."""
    return ["```text", *(line.replace("```", "'''") for line in lines), "```"]
