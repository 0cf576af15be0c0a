"""The frame that every page stands in: header, table of contents, sections, footer."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_edge.report.markup import Markup, element
from rnn_edge.report.sections.base import Section
from rnn_edge.report.stylesheet import STYLESHEET


def frame(
    title: str, header: Sequence[str], sections: Sequence[Section], footer: Sequence[str]
) -> str:
    """Return a page that is complete in itself.

    Args:
        title: Of the window.
        header: What stands above the table of contents.
        sections: In their order; their anchors differ.
        footer: What stands below them.

    Returns:
        HTML that loads nothing: no script, font, image or style sheet.
    """
    links = [element("li", element("a", s.title, href=f"#{s.anchor}")) for s in sections]
    bodies = [element("section", element("h2", s.title), s.body, id=s.anchor) for s in sections]
    body = element(
        "body",
        element("header", *header),
        element("nav", element("ul", *links), aria_label="Contents"),
        element("main", *bodies),
        element("footer", *footer),
    )
    head = element(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title),
        element("style", Markup(STYLESHEET)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"
