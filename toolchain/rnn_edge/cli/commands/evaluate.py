"""`rnn-edge evaluate`: a bundle on other data."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import data_option, output_options
from rnn_edge.cli.output import Output


@click.command("evaluate")
@click.argument("bundle", type=click.Path(path_type=Path))
@data_option("Folder or archive in the layout that the bundle's spec describes.", required=True)
@click.option(
    "--engines",
    default="float,int8",
    show_default=True,
    metavar="A,B,...",
    help="Engines to evaluate.",
)
@click.option(
    "--all",
    "whole",
    is_flag=True,
    help="Score all of the data, not only its test part; lists of splits are not needed then.",
)
@output_options
def evaluate(bundle: Path, data: Path, engines: str, whole: bool, output: Output) -> None:
    """Measure a bundle on other data.

    The test part of the data is scored, or all of it, with the task's own metrics, by each engine.
    Anomalies are judged by the threshold of the bundle.
    """
    from rnn_edge.cli.summary import evaluation_lines
    from rnn_edge.pipeline import Bundle, evaluate_bundle

    names = [name.strip() for name in engines.split(",") if name.strip()]
    if not names:
        raise click.UsageError("--engines is empty; expected at least one engine.")
    result = evaluate_bundle(Bundle.open(bundle), data, names, whole=whole)
    output.result(result, evaluation_lines(result))


COMMAND = evaluate
