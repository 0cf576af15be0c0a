"""What firmware of a model cannot do, told before somebody flashes it."""

from __future__ import annotations

from rnn_edge.errors import ModelError
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.reference.decisions.whitening import require_whitenable
from rnn_edge.spec import ModelSpec

MODEL = "model.npz"
"""Of a bundle that is quantized."""


def require_decidable(spec: ModelSpec, residuals: int) -> None:
    """Refuse a model whose alarms no device can decide, whatever it learns.

    Args:
        spec: What is to be built.
        residuals: The model's outputs.

    Raises:
        ModelError: If its score is of the covariance of more residuals than a device whitens.
    """
    if spec.detector is not None and spec.detector.score == "covariance":
        require_whitenable(residuals)


def device_notes(bundle: Bundle) -> tuple[str, ...]:
    """Return what no firmware of a bundle can do, a line each; nothing before it is quantized."""
    if MODEL not in bundle.manifest["files"]:
        return ()
    spec, model = bundle.spec(), bundle.model()
    notes = []
    try:
        require_decidable(spec, model.outputs)
    except ModelError as error:
        notes.append(f"no firmware: {error.message} This bundle decides on a host alone.")
    if spec.model.task == "anomaly" and spec.features.arithmetic == "float":
        notes.append(
            "firmware takes finished frames, not rows of sensors: "
            'features.arithmetic = "integer" gives it a front end'
        )
    return tuple(notes)
