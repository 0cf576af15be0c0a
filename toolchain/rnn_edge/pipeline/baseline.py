"""What a drift is compared with: another bundle, or a result that was written to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rnn_edge.errors import DataError
from rnn_edge.pipeline.budget import Baseline
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.types.drift import FORMAT
from rnn_edge.types.drift_measures import MEASURES, read_measure

RESULT = "drift.json"
"""What `rnn-edge drift --out DIR` writes."""

HOW = "write one with: rnn-edge drift BUNDLE --out DIR, or rnn-edge check BUNDLE --json > FILE"


def open_baseline(path: Path) -> Baseline | Bundle:
    """Return a baseline that was measured before, or a bundle that has yet to be.

    Args:
        path: A JSON file that `rnn-edge drift --out` or `rnn-edge check --json` wrote, the folder
            that the first of them wrote it to, or a bundle.

    Raises:
        BundleError: If it is a folder and no bundle.
        DataError: If there is nothing, or a file that holds no drift.
    """
    if path.is_dir():
        held = path / RESULT
        return load_baseline(held) if held.is_file() else Bundle.open(path)
    if not path.exists():
        raise DataError(f"Baseline {path} does not exist; expected a bundle or a drift.", HOW)
    return load_baseline(path)


def load_baseline(file: Path) -> Baseline:
    """Return a baseline that was measured before.

    Raises:
        DataError: If the file cannot be read, or holds no drift.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"Baseline {file} cannot be read: {error}.", HOW) from error
    result = _drift_of(content)
    if result is None or result.get("format") != FORMAT:
        found = None if result is None else result.get("format")
        raise DataError(
            f"Baseline {file} holds no drift: format {found!r}; expected {FORMAT!r}.", HOW
        )
    try:
        _read_all(result)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise DataError(
            f"Baseline {file} is damaged: {reason}; expected every figure of each stream.",
            HOW,
        ) from error
    return Baseline(str(file), result)


def refuse_other_task(expected: str, baseline: Baseline | Bundle) -> None:
    """Refuse a baseline of another task: it has none of the streams and decides nothing alike.

    Args:
        expected: The task of what is compared with it.
        baseline: From `open_baseline`.

    Raises:
        DataError: Naming both tasks.
    """
    if isinstance(baseline, Bundle):
        name, task = str(baseline.path), baseline.spec().model.task
    else:
        name, task = baseline.name, baseline.result.get("task", expected)
    if task != expected:
        raise DataError(
            f"Baseline {name} is of a model of task {task!r}; expected {expected!r}.",
            "name a baseline of the same task",
        )


def _drift_of(content: Any) -> dict[str, Any] | None:  # noqa: ANN401 - any JSON value
    """Return the drift that a file holds by itself, or in what `check --json` wrote."""
    if not isinstance(content, dict):
        return None
    drift = content.get("drift")
    held = drift.get("result") if isinstance(drift, dict) else content
    return held if isinstance(held, dict) else None


def _read_all(result: dict[str, Any]) -> None:
    """Read every measure once, so that a damaged file is told before anything is measured."""
    for stream in result["streams"]:
        _ = stream["stream"] + "", stream["steps"] + 0, stream["is_partial"]
        for row in stream["tensors"]:
            _ = row["tensor"] + "", [point["rms"] + 0.0 for point in row["curve"]]
        for name in MEASURES:
            read_measure(name.replace("NAME", "h0"), stream, result)
