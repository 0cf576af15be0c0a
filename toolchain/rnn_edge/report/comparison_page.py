"""The page that holds one drift result against another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_edge.report import formatting
from rnn_edge.report.comparison_sections import COMPARISON_SECTIONS
from rnn_edge.report.comparison_sections.pair import Pair
from rnn_edge.report.frame import frame
from rnn_edge.report.markup import Markup, bullets, element, join
from rnn_edge.report.reader import Node


def render_comparison(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return the HTML page that compares two drift results, complete in itself.

    Args:
        one: Content of a ``drift.json``; the page calls it A.
        other: Content of another one, which is held against it; the page calls it B.

    Returns:
        A page that loads nothing. The same results give the same text.

    Raises:
        BundleError: Naming the result, and the first key in it that is missing or is not what was
            expected.
        MissingDependencyError: If matplotlib is not installed.
    """
    pair = Pair.of(one, other)
    bundles = dict.fromkeys(root.at("bundle").text() for root in pair.both)
    title = f"{' and '.join(bundles)}: drift compared"
    described = [_described(*each) for each in zip(pair.names, pair.both, strict=True)]
    header = [element("h1", title), bullets(described)]
    sections = [render(pair) for render in COMPARISON_SECTIONS]
    return frame(title, header, sections, [_footer(pair)])


def _described(name: str, root: Node) -> Markup:
    count = len(root.at("streams").items())
    steps = formatting.count(root.at("total").at("steps").integer())
    return join(
        element("b", name),
        f", {root.at('engine').text()} against {root.at('reference').text()}, {steps} steps in "
        f"{count} stream{'s' * (count != 1)}; frames: {root.at('source').text()}; model ",
        element("code", root.at("model_digest").text()[:12]),
    )


def _footer(pair: Pair) -> str:
    versions = dict.fromkeys(root.at("rnn_edge").text() for root in pair.both)
    return f"rnn-edge {' and '.join(versions)}"
