"""What a section is."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_edge.report.markup import Markup


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes:
        anchor: Its id in the page.
        title: Its heading, also in the table of contents.
        body: Its content.
    """

    anchor: str
    title: str
    body: Markup
