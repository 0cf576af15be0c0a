"""`rnn-edge replay`: the parity matrix."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import data_option, output_options
from rnn_edge.cli.output import Output


@click.command("replay")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--engines",
    metavar="A,B,...",
    help="Engines to compare. [default: those of the spec; rnn-edge doctor lists what is there]",
)
@data_option(
    "Recordings in the layout that the bundle's spec describes. [default: those of the build]"
)
@click.option("--stream", metavar="NAME", help="Stream to replay. [default: the spec's]")
@click.option(
    "--steps", type=click.IntRange(1, 10_000_000), help="Frames. [default: as the stream says]"
)
@click.option(
    "--emulated-steps",
    type=click.IntRange(1, 10_000_000),
    default=2000,
    show_default=True,
    help="Frames at most for engines that imitate another processor.",
)
@click.option(
    "--reset/--no-reset",
    "is_reset",
    default=False,
    show_default=True,
    help="Reset the state at the start of every clip or recording, or never.",
)
@output_options
def replay(
    bundle: Path,
    engines: str | None,
    data: Path | None,
    stream: str | None,
    steps: int | None,
    emulated_steps: int,
    is_reset: bool,
    output: Output,
) -> None:
    """Replay a stream through engines and compare every bit.

    Integer engines are held to the integer reference: for each tensor, how many values differ, by
    how much at most, and from which step on. Float engines are held to the float reference. The
    exit code is 1 if any integer differs, or a float engine is further off than rounding explains.
    """
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.cli.summary import matrix_lines
    from rnn_edge.pipeline import Bundle, ReplayRequest, refuse_differences, replay_bundle

    opened = Bundle.open(bundle)
    names = opened.spec().replay.engines
    if engines is not None:
        names = tuple(name.strip() for name in engines.split(",") if name.strip())
    if not names:
        raise click.UsageError("--engines is empty; expected at least one engine.")
    request = ReplayRequest(
        tuple(dict.fromkeys(names)), data, stream, steps, emulated_steps, is_reset
    )
    with progress_for(output) as progress:
        matrix = replay_bundle(
            opened, request, lambda name, k, n: progress(f"replay {name}", k, n, {})
        )
    result = matrix.to_json()
    output.result(result, matrix_lines(result))
    refuse_differences(matrix.parity, matrix.agreement)


COMMAND = replay
