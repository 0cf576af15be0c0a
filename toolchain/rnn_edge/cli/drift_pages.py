"""The files that `rnn-edge drift --out` writes, and the result it compares with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_edge.errors import BundleError
from rnn_edge.extras import require_extras
from rnn_edge.pipeline.baseline import RESULT, open_baseline, refuse_other_task
from rnn_edge.pipeline.budget import Baseline
from rnn_edge.pipeline.drift import (
    UNFINISHED,
    DriftRequest,
    Runner,
    Tell,
    measure_drift,
    streams_of,
)
from rnn_edge.pipeline.files import explained, write_bytes, write_json
from rnn_edge.report import render_comparison, render_drift
from rnn_edge.spec import ModelSpec

PAGE, COMPARISON = "drift.html", "comparison.html"

Json = Mapping[str, Any]


def check_place(out: Path) -> None:
    """Make the folder, and ask for what its pages need, before anything is measured.

    Raises:
        EnvironmentFailureError: If it cannot be made.
        MissingDependencyError: If what draws the pages is not installed.
    """
    require_extras([("report", "the plots of the pages")])
    with explained(f"Making {out}"):
        out.mkdir(parents=True, exist_ok=True)


def other_result(
    path: Path, spec: ModelSpec, request: DriftRequest, tell: Tell, run: Runner
) -> Json:
    """Return what a result is compared with.

    Args:
        path: What `open_baseline` takes; a bundle is measured in the same way.
        spec: Of the bundle that is compared.
        request: How to measure a bundle.
        tell: Progress.
        run: Where streams run.

    Raises:
        RnnEdgeError: If it is none of these.
        KeyboardInterrupt: If its measurement is interrupted: nothing was measured yet of the
            bundle that was asked for.
    """
    found = open_baseline(path)
    refuse_other_task(spec.model.task, found)
    if isinstance(found, Baseline):
        # What the page needs of it is asked for before hours are spent on the other half.
        try:
            render_comparison(found.result, found.result)
        except BundleError as error:
            raise BundleError(f"File {found.name}: {error.message}", error.hint) from error
        _require_common(found, spec, request)
        return found.result
    result = measure_drift(
        found, request, lambda what, k, n: tell(f"compared with: {what}", k, n), run
    ).to_json()
    if result["total"]["is_partial"] or UNFINISHED in result:
        raise KeyboardInterrupt
    return result


def _require_common(found: Baseline, spec: ModelSpec, request: DriftRequest) -> None:
    names = streams_of(spec, request)
    before = [str(stream["stream"]) for stream in found.result["streams"]]
    if not any(name.split(" #")[0] in names for name in before):
        raise BundleError(
            f"File {found.name} has the streams {', '.join(before)}; expected one of "
            f"{', '.join(names)}.",
            f"replay the same with --streams {','.join(before)}",
        )


def comparison_line(result: Json, other: Json) -> str:
    """Return in one line how far a result is from what it is compared with."""
    own, before = (float(each["total"]["hidden_rms"]["value"]) for each in (result, other))
    ratio = f"{own / before:.3g} times as far" if before > 0.0 else "where the other does not drift"
    return (
        f"compared with {other['bundle']}: the hidden state drifts {ratio} ({own:.2g} against "
        f"{before:.2g} rms); {COMPARISON} has the rest"
    )


def write_pages(out: Path, result: Json, other: Json | None) -> list[Path]:
    """Write the result, its page and, if there is another one, the comparison; return the files.

    Raises:
        EnvironmentFailureError: If the folder cannot be written to.
    """
    with explained(f"Writing into {out}"):
        # First what cannot be had again without measuring.
        write_json(out / RESULT, result)
    pages = {PAGE: render_drift(result)}
    if other is not None:
        pages[COMPARISON] = render_comparison(other, result)
    with explained(f"Writing into {out}"):
        for name, page in pages.items():
            write_bytes(out / name, page.encode())
    return [out / RESULT, *(out / name for name in pages)]
