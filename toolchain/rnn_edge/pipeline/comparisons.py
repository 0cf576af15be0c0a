"""What each step of a build changed, judged pair by pair on the same test material."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rnn_edge.evaluation.paired import PairedDifference, compare_alarms, compare_clips
from rnn_edge.types import Array

STEPS = (
    ("Training with the teacher", "float", "float, no teacher"),
    ("Rounding after training", "int8 after training", "float"),
    ("Quantization-aware training", "int8", "int8 after training"),
    ("Float to int8", "int8", "float"),
)
"""What was changed, the model with it, and the model without it."""

Verdicts = Mapping[str, Array]
"""By measure: bool (N,) per clip for "unreset" and "reset", int64 (R, 3) per recording for "f1"."""

_RULES: dict[str, Callable[[Array, Array], PairedDifference]] = {
    "unreset": compare_clips,
    "reset": compare_clips,
    "f1": compare_alarms,
}


def compare_steps(verdicts: Mapping[str, Verdicts]) -> list[dict[str, Any]]:
    """Return the "comparisons" of a report.

    Args:
        verdicts: Of every model, over the same material in the same order; a measure that could
            not be taken is left out.

    Returns:
        An entry per step of `STEPS`, with a row per measure that both models have.
    """
    return [
        {
            "title": title,
            "with": after,
            "without": before,
            "rows": [
                {"measure": measure, **_RULES[measure](values, other).to_json()}
                for measure, values in verdicts[after].items()
                if (other := verdicts[before].get(measure)) is not None
            ],
        }
        for title, after, before in STEPS
    ]
