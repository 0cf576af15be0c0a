"""`rnn-edge evaluate`: a bundle on other data."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import data_option, engines_option, output_options, set_option
from rnn_edge.cli.output import Output


@click.command("evaluate")
@click.argument("bundle", type=click.Path(path_type=Path))
@data_option(
    "Folder or archive of recordings, in the layout that the bundle's spec describes. [default: "
    "for a bundle of synthetic data, its own test part]"
)
@engines_option("Engines to evaluate.", default="float,int8")
@click.option(
    "--all",
    "whole",
    is_flag=True,
    help="Score all of the recordings, not only their test part; lists of splits are not needed "
    "and classes may be missing.",
)
@set_option(
    "Read the recordings in another way, e.g. data.missing_values=drop; only keys that leave the "
    "model's inputs and classes as they are. May be repeated."
)
@output_options
def evaluate(
    bundle: Path,
    data: Path | None,
    engines: tuple[str, ...],
    whole: bool,
    overrides: tuple[str, ...],
    output: Output,
) -> None:
    """Measure a bundle on other data.

    The test part of the data is scored, or all of it, with the task's own metrics, by each engine.
    Anomalies are judged by the threshold of the bundle.

    A bundle that was built with synthetic data scores recordings too: a folder of words, or tables
    with the channels of the model.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.engines import check_engines
    from rnn_edge.cli.summary import evaluation_lines
    from rnn_edge.pipeline import evaluate_bundle

    check_engines(engines)
    if data is None and (whole or overrides):
        what = "--all" if whole else "--set"
        raise click.UsageError(f"{what} is about recordings; name them with --data.")
    result = evaluate_bundle(open_bundle(bundle), data, engines, whole=whole, overrides=overrides)
    output.result(result, evaluation_lines(result))


COMMAND = evaluate
