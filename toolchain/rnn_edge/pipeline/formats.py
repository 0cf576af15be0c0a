"""Which formats a build writes, and what they need to know."""

from __future__ import annotations

import numpy as np

from rnn_edge.errors import SpecError
from rnn_edge.exporters import tflite_w8a8
from rnn_edge.exporters.base import Exporter, all_exporters
from rnn_edge.quantize.spans import measure_spans
from rnn_edge.registry import known
from rnn_edge.replay import concatenate
from rnn_edge.spec import ModelSpec
from rnn_edge.spec.messages import show
from rnn_edge.types import FloatModel
from rnn_edge.types.frames import FrameSet
from rnn_edge.types.spans import TensorSpan


def chosen_exporters(spec: ModelSpec) -> list[Exporter]:
    """Return the exporters of a build in order of their names."""
    return [
        exporter
        for name, exporter in all_exporters().items()
        if exporter.is_default or name in spec.export.also
    ]


def refuse_unfit(spec: ModelSpec, origin: str = "") -> None:
    """Refuse a format that is unknown or cannot express the model, before anything is trained.

    Args:
        spec: What is to be built.
        origin: Where the spec comes from, for the message; empty for the model's name.

    Raises:
        SpecError: If a format is unknown, or cannot express a cell of the model.
    """
    origin = origin or f"Spec {spec.model.name}"
    exporters = all_exporters()
    for k, name in enumerate(spec.export.also):
        if name not in exporters:
            raise SpecError(
                f"{origin}: export.also[{k}] = {show(name)}; expected a format, which are "
                f"{known(list(exporters))}."
            )
        exporter = exporters[name]
        if exporter.cells and not set(spec.model.all_cells) <= set(exporter.cells):
            raise SpecError(
                f"{origin}: export.also[{k}] = {show(name)}, model.cell = "
                f"{show(spec.model.cell)}; expected {known(exporter.cells)} in every layer, "
                "which is all that the format holds.",
                f'leave the format out, or set model.cell = "{exporter.cells[0]}"',
            )


def calibrated_spans(
    spec: ModelSpec, frames: FrameSet, model: FloatModel
) -> dict[str, TensorSpan] | None:
    """Return the spans of the float model's tensors on the calibration streams of a build.

    None where no format that is written needs them.
    """
    if tflite_w8a8.NAME not in spec.export.also:
        return None
    sequences = [s.frames for s in frames.part("train")]
    steps = spec.quantize.calibration_steps
    streams = [
        concatenate(sequences, steps, seed)[:steps]
        for seed in range(spec.quantize.calibration_streams)
    ]
    return measure_spans(model, np.stack(streams), spec.quantize.headroom_bits)
