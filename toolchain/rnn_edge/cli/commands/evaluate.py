"""`rnn-edge evaluate`: a bundle on other data."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import (
    PathName,
    RealNumber,
    data_option,
    engines_option,
    output_options,
    set_option,
)
from rnn_edge.cli.output import Output


@click.command("evaluate")
@click.argument("bundle", type=PathName())
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
@click.option(
    "--commission",
    "samples",
    type=click.IntRange(0, 1_000_000),
    metavar="SAMPLES",
    help="Set normaliser and threshold to every machine with that many first samples of its "
    "recording, which are not scored. [default: features.commission_samples of the spec]",
)
@set_option(
    "Read the recordings in another way, e.g. data.missing_values=drop; only keys that leave the "
    "model's inputs and classes as they are. May be repeated."
)
@click.option(
    "--streaming",
    "is_streaming",
    is_flag=True,
    help="Measure detections in continuous sound: misses, false accepts per hour, delay.",
)
@click.option(
    "--noise",
    type=PathName(),
    metavar="PATH",
    help="With --streaming: folder or archive of further noise; its last folder is for tests.",
)
@click.option(
    "--minutes",
    type=RealNumber(0.1, 6000.0),
    help="With --streaming: minutes of noise, and of other speech, without commands. [default: 30]",
)
@click.option(
    "--calibrate",
    "per_hour",
    type=RealNumber(0.1, 3600.0),
    metavar="RATE",
    help="With --streaming: choose the limits of every keyword for so many false accepts per hour "
    "on the validation part first, and keep them in the bundle.",
)
@click.option(
    "--out",
    type=PathName(),
    metavar="DIR",
    help="With --streaming: write streaming.json and streaming.html there.",
)
@output_options
def evaluate(
    bundle: Path,
    data: Path | None,
    engines: tuple[str, ...],
    whole: bool,
    samples: int | None,
    overrides: tuple[str, ...],
    is_streaming: bool,
    noise: Path | None,
    minutes: float | None,
    per_hour: float | None,
    out: Path | None,
    output: Output,
) -> None:
    """Measure a bundle on other data.

    The test part of the data is scored, or all of it, with the task's own metrics, by each engine.
    Anomalies are judged by the threshold of the bundle, or by those of machines that are
    commissioned one by one. Simple baselines stand beside the model, and what to use is said.

    A bundle that was built with synthetic data scores recordings too: a folder of words, or tables
    with the channels of the model.

    With --streaming the clips become hours of sound: commands in noise and in other speech at
    20, 10, 5 and 0 dB, and neither with any command (docs/detections.md).
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.engines import check_engines
    from rnn_edge.cli.summary import evaluation_lines
    from rnn_edge.pipeline import evaluate_bundle

    check_engines(engines)
    if data is None and (whole or overrides):
        what = "--all" if whole else "--set"
        raise click.UsageError(f"{what} is about recordings; name them with --data.")
    own = {"--noise": noise, "--minutes": minutes, "--calibrate": per_hour, "--out": out}
    if is_streaming:
        if samples is not None:
            raise click.UsageError("--commission is about sensors; --streaming is about sound.")
        if whole or overrides:
            what = "--all" if whole else "--set"
            raise click.UsageError(f"{what} is not for --streaming, which needs the split.")
        _evaluate_streams(bundle, data, engines, noise, minutes, per_hour, out, output)
        return
    for name, value in own.items():
        if value is not None:
            raise click.UsageError(f"{name} does nothing without --streaming.")
    result = evaluate_bundle(
        open_bundle(bundle), data, engines, whole=whole, overrides=overrides, commission=samples
    )
    output.result(result, evaluation_lines(result))


def _evaluate_streams(
    bundle: Path,
    data: Path | None,
    engines: tuple[str, ...],
    noise: Path | None,
    minutes: float | None,
    per_hour: float | None,
    out: Path | None,
    output: Output,
) -> None:
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.profile_pages import check_place
    from rnn_edge.cli.streaming_summary import streaming_lines, write_pages
    from rnn_edge.data.mixtures import MixtureConfig
    from rnn_edge.pipeline.streaming import StreamingRequest, evaluate_streams

    mixtures = MixtureConfig() if minutes is None else MixtureConfig(minutes=minutes)
    request = StreamingRequest(data, noise, engines, per_hour, mixtures)
    opened = open_bundle(bundle)
    if out is not None:
        check_place(out)
    result = evaluate_streams(opened, request, output.note)
    if out is not None:
        write_pages(out, result)
        output.note(f"Written: {out / 'streaming.html'}")
    output.result(result, streaming_lines(result))


COMMAND = evaluate
