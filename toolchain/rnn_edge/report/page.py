"""Puts the sections together to one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnn_edge.report import card
from rnn_edge.report.frame import frame
from rnn_edge.report.layers import layers_in_words
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections import SECTIONS
from rnn_edge.report.sections.latency import PROFILES, open_profiles

FORMAT = "rnn-edge report 1"

_TASKS = {"kws": "keyword spotting", "anomaly": "anomaly detection"}


def render_report(report: Mapping[str, Any], profiles: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the HTML page of a build, complete in itself.

    Args:
        report: Content of ``report.json``, JSON types only.
        profiles: Contents of ``profile.json``: of the same model, each on a machine.

    Returns:
        A page that loads nothing: no script, font, image or style sheet. The same report gives
        the same text.

    Raises:
        BundleError: Naming the first key that is missing or is not what was expected, or if a
            profile is of another model.
        MissingDependencyError: If matplotlib is not installed.
    """
    root = Node({**report, PROFILES: list(profiles)} if profiles else report)
    if root.at("format").text() != FORMAT:
        root.at("format").fail(repr(FORMAT))
    if root.at("task").text() not in _TASKS:
        root.at("task").fail(" or ".join(map(repr, _TASKS)))
    # Before anything is drawn: whoever names a wrong file is told at once.
    open_profiles(root)
    renders = (*SECTIONS, card.render)
    sections = [section for render in renders if (section := render(root)) is not None]
    title = f"{root.at('name').text()}: build report"
    return frame(title, _header(root), sections, _footer(root))


def _header(root: Node) -> list[Markup]:
    facts = (
        f"{_TASKS[root.at('task').text()].capitalize()} with {root.at('cell').text().upper()}, "
        f"{layers_in_words(root)}, "
        f"{root.at('inputs').integer()} inputs, {root.at('outputs').integer()} outputs."
    )
    parts = [element("h1", root.at("name").text()), paragraph(facts, kind="soft")]
    if root.at("data").at("is_synthetic").flag():
        parts.append(
            paragraph(
                element("strong", "Synthetic data."),
                " No real recording was used to train or judge this model. The figures below "
                "show that the tools work, not how well the model does on real input.",
                kind="banner",
            )
        )
    return parts


def _footer(root: Node) -> list[Markup]:
    return [
        join(
            f"rnn-edge {root.at('tool_version').text()}, seed {root.at('seed').integer()}, model ",
            element("code", root.at("model_digest").text()),
        )
    ]
