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


def tiles(*content: Markup, is_broad: bool = False) -> Markup:
    """Return tiles beside each other, as many as fit.

    Args:
        *content: The tiles.
        is_broad: Three in a full row, for notes that take room, rather than four.
    """
    return element("div", *content, class_="tiles broad" if is_broad else "tiles")
