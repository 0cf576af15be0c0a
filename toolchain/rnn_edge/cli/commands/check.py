"""`rnn-edge check`: whether a bundle may go out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnn_edge.cli.device_options import device_options
from rnn_edge.cli.options import (
    PathName,
    WholeNumber,
    data_option,
    engines_option,
    output_options,
    set_option,
    streams_option,
)
from rnn_edge.cli.output import Output

if TYPE_CHECKING:
    from rnn_edge.engines.board import Place


@click.command("check")
@click.argument("bundle", type=PathName())
@engines_option(
    "Engines of the state probe. [default: every engine that runs here without installing anything]"
)
@device_options(
    is_required=False,
    text="A device that has to give every bit, too, over 2,000 steps and in the state probe.",
)
@data_option(
    "Recordings in the layout that the bundle's spec describes. [default: those of the build]"
)
@streams_option("Streams whose drift is measured, by name or path. [default: the spec's]")
@click.option(
    "--steps",
    type=WholeNumber(1_000, 10_000_000),
    help="Frames of each stream. [default: the spec's]",
)
@set_option(
    "Judge the drift in another way, e.g. drift.budget.hidden_rms=0.01 or drift.strict=true; "
    "may be repeated."
)
@click.option(
    "--baseline",
    type=PathName(),
    metavar="PATH",
    help="Compare the drift with that of another bundle, measured in the same way, or with a file "
    "that `rnn-edge drift --out` or `rnn-edge check --json` wrote.",
)
@click.option(
    "--junit",
    type=PathName(),
    metavar="FILE",
    help="Write a JUnit file: a test case per engine and per limit.",
)
@click.option(
    "--summary",
    type=PathName(),
    metavar="FILE",
    help="Write Markdown with tables and curves; appended to the file $GITHUB_STEP_SUMMARY.",
)
@click.option("--no-state", is_flag=True, help="Leave the state probe out.")
@click.option("--no-drift", is_flag=True, help="Leave the drift out.")
@output_options
def check(
    bundle: Path,
    engines: tuple[str, ...] | None,
    place: Place | None,
    data: Path | None,
    streams: tuple[str, ...] | None,
    steps: int | None,
    overrides: tuple[str, ...],
    baseline: Path | None,
    junit: Path | None,
    summary: Path | None,
    no_state: bool,
    no_drift: bool,
    output: Output,
) -> int:
    """Check that every engine carries its state, and that the drift is within its budget.

    The state probe runs two steps without a reset on each engine, over two frames of the bundle's
    stream that a runtime which loses its state answers in another way, and says which of both
    answers came. Then it resets, saves and restores.

    The drift is measured over long streams that are never reset, and held against [drift.budget]
    of the spec. A measure fails if the whole of its confidence interval is outside.

    With --device a device steps 2,000 frames of the stream as well, and has to give every bit of
    the integer reference. A board has to run the bundle's image: see "rnn-edge flash".

    The exit code is 1 if any engine loses its state, keeps it over a reset, does not go on from a
    saved one, or fails, or if a measure is outside its budget.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.check_files import require_places, write_files
    from rnn_edge.cli.engines import check_engines
    from rnn_edge.cli.findings import gate_lines
    from rnn_edge.cli.main import EXIT_INTERRUPTED
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.engines.base import engines_here
    from rnn_edge.errors import RnnEdgeError
    from rnn_edge.pipeline.gate import GateRequest, check_bundle

    about_drift = {"streams": streams, "steps": steps, "set": overrides, "baseline": baseline}
    _refuse_idle("--no-state", {"engines": engines} if no_state else {})
    _refuse_idle("--no-drift", about_drift if no_drift else {})
    if no_state and no_drift and place is None:
        raise click.UsageError("--no-state and --no-drift leave nothing to check.")
    check_engines(engines or ())
    if place is not None:
        place.require()
    request = GateRequest(
        engines=engines,
        data=data,
        overrides=overrides,
        streams=streams or (),
        steps=steps,
        baseline=baseline,
        has_state=not no_state,
        has_drift=not no_drift,
        device=None if place is None else place.engine,
        port=None if place is None else place.port,
    )
    require_places(junit, summary)
    try:
        opened = open_bundle(bundle)
        if engines is None and not no_state:
            output.note(f"Trying all {len(engines_here())} engines; --engines A,B,... takes fewer.")
        with progress_for(output) as progress:
            found = check_bundle(opened, request, lambda what, k, n: progress(what, k, n, {}))
    except RnnEdgeError as error:
        # Who reads these files has to see that there was no verdict.
        failure = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
        write_files({"bundle": str(bundle), "error": failure}, junit, summary)
        raise
    result = found.to_json()
    write_files(result, junit, summary)
    output.result(result, gate_lines(result))
    code = output.verdict(found.refuse_failures)
    return EXIT_INTERRUPTED if found.is_interrupted else code


def _refuse_idle(switch: str, options: Mapping[str, object]) -> None:
    """Refuse options that a switch leaves without effect."""
    given = [f"--{name}" for name, value in options.items() if value not in (None, ())]
    if given:
        raise click.UsageError(f"{switch} leaves {', '.join(given)} without effect.")


COMMAND = check
