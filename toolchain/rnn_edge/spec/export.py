"""Section [export]: which files a build writes."""

from __future__ import annotations

from rnn_edge.spec.section import Section


class ExportSection(Section):
    """Which formats are written besides those that every build writes."""

    also: tuple[str, ...] = ()
    """Formats on request: "tflite-parts" (layers, head), "tflite-w8a8" (models of LSTM layers)."""
