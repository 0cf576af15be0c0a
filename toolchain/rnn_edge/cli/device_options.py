"""Options of commands that speak to a device."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from rnn_edge.cli.options import RealNumber
from rnn_edge.cli.output import HINT

if TYPE_CHECKING:
    from rnn_edge.engines.board import Place
    from rnn_edge.spec import DeviceSpec

F = TypeVar("F", bound=Callable[..., Any])

PORT_HELP = (
    "Where the board is: a serial port, HOST:PORT of a serial server, or USER@HOST of a Linux "
    "machine."
)
SIMULATE_HELP = "Simulate the board on this host instead; for devices with a simulator."


def devices_beginning(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the devices that begin like this, for the shell."""
    from rnn_edge.spec import all_devices

    found = [device for name, device in all_devices().items() if name.startswith(incomplete)]
    return [CompletionItem(device.name, help=device.title) for device in found]


def device_options(*, is_required: bool, text: str) -> Callable[[F], F]:
    """Return --device, --port and --simulate; the command gets ``place``, or None without one.

    Args:
        is_required: Whether a device has to be named.
        text: Help of --device.
    """

    def add(function: F) -> F:
        @click.option(
            "--device",
            "device",
            required=is_required,
            metavar="NAME",
            shell_complete=devices_beginning,
            help=text,
        )
        @click.option("--port", metavar="PORT", help=PORT_HELP)
        @click.option("--simulate", "is_simulated", is_flag=True, help=SIMULATE_HELP)
        @functools.wraps(function)
        def wrapped(
            *arguments: object,
            device: str | None,
            port: str | None,
            is_simulated: bool,
            **options: object,
        ) -> object:
            place = None
            if device is not None:
                place = place_of(device, port, is_simulated=is_simulated)
            elif port is not None or is_simulated:
                what = "--port" if port is not None else "--simulate"
                raise click.UsageError(f"{what} is about a device; name it with --device.")
            return function(*arguments, place=place, **options)

        return wrapped  # type: ignore[return-value]

    return add


def timeout_option(text: str) -> Callable[[F], F]:
    """Return --timeout, the seconds that a device has to answer; the command gets ``timeout_s``.

    Args:
        text: Its help.
    """
    return click.option(
        "--timeout",
        "timeout_s",
        type=RealNumber(0.1, 3600.0),
        default=30.0,
        show_default=True,
        metavar="S",
        help=text,
    )


def port_options(function: F) -> F:
    """Add --port and --simulate, for engines that are devices; see `placed_engines`."""
    simulate = click.option("--simulate", "is_simulated", is_flag=True, help=SIMULATE_HELP)
    return click.option("--port", metavar="PORT", help=PORT_HELP)(simulate(function))


def placed_engines(
    engines: tuple[str, ...] | None, port: str | None, *, is_simulated: bool
) -> tuple[str, ...] | None:
    """Return engines with simulators in the place of boards, where that is asked for.

    Raises:
        click.UsageError: If a port or a simulator has no board to be about, or a port has several.
        DeviceError: If nothing simulates a board.
    """
    from rnn_edge.engines.base import all_engines
    from rnn_edge.engines.board import Place
    from rnn_edge.spec import all_devices

    kinds = all_engines()
    boards = [name for name in engines or () if name in kinds and kinds[name].needs_port]
    if is_simulated:
        if not boards or port is not None:
            why = "--port is about a board itself" if boards else "no engine device:NAME is a board"
            raise click.UsageError(f"--simulate puts a simulator in a board's place; {why}.")
        for name in boards:
            Place(all_devices()[name.partition(":")[2]], None, is_simulated=True).require()
        return tuple(
            f"simulated:{name.partition(':')[2]}" if name in boards else name
            for name in engines or ()
        )
    if port is not None and len(boards) != 1:
        found = ", ".join(boards) or "none"
        raise click.UsageError(
            f"--port says where one board is; boards among the engines are: {found}."
        )
    return engines


def place_of(name: str, port: str | None, *, is_simulated: bool) -> Place:
    """Return where a device is that a command line names.

    Raises:
        click.UsageError: If there is no such device, with the one that was perhaps meant.
    """
    from rnn_edge.engines.board import Place

    return Place(known_device(name), port, is_simulated)


def known_device(name: str) -> DeviceSpec:
    """Return a device that a command line names.

    Raises:
        click.UsageError: If there is no such device, with the one that was perhaps meant.
    """
    from rnn_edge.spec import all_devices

    devices = all_devices()
    if name not in devices:
        close = difflib.get_close_matches(name, list(devices), 1)
        hint = f"did you mean {close[0]}?" if close else '"rnn-edge devices list" says what each is'
        raise click.UsageError(
            f"Unknown device: {name!r}; known are {', '.join(devices)}.{HINT}{hint}"
        )
    return devices[name]
