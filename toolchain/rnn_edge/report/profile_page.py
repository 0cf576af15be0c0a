"""The page of a profile: latency, memory and start of a model's engines on a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_edge.report.frame import frame
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.profile_sections import PROFILE_SECTIONS
from rnn_edge.report.profile_sections.reading import open_profile
from rnn_edge.report.reader import Node


def render_profile(result: Mapping[str, Any]) -> str:
    """Return the HTML page of a profile, complete in itself.

    Args:
        result: Content of ``profile.json``.

    Returns:
        A page that loads nothing. The same result gives the same text.

    Raises:
        BundleError: Naming the first key that is missing or is not what was expected.
        MissingDependencyError: If matplotlib is not installed.
    """
    root = open_profile(result)
    sections = [section for render in PROFILE_SECTIONS if (section := render(root)) is not None]
    title = f"{root.at('bundle').text()}: profile"
    return frame(title, _header(root, title), sections, [_footer(root)])


def _header(root: Node, title: str) -> list[Markup]:
    layers = ", ".join(each.text() for each in root.at("layers").items())
    return [
        element("h1", title),
        paragraph(
            f"{layers}, {root.at('frame_rate_hz').number():g} frames per second, on "
            f"{root.at('place').at('name').text()}. Frames: {root.at('source').text()}.",
            kind="soft",
        ),
    ]


def _footer(root: Node) -> Markup:
    return join(
        f"rnn-edge {root.at('rnn_edge').text()}, model ",
        element("code", root.at("model_digest").text()),
    )
