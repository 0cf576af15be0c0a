"""What an exporter is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rnn_edge import exporters
from rnn_edge.registry import discover
from rnn_edge.types import CellKind, FloatModel, QuantizedModel
from rnn_edge.types.c_choices import DEFAULT, CChoices
from rnn_edge.types.resets import NEVER, ResetPolicy
from rnn_edge.types.spans import TensorSpan


@dataclass(frozen=True)
class ExportSource:
    """What is exported.

    Attributes:
        float_model: The student in floating point.
        model: The quantized model made of it.
        features: What computes a frame, as JSON values, so that a file says how its input is
            made; None where frames are all that is known.
        spans: Calibrated values of y and every state by name, for formats with scales of their
            own; None where nothing was calibrated.
        reset: When a deployed stream forgets.
        c: How the generated C trades flash, RAM and time.
    """

    float_model: FloatModel
    model: QuantizedModel
    features: Mapping[str, object] | None = None
    spans: Mapping[str, TensorSpan] | None = None
    reset: ResetPolicy = NEVER
    c: CChoices = DEFAULT

    @property
    def policy_metadata(self) -> dict[str, object]:
        """What a file says of the reset policy, which is for the application to keep.

        Nothing without one.
        """
        return {} if self.reset.kind == "never" else {"reset_policy": self.reset.to_json()}


@dataclass(frozen=True)
class Artifact:
    """What an exporter wrote.

    Attributes:
        exporter: Its name.
        files: Paths relative to the output folder, the main file first.
        source_digest: Digest of the float or quantized model that it was made from.
    """

    exporter: str
    files: tuple[str, ...]
    source_digest: str


@dataclass(frozen=True)
class Exporter:
    """One format.

    Attributes:
        name: What users type, e.g. "tflite".
        summary: One line for help and reports.
        extra: The optional dependency group it needs, or an empty string.
        export: Writes into an existing folder; same input, same bytes.
        is_default: Whether a build writes it without being asked.
        cells: The kinds of cell that it can express; empty for all.
    """

    name: str
    summary: str
    extra: str
    export: Callable[[ExportSource, Path], Artifact]
    is_default: bool = True
    cells: tuple[CellKind, ...] = ()


def all_exporters() -> dict[str, Exporter]:
    """Return every exporter by name."""
    return discover(exporters, "EXPORTER", Exporter)
