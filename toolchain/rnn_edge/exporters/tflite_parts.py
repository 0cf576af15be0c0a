"""TFLite, w8a16, in two files: the layers and the head, for outputs that are not always wanted.

``model_layers.tflite`` advances by one frame: ``x`` and the states in, the next states out.
``model_head.tflite`` makes ``y`` of ``h``, which is the last layer's ``h0_out`` (``h1_out``, ...),
whenever it is asked for. Together they compute what ``model.tflite`` does at every step.
"""

from __future__ import annotations

from pathlib import Path

from rnn_edge.cells import lower_head, lower_layers
from rnn_edge.exporters.base import Artifact, Exporter, ExportSource
from rnn_edge.exporters.output import write_bytes
from rnn_edge.exporters.tflite import IntegerFormat, metadata_of
from rnn_edge.exporters.tflite_program import write_program

LAYERS_FILE = "model_layers.tflite"
HEAD_FILE = "model_head.tflite"


def export(source: ExportSource, folder: Path) -> Artifact:
    """Write `LAYERS_FILE` and `HEAD_FILE` into ``folder``.

    Raises:
        MissingDependencyError: If the flatbuffer schema is not installed.
    """
    metadata = metadata_of(source)
    parts = (
        (LAYERS_FILE, lower_layers(source.model), "rnn-edge w8a16 layers", "layers"),
        (HEAD_FILE, lower_head(source.model), "rnn-edge w8a16 head", "head"),
    )
    for file, program, description, part in parts:
        said = {**metadata, "format": f"rnn-edge tflite {part} 1"}
        write_bytes(folder / file, write_program(program, IntegerFormat(), description, said))
    return Artifact("tflite-parts", (LAYERS_FILE, HEAD_FILE), source.model.digest())


EXPORTER = Exporter(
    name="tflite-parts",
    summary="TFLite in two files, layers and head (w8a16)",
    extra="export",
    export=export,
    is_default=False,
)
