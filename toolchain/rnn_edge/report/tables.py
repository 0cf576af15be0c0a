"""Tables that scroll sideways in a narrow window, with the first column in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnn_edge.report.markup import Markup, element


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its heading.
        is_number: True aligns it to the right.
        is_main: True sets it in bold.
        is_wide: True keeps room for words where the window is narrow.
    """

    title: str
    is_number: bool = True
    is_main: bool = False
    is_wide: bool = False

    @property
    def style(self) -> str | None:
        """Classes of its cells."""
        classes = ["number"] * self.is_number + ["main"] * self.is_main + ["wide"] * self.is_wide
        return " ".join(classes) or None


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Markup:
    """Return a table whose first column names the row.

    Args:
        caption: What it shows.
        columns: The first one is the heading of the row names.
        rows: Cells in the order of ``columns``.
    """
    head = [element("th", c.title, scope="col", class_=c.style) for c in columns]
    body = []
    for row in rows:
        cells = [element("th", row[0], scope="row")]
        cells += [
            element("td", cell, class_=column.style)
            for column, cell in zip(columns[1:], row[1:], strict=True)
        ]
        body.append(element("tr", *cells))
    return scroller(
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *head)),
            element("tbody", *body),
        ),
        caption,
    )


def scroller(content: Markup, label: str) -> Markup:
    """Return content in a region that scrolls by itself, also from the keyboard."""
    return element("div", content, class_="scroll", role="region", tabindex="0", aria_label=label)
