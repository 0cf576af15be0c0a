"""Which runner serves a device: what its file names, in that order, the first that is installed."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from rnn_edge.errors import DeviceError, MissingDependencyError
from rnn_edge.registry import known
from rnn_edge.runners.base import Runner, all_runners
from rnn_edge.spec import DeviceSpec

SIMULATOR = "labwired"


def find_program(name: str) -> str | None:
    """Return the path of a program: on the path, or beside this interpreter; None: it is nowhere.

    An environment that was not activated has its programs there.
    """
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


def find_module(name: str) -> str | None:
    """Return the name of a Python package where it is installed."""
    return name if importlib.util.find_spec(name) else None


def missing_of(
    runner: Runner,
    device: DeviceSpec | None = None,
    find: Callable[[str], str | None] = find_program,
    find_package: Callable[[str], str | None] = find_module,
) -> tuple[str, ...]:
    """Return the programs and packages that a runner lacks here, for a device or for any.

    Args:
        runner: The runner.
        device: What it is to serve; None where one program of several is enough.
        find: Looks for a program.
        find_package: Looks for a Python package.
    """
    programs = runner.programs(device)
    gone = tuple(name for name in programs if find(name) is None)
    if device is None and len(gone) < len(programs) and runner.runs:
        gone = ()
    package = (runner.module,) if runner.module and find_package(runner.module) is None else ()
    return (*gone, *package)


def runners_of(device: DeviceSpec) -> tuple[Runner, ...]:
    """Return what can serve a device: what its file names, then what suits it otherwise.

    What simulates a board takes its place only where that is asked for, and is none of them.

    Raises:
        DeviceError: If the file names a runner that does not exist.
    """
    everything = all_runners()
    for name in device.runners:
        if name not in everything:
            raise DeviceError(
                f"Device {device.name}: runners: {name}; expected {known(list(everything))}.",
                "correct the device's file",
            )
    named = [everything[name] for name in device.runners]
    others = [r for r in everything.values() if r not in named and r.suits(device)]
    return tuple(runner for runner in (*named, *others) if runner.name != SIMULATOR)


def choose_runner(
    device: DeviceSpec,
    name: str | None = None,
    *,
    is_simulated: bool = False,
    missing: Callable[[Runner, DeviceSpec], tuple[str, ...]] = missing_of,
) -> Runner:
    """Return what flashes or runs a device: the one that is named, or the first that is installed.

    Args:
        device: The device.
        name: What the user named; None for the first.
        is_simulated: Whether a simulator takes the place of the board.
        missing: Says what a runner lacks here.

    Raises:
        DeviceError: If the name is none of the device's, or the device has none.
        MissingDependencyError: If it is not installed, or none is, with how to get each.
    """
    possible = runners_of(device)
    if is_simulated or name == SIMULATOR:
        simulator = all_runners()[SIMULATOR]
        if not simulator.suits(device):
            raise DeviceError(
                f"Device {device.name}: nothing simulates it here; expected a device with a table "
                "[simulator].",
                f"rnn-edge devices show {device.name}",
            )
        possible, name = (simulator,), name or SIMULATOR
    if name is not None:
        possible = tuple(runner for runner in possible if runner.name == name)
        if not possible:
            names = [runner.name for runner in runners_of(device)]
            raise DeviceError(
                f"Device {device.name}: runner {name}; expected {known(names)}.",
                f"rnn-edge devices show {device.name}",
            )
    if not possible:
        raise DeviceError(
            f"Device {device.name}: no runner serves it; expected a device that names some.",
            "rnn-edge devices list",
        )
    for runner in possible:
        if not missing(runner, device):
            return runner
    raise MissingDependencyError(
        f"Device {device.name}: "
        + "; ".join(_lack(runner, missing(runner, device)) for runner in possible)
        + ".",
        "; or ".join(f"{runner.name}: {runner.hint}" for runner in possible),
    )


def resolved(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command with the path of its program, where that is found."""
    return (find_program(command[0]) or command[0], *command[1:])


def _lack(runner: Runner, gone: tuple[str, ...]) -> str:
    verb = "is" if len(gone) == 1 else "are"
    return f"runner {runner.name} needs {' and '.join(gone)}, which {verb} not installed"
