"""The model card as a part of the page."""

from __future__ import annotations

from rnn_edge.report.card.blocks import Block, Items, Table
from rnn_edge.report.card.parts import CARD, card_parts
from rnn_edge.report.markup import Markup, bullets, element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section | None:
    """Return the card, or None for a report of an earlier version, which has none."""
    if root.find(CARD) is None:
        return None
    body = [
        paragraph(
            "The same as MODEL_CARD.md in the bundle, which also has the limits of keywords that "
            "were calibrated later.",
            kind="soft",
        )
    ]
    for part in card_parts(root):
        body += [element("h3", part.title), *map(_block, part.blocks)]
    return Section("card", "Model card", join(*body))


def _block(block: Block) -> Markup:
    if isinstance(block, Items):
        return bullets(block.items)
    if isinstance(block, Table):
        first, *others = block.columns
        columns = [Column(first, is_number=False)]
        columns += [Column(title, is_number=block.numbers) for title in others]
        return table(block.caption, columns, [list(row) for row in block.rows])
    return paragraph(block.text)
