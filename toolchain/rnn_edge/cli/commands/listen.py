"""`rnn-edge listen`: hear what a keyword model hears."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnn_edge.cli.options import PathName, RealNumber, WholeNumber

if TYPE_CHECKING:
    from rnn_edge.live.listening import ListenRequest


@click.command("listen")
@click.argument("bundle", type=PathName())
@click.argument("files", nargs=-1, metavar="[FILE.wav]...", type=PathName())
@click.option("--mic", "has_microphone", is_flag=True, help="Listen to a microphone.")
@click.option(
    "--device", metavar="NAME", help="Sound card of --mic: its number, or a part of its name."
)
@click.option("--engine", default="c", show_default=True, metavar="NAME", help="Engine that steps.")
@click.option("--fast", "is_fast", is_flag=True, help="Do not play files in real time.")
@click.option("--steps", type=WholeNumber(1, 2**53), help="Frames after which it ends.")
@click.option(
    "--every",
    "every_s",
    type=RealNumber(0.0, 86_400.0),
    help="Seconds of sound between two lines of probabilities; 0 for detections only. Not for a "
    "terminal, where bars move all the time. [default: 1]",
)
@click.option("--plain", "is_plain", is_flag=True, help="Lines in a terminal, too.")
@click.option("--json", "is_json", is_flag=True, help="A line of JSON for every event.")
def listen(
    bundle: Path,
    files: tuple[Path, ...],
    has_microphone: bool,
    device: str | None,
    engine: str,
    is_fast: bool,
    steps: int | None,
    every_s: float | None,
    is_plain: bool,
    is_json: bool,
) -> None:
    """Show what a keyword model hears in a file or from a microphone.

    Features, engine and decisions are those of "rnn-edge run". In a terminal bars show the smoothed
    probability of every keyword, with a mark at its threshold; elsewhere there are lines. Ctrl-C
    ends it.
    """
    from rich.console import Console

    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.engines import check_engines
    from rnn_edge.cli.listening_lines import JsonLines, TextLines
    from rnn_edge.cli.listening_screen import Screen
    from rnn_edge.live.listening import listen as hear

    if bool(files) == has_microphone:
        raise click.UsageError("Name FILE.wav or give --mic, one of them.")
    if device is not None and not has_microphone:
        raise click.UsageError("--device is for --mic.")
    if is_fast and has_microphone:
        raise click.UsageError("--fast is for files: a microphone is heard as it happens.")
    if is_json and is_plain:
        raise click.UsageError("--json and --plain are two forms; choose one.")
    console = Console()
    is_screen = console.is_terminal and not (is_json or is_plain)
    if is_screen and every_s is not None:
        raise click.UsageError("--every is for lines: give --plain or --json.")
    check_engines([engine])
    opened = open_bundle(bundle)
    interval_s = 1.0 if every_s is None else every_s
    view = (
        Screen(console)
        if is_screen
        else JsonLines(interval_s)
        if is_json
        else TextLines(interval_s)
    )
    try:
        counts = hear(
            opened,
            _request(files, device, engine, is_fast=is_fast, steps=steps),
            view,
            lambda line: click.echo(line, err=True),
        )
    finally:
        view.end()
    told = ", ".join(f"{label} {count}" for label, count in sorted(counts.begun.items()))
    click.echo(f"{counts.frames:,} frames; {told or 'nothing was detected'}", err=True)


def _request(
    files: tuple[Path, ...], device: str | None, engine: str, *, is_fast: bool, steps: int | None
) -> ListenRequest:
    from rnn_edge.live.listening import ListenRequest
    from rnn_edge.live.opening import MICROPHONE, SourceRequest

    microphone = f"{MICROPHONE}:{device}" if device else MICROPHONE
    words = tuple(map(str, files)) or (microphone,)
    return ListenRequest(SourceRequest(words, is_fast), engine, steps)


COMMAND = listen
