"""Tiles: the few figures that are read first."""

from __future__ import annotations

from rnn_edge.report.markup import Markup, element


def tile(label: str, value: str, *notes: str, kind: str | None = None) -> Markup:
    """Return a figure with what it is and what it rests on.

    Args:
        label: What the figure is.
        value: The figure with its unit.
        *notes: Each on a line of its own.
        kind: "good" or "bad" colours the figure.
    """
    small = [element("small", note) for note in notes]
    return element(
        "div", element("span", label), element("strong", value, class_=kind), *small, class_="tile"
    )


def tiles(*content: Markup) -> Markup:
    """Return tiles beside each other, as many as fit."""
    return element("div", *content, class_="tiles")
