"""HTML that is escaped unless it was made here."""

from __future__ import annotations

import html
from collections.abc import Sequence


class Markup(str):
    """Text that is HTML already; every other string is escaped where it is used."""

    __slots__ = ()


def element(tag: str, *content: str, **attributes: str | None) -> Markup:
    """Return an element.

    Args:
        tag: Its name.
        *content: Children; strings that are not `Markup` are escaped.
        **attributes: Escaped; an ending underscore is dropped and others become hyphens, None
            leaves the attribute out.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{given}>{join(*content)}</{tag}>")


def join(*content: str) -> Markup:
    """Return children one after the other; strings that are not `Markup` are escaped."""
    return Markup("".join(c if isinstance(c, Markup) else html.escape(c) for c in content))


def paragraph(*content: str, kind: str | None = None) -> Markup:
    """Return a paragraph of the given class."""
    return element("p", *content, class_=kind)


def bullets(items: Sequence[str]) -> Markup:
    """Return an unordered list."""
    return element("ul", *(element("li", item) for item in items))


def power_of_two(exponent: int) -> Markup:
    """Return 2 with a superscript."""
    return join("2", element("sup", str(exponent).replace("-", "−")))
