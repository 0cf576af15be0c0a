"""`rnn-edge build`: the main job."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import output_options, spec_options
from rnn_edge.cli.output import Output


@click.command("build")
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@spec_options
@output_options
def build(
    spec: Path | None,
    data: Path | None,
    out: Path | None,
    overrides: tuple[str, ...],
    seed: int | None,
    output: Output,
) -> None:
    """Train, quantize, export and prove a model; write a bundle.

    SPEC is a file, the name of a spec that is shipped (kws_gru, kws_lstm, anomaly_gru,
    anomaly_lstm, demo, demo_anomaly), or a bundle to build again. Without it, "demo" is built:
    keywords spoken by a speech synthesizer, no download.

    An interrupted build goes on where it stopped when it is started again.
    """
    from rnn_edge.cli.building import build_target
    from rnn_edge.cli.summary import bundle_lines, bundle_payload

    bundle = build_target(
        spec, data=data, out=out, overrides=overrides, seed=seed, until=None, output=output
    )
    output.result(bundle_payload(bundle), bundle_lines(bundle))


COMMAND = build
