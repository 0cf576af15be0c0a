"""`rnn-edge check`: whether a bundle may go out."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import data_option, output_options
from rnn_edge.cli.output import Output


@click.command("check")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--engines",
    metavar="A,B,...",
    help="Engines to check. [default: every engine that runs here without installing anything]",
)
@data_option(
    "Recordings in the layout that the bundle's spec describes. [default: those of the build]"
)
@output_options
def check(bundle: Path, engines: str | None, data: Path | None, output: Output) -> int:
    """Check that every engine carries its state from step to step.

    Runs two steps without a reset on each engine, over two frames of the bundle's stream that a
    runtime which loses its state answers in another way, and says which of both answers came:
    that of the reference with the state carried, or that of a start from zero. Then it resets,
    saves and restores. The exit code is 1 if any engine loses its state, keeps it over a reset,
    does not go on from a saved one, or fails.
    """
    from rnn_edge.cli.findings import check_lines
    from rnn_edge.cli.output import write_error
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.errors import EngineError
    from rnn_edge.pipeline import Bundle, check_states

    names = None
    if engines is not None:
        names = list(dict.fromkeys(name.strip() for name in engines.split(",") if name.strip()))
        if not names:
            raise click.UsageError("--engines is empty; expected at least one engine.")
    with progress_for(output) as progress:
        found = check_states(
            Bundle.open(bundle), names, data, lambda name, k, n: progress(f"check {name}", k, n, {})
        )
    result = found.to_json()
    output.result(result, check_lines(result))
    try:
        found.refuse_lost_states()
    except EngineError as error:
        # The one object on stdout is the result.
        write_error(error, is_json=False)
        return error.exit_code
    return 0


COMMAND = check
