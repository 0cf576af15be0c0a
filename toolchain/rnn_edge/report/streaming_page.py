"""The page of a keyword model's detections in continuous sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_edge.report.frame import frame
from rnn_edge.report.markup import element, join, paragraph
from rnn_edge.report.reader import Document, Node
from rnn_edge.report.streaming_sections import STREAMING_SECTIONS

FORMAT = "rnn-edge streaming 1"
STREAMING = Document("Streaming", "measure again with: rnn-edge evaluate BUNDLE --streaming")


def render_streaming(result: Mapping[str, Any]) -> str:
    """Return the HTML page, complete in itself.

    Args:
        result: Content of ``streaming.json``.

    Returns:
        A page that loads nothing. The same result gives the same text.

    Raises:
        BundleError: Naming the first key that is missing or is not what was expected.
        MissingDependencyError: If matplotlib is not installed.
    """
    root = Node(result, document=STREAMING)
    if root.at("format").text() != FORMAT:
        root.at("format").fail(repr(FORMAT))
    title = f"{root.at('bundle').text()}: detections in streams"
    header = [
        element("h1", title),
        paragraph(f"{root.at('data').at('source').text()}, its test part.", kind="soft"),
    ]
    footer = join(
        f"rnn-edge {root.at('rnn_edge').text()}, model ",
        element("code", root.at("model_digest").text()),
    )
    return frame(title, header, [render(root) for render in STREAMING_SECTIONS], [footer])
