"""`rnn-edge drift`: what quantization does to the state of a stream that is never reset."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import (
    PathName,
    WholeNumber,
    data_option,
    names_option,
    output_options,
    streams_option,
)
from rnn_edge.cli.output import Output


@click.command("drift")
@click.argument("bundle", type=PathName())
@names_option(
    "--engines",
    "The engine that is right, and the one whose drift is measured. [default: the spec's]",
    "engine",
    metavar="REFERENCE,ENGINE",
)
@streams_option("Streams to replay, by name or path. [default: the spec's]")
@click.option(
    "--steps",
    type=WholeNumber(256, 100_000_000),
    help="Frames of each stream. [default: as the stream says]",
)
@click.option(
    "--copies",
    type=WholeNumber(1, 10_000),
    default=1,
    show_default=True,
    help="Replay each stream so many times, every time with another seed.",
)
@data_option(
    "Recordings in the layout that the bundle's spec describes. [default: those of the build]"
)
@names_option("--analyse", "Say more: stability, attribution, resets, parity, or all.", "analysis")
@click.option(
    "--workers",
    type=WholeNumber(1, 256),
    default=1,
    show_default=True,
    help="Processes that share the streams; Ctrl-C then shows those that are finished.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Hand the streams to the workers of a Dask cluster, e.g. tcp://10.0.0.5:8786.",
)
@click.option(
    "--out",
    type=PathName(file_okay=False),
    metavar="DIR",
    help="Write drift.json and drift.html there.",
)
@click.option(
    "--compare",
    type=PathName(),
    metavar="OTHER",
    help="Another bundle, measured in the same way, or a drift.json: comparison.html is written "
    "beside drift.html.",
)
@output_options
def drift(
    bundle: Path,
    engines: tuple[str, ...] | None,
    streams: tuple[str, ...] | None,
    steps: int | None,
    copies: int,
    data: Path | None,
    analyse: tuple[str, ...] | None,
    workers: int,
    scheduler: str | None,
    out: Path | None,
    compare: Path | None,
    output: Output,
) -> int:
    """Measure how far the state drifts over a long stream, and why.

    Replays streams through two engines, each on its own state, which is never reset: the error of
    every state and output, its curve over time and whether it grows, the error of a single step
    beside it, and what it does to decisions. Memory does not grow with the length. Ctrl-C ends the
    replay or the analyses, and what was measured until then is shown.

    "rnn-edge check" holds the same figures against the budget of the spec.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.drift_lines import drift_lines
    from rnn_edge.cli.drift_pages import (
        check_place,
        comparison_line,
        other_result,
        write_pages,
    )
    from rnn_edge.cli.engines import check_engines
    from rnn_edge.cli.main import EXIT_INTERRUPTED
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.pipeline.drift import UNFINISHED, DriftRequest, measure_drift
    from rnn_edge.pipeline.drift_analysis import ANALYSES
    from rnn_edge.pipeline.drift_fleet import runner_for

    if compare is not None and out is None:
        raise click.UsageError("--compare writes a page; say where with --out DIR.")
    if workers > 1 and scheduler is not None:
        raise click.UsageError("--workers and --scheduler exclude each other.")
    pair = _pair(engines)
    check_engines(pair or ())
    asked = analyse or ()
    unknown = [name for name in asked if name not in (*ANALYSES, "all")]
    if unknown:
        raise click.BadParameter(
            f"{unknown[0]!r}; known are {', '.join(ANALYSES)} and all.", param_hint="--analyse"
        )
    wanted = tuple(ANALYSES) if "all" in asked else asked
    request = DriftRequest(pair, streams or (), steps, data, copies, wanted)
    opened = open_bundle(bundle)
    if out is not None:
        check_place(out)
    with progress_for(output) as progress:

        def tell(what: str, done: int, total: int) -> None:
            progress(what, done, total, {})

        run = runner_for(workers, scheduler)
        other = (
            None if compare is None else other_result(compare, opened.spec(), request, tell, run)
        )
        result = measure_drift(opened, request, tell, run).to_json()
    lines = drift_lines(result)
    if other is not None:
        lines.insert(-1, comparison_line(result, other))
    if out is not None:
        written = write_pages(out, result, other)
        output.note(f"Written: {', '.join(map(str, written))}")
    output.result(result, lines)
    is_whole = not result["total"]["is_partial"] and UNFINISHED not in result
    return 0 if is_whole else EXIT_INTERRUPTED


def _pair(names: tuple[str, ...] | None) -> tuple[str, str] | None:
    if names is None:
        return None
    if len(names) != 2:
        raise click.BadParameter(
            f"{','.join(names)!r}; expected a reference and another engine, e.g. "
            "--engines float,c.",
            param_hint="--engines",
        )
    return names[0], names[1]


COMMAND = drift
