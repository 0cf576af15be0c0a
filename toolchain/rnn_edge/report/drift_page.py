"""The page of a drift result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_edge.report.drift_sections import DRIFT_SECTIONS
from rnn_edge.report.drift_sections.reading import open_result
from rnn_edge.report.frame import frame
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.reader import Node


def render_drift(result: Mapping[str, Any]) -> str:
    """Return the HTML page of a drift result, complete in itself.

    Args:
        result: Content of ``drift.json``, as `types.drift.DriftResult.to_json` writes it.

    Returns:
        A page that loads nothing. The same result gives the same text.

    Raises:
        BundleError: Naming the first key that is missing or is not what was expected.
        MissingDependencyError: If matplotlib is not installed.
    """
    root = open_result(result)
    sections = [section for render in DRIFT_SECTIONS if (section := render(root)) is not None]
    title = f"{root.at('bundle').text()}: drift"
    return frame(title, _header(root, title), sections, [_footer(root)])


def _header(root: Node, title: str) -> list[Markup]:
    return [
        element("h1", title),
        paragraph(
            f"Engine {root.at('engine').text()} against {root.at('reference').text()}, the "
            "reference: both step the same frames, each on its own state. Frames: "
            f"{root.at('source').text()}.",
            kind="soft",
        ),
    ]


def _footer(root: Node) -> Markup:
    return join(
        f"rnn-edge {root.at('rnn_edge').text()}, model ",
        element("code", root.at("model_digest").text()),
    )
