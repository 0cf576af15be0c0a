"""Optional packages: imported where they are needed, named where they are missing."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import sys
from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from rnn_edge.errors import MissingDependencyError

MODULES: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "audio": ("soundfile", "soxr"),
        "train": ("tensorflow",),
        "embedding": ("pyopen_wakeword", "ai_edge_litert"),
        "synth": ("espeakng_loader", "soxr"),
        "export": ("ai_edge_litert", "onnx"),
        "litert": ("ai_edge_litert",),
        "onnx": ("onnx", "onnxruntime"),
        "report": ("matplotlib",),
        "baselines": ("sklearn",),
        "cross": ("ziglang",),
        "fleet": ("distributed",),
        "serial": ("serial",),
        "flash": ("serial", "pyocd", "esptool"),
        "sim": ("labwired",),
        "run": ("paho", "prometheus_client", "sounddevice", "serial"),
    }
)
"""The packages that an extra brings, by import name."""

WITHOUT_WHEELS: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {"litert": ("armv6l", "armv7l"), "onnx": ("armv6l", "armv7l"), "tflite": ("armv6l",)}
)
"""Machines for which the packages of an extra are not to be had."""


NEWEST_PYTHON_OF_TFLITE = (3, 11)
"""tflite-runtime has no wheel for a later one."""


def wheel_machine() -> str:
    """Return the machine that wheels have to be for.

    A 64-bit kernel of a Raspberry Pi runs 32-bit systems too, and calls itself aarch64 there.
    """
    machine = platform.machine()
    is_32_bit = sys.maxsize < 1 << 32
    return "armv7l" if machine == "aarch64" and is_32_bit else machine


def interpreter_for(machine: str, python: tuple[int, int]) -> str | None:
    """Return the interpreter that the extra "pi" brings, or None: the exported C is the engine.

    Args:
        machine: As `wheel_machine` says it.
        python: Major and minor version.
    """
    if machine not in WITHOUT_WHEELS["litert"]:
        return "ai-edge-litert"
    if machine not in WITHOUT_WHEELS["tflite"] and python <= NEWEST_PYTHON_OF_TFLITE:
        return "tflite-runtime"
    return None


def require_extras(wanted: Iterable[tuple[str, str]]) -> None:
    """Ask for everything that a long job will need before it begins.

    Args:
        wanted: Extra and purpose, the latter as the end of a sentence; an extra that is not in
            `MODULES` is passed over.

    Raises:
        MissingDependencyError: Naming every package that is not installed, and one command that
            installs them all.
    """
    missing: dict[str, str] = {}
    extras: list[str] = []
    for extra, purpose in wanted:
        gone = [m for m in MODULES.get(extra, ()) if importlib.util.find_spec(m) is None]
        if gone and extra not in extras:
            extras.append(extra)
        for module in gone:
            missing.setdefault(module, purpose)
    if missing:
        several = len(missing) > 1
        listed = ", ".join(f"{module} (for {purpose})" for module, purpose in missing.items())
        raise MissingDependencyError(
            f"Package{'s' if several else ''} {listed} {'are' if several else 'is'} not installed.",
            f"pip install 'rnn-edge[{','.join(extras)}]'",
        )


def require(module: str, extra: str, purpose: str) -> Any:  # noqa: ANN401 - untyped packages
    """Import and return an optional module.

    Args:
        module: Its import name.
        extra: The extra of this distribution that brings it.
        purpose: What it is needed for, as the end of a sentence.

    Raises:
        MissingDependencyError: If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"Package {error.name or module} is not installed; it is needed for {purpose}.",
            _how_to_get(extra),
        ) from error


def _how_to_get(extra: str) -> str:
    machine = wheel_machine()
    if machine in WITHOUT_WHEELS.get(extra, ()):
        return f"there is no wheel of it for {machine}: the exported C is the engine there"
    return f"pip install 'rnn-edge[{extra}]'"
