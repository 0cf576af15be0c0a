"""`rnn-edge report`: the report of a bundle, with what was measured of it on machines."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.options import PathName, output_options
from rnn_edge.cli.output import Output


@click.command("report")
@click.argument("bundle", type=PathName())
@click.option(
    "--profile",
    "profiles",
    type=PathName(),
    multiple=True,
    metavar="FILE",
    help="A profile.json, or the folder that rnn-edge profile --out wrote; one of every machine.",
)
@click.option(
    "--out",
    type=PathName(file_okay=False),
    required=True,
    metavar="DIR",
    help="Write report.html there.",
)
@output_options
def report(bundle: Path, profiles: tuple[Path, ...], out: Path, output: Output) -> None:
    """Write the report of a bundle anew, with latency on every machine that was measured.

    The bundle and its own report.html stay as they were built.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.profile_pages import check_place, read_profile, write_report

    opened = open_bundle(bundle)
    found = [read_profile(path) for path in profiles]
    check_place(out)
    written = write_report(out, opened, found)
    machines = [each["place"]["name"] for each in found]
    output.result(
        {"report": str(written), "model_digest": opened.model().digest(), "machines": machines},
        [f"Report: {written} ({', '.join(machines) or 'no machine was measured'})"],
    )


COMMAND = report
