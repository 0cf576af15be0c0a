"""What a model is made of, in words."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.reader import Node


def layers_in_words(root: Node) -> str:
    """Return the layers of a model, e.g. "1 layer of 64 units", and before them the local ones.

    Args:
        root: Content of ``report.json``.
    """
    local, layers = root.find("local"), root.at("layers").integer()
    heard = "".join(
        f"{layer.at('stretches').integer()} stretches of {layer.at('units').integer()} units with "
        "the same weights, "
        for layer in (() if local is None else local.items())
    )
    units = formatting.count(root.at("hidden").integer())
    return f"{heard}{layers} layer{'s' * (layers != 1)} of {units} units"
