"""`rnn-edge monitor`: what a device decides, as it decides it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnn_edge.cli.device_options import device_options, timeout_option
from rnn_edge.cli.options import PathName, RealNumber, data_option, output_options
from rnn_edge.cli.output import Output

if TYPE_CHECKING:
    from rnn_edge.engines.board import Place

REALTIME = "realtime"


@click.command("monitor")
@click.argument("bundle", type=PathName(), required=False)
@device_options(is_required=True, text='What to watch; "rnn-edge devices list" has the names.')
@click.option(
    "--feed",
    metavar="FILE|test",
    help="Feed it frames in place of its sensor's: a .npy file, a log (docs/logs.md), or those of "
    "the bundle's stream. [default: test where it is emulated or simulated, nothing on a board]",
)
@click.option(
    "--rate",
    type=click.Choice([REALTIME, "max"]),
    default=REALTIME,
    show_default=True,
    help="Feed frames as the model's sensor would, or as fast as the device steps them.",
)
@click.option(
    "--log",
    "log_path",
    type=PathName(),
    metavar="FILE",
    help="Write what the device logs as a replay log (.jsonl or .jsonl.gz).",
)
@click.option(
    "--for",
    "duration_s",
    type=RealNumber(0.1, 10_000_000.0),
    metavar="S",
    help="Seconds. [default: until the frames end, or Ctrl-C]",
)
@timeout_option("Seconds that the device has to answer, and to come back.")
@data_option("Recordings for --feed test. [default: those of the build]")
@output_options
def monitor(
    bundle: Path | None,
    place: Place,
    feed: str | None,
    rate: str,
    log_path: Path | None,
    duration_s: float | None,
    timeout_s: float,
    data: Path | None,
    output: Output,
) -> None:
    """Show what a device detects, while it runs.

    A line for each detection that begins or ends: the time, the step of the model, what was
    detected, and its score; and now and then how the device does. Lost events, steps that its log
    had forgotten, and restarts are told. Ctrl-C ends it with a summary.

    A board goes on with its sensor, and is left to it at the end. Emulated devices, and boards with
    --simulate, have none: they are started, fed frames, and end with the command.

    Without BUNDLE it is the one that "rnn-edge build" makes here.
    """
    from rnn_edge.cli.bundles import bundle_here, open_bundle
    from rnn_edge.cli.monitor_lines import LiveView, feed_line, summary_lines
    from rnn_edge.pipeline.device_log import DeviceLog
    from rnn_edge.pipeline.fed_frames import TEST, fed_frames, frame_rate_hz
    from rnn_edge.pipeline.flash import open_device, program_of
    from rnn_edge.pipeline.monitor import Monitor, Watch

    if bundle is None:
        bundle = bundle_here(Path())
        output.note(f"bundle: {bundle}")
    place.require()
    opened = open_bundle(bundle)
    feed = feed or (TEST if place.is_here else None)
    if data is not None and feed != TEST:
        raise click.UsageError("--data is about --feed test.")
    frames = None if feed is None else fed_frames(opened, feed, data)
    if frames is not None and frames.clipped:
        output.note(
            f"{frames.clipped:,} of {len(frames.x):,} frames of {frames.source} have values beyond "
            "what the model's input holds; they were clipped."
        )
    rate_hz = frame_rate_hz(opened) if rate == REALTIME else None
    if frames is not None:
        output.note(feed_line(frames.source, len(frames.x), rate_hz))
    program = program_of(opened, place)
    watch = Watch(
        place=place,
        frames=frames,
        rate_hz=rate_hz,
        duration_s=duration_s,
        timeout_s=timeout_s,
    )
    log = None if log_path is None else DeviceLog(opened, log_path, place.device.name)
    view = LiveView(output, place)
    seen = Monitor(opened, watch, lambda: open_device(place, program, timeout_s), view, log)
    try:
        found = seen.run()
    finally:
        view.clear()
        if log is not None:
            log.close()
    result = {
        "bundle": str(bundle),
        "device": place.device.name,
        "fed": None
        if frames is None
        else {
            "source": frames.source,
            "frames": len(frames.x),
            "clipped": frames.clipped,
        },
        **found.to_json(),
        "log": None
        if log is None
        else {"path": str(log_path), "records": log.records, "lost": log.lost},
    }
    output.result(result, summary_lines(result))


COMMAND = monitor
