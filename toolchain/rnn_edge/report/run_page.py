"""The page of a run: what came in, what was decided, and what is known to be true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_edge.report.frame import frame
from rnn_edge.report.markup import element, join, paragraph
from rnn_edge.report.reader import Document, Node
from rnn_edge.report.run_sections import RUN_SECTIONS

FORMAT = "rnn-edge run 1"
MOST_FILES = 3
"""Files that the page names; run.json names all of them."""

RUN = Document("Run", "run it again with: rnn-edge run BUNDLE --report DIR")


def render_run(result: Mapping[str, Any]) -> str:
    """Return the HTML page, complete in itself.

    Args:
        result: Content of ``run.json``.

    Returns:
        A page that loads nothing. The same result gives the same text.

    Raises:
        BundleError: Naming the first key that is missing or is not what was expected.
        MissingDependencyError: If matplotlib is not installed.
    """
    root = Node(result, document=RUN)
    if root.at("format").text() != FORMAT:
        root.at("format").fail(repr(FORMAT))
    name = root.at("bundle").text()
    source, engine = _in_short(root.at("source").text()), root.at("engine").text()
    header = [
        element("h1", f"{name}: a run"),
        paragraph(f"Source {source}, engine {engine}.", kind="soft"),
    ]
    footer = join(
        f"rnn-edge {root.at('rnn_edge').text()}, model ",
        element("code", root.at("model_digest").text()),
    )
    sections = [section for render in RUN_SECTIONS if (section := render(root)) is not None]
    return frame(f"{name}: a run", header, sections, [footer])


def _in_short(source: str) -> str:
    """Return the first files of many."""
    names = source.split(", ")
    more = len(names) - MOST_FILES
    return source if more <= 1 else f"{', '.join(names[:MOST_FILES])} and {more} more"
