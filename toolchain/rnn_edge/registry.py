"""Finds the plug-ins of a package: every module in it that defines a given name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType
from typing import Protocol, TypeVar

from rnn_edge.errors import RnnEdgeError


class Named(Protocol):
    """Anything with a name to be found by."""

    @property
    def name(self) -> str:
        """The name users type."""


T = TypeVar("T", bound=Named)


def discover(package: ModuleType, attribute: str, kind: type[T], several: str = "") -> dict[str, T]:
    """Return the plug-ins of a package by name, in order of their names.

    Args:
        package: Its direct modules are imported; they must not import optional packages at
            module level.
        attribute: Name of the module variable that holds the plug-in; modules without it are
            not plug-ins.
        kind: Type of the plug-in.
        several: Name of a function that returns the plug-ins of a module that has more than
            one, or an empty string where there are no such modules.
    """
    found: dict[str, T] = {}
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        plugins = [getattr(module, attribute, None)]
        if several and hasattr(module, several):
            plugins += getattr(module, several)()
        for plugin in plugins:
            if isinstance(plugin, kind):
                if plugin.name in found:
                    raise RuntimeError(
                        f"two plug-ins of {package.__name__} are called {plugin.name}"
                    )
                found[plugin.name] = plugin
    return dict(sorted(found.items()))


def lookup(plugins: dict[str, T], name: str, what: str) -> T:
    """Return the plug-in called ``name``.

    Raises:
        RnnEdgeError: Naming the known ones.
    """
    if name not in plugins:
        raise RnnEdgeError(f"Unknown {what}: {name!r}; known are {known(list(plugins))}.")
    return plugins[name]


def known(names: Sequence[str]) -> str:
    """Join names for a message."""
    return ", ".join(names) if names else "none"
