"""`rnn-edge build`: the main job."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.device_options import devices_beginning
from rnn_edge.cli.options import PathName, output_options, spec_options
from rnn_edge.cli.output import Output


@click.command("build")
@click.argument("spec", required=False, type=PathName())
@click.option(
    "--device",
    metavar="NAME",
    shell_complete=devices_beginning,
    help="Fail where the model does not fit this device, and say what it takes of it.",
)
@spec_options
@output_options
def build(
    spec: Path | None,
    data: Path | None,
    out: Path | None,
    overrides: tuple[str, ...],
    seed: int | None,
    device: str | None,
    output: Output,
) -> None:
    """Train, quantize, export and prove a model; write a bundle.

    SPEC is a file, the name of a spec that is shipped (below), or a bundle to build again. Without
    it the spec.toml of this folder is taken, or the only one in a folder of this folder, as
    "rnn-edge new" writes it; where there is none, "demo": keywords spoken by a speech synthesizer,
    no download.

    Shipped, and built without a download: demo, demo_anomaly. For Speech Commands, that --data
    names: kws_gru, kws_gru_local, kws_gru_small, kws_gru_stream, kws_lstm. For tables of sensors:
    anomaly_gru, anomaly_lstm, anomaly_ecg, anomaly_fan, anomaly_series, anomaly_skab_gru,
    anomaly_skab_lstm, anomaly_telemetry.

    An interrupted build goes on with the stage that it was in when it is started again.

    With --device a model that is too large for the device's flash or RAM is refused before it is
    trained, with the most units that would fit, and once more when it is exported.
    """
    from rnn_edge.cli.building import build_target
    from rnn_edge.cli.summary import bundle_lines, bundle_payload

    bundle = build_target(
        spec,
        data=data,
        out=out,
        overrides=overrides,
        seed=seed,
        until=None,
        output=output,
        device=device,
    )
    payload, lines = bundle_payload(bundle), bundle_lines(bundle)
    if device is not None:
        from rnn_edge.cli.device_lines import parts_lines
        from rnn_edge.pipeline.device_fit import fit_bundle

        (fit,) = fit_bundle(bundle, (device,))
        payload["device"] = fit.to_json()
        lines = [*parts_lines(fit), *lines]
    output.result(payload, lines)


COMMAND = build
