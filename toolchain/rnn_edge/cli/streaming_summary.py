"""Detections in continuous sound as text, and as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_edge.pipeline.files import explained, write_bytes, write_json
from rnn_edge.report import render_streaming

RESULT, PAGE = "streaming.json", "streaming.html"


def write_pages(out: Path, result: Mapping[str, Any]) -> None:
    """Write the result as JSON and as a page into a folder that is there.

    Raises:
        EnvironmentFailureError: If the folder cannot be written to.
    """
    with explained(f"Writing into {out}"):
        # First what cannot be had again without measuring.
        write_json(out / RESULT, result)
        write_bytes(out / PAGE, render_streaming(result).encode())


def streaming_lines(result: Mapping[str, Any]) -> list[str]:
    """Return the result as text."""
    data = result["data"]
    distinct = data["distinct_seconds"]
    noise = f" and {data['noise']}" if data["noise"] else ""
    lines = [
        f"{data['part']} part of {data['source']}{noise}, made into continuous sound of "
        f"{_minutes_of_noise(distinct['noise'])} and {distinct['speech'] / 60:.1f} min of other "
        "words that differ"
    ]
    wanted = result["wanted_false_accepts_per_hour"]
    lines.append(
        "limits: the same for all keywords, not calibrated; see --calibrate"
        if wanted is None
        else f"limits: calibrated for {wanted:g} false accepts per hour without commands"
    )
    for engine, found in result["engines"].items():
        lines.append(f"{engine}:")
        lines += [f"  {_condition(row)}" for row in found["conditions"]]
        lines.append(f"  all commands: {_misses(found['commands'])}")
        lines.append(f"  all without commands: {_accepts(found['background'])}")
    return lines


def _minutes_of_noise(seconds: float) -> str:
    return f"{seconds / 60:.1f} min of noise" if seconds else "generated noise (none is recorded)"


def _condition(row: Mapping[str, Any]) -> str:
    bed = "noise" if row["bed"] == "noise" else "other speech"
    if row["snr_db"] is None:
        return f"{bed} alone, {row['hours']:.2f} h: {_accepts(row)}"
    return f"commands in {bed}, {row['snr_db']:g} dB: {_misses(row)}"


def _misses(row: Mapping[str, Any]) -> str:
    low, high = row["miss_rate_interval"]
    wrong = sum(row["false_accepts"].values())
    delay = (
        ""
        if row["delay_median_s"] is None
        else f", delay {1e3 * row['delay_median_s']:.0f} ms (p95 {1e3 * row['delay_p95_s']:.0f})"
    )
    return (
        f"missed {100 * row['miss_rate']:.1f} % of {row['words']} ({100 * low:.1f} to "
        f"{100 * high:.1f}){delay}, {wrong} false accepts"
    )


def _accepts(row: Mapping[str, Any]) -> str:
    low, high = row["false_accepts_per_hour_interval"]
    return f"{row['false_accepts_per_hour']:.1f} false accepts per hour ({low:.1f} to {high:.1f})"
