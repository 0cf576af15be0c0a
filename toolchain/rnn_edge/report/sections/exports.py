"""The files that the build wrote for devices and runtimes, and what the C keeps in memory."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

_MEMORY = (
    ("weights", "Weights, int8", "flash"),
    ("biases", "Biases", "flash"),
    ("multipliers", "Multipliers, one per row", "flash"),
    ("shifts", "Shifts, where sums are int64", "flash"),
    ("constants", "Constants of the matrices together", "flash"),
    ("state", "State, carried from step to step", "RAM, per stream"),
    ("scratch", "Scratch, within a step", "RAM, per stream"),
    ("frame", "A frame", "RAM, the caller's"),
    ("result", "A result", "RAM, the caller's"),
    ("saved_state", "A saved state, with its header and checksum", "where it is stored"),
)
_KINDS = {
    ".c": "C source",
    ".h": "C header",
    ".tflite": "TensorFlow Lite",
    ".onnx": "ONNX",
}


def render(root: Node) -> Section:
    """Return one row per kind of memory and per file."""
    return Section("exports", "Exports", join(_memory(root.at("memory")), _files(root)))


def _memory(memory: Node) -> Markup:
    columns = [
        Column("What", is_number=False),
        Column("Where", is_number=False),
        Column("Bytes"),
    ]
    rows = [
        [what, where, formatting.count(memory.at(key).integer())] for key, what, where in _MEMORY
    ]
    return join(
        table("Memory of the generated C, exact on every target", columns, rows),
        paragraph(
            "On top come the code and tables of the kernels in flash, and the stack in RAM: they "
            "depend on compiler and target, and a build does not measure them.",
            kind="soft",
        ),
    )


def _files(root: Node) -> Markup:
    exports = root.at("exports").items()
    if not exports:
        return paragraph("Nothing was exported.")
    columns = [Column("File", is_number=False), Column("Kind", is_number=False), Column("Bytes")]
    rows = [
        [name, _kind(name), formatting.count(row.at("bytes").integer())]
        for row, name in ((row, row.at("file").text()) for row in exports)
    ]
    return join(
        table("Exported files", columns, rows),
        paragraph(
            "C files are text: their bytes say nothing of the compiled size. Of model.tflite, "
            f"{formatting.count(root.at('weight_bytes').integer())} bytes are weights and int64 "
            "biases; the rest describes the operators.",
            kind="soft",
        ),
    )


def _kind(name: str) -> str:
    return next((kind for end, kind in _KINDS.items() if name.endswith(end)), formatting.UNDEFINED)
