"""Which keyword is taken for which: the int8 model's confusion matrix and every class."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.sections.metrics import INT8, NO_TEST_PART, is_judged, model_metrics
from rnn_edge.report.tables import Column, scroller, table

_RIGHT = "38, 150, 95"
_WRONG = "214, 73, 51"
_STRONGEST = 0.6
"""Opacity at which text is still easy to read on the colour, light or dark."""


def render(root: Node) -> Section | None:
    """Return the section; None for tasks without classes."""
    if root.at("task").text() != "kws":
        return None
    if not is_judged(root):
        return Section("classes", "Classes", paragraph(f"Classes {NO_TEST_PART}."))
    labels = [label.text() for label in root.at("labels").items()]
    metrics = model_metrics(root, INT8)
    return Section(
        "classes",
        "Classes",
        join(
            paragraph(
                "Of the int8 model. A row is what was said, a column what was recognised. "
                "Green is the share of the row that is right, red the share taken for another "
                "class.",
            ),
            element(
                "div",
                _matrix(metrics.at("unreset").at("confusion"), labels, "Clips, never reset"),
                _matrix(metrics.at("reset").at("confusion"), labels, "Clips, reset before each"),
                class_="pair",
            ),
            _classes(metrics),
        ),
    )


def _matrix(confusion: Node, labels: list[str], caption: str) -> Markup:
    rows = confusion.items()
    if len(rows) != len(labels):
        confusion.fail(f"{len(labels)} rows, one per label")
    head = [element("th", element("span", label), scope="col") for label in labels]
    body = []
    for k, row in enumerate(rows):
        counts = [cell.integer() for cell in row.items()]
        if len(counts) != len(labels):
            row.fail(f"{len(labels)} counts, one per label")
        total = sum(counts)
        cells = [_cell(n, total, is_right=j == k) for j, n in enumerate(counts)]
        body.append(element("tr", element("th", labels[k], scope="row"), *cells))
    return scroller(
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", element("td"), *head)),
            element("tbody", *body),
            class_="confusion",
        ),
        caption,
    )


def _cell(clips: int, total: int, is_right: bool) -> Markup:
    if clips == 0:
        return element("td", "0", class_="none")
    share = clips / total
    # A confusion of a few percent has to be seen: the root lifts small shares.
    opacity = _STRONGEST * (share if is_right else share**0.5)
    colour = _RIGHT if is_right else _WRONG
    return element(
        "td",
        formatting.count(clips),
        title=formatting.percent(share),
        style=f"background-color: rgba({colour}, {opacity:.3f})",
    )


def _classes(metrics: Node) -> Markup:
    unreset = {
        row.at("label").text(): _recall(row)
        for row in metrics.at("unreset").at("per_class").items()
    }
    rows = []
    for row in metrics.at("reset").at("per_class").items():
        label = row.at("label").text()
        rows.append(
            [
                label,
                formatting.count(row.at("count").integer()),
                _recall(row),
                formatting.percent(row.at("precision").optional_number()),
                formatting.percent(row.at("f1").optional_number()),
                unreset.get(label, formatting.UNDEFINED),
            ]
        )
    titles = ("Clips", "Recall", "Precision", "F1", "Recall, never reset")
    columns = [Column("Class", is_number=False), *(Column(title) for title in titles)]
    caption = (
        "By class, reset before each clip unless said otherwise; below recall its 95 % interval"
    )
    return table(caption, columns, rows)


def _recall(row: Node) -> str:
    """Return recall and its interval; without clips of the class there is none."""
    if row.at("count").integer() == 0:
        return formatting.UNDEFINED
    return join(
        formatting.percent(row.at("recall").optional_number()),
        element("small", formatting.percent_range(*row.at("recall_interval").pair())),
    )
