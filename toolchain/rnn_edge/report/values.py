"""Renders JSON of any shape: plain values as a list, objects of the same kind as a table."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join
from rnn_edge.report.reader import Node
from rnn_edge.report.tables import Column, table


def render_values(node: Node) -> Markup:
    """Return an object: its plain values first, then a table or a heading for each nested one."""
    plain: list[Markup] = []
    nested: list[Markup] = []
    for key, child in node.entries().items():
        if _is_plain(child):
            plain += [element("dt", title(key)), element("dd", _text(child))]
        else:
            nested.append(_render_nested(key, child))
    return join(element("dl", *plain) if plain else join(), *nested)


def title(key: str) -> str:
    """Return a key as words: its underscores as spaces, units as they are written."""
    for ending, unit in (("_hz", "Hz"), ("_ms", "ms"), ("_s", "s"), ("_bytes", "bytes")):
        if key.endswith(ending):
            return f"{title(key.removesuffix(ending))}, {unit}"
    words = key.replace("_", " ").strip()
    # A class such as "_silence_" keeps its name; only keys made of words are changed.
    return key if key.startswith("_") or not words else words[0].upper() + words[1:]


def _is_plain(node: Node) -> bool:
    if isinstance(node.value, list | tuple):
        return all(not isinstance(item, dict | list | tuple) for item in node.value)
    return not isinstance(node.value, dict) or _is_finding(node.value)


def _is_finding(value: object) -> bool:
    """Return whether a value is a count with a few examples, which reads best on one line."""
    return isinstance(value, dict) and set(value) == {"count", "examples"}


def _text(node: Node) -> str:
    value = node.value
    if value is None:
        return formatting.UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return formatting.count(value)
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in node.items()) or "none"
    if _is_finding(value):
        count, examples = _text(node.at("count")), node.at("examples")
        return f"{count}: {_text(examples)}" if examples.items() else count
    return formatting.number(node.number())


def _render_nested(key: str, node: Node) -> Markup:
    """Return a table where the elements are objects of plain values, else a heading for each."""
    is_mapping = isinstance(node.value, dict)
    if is_mapping and all(_is_plain(child) for child in node.entries().values()):
        rows = [[name, _text(child)] for name, child in node.entries().items()]
        is_number = all(_is_number(child) for child in node.entries().values())
        return table(title(key), [Column("", is_number=False), Column("Value", is_number)], rows)
    children = (
        node.entries() if is_mapping else {str(k + 1): item for k, item in enumerate(node.items())}
    )
    if all(_is_record(child) for child in children.values()):
        return _records(title(key), children, is_mapping)
    return join(
        element("h3", title(key)), render_values(Node({n: c.value for n, c in children.items()}))
    )


def _is_record(node: Node) -> bool:
    return isinstance(node.value, dict) and all(_is_plain(c) for c in node.entries().values())


def _is_number(node: Node) -> bool:
    return isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _records(caption: str, records: dict[str, Node], with_names: bool) -> Markup:
    """Return a table with a row per record; a list's records are named by their first value."""
    keys = list(dict.fromkeys(key for record in records.values() for key in record.entries()))
    cells = [
        (name, [record.entries().get(key) for key in keys]) for name, record in records.items()
    ]
    columns = [
        Column(title(key), all(c is None or _is_number(c) for c in column))
        for key, column in zip(keys, zip(*(row for _, row in cells), strict=True), strict=True)
    ]
    texts = [[_text(c) if c else formatting.UNDEFINED for c in row] for _, row in cells]
    if not with_names:
        return table(caption, [Column(columns[0].title, is_number=False), *columns[1:]], texts)
    rows = [[name, *row] for (name, _), row in zip(cells, texts, strict=True)]
    return table(caption, [Column("", is_number=False), *columns], rows)
