"""`rnn-edge replay`: the parity matrix."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.device_options import placed_engines, port_options
from rnn_edge.cli.log_options import LogOptions, log_options
from rnn_edge.cli.options import PathName, WholeNumber, data_option, engines_option, output_options
from rnn_edge.cli.output import Output


@click.command("replay")
@click.argument("bundle", type=PathName())
@engines_option("Engines to compare. [default: those of the spec]")
@data_option(
    "Recordings in the layout that the bundle's spec describes, or a log (docs/logs.md). [default: "
    "recordings of the build]"
)
@click.option("--stream", metavar="NAME", help="Stream to replay. [default: the spec's]")
@click.option(
    "--steps",
    type=WholeNumber(1, 10_000_000),
    help="Frames. [default: as the stream says, or all of a log]",
)
@port_options
@click.option(
    "--emulated-steps",
    type=WholeNumber(1, 10_000_000),
    default=2000,
    show_default=True,
    help="Frames at most for engines whose processor is emulated, and for boards: each takes a "
    "thousand times as long.",
)
@click.option(
    "--reset/--no-reset",
    "is_reset",
    default=False,
    show_default=True,
    help="Reset the state at the start of every clip or recording, or never.",
)
@log_options
@output_options
def replay(
    bundle: Path,
    engines: tuple[str, ...] | None,
    data: Path | None,
    stream: str | None,
    steps: int | None,
    port: str | None,
    is_simulated: bool,
    emulated_steps: int,
    is_reset: bool,
    log: LogOptions,
    output: Output,
) -> int:
    """Replay a stream through engines and compare every bit.

    Integer engines are held to the integer reference: for each tensor, how many values differ, by
    how much at most, and from which step on. Float engines are held to the float reference. The
    exit code is 1 if any integer differs, or a float engine is further off than rounding explains.
    The last line is the verdict.

    An engine device:NAME is an emulated device, or a board on --port that runs this bundle's image
    (see "rnn-edge flash"); simulated:NAME, or --simulate, puts a simulator in a board's place.

    With --data LOG the frames of a log are replayed instead, reset where the log says so. What was
    logged is held against the integer reference, and the frames against those of the calibration:
    input drift is a finding, and a failure only with --fail-on-input-drift.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.engines import check_engines
    from rnn_edge.cli.logs import log_lines
    from rnn_edge.cli.matrix import matrix_lines
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.logs import is_log
    from rnn_edge.pipeline import ReplayRequest, refuse_differences, replay_bundle, replay_log

    engines = placed_engines(engines, port, is_simulated=is_simulated)
    check_engines(engines or ())
    is_of_log = data is not None and is_log(data)
    log.check(click.get_current_context(), is_log=is_of_log)
    opened = open_bundle(bundle)
    names = engines or tuple(dict.fromkeys(opened.spec().replay.engines))
    if data is not None and is_of_log:
        wanted = log.request(data, names, steps, emulated_steps, port)
        with progress_for(output) as progress:
            found = replay_log(opened, wanted, lambda name, k, n: progress(name, k, n, {}))
        result = found.to_json()
        output.result(result, log_lines(result))
        return output.verdict(lambda: found.refuse_differences(refuse_drift=log.fail_on_drift))
    request = ReplayRequest(names, data, stream, steps, emulated_steps, is_reset, port)
    with progress_for(output) as progress:
        matrix = replay_bundle(
            opened, request, lambda name, k, n: progress(f"replay {name}", k, n, {})
        )
    result = matrix.to_json()
    output.result(result, matrix_lines(result))
    return output.verdict(lambda: refuse_differences(matrix.parity, matrix.agreement))


COMMAND = replay
