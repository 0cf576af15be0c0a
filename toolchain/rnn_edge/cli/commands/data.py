"""`rnn-edge data`: what a data set holds, and where to get one."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import PathName, output_options, set_option
from rnn_edge.cli.output import Output
from rnn_edge.errors import EnvironmentFailureError

ARCHIVE = "speech_commands_v0.02.tar.gz"


@click.group("data")
def data() -> None:
    """Look into data sets and fetch public ones."""


@data.command("inspect")
@click.argument("path", required=False, type=PathName())
@click.option(
    "--spec",
    type=PathName(),
    metavar="SPEC",
    help="Read the data the way this spec does; PATH replaces its data.path.",
)
@set_option("Replace a value of the spec; may be repeated.")
@output_options
def inspect(
    path: Path | None, spec: Path | None, overrides: tuple[str, ...], output: Output
) -> None:
    """Say what a data set holds: classes, speakers, channels, durations, splits, leaks.

    Without a spec the layout is guessed from the content of PATH and shown as a [data] section:
    folders with sound are read as Speech Commands, tables as sensor data. Warnings say what is only
    a guess in it, and what a build would stop at.
    """
    from rnn_edge.cli.datasets import load_for_inspection, summary_lines
    from rnn_edge.data.summary import inspect_dataset

    if path is None and spec is None:
        raise click.UsageError("Give a PATH, a --spec, or both.")
    if spec is None and overrides:
        raise click.UsageError("--set replaces values of a spec; give it with --spec.")
    guess, dataset = load_for_inspection(path, spec, overrides)
    summary = inspect_dataset(dataset)
    output.result(
        {
            "data": guess.table,
            "left_out": guess.notes,
            "warnings": guess.warnings,
            **summary.to_json(),
        },
        summary_lines(guess, summary, is_guess=spec is None),
    )


@data.group("fetch")
def fetch() -> None:
    """Download a public data set."""


@fetch.command("speech-commands")
@click.argument("directory", metavar="[DIR]", default=".", type=PathName())
@click.option("--url", metavar="URL", help="Another address. [default: the official one]")
@click.option("--sha256", metavar="DIGEST", help="Digest that the archive must have.")
@output_options
def speech_commands(directory: Path, url: str | None, sha256: str | None, output: Output) -> None:
    """Download Speech Commands v0.02 (2.4 GB) into the folder DIR.

    A download that broke off goes on where it stopped; what arrives is checked against the
    published digest. The recordings are by Google, under the licence CC BY 4.0.
    """
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.data.fetch import (
        SPEECH_COMMANDS_SHA256,
        SPEECH_COMMANDS_URL,
        fetch_speech_commands,
        is_digest,
    )

    if (url is None) != (sha256 is None):
        raise click.UsageError("--url and --sha256 belong together.")
    if sha256 is not None and not is_digest(sha256):
        raise click.UsageError(f"--sha256: {sha256!r}; expected 64 hexadecimal digits.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailureError(
            f"Folder {directory} cannot be made: {error.strerror}.",
            "name a folder you may write to",
        ) from error
    with progress_for(output) as progress:

        def tell(have: int, total: int | None) -> None:
            progress("fetch [MB]", have // 1_000_000, (total or 0) // 1_000_000, {})

        archive = fetch_speech_commands(
            directory / ARCHIVE,
            url or SPEECH_COMMANDS_URL,
            sha256 or SPEECH_COMMANDS_SHA256,
            tell,
        )
    output.result(
        {"path": str(archive), "bytes": archive.stat().st_size},
        [f"{archive}", f"Next: rnn-edge build kws_gru --data {archive}"],
    )


COMMAND = data
