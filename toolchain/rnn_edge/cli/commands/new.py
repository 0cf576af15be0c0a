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
@click.argument("directory", metavar="DIR", type=click.Path())
@output_options
def new(task: str, directory: str, output: Output) -> None:
    """Write a commented spec to start from.

    It goes into the folder DIR, with a README; nothing that is there is written over. With --quiet
    the path of the spec is all that is said.

    TASK is "kws" for spotting words in sound, or "anomaly" for watching sensor channels.
    """
    from rnn_edge.cli.starter import write_starter

    if not directory.strip():
        raise click.BadParameter(
            f"{directory!r}; expected the name of a folder, or . for this one.", param_hint="DIR"
        )
    folder = Path(directory)
    written = write_starter(STARTERS / task, folder)
    spec = folder / "spec.toml"
    lines = [
        *(f"wrote {path}" for path in written),
        f"Next: rnn-edge build {shlex.quote(str(spec))}",
    ]
    output.result(
        {"directory": directory, "files": [str(path) for path in written]},
        [str(spec)] if output.is_quiet else lines,
    )


COMMAND = new
