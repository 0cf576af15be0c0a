"""`rnn-edge train`: a build that stops early."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import PathName, output_options, spec_options
from rnn_edge.cli.output import Output


@click.command("train")
@click.argument("spec", required=False, type=PathName())
@spec_options
@output_options
def train(
    spec: Path | None,
    data: Path | None,
    out: Path | None,
    overrides: tuple[str, ...],
    seed: int | None,
    output: Output,
) -> None:
    """Train a model up to the float student.

    Runs the stages data, teacher and student of a spec or of a
    bundle; stages that are done already are kept. "rnn-edge build" goes on from there.
    """
    from rnn_edge.cli.building import build_target
    from rnn_edge.cli.summary import bundle_lines, bundle_payload

    bundle = build_target(
        spec, data=data, out=out, overrides=overrides, seed=seed, until="student", output=output
    )
    output.result(bundle_payload(bundle), bundle_lines(bundle))


COMMAND = train
