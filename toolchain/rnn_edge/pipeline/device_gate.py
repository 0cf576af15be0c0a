"""Refuses a build for a device that its model does not fit: before it is trained, and after."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_blocks import padded
from rnn_edge.exporters.c_source import EXPORTER, sources_in
from rnn_edge.features.description import describe
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.device_app import app_of_spec, sample_input, with_front_end
from rnn_edge.pipeline.device_needs import need_of
from rnn_edge.pipeline.device_notes import require_decidable
from rnn_edge.pipeline.device_remedies import remedy_of
from rnn_edge.quantize import calibrate, quantize_model
from rnn_edge.spec import DeviceSpec, ModelSpec
from rnn_edge.types import GATES, DenseWeights, FloatModel, QuantizedModel, RecurrentWeights
from rnn_edge.types.frames import FrameSet
from rnn_edge.types.local import NOWHERE, LocalLayer
from rnn_edge.types.offsets import output_labels

_STEPS = 32


def refuse_before_training(
    spec: ModelSpec, frames: FrameSet, front_end: FrontEnd, device: DeviceSpec
) -> None:
    """Refuse a spec whose model does not fit a device, whatever it learns.

    A model of its sizes with random weights is exported and compiled: what it takes of a device
    depends on sizes, but for rows that need wider sums.

    Args:
        spec: What is to be built.
        frames: The frames that it learns from.
        front_end: What makes them.
        device: What it is for.

    Raises:
        ModelError: With the numbers, and the units that would fit; or if no device can decide its
            alarms.
        RnnEdgeError: If the C does not compile.
    """
    floats = random_model(spec, frames)
    require_decidable(spec, floats.outputs)
    x = np.random.Generator(np.random.PCG64(spec.seed)).standard_normal(
        (1, _STEPS, floats.inputs), np.float32
    )
    model = quantize_model(floats, calibrate(floats, x))
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as place:
        folder = Path(place)
        policy = spec.reset.resolved(spec.model.task)
        described, choices = describe(front_end), spec.c.choices()
        EXPORTER.export(ExportSource(floats, model, described, reset=policy, c=choices), folder)
        refuse_unfit(spec, model, folder, front_end, device)


def refuse_unfit(
    spec: ModelSpec,
    model: QuantizedModel,
    exports: Path,
    front_end: FrontEnd,
    device: DeviceSpec,
) -> None:
    """Refuse an exported model that takes more than all of a device's memory.

    Args:
        spec: What it was built from.
        model: It.
        exports: Its exported files.
        front_end: What makes its frames; in integers it is part of the firmware.
        device: What it is for.

    Raises:
        ModelError: With the numbers, and the units that would fit.
        RnnEdgeError: If the C does not compile.
    """
    choices = spec.c.choices()
    app = app_of_spec(spec, device.name, None, sample_input(spec, front_end, model.name))
    need = need_of(
        device,
        model,
        with_front_end(sources_in(model, exports), app, model.name, exports),
        is_resetting=spec.reset.policy != "never",
        app=app,
        choices=choices,
    )
    lacks = need.lacks(device)
    if lacks:
        raise ModelError(
            f"Model {model.name} needs {', and '.join(lacks)}.",
            remedy_of(device, model, need, choices),
        )


def random_model(spec: ModelSpec, frames: FrameSet) -> FloatModel:
    """Return a model of a spec's sizes that has learned nothing.

    Args:
        spec: What is to be built.
        frames: The frames that it learns from.
    """
    generator = np.random.Generator(np.random.PCG64(spec.seed))
    width, layers = int(frames.sequences[0].frames.shape[1]), []
    for local in spec.model.locals:
        layers.append(_local_weights(local, width, generator))
        width = layers[-1].hidden
    for cell in spec.model.cells:
        hidden = spec.model.hidden
        rows = len(GATES[cell]) * hidden
        w_x = generator.normal(0, width**-0.5, (rows, width))
        w_h = generator.normal(0, hidden**-0.5, (rows, hidden))
        for matrix in (w_x, w_h):
            # Pruning keeps so many columns of a strip in the mean; here it is the first ones.
            matrix[:, padded(round(spec.student.density * matrix.shape[1])) :] = 0.0
        layers.append(RecurrentWeights(cell, w_x, w_h, np.zeros(rows), np.zeros(rows)))
        width = hidden
    labels = frames.labels
    if spec.model.task == "anomaly":
        labels = output_labels(labels, spec.model.offsets)
    outputs = len(labels)
    head = DenseWeights(generator.normal(0, width**-0.5, (outputs, width)), np.zeros(outputs))
    name, task = spec.model.name, spec.model.task
    return FloatModel(name, task, tuple(layers), head, labels, spec.model.head)


def _local_weights(
    local: LocalLayer, inputs: int, generator: np.random.Generator
) -> RecurrentWeights:
    """Return a local layer that has learned nothing."""
    arrays = []
    for place in local.places(inputs):
        shared = generator.normal(0, 0.3, int(place.max()) + 1)
        arrays.append(np.where(place == NOWHERE, 0.0, shared[place]))
    return RecurrentWeights(local.kind, *arrays)
