"""`rnn-edge devices`: what there is to run a model on, what is connected, and what it fits."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_edge.cli.device_options import known_device
from rnn_edge.cli.options import PathName, output_options
from rnn_edge.cli.output import Output


@click.group("devices")
def devices() -> None:
    """Show devices, find connected ones, and see which a model fits."""


@devices.command("list")
@output_options
def list_devices(output: Output) -> None:
    """List every device: processor, clock, flash, RAM, template, and what was verified.

    With --quiet only the names.
    """
    from rnn_edge.cli.device_lines import list_lines, summary_of
    from rnn_edge.spec import all_devices

    known = all_devices()
    lines = list(known) if output.is_quiet else list_lines(known.values())
    output.result({"devices": [summary_of(device) for device in known.values()]}, lines)


@devices.command("show")
@click.argument("name")
@output_options
def show(name: str, output: Output) -> None:
    """Show everything that is known of the device NAME, and where it is from."""
    from rnn_edge.cli.device_lines import show_lines

    device = known_device(name)
    output.result(device.model_dump(), show_lines(device))


@devices.command("detect")
@output_options
def detect(output: Output) -> None:
    """Look for serial ports and debug probes, and say which device each may be.

    Ports are recognised by the USB ids of the catalogue and never opened. Probes are looked for
    where pyOCD is installed; it asks them which board they are part of. Boards on USB that this
    user may not use are named with the udev rule that lets them be used.
    """
    from dataclasses import asdict

    from rnn_edge.cli.device_lines import detect_lines
    from rnn_edge.links.detection import debug_probes, locked_boards, recognised, serial_ports
    from rnn_edge.runners.base import all_runners
    from rnn_edge.spec import all_devices

    vendors = {vendor for runner in all_runners().values() for vendor in runner.udev}
    ports, found = serial_ports(), debug_probes()
    if found is None:
        output.note("pyOCD is not installed; debug probes are not looked for.")
    known = all_devices()
    locked = locked_boards(vendors, known)
    ports, probes = recognised(ports, found or [], known)
    output.result(
        {
            "ports": [asdict(port) for port in ports],
            "probes": None if found is None else [asdict(probe) for probe in probes],
            "locked": [asdict(board) for board in locked],
        },
        detect_lines(ports, None if found is None else probes, locked),
    )


@devices.command("fit")
@click.argument("bundle", type=PathName())
@click.option("--device", "name", metavar="NAME", help="Only this device, part by part.")
@output_options
def fit(bundle: Path, name: str | None, output: Output) -> None:
    """Say which devices the model of BUNDLE fits, and by how much.

    Its C is compiled for every device whose compiler is here; where none is, code is estimated.
    Times of a step are estimated from instruction counts, no wait states: an emulator counts the
    instructions, and each is taken to last one cycle of the device's clock.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.device_lines import fit_lines, parts_lines
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.pipeline.device_fit import fit_bundle

    if name is not None:
        known_device(name)
    opened = open_bundle(bundle)
    model = opened.model()
    with progress_for(output) as progress:
        rows = fit_bundle(
            opened,
            None if name is None else (name,),
            lambda device, k, count: progress("fit", k, count, {}),
        )
    lines = fit_lines(rows, model.name, model.layers[-1].hidden)
    if name is not None:
        lines += parts_lines(rows[0])
    output.result(
        {
            "model": model.name,
            "hidden": model.layers[-1].hidden,
            "devices": [row.to_json() for row in rows],
        },
        lines,
    )


COMMAND = devices
