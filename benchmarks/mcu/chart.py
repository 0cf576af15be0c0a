"""The counts of a table as bars beside those of other runtimes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peers import M4, PEERS
from subject import SHAPES, Shape

OWN = "rnn-edge"
COLOURS = {
    OWN: "#0b6e4f",
    "TFLM + CMSIS-NN": "#9aa5b1",
    "NNoM": "#c3a995",
    "onnx2c, float": "#b7b0d0",
    "TFLM reference": "#d9d9d9",
}
"""Of what is shown; CMSIS-NN by itself takes what it takes under TFLM."""


def write_chart(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw instructions of a step on Cortex-M4, one group of bars for each model.

    Args:
        rows: Of `steps.measure`.
        path: The SVG; the same rows give the same bytes.
    """
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = OWN
    from matplotlib import pyplot as plt

    own = {
        Shape(row["cell"], row["hidden"], row["inputs"]): row["instructions"]
        for row in rows
        if row["device"] == M4 and "instructions" in row
    }
    shapes = [shape for shape in SHAPES if shape in own]
    counts: dict[str, dict[Shape, float]] = {OWN: own, **PEERS[M4]}
    figure, axes = plt.subplots(figsize=(10, 4.2), layout="constrained")
    width = 0.8 / len(COLOURS)
    for k, (name, colour) in enumerate(COLOURS.items()):
        places = [n + (k - (len(COLOURS) - 1) / 2) * width for n in range(len(shapes))]
        values = [counts[name].get(shape, 0.0) / 1000.0 for shape in shapes]
        bars = axes.bar(places, values, width, label=name, color=colour)
        if name == OWN:
            axes.bar_label(bars, [f"{value:.0f}" for value in values], fontsize=7, padding=1)
    axes.set_xticks(range(len(shapes)), [shape.title for shape in shapes], fontsize=8)
    axes.set_yscale("log")
    axes.set_ylabel("thousand instructions of a step")
    axes.set_title("Cortex-M4, counted by QEMU")
    axes.legend(fontsize=8, ncols=len(COLOURS), loc="upper center", bbox_to_anchor=(0.5, -0.1))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
