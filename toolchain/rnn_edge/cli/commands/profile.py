"""`rnn-edge profile`: what a model costs on this machine, or on a Raspberry Pi over SSH."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import PathName, RealNumber, WholeNumber, names_option, output_options
from rnn_edge.cli.output import Output


@click.command("profile")
@click.argument("bundle", type=PathName())
@names_option(
    "--engines",
    "What to measure beside the exported C: litert, litert-float, tflite-runtime, "
    "tflite-runtime-float, onnx-int8, onnx, front-end. [default: what is installed]",
    "engine",
)
@click.option(
    "--host",
    metavar="USER@HOST",
    help="Measure there, over ssh, with its keys, its agent and its configuration.",
)
@click.option(
    "--ssh-config",
    type=PathName(exists=True, dir_okay=False),
    metavar="FILE",
    help="Configuration of ssh. [default: ~/.ssh/config]",
)
@click.option(
    "--host-folder",
    default="/tmp",
    show_default=True,
    metavar="DIR",
    help="Where the host keeps for a while what is copied.",
)
@click.option(
    "--host-python",
    default="python3",
    show_default=True,
    metavar="PROGRAM",
    help="The host's Python whose interpreters are measured.",
)
@click.option(
    "--emulate",
    type=click.Choice(["aarch64", "armv7", "armv6"]),
    help="Imitate this processor here: bits, sizes and counted instructions, and no times.",
)
@click.option(
    "--rounds", type=WholeNumber(2, 1000), default=10, show_default=True, help="Of every engine."
)
@click.option(
    "--steps", type=WholeNumber(10, 16384), default=2000, show_default=True, help="Of a round."
)
@click.option(
    "--warm-up",
    type=WholeNumber(0, 16384),
    default=500,
    show_default=True,
    help="Steps before the first round.",
)
@click.option(
    "--paced-seconds",
    type=RealNumber(0.0, 86_400.0),
    default=3.0,
    show_default=True,
    help="Of the stream that each engine steps in real time.",
)
@click.option(
    "--starts",
    type=WholeNumber(0, 200),
    default=10,
    show_default=True,
    help="Cold starts of every engine.",
)
@click.option(
    "--front-end-hops",
    type=WholeNumber(1, 100),
    help="Of audio that the front end takes at once: cheaper, and decisions come later. [default: "
    "what fits into 0.1 s, as rnn-edge run has it]",
)
@click.option(
    "--link-steps",
    type=WholeNumber(1, 1_000_000),
    default=1000,
    show_default=True,
    help="Steps that a program on another processor is held to the reference over the link.",
)
@click.option(
    "--out",
    type=PathName(file_okay=False),
    metavar="DIR",
    help="Write profile.json, profile.html, and the report of the bundle with its latency there.",
)
@output_options
def profile(
    bundle: Path,
    engines: tuple[str, ...] | None,
    host: str | None,
    ssh_config: Path | None,
    host_folder: str,
    host_python: str,
    emulate: str | None,
    rounds: int,
    steps: int,
    warm_up: int,
    paced_seconds: float,
    starts: int,
    front_end_hops: int | None,
    link_steps: int,
    out: Path | None,
    output: Output,
) -> None:
    """Measure what a model costs: time of a step, memory, cold start.

    The exported C is compiled into a static program, and the interpreters that are installed are
    measured beside it, each in a process of its own on one thread, in turns. Everything has a 95 %
    interval.

    With --host the program is compiled for that machine, copied to it, run there through the pipe
    of ssh, held to the integer reference over the link, and removed.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.profile_lines import profile_lines
    from rnn_edge.cli.profile_pages import check_place, write_profile
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.pipeline.profile import profile_bundle
    from rnn_edge.pipeline.profile_engines import ENGINES, ProfileRequest
    from rnn_edge.profiling.measure import Settings

    if host is not None and emulate is not None:
        raise click.UsageError("--host and --emulate exclude each other.")
    if unknown := [name for name in engines or () if name not in ENGINES]:
        raise click.BadParameter(
            f"{', '.join(map(repr, unknown))}; known are {', '.join(ENGINES)}.",
            param_hint="--engines",
        )
    request = ProfileRequest(
        engines=engines,
        host=host,
        ssh_config=ssh_config,
        host_folder=host_folder,
        host_python=host_python,
        emulate=emulate,
        front_end_hops=front_end_hops,
        settings=Settings(rounds, steps, warm_up, paced_seconds, starts),
        link_steps=link_steps,
    )
    opened = open_bundle(bundle)
    if out is not None:
        check_place(out)
    with progress_for(output) as progress:
        result = profile_bundle(opened, request, lambda what, k, n: progress(what, k, n, {}))
    if out is not None:
        written = write_profile(out, result, opened)
        output.note(f"Written: {', '.join(map(str, written))}")
    output.result(result, profile_lines(result))


COMMAND = profile
