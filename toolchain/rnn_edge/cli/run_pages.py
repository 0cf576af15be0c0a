"""The report of a run, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_edge.pipeline.files import explained, write_bytes, write_json
from rnn_edge.report import render_run

RESULT, PAGE = "run.json", "run.html"


def write_run(out: Path, result: Mapping[str, Any]) -> Path:
    """Write both into a folder that is there, and return the page.

    Raises:
        EnvironmentFailureError: If the folder cannot be written to.
    """
    with explained(f"Writing into {out}"):
        # First what cannot be had again without running.
        write_json(out / RESULT, result)
        write_bytes(out / PAGE, render_run(result).encode())
    return out / PAGE
