"""The model card of a bundle: one text, as Markdown and as a part of the report.

`parts` says what it says, in blocks that have no form; `markdown` and `section` give them one. To
add a part, add a function to `parts.PARTS`.
"""

from rnn_edge.report.card.markdown import render_card
from rnn_edge.report.card.parts import CARD
from rnn_edge.report.card.section import render

__all__ = ["CARD", "render", "render_card"]
