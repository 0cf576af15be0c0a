"""A page of a report, read for what tests ask of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "link", "img", "input"}
LOADERS = {"script", "link", "img", "iframe", "object", "embed", "image", "base"}


class Page(HTMLParser):
    """Collects what the tests ask for and fails on elements that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data.replace("\u00a0", " ")

    def row(self, *start: str) -> list[str]:
        return next(r for r in self.rows if r[: len(start)] == list(start))

    def sections(self) -> list[str]:
        """Return the anchors of the sections, in their order."""
        return [v for t, n, v in self.attributes if (t, n) == ("section", "id")]

    def require_closed(self) -> None:
        """Fail if ids are given twice, or a link or a paint has no target in the page."""
        assert len(self.ids) == len(set(self.ids))
        targets = {v.removeprefix("#") for _, name, v in self.attributes if name == "href"}
        targets |= {m for _, _, v in self.attributes for m in re.findall(r"url\(#(.*?)\)", v)}
        assert targets <= set(self.ids)

    def require_offline(self) -> None:
        """Fail if the page would load anything."""
        assert not self.tags & LOADERS
        for _, name, value in self.attributes:
            assert name not in {"src", "srcset", "data", "xlink:href"}
            assert not name.startswith("on")
            if name == "href":
                assert value.startswith("#")
        assert "//" not in self.source.replace("</", "")
        assert "@import" not in self.source
        assert not re.search(r"url\((?!#)", self.source)
