"""`rnn-edge flash`: from a bundle to a device that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnn_edge.cli.device_options import device_options, timeout_option
from rnn_edge.cli.options import PathName, data_option, output_options
from rnn_edge.cli.output import Output

if TYPE_CHECKING:
    from rnn_edge.engines.board import Place


@click.command("flash")
@click.argument("bundle", type=PathName(), required=False)
@device_options(is_required=True, text='What to flash; "rnn-edge devices list" has the names.')
@click.option("--probe", metavar="ID", help="Unique id of the debug probe. [default: the only one]")
@click.option(
    "--runner",
    metavar="NAME",
    help="What flashes it. [default: the first of the device's that is installed]",
)
@click.option("--dry-run", is_flag=True, help="Print the commands, and change nothing.")
@click.option("--no-build", is_flag=True, help="Take the image that was built before.")
@timeout_option("Seconds that the device has to answer after it was flashed.")
@data_option(
    "Recordings for the frames that it is proven on. [default: those of the build, or normal "
    "deviates where they are gone]"
)
@output_options
def flash(
    bundle: Path | None,
    place: Place,
    probe: str | None,
    runner: str | None,
    dry_run: bool,
    no_build: bool,
    timeout_s: float,
    data: Path | None,
    output: Output,
) -> int:
    """Build the firmware of a bundle, flash it, and prove it on the device.

    Without BUNDLE it is the one that "rnn-edge build" makes here. The image is built, or taken
    from an earlier build, and has to fit; the first runner of the device that is installed flashes
    it. When the device answers, it has to say that it serves this very model, and to give every
    bit of the integer reference, outputs and states, over 200 steps. Then it goes on by itself
    from a state of zero.

    Emulated devices, and boards with --simulate, are started for this command and end with it.

    The exit code is 1 if anything of that fails.
    """
    from rnn_edge.cli.bundles import bundle_here, open_bundle
    from rnn_edge.cli.flash_lines import flashed_lines, plan_lines
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.pipeline.flash import FlashRequest, flash_bundle, plan_flash

    named = bundle
    if bundle is None:
        bundle = bundle_here(Path())
        output.note(f"bundle: {bundle}")
    opened = open_bundle(bundle)
    request = FlashRequest(
        place=place,
        probe=probe,
        runner=runner,
        builds=not no_build,
        timeout_s=timeout_s,
        data=data,
    )
    if dry_run:
        plan = plan_flash(opened, request)
        output.result(plan.to_json(), plan_lines(plan))
        return 0
    with progress_for(output) as progress:
        found = flash_bundle(
            opened, request, lambda what, k, n: progress(what, k, n, {}), output.note
        )
    output.result({"bundle": str(bundle), **found.to_json()}, flashed_lines(found, named))
    return output.verdict(lambda: found.proof.refuse_differences(f"Device {place.device.name}"))


COMMAND = flash
