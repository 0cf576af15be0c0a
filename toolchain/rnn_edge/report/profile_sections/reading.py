"""Reads a profile for the sections of its page."""

from __future__ import annotations

from dataclasses import replace

from rnn_edge.report import formatting
from rnn_edge.report.estimates import interval, read_estimate
from rnn_edge.report.markup import Markup, element, join
from rnn_edge.report.plots.canvas import PALETTE, Line
from rnn_edge.report.reader import Document, Node

FORMAT = "rnn-edge profile 1"
PROFILE = Document("Profile", "measure again with: rnn-edge profile BUNDLE --out DIR")
C, FRONT = "c", "front-end"
_MORE = (Line("#8a6d00", "1 2", dot="s"), Line("#1f2d3a", "5 2 1 2", dot="^"))


def open_profile(result: object, prefix: str = "") -> Node:
    """Return the root of a profile.

    Args:
        result: Content of ``profile.json``.
        prefix: Before the ids of its plots, where a page shows several.

    Raises:
        BundleError: If it is none.
    """
    root = Node(result, document=replace(PROFILE, prefix=prefix))
    if root.at("format").text() != FORMAT:
        root.at("format").fail(repr(FORMAT))
    return root


def subjects(root: Node) -> dict[str, Node]:
    """Return what was measured, by title."""
    return {each.at("title").text(): each for each in root.at("subjects").items()}


def looks(root: Node) -> dict[str, Line]:
    """Return how each engine is drawn, in all plots alike."""
    lines = (*PALETTE, *_MORE)
    return {title: lines[k % len(lines)] for k, title in enumerate(subjects(root))}


def measured(node: Node) -> Markup:
    """Return an estimate with its interval below it."""
    found = read_estimate(node)
    return join(formatting.number(found.value), element("small", interval(found)))


def value(node: Node) -> float:
    """Return an estimate without its interval."""
    return read_estimate(node).value


def fastest(root: Node) -> Node | None:
    """Return the interpreter with the shortest median step, or None where none was measured."""
    others = [
        each for each in root.at("subjects").items() if each.at("engine").text() not in (C, FRONT)
    ]
    if not others:
        return None
    return min(others, key=lambda each: value(each.at("step_us").at("p50")))
