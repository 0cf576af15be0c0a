"""`rnn-edge new`: a starting point of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from rnn_edge.cli.options import output_options
from rnn_edge.cli.output import Output

STARTERS = Path(__file__).resolve().parent.parent / "starters"
KEYWORD_STARTER = "keyword"


@click.command("new")
@click.argument("task", type=click.Choice(("kws", "anomaly")))
@click.argument("directory", metavar="[DIR]", type=click.Path(), required=False)
@click.option(
    "--keyword",
    "keywords",
    multiple=True,
    metavar="PHRASE",
    help="A keyword that nobody has recorded, for TASK kws; may be given several times.",
)
@output_options
def new(task: str, directory: str | None, keywords: tuple[str, ...], output: Output) -> None:
    """Write a commented spec to start from.

    It goes into the folder DIR, with a README; nothing that is there is written over. With --quiet
    the path of the spec is all that is said.

    TASK is "kws" for spotting words in sound, or "anomaly" for watching sensor channels. With
    --keyword the model learns a phrase of your own from synthetic voices; DIR is then this folder
    unless another one is given.
    """
    from rnn_edge.cli.starter import keyword_lines, write_starter

    if keywords and task != "kws":
        raise click.BadParameter(
            f'{keywords[0]!r} with the task "{task}"; keywords are for "kws".',
            param_hint="--keyword",
        )
    if directory is None:
        if not keywords:
            raise click.MissingParameter(param_hint="DIR", param_type="argument")
        directory = "."
    if not directory.strip():
        raise click.BadParameter(
            f"{directory!r}; expected the name of a folder, or . for this one.", param_hint="DIR"
        )
    folder = Path(directory)
    replaced, said = keyword_lines(keywords) if keywords else ({}, [])
    written = write_starter(STARTERS / (KEYWORD_STARTER if keywords else task), folder, replaced)
    spec = folder / "spec.toml"
    lines = [
        *(f"wrote {path}" for path in written),
        *said,
        f"Next: rnn-edge build {shlex.quote(str(spec))}",
    ]
    output.result(
        {"directory": directory, "files": [str(path) for path in written]},
        [str(spec)] if output.is_quiet else lines,
    )


COMMAND = new
