"""`rnn-edge commission`: a bundle set to one machine."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import PathName, output_options
from rnn_edge.cli.output import Output


@click.command("commission")
@click.argument("bundle", type=PathName())
@click.option(
    "--data",
    type=PathName(),
    required=True,
    metavar="PATH",
    help="Recordings of the machine in normal operation, in the layout of the bundle's spec.",
)
@click.option(
    "--samples",
    type=click.IntRange(1, 1_000_000_000),
    metavar="N",
    help="Use the first N of them. [default: features.commission_samples of the spec, or all]",
)
@click.option(
    "--out",
    type=PathName(file_okay=False),
    required=True,
    metavar="DIR",
    help="Write the new bundle there.",
)
@output_options
def commission(bundle: Path, data: Path, samples: int | None, out: Path, output: Output) -> None:
    """Set a bundle of an anomaly model to one machine.

    Normaliser, variances, covariance and thresholds become those of the machine, from its first
    samples in normal operation; the network stays as it is, and nothing is trained. Machines of one
    kind differ in what is normal for them: what that is worth is in docs/anomaly_quality.md.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.pipeline.commission_bundle import commission_bundle, few_scores

    opened = open_bundle(bundle)
    made, used = commission_bundle(opened, data, out, samples)
    warning = few_scores(made, used)
    thresholds = ", ".join(f"{name} {value:.6g}" for name, value in used["thresholds"].items())
    output.result(
        {"bundle": str(made.path), **used, "warning": warning},
        [
            f"Commissioned with {used['samples']:,} samples of {used['source']}",
            f"thresholds: {thresholds}",
            *([] if warning is None else [warning]),
            f"Bundle: {made.path}",
        ],
    )


COMMAND = commission
