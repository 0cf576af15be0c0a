"""Optional packages: imported where they are needed, named where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from rnn_edge.errors import MissingDependencyError


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
            f"pip install 'rnn-edge[{extra}]'",
        ) from error
