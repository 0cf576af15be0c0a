"""`rnn-edge check`: whether a bundle may go out."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import data_option, engines_option, output_options
from rnn_edge.cli.output import Output


@click.command("check")
@click.argument("bundle", type=click.Path(path_type=Path))
@engines_option(
    "Engines to check. [default: every engine that runs here without installing anything]"
)
@data_option(
    "Recordings in the layout that the bundle's spec describes. [default: those of the build]"
)
@output_options
def check(bundle: Path, engines: tuple[str, ...] | None, data: Path | None, output: Output) -> int:
    """Check that every engine carries its state from step to step.

    Runs two steps without a reset on each engine, over two frames of the bundle's stream that a
    runtime which loses its state answers in another way, and says which of both answers came:
    that of the reference with the state carried, or that of a start from zero. Then it resets,
    saves and restores. The exit code is 1 if any engine loses its state, keeps it over a reset,
    does not go on from a saved one, or fails.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.engines import check_engines
    from rnn_edge.cli.findings import check_lines
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.engines.base import all_engines
    from rnn_edge.pipeline import check_states

    check_engines(engines or ())
    opened = open_bundle(bundle)
    if engines is None:
        output.note(f"Trying all {len(all_engines())} engines; --engines A,B,... takes fewer.")
    with progress_for(output) as progress:
        found = check_states(
            opened,
            None if engines is None else list(engines),
            data,
            lambda name, k, n: progress(f"check {name}", k, n, {}),
        )
    result = found.to_json()
    output.result(result, check_lines(result))
    return output.verdict(found.refuse_lost_states)


COMMAND = check
