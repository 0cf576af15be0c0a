"""`rnn-edge new`: a starting point of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from rnn_edge.cli.options import output_options
from rnn_edge.cli.output import Output

STARTERS = Path(__file__).resolve().parent.parent / "starters"


@click.command("new")
@click.argument("task", type=click.Choice(("kws", "anomaly")))
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@output_options
def new(task: str, directory: Path, output: Output) -> None:
    """Write a commented spec to start from.

    It goes into the folder DIR, with a README; nothing that is there is written over.

    TASK is "kws" for spotting words in sound, or "anomaly" for watching sensor channels.
    """
    from rnn_edge.cli.starter import write_starter

    written = write_starter(STARTERS / task, directory)
    spec = shlex.quote(str(directory / "spec.toml"))
    output.result(
        {"directory": str(directory), "files": [str(path) for path in written]},
        [*(f"wrote {path}" for path in written), f"Next: rnn-edge build {spec}"],
    )


COMMAND = new
