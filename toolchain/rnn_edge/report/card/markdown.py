"""The card as Markdown, with metadata in front of it as model hubs read them.

Source:
    Mitchell et al., "Model Cards for Model Reporting" (2019), for what a card tells; the metadata
    are a block of YAML, in the keys of the model cards of the Hugging Face hub.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rnn_edge.report.card.blocks import Block, Items, Part, Table
from rnn_edge.report.card.decisions import LIMITS
from rnn_edge.report.card.parts import CARD, card_parts
from rnn_edge.report.formatting import SPACE
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.metrics import INT8, accuracy, f1, is_judged, model_metrics

_PIPELINES = {"kws": "audio-classification", "anomaly": "time-series-forecasting"}
_NAMES = {"kws": "Keyword spotting", "anomaly": "Anomaly detection"}
_SPECIAL = re.compile(r"([\\`*_<>\[\]|#])")


def render_card(report: Mapping[str, Any], limits: Mapping[str, Any] | None = None) -> str:
    """Return the model card of a build as Markdown.

    Args:
        report: Content of ``report.json``.
        limits: Content of ``detections.json``, or None where the bundle has none.

    Returns:
        Text without dates and places: the same report gives the same bytes.

    Raises:
        BundleError: Naming the first key that is missing or is not what was expected.
    """
    root = Node({**report, LIMITS: limits} if limits is not None else report)
    lines = ["---", *_metadata(root), "---", "", f"# {_text(root.at('name').text())}", ""]
    for part in card_parts(root):
        lines += _part(part)
    return "\n".join(lines).replace(SPACE, " ").rstrip("\n") + "\n"


def _part(part: Part) -> list[str]:
    lines = [f"## {part.title}", ""]
    for block in part.blocks:
        lines += [*_block(block), ""]
    return lines


def _block(block: Block) -> list[str]:
    if isinstance(block, Items):
        return [f"- {_text(item)}" for item in block.items]
    if isinstance(block, Table):
        marks = ["---", *(["---:" if block.numbers else "---"] * (len(block.columns) - 1))]
        rows = [block.columns, *block.rows]
        head, *body = [f"| {' | '.join(map(_text, row))} |" for row in rows]
        return [f"{_text(block.caption)}:", "", head, f"| {' | '.join(marks)} |", *body]
    return [_text(block.text)]


def _text(text: str) -> str:
    """Return text on one line that Markdown takes for nothing else."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _metadata(root: Node) -> list[str]:
    """Return lines of YAML; strings are quoted as JSON does, which YAML reads."""
    task = root.at("task").text()
    card, data = root.at(CARD), root.at("data")
    tags = [_NAMES[task].lower().replace(" ", "-"), root.at("cell").text(), "int8", "tinyml"]
    if data.at("is_synthetic").flag():
        tags.append("synthetic-data")
    lines = [
        # Whose the model is, nobody has told; the licence of the data is in the text.
        'license: "unknown"',
        'library_name: "rnn-edge"',
        f"pipeline_tag: {json.dumps(_PIPELINES[task])}",
        "tags:",
        *(f"  - {json.dumps(tag)}" for tag in tags),
    ]
    metrics = _metrics(root)
    if not metrics:
        return lines
    source = card.find("source")
    name = data.at("source").text() if source is None else source.text()
    return [
        *lines,
        "model-index:",
        f"  - name: {json.dumps(root.at('name').text())}",
        "    results:",
        "      - task:",
        f"          type: {json.dumps(_PIPELINES[task])}",
        f"          name: {json.dumps(_NAMES[task])}",
        "        dataset:",
        f"          type: {json.dumps(card.at('kind').text())}",
        f"          name: {json.dumps(name)}",
        '          split: "test"',
        "        metrics:",
        *metrics,
    ]


def _metrics(root: Node) -> list[str]:
    """Return the first figures of int8; none where nothing was measured."""
    if not is_judged(root):
        return []
    metrics = model_metrics(root, INT8)
    if root.at("task").text() == "kws":
        found = [
            ("accuracy", f"Accuracy, int8, {words}", accuracy(metrics.at(key)).value)
            for key, words in (("unreset", "never reset"), ("reset", "reset"))
        ]
    else:
        found = [
            ("f1", "F1 by frame, int8, no point adjustment", f1(metrics).value),
            ("auc_pr", "Area under precision and recall, int8", _number(metrics, "auc_pr")),
            ("event_f1", "F1 by event, int8", _number(metrics, "event_f1")),
        ]
    lines: list[str] = []
    for kind, name, value in found:
        if value is not None:
            lines += [
                f"          - type: {json.dumps(kind)}",
                f"            name: {json.dumps(name)}",
                f"            value: {round(value, 6)!r}",
            ]
    return lines


def _number(metrics: Node, key: str) -> float | None:
    return metrics.at(key).optional_number()
