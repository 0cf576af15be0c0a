from __future__ import annotations

import pytest

from rnn_edge.errors import MissingDependencyError
from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element
from rnn_edge.report.plots import canvas
from rnn_edge.report.reader import Node
from rnn_edge.report.sections import data as data_section
from rnn_edge.report.values import render_values


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


def test_values_of_any_shape_are_shown() -> None:
    html = render_values(
        Node(
            {
                "sample_rate_hz": 8000,
                "is_mono": True,
                "names": ["a", "b"],
                "_class_": None,
                "by_split": {"train": {"clips": 3}, "test": {"clips": 1234}},
                "rows": [{"channel": "x", "mean": 0.5}, {"channel": "y"}],
                "leaks": {"count": 2, "examples": ["p", "q"]},
                "clipped": {"count": 0, "examples": []},
                "deep": {"first": {"second": {"third": 77}}, "mixed": 5},
            }
        )
    )
    for part in (
        "<dt>Sample rate, Hz</dt><dd>8,000</dd>",
        "<dd>yes</dd>",
        "<dd>a, b</dd>",
        "<dt>_class_</dt><dd>–</dd>",
        '<th scope="row">test</th><td class="number">1,234</td>',
        '<th scope="row">x</th><td class="number">0.500</td>',
        '<th scope="row">y</th><td class="number">–</td>',
        "<dt>Leaks</dt><dd>2: p, q</dd>",
        "<dt>Clipped</dt><dd>0</dd>",
        "<h3>Deep</h3>",
        ">77</td>",
        "<dt>Mixed</dt><dd>5</dd>",
    ):
        assert part in html


def test_missing_matplotlib_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.style", None)
    with pytest.raises(MissingDependencyError, match=r"rnn-edge\[report\]"):
        canvas.draw("a", "b", (1, 1), lambda axes: None)


def test_a_summary_of_audio_stands_without_what_is_said_elsewhere() -> None:
    summary = {"source": "twice", "digest": "d1", "audio": {"clips": {"yes": {"train": 3}}}}
    data = {"source": "once", "is_synthetic": False, "notes": ["padded"]}
    report = {"data": data | {"summary": summary | {"sensors": None}}}
    body = data_section.render(Node(report)).body
    assert "once" in body
    assert "twice" not in body
    assert "Sensors" not in body
    assert '<th scope="row">yes</th><td class="number">3</td>' in body
