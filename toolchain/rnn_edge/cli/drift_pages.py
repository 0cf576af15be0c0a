"""The files that `rnn-edge drift --out` writes, and the result it compares with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_edge.cli.bundles import open_bundle
from rnn_edge.errors import BundleError
from rnn_edge.pipeline.drift import DriftRequest, Runner, Tell, measure_drift
from rnn_edge.pipeline.files import explained, write_bytes, write_json
from rnn_edge.report import render_comparison, render_drift
from rnn_edge.types.drift import FORMAT

RESULT, PAGE, COMPARISON = "drift.json", "drift.html", "comparison.html"

Json = Mapping[str, Any]


def check_place(out: Path) -> None:
    """Make the folder before anything is measured.

    Raises:
        EnvironmentFailureError: If it cannot be made.
    """
    with explained(f"Making {out}"):
        out.mkdir(parents=True, exist_ok=True)


def other_result(path: Path, request: DriftRequest, tell: Tell, run: Runner) -> Json:
    """Return what a result is compared with.

    Args:
        path: A file that was written before, the folder it lies in, or a bundle, which is
            measured in the same way.
        request: How to measure a bundle.
        tell: Progress.
        run: Where streams run.

    Raises:
        BundleError: If it is none of these.
    """
    file = path / RESULT if path.is_dir() and (path / RESULT).is_file() else path
    if file.is_dir() or not file.exists():
        return measure_drift(open_bundle(path), request, tell, run).to_json()
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(
            f"Result {file} cannot be read: {error}; expected what rnn-edge drift wrote.",
            "make it again with: rnn-edge drift BUNDLE --out DIR",
        ) from error
    if not isinstance(result, dict) or result.get("format") != FORMAT:
        found = result.get("format") if isinstance(result, dict) else type(result).__name__
        raise BundleError(
            f"Result {file} has format {found!r}; expected {FORMAT!r}.",
            "name a bundle, or a file made with: rnn-edge drift BUNDLE --out DIR",
        )
    return result


def write_pages(out: Path, result: Json, other: Json | None) -> None:
    """Write the result, its page and, if there is another one, the comparison.

    Raises:
        EnvironmentFailureError: If the folder cannot be written to.
    """
    pages = {PAGE: render_drift(result)}
    if other is not None:
        pages[COMPARISON] = render_comparison(other, result)
    with explained(f"Writing into {out}"):
        write_json(out / RESULT, result)
        for name, page in pages.items():
            write_bytes(out / name, page.encode())
