"""What a card is made of, without a form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Items:
    """Points, one below the other."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table whose first column names the row.

    Attributes:
        caption: What it shows.
        columns: Headings.
        rows: Cells in the order of the columns.
        numbers: Whether the cells behind the first one are figures.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: bool = True


Block = Words | Items | Table


@dataclass(frozen=True)
class Part:
    """A part of the card.

    Attributes:
        title: Its heading.
        blocks: What stands below it.
    """

    title: str
    blocks: tuple[Block, ...]
