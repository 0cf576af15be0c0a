"""`rnn-edge export`: a build that stops early."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import PathName, output_options, spec_options
from rnn_edge.cli.output import Output


@click.command("export")
@click.argument("spec", required=False, type=PathName())
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME",
    help='Write this format besides the usual ones; may be repeated. "tflite-w8a8" is the fused '
    "int8 LSTM, of LSTM models only.",
)
@spec_options
@output_options
def export(
    spec: Path | None,
    data: Path | None,
    out: Path | None,
    overrides: tuple[str, ...],
    seed: int | None,
    formats: tuple[str, ...],
    output: Output,
) -> None:
    """Export a quantized model to TFLite, ONNX and C.

    Runs the stages up to the exported files of a spec or of a
    bundle; stages that are done already are kept. "rnn-edge build" goes on from there.
    """
    import json

    from rnn_edge.cli.building import build_target
    from rnn_edge.cli.summary import bundle_lines, bundle_payload

    if formats:
        overrides = (*overrides, f"export.also={json.dumps(formats)}")
    bundle = build_target(
        spec, data=data, out=out, overrides=overrides, seed=seed, until="export", output=output
    )
    output.result(bundle_payload(bundle), bundle_lines(bundle))


COMMAND = export
