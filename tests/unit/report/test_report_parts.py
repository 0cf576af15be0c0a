from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_edge.errors import MissingDependencyError
from rnn_edge.evaluation.paired import compare_clips, matched_interval, mcnemar_p_value
from rnn_edge.report import differences, formatting
from rnn_edge.report.markup import Markup, element
from rnn_edge.report.plots import canvas
from rnn_edge.report.plots.curves import draw_curves
from rnn_edge.report.plots.scores import draw_scores
from rnn_edge.report.reader import Node


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.00912, "0.00912"),
        (-0.5, "−0.500"),
        (12345.6, "12,346"),
        (3.2e-6, "3.20e−6"),
        (4.0e9, "4.00e9"),
        (None, "–"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert formatting.number(value) == text


def test_sizes_and_shares() -> None:
    assert formatting.size(812) == "812\u00a0B"
    assert formatting.size(24672) == "24.1\u00a0KiB"
    assert formatting.size(3 << 20) == "3.0\u00a0MiB"
    assert formatting.percent(0.9184) == "91.8\u00a0%"
    assert formatting.points(-0.004) == "−0.4\u00a0points"


def test_text_is_escaped_and_markup_is_not() -> None:
    inner = element("b", "<i>")
    assert inner == "<b>&lt;i&gt;</b>"
    assert element("p", inner, Markup("<br>"), title='"') == (
        '<p title="&quot;"><b>&lt;i&gt;</b><br></p>'
    )


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert formatting.points(-0.0004) == "0.0\u00a0points"
    assert formatting.points(0.0004) == "0.0\u00a0points"
    assert formatting.points(0.0004, 2) == "+0.04\u00a0points"
    assert formatting.points_range(-0.0001, 0.012) == "0.0 to +1.2\u00a0points"
    assert formatting.percent(-0.0001) == "0.0\u00a0%"


def test_times_and_probabilities() -> None:
    assert formatting.duration(0.8) == "0.8\u00a0s"
    assert formatting.duration(600) == "10.0\u00a0min"
    assert formatting.duration(90000) == "25.0\u00a0h"
    texts = [formatting.probability(p).replace("\u00a0", " ") for p in (1.0, 0.0312, 0.0004)]
    assert texts == ["p = 1", "p = 0.031", "p < 0.001"]


ROW = {
    "measure": "reset",
    "difference": -0.021,
    "interval": [-0.034, -0.008],
    "pairs": 480,
    "gained": 5,
    "lost": 15,
    "p_value": 0.041,
}


@pytest.mark.parametrize(
    ("changes", "chance", "text"),
    [
        (
            {},
            False,
            "−2.1 points (95 % interval −3.4 to −0.8 points; 5 of 480 clips gained, 15 lost; "
            "p = 0.041): more than chance",
        ),
        (
            {"p_value": 0.06},
            True,
            "−2.1 points (95 % interval −3.4 to −0.8 points; 5 of 480 clips gained, 15 lost; "
            "p = 0.06): may be chance",
        ),
        (
            {"measure": "f1", "gained": None, "lost": None, "pairs": 8, "difference": 0.0013},
            False,
            "+0.13 points (95 % interval −3.40 to −0.80 points; 8 recordings; p = 0.041): "
            "more than chance",
        ),
        (
            {"measure": "f1", "interval": None, "p_value": None, "pairs": 1},
            None,
            "−2.1 points over 1 recording: too few to tell from chance",
        ),
    ],
)
def test_a_difference_is_called_what_its_test_says(
    changes: dict[str, Any], chance: bool | None, text: str
) -> None:
    row = Node(ROW | changes)
    assert differences.is_chance(row) is chance
    assert differences.long_text(row).replace("\u00a0", " ") == text


def test_the_documented_comparison_is_one_that_is_written_and_read() -> None:
    text = (Path(__file__).parents[3] / "docs" / "report.md").read_text(encoding="utf-8")
    step = json.loads(text.split("```json\n")[1].split("```")[0])
    (row,) = step["rows"]
    written = compare_clips(np.ones(3, bool), np.zeros(3, bool)).to_json()
    assert set(row) == {"measure", *written}
    assert row["p_value"] == round(mcnemar_p_value(row["gained"], row["lost"]), 2)
    assert matched_interval(row["gained"], row["lost"], row["pairs"]) == pytest.approx(
        row["interval"], abs=5e-4
    )
    assert "7 of 480 clips gained, 12 lost" in differences.long_text(Node(row))


@pytest.mark.parametrize("count", [0, 1, 30])
def test_every_value_is_marked_in_a_plot(count: int) -> None:
    pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")
    points = [(10.0 * k, 1.0 / (k + 1)) for k in range(count)]
    svg = draw_curves("a", "b", "loss", {"run": points}, {"run": canvas.Line("#123456")})
    assert len(re.findall(r'<use [^>]*style="fill: #123456', svg)) == count


@pytest.mark.parametrize(
    ("low", "high"),
    [(2.0, 60.0), (0.02, 0.6), (3.0, 8.5), (1.1, 1.2), (1e-4, 10.0), (0.011, 0.099)],
)
def test_a_logarithmic_axis_has_two_numbers_at_least(low: float, high: float) -> None:
    figure = pytest.importorskip("matplotlib.figure", reason="'report' is not installed").Figure()
    axes = figure.subplots()
    axes.plot([1.0, 2.0], [low, high])
    axes.set_yscale("log")
    canvas.plain_numbers(axes, is_log_x=False, is_log_y=True)
    bottom, top = axes.get_ylim()
    figure.draw_without_rendering()
    shown = {
        label.get_text()
        for label, place in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
        if bottom <= place <= top
    }
    assert 2 <= len(shown) <= 8


def test_scores_far_over_their_threshold_have_a_scale() -> None:
    pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")
    scores = [2.0 + k for k in range(59)]
    svg = draw_scores("a", "run", 1.0, scores, scores, (3.0, 3.0), None)
    numbers = re.findall(r"<text[^>]*>([\d.]+)</text>", svg.split("axes_2")[0].split("ytick_1")[1])
    assert numbers == ["2", "5", "10", "20", "50"]


def test_a_legend_shows_lines_marks_and_areas() -> None:
    shown = canvas.legend({**canvas.assign(["a", "b"]), "c": canvas.Shade("#d64933", 0.2)})
    assert shown.count("<line ") == 2
    assert shown.count("<rect ") == 1
    assert "<path " not in shown
    marked = canvas.legend(canvas.assign(list("abcdef")), has_dots=True)
    assert marked.count("<path ") == 6
    assert {line.dot for line in canvas.PALETTE} == set(canvas.DOTS)


def test_missing_matplotlib_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.style", None)
    with pytest.raises(MissingDependencyError, match=r"rnn-edge\[report\]"):
        canvas.draw("a", "b", (1, 1), lambda axes: None)
