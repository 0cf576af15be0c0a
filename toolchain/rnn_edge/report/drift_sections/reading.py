"""What the sections of a drift report read of a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_edge.report import formatting
from rnn_edge.report.estimates import read_estimate
from rnn_edge.report.markup import Markup, element, paragraph
from rnn_edge.report.reader import Document, Node
from rnn_edge.types.drift import FORMAT

_COUNTS = ("first_flip", "reference_events", "engine_events", "missed_events", "extra_events")
DRIFT = Document("Drift result", "measure the drift again")


def tensors(stream: Node) -> dict[str, Node]:
    """Return the rows of a stream by tensor, in their order."""
    rows = {row.at("tensor").text(): row for row in stream.at("tensors").items()}
    if not rows:
        stream.at("tensors").fail("a row for each tensor")
    return rows


def states(stream: Node) -> dict[str, Node]:
    """Return the rows of a stream that are states."""
    return {name: row for name, row in tensors(stream).items() if name != "y"}


def hidden_states(stream: Node) -> dict[str, Node]:
    """Return the rows of a stream that are hidden states."""
    return {name: row for name, row in states(stream).items() if name.startswith("h")}


def clock(root: Node, steps: int) -> str:
    """Return how long steps take at the model's frame rate."""
    rate = root.at("frame_rate_hz")
    if rate.number() <= 0:
        rate.fail("a positive number")
    return formatting.duration(steps / rate.number())


def open_result(result: Mapping[str, Any], document: Document = DRIFT) -> Node:
    """Return the root of a drift result.

    Raises:
        BundleError: If it is none, or has no stream.
    """
    root = Node(result, document=document)
    if root.at("format").text() != FORMAT:
        root.at("format").fail(repr(FORMAT))
    if not root.at("streams").items():
        root.at("streams").fail("one stream at least")
    for stream in (root.at("total"), *root.at("streams").items()):
        _require_figures(stream)
    return root


def _require_figures(stream: Node) -> None:
    """Refuse a stream whose figures are none, also those that a page may leave out."""
    read_estimate(stream.at("hidden_rms"))
    for row in tensors(stream).values():
        read_estimate(row.at("rms"))
        read_estimate(row.at("trend").at("slope"))
        for key in ("maximum", "relative"):
            row.at(key).number()
    for node in (stream.at("decisions"), stream.at("detections")):
        read_estimate(node.at("agreement"))
        node.at("flips").integer()
        for key in _COUNTS:
            node.at(key).optional_integer()
        for key in ("score_rms", "score_maximum"):
            node.at(key).optional_number()


def analysis(root: Node, name: str) -> Node | None:
    """Return what an analysis found, or None where it was not asked for."""
    return root.at("analysis").find(name)


def not_asked(name: str, purpose: str) -> Markup:
    """Return how to get an analysis that is not in the result.

    Args:
        name: Of the analysis on the command line.
        purpose: What it tells, to follow "To see".
    """
    command = element("code", f"rnn-edge drift BUNDLE --analyse {name}")
    return paragraph("Not analysed. To see ", purpose, ": ", command, kind="soft")


def pieces(facts: Node) -> str:
    """Return what an analysis ran on, as `drift.attribution_lanes.Lanes.facts` is written."""
    lanes, transient, steps = (
        formatting.count(facts.at(key).integer()) for key in ("lanes", "transient", "steps")
    )
    return (
        f"Measured over {lanes} pieces of the first stream, of {steps} steps each, after "
        f"{transient} steps that are run from a zero state and not counted."
    )
