"""The model card says every figure that matters, in Markdown and in the page, and hides nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from html_page import Page

from rnn_edge.errors import BundleError
from rnn_edge.report import render_card, render_report
from rnn_edge.report.card import CARD
from rnn_edge.report.card.parts import card_parts
from rnn_edge.report.reader import Node

FACTS = {
    "licence": None,
    "source": None,
    "description": None,
    "split": "by speaker, 10 % of them for validation",
    "keyword_rule": {"threshold": 0.5, "smoothing_frames": 15},
    "kind": "speech-commands",
    "versions": {"numpy": "2.0", "rnn-edge": "0.1.0"},
    "digests": {"int8 model": "5e" * 32},
}
STATED = {
    "licence": "CC BY 4.0",
    "source": "A set | of words: https://example.org",
    "description": "Words <b>of</b> people",
}
LIMITS = {
    "false_accepts_per_hour": 0.5,
    "keywords": [
        {"label": "yes", "frames": 20, "threshold": 393216, "release": 1, "least_frames": 3}
        | {"refractory_frames": 25},
        {"label": "_unknown_"},
    ],
    "reached": {
        "commands": {"words": 400, "miss_rate": 0.081, "miss_rate_interval": [0.06, 0.11]},
        "background": {
            "false_accepts_per_hour": 0.45,
            "false_accepts_per_hour_interval": [0.1, 1.3],
            "hours": 4.4,
        },
    },
}
DETECTOR = {"method": "peaks", "false_alarms_per_day": 2.0, "peak_quantile": 0.98, "channels": [1]}


@pytest.fixture
def keywords(keyword_report: dict[str, Any]) -> dict[str, Any]:
    return keyword_report | {CARD: dict(FACTS)}


@pytest.fixture
def alarms(anomaly_report: dict[str, Any]) -> dict[str, Any]:
    return anomaly_report | {CARD: FACTS | STATED | {"kind": "sensor-table"}}


def flat(text: str) -> str:
    """Return Markdown as it is read, on one line."""
    return re.sub(r"\\(.)", r"\1", " ".join(text.split()))


def test_metrics_of_keywords_have_intervals_for_int8_and_float(keywords: dict[str, Any]) -> None:
    said = flat(render_card(keywords))
    assert (
        "| Accuracy, state never reset | 90.6 % (89.5 to 91.5 %) | 91.0 % (89.9 to 91.9 %) |"
    ) in said
    assert "| Accuracy, reset at each clip | 91.8 % (90.7 to 92.7 %) | 92.2 %" in said
    assert "0.0091 rms" in said
    assert "Engine tflm: the same bits at every step" in said


def test_metrics_of_alarms_have_intervals_events_and_false_alarms(alarms: dict[str, Any]) -> None:
    said = flat(render_card(alarms))
    assert "| F1 by frame, no point adjustment | 75.4 % (71.0 to 80.0 %) | 76.0 % (" in said
    assert "| Events found | 27 of 31 | 27 of 31 |" in said
    per_day = 5 / ((22472 - 7813) / 50.0 / 86_400.0)
    assert f"5 ({per_day:,.0f} per day of normal frames)" in said
    assert "Threshold of int8: 2.22" in said
    assert "the 0.99 quantile of the smoothed score, times 1.5" in said


def test_a_rate_that_was_measured_with_an_interval_replaces_the_plain_one(
    alarms: dict[str, Any],
) -> None:
    for model in alarms["models"]:
        model["metrics"] |= {
            "false_alarms_per_day": 12.5,
            "false_alarms_per_day_interval": [4.1, 29.0],
        }
    assert "5 (12.5 per day, 4.10 to 29.0)" in flat(render_card(alarms))


def test_what_baselines_reach_stands_beside_it_with_the_verdict(alarms: dict[str, Any]) -> None:
    assert "baselines" not in flat(render_card(alarms))
    simple = {"name": "z-score", "metrics": alarms["models"][0]["metrics"]}
    found = {"rows": [simple], "left_out": [], "advice": "use z-score: it is better | cheaper"}
    said = flat(render_card(alarms | {"baselines": found}))
    assert "## Beside simple baselines Verdict: use z-score: it is better | cheaper" in said
    assert "| Measure | model, int8 | z-score |" in said
    assert "| F1 by frame | 75.4 % | 76.2 % |" in said


def test_a_machine_that_is_commissioned_has_a_threshold_of_its_own(alarms: dict[str, Any]) -> None:
    assert "commissioned" not in render_card(alarms)
    card = alarms[CARD] | {"commission_samples": 400}
    assert "commissioned on its first 400 samples" in render_card(alarms | {CARD: card})


def test_peaks_over_threshold_are_told_as_such(alarms: dict[str, Any]) -> None:
    said = flat(render_card(alarms | {"detector": DETECTOR}))
    assert "peaks over threshold, for 2 false alarms per day" in said
    assert "| channels | 1 |" in said
    tail = {"seconds": 4320.0, "peaks": 31, "shape": 0.1}
    said = flat(render_card(alarms | {"detector": DETECTOR, "tails": {"int8": tail}}))
    assert (
        "Fitted to 31 peaks in 72.0 min of normal signal; one alarm in 12.0 h is wanted: "
        "extrapolated to 10.0 times as long"
    ) in said


def rows_of_the_detector(report: dict[str, Any]) -> set[str]:
    table = render_card(report).partition("Detector:")[2].partition("## ")[0]
    return {
        line.split("|")[1].strip().replace("\\", "") for line in table.splitlines() if "|" in line
    }


@pytest.mark.parametrize(
    ("method", "score", "unread"),
    [
        (
            "quantile",
            "variance",
            {"peak_quantile", "false_alarms_per_day", "cluster_frames", "shrinkage"},
        ),
        ("peaks", "covariance", {"quantile", "margin"}),
    ],
)
def test_keys_that_nothing_reads_are_not_listed(
    alarms: dict[str, Any], method: str, score: str, unread: set[str]
) -> None:
    alarms["detector"] |= {"method": method, "score": score, "shrinkage": None}
    listed = rows_of_the_detector(alarms)
    assert listed - {"Key", "---"} == set(alarms["detector"]) - unread


def test_what_nobody_stated_is_not_stated(keywords: dict[str, Any]) -> None:
    said = flat(render_card(keywords))
    for title in ("Description", "Source", "Licence of the data"):
        assert f"{title}: not stated" in said
    assert 'license: "unknown"' in said


def test_what_was_stated_is_told_and_cannot_break_the_text(alarms: dict[str, Any]) -> None:
    text = render_card(alarms)
    assert "Licence of the data: CC BY 4.0" in text
    assert r"A set \| of words: https://example.org" in text
    assert r"Words \<b\>of\</b\> people" in text
    hostile = alarms | {"name": "a | b\n# c <i>", "labels": ["x\n| y |"]}
    for line in render_card(hostile).split("---\n", 2)[2].splitlines():
        assert not re.match(r"# c|\| y", line)
        assert "<i>" not in line


def test_synthetic_data_are_called_so(keywords: dict[str, Any], alarms: dict[str, Any]) -> None:
    text = render_card(keywords)
    assert "Synthetic: no real recording was used" in text
    assert '  - "synthetic-data"' in text
    assert "Real input: the data is synthetic" in text
    assert "Synthetic" not in render_card(alarms)


def test_thresholds_of_keywords_are_the_same_for_all_until_they_are_calibrated(
    keywords: dict[str, Any],
) -> None:
    assert "a mean probability of 0.500 over 15 frames" in flat(render_card(keywords))
    said = flat(render_card(keywords, LIMITS))
    assert "for 0.500 false accepts per hour" in said
    assert "| yes | 20 | 0.600 | 3 | 25 |" in said
    assert "Commands missed on that material: 8.1 % (6.0 to 11.0 %) of 400" in said
    assert "False accepts per hour on that material: 0.450 (0.100 to 1.30) over 4.40 hours" in said
    assert "not measured yet" in flat(render_card(keywords))
    assert "not measured yet" not in said


def test_metadata_are_yaml_with_the_figures(
    keywords: dict[str, Any], alarms: dict[str, Any]
) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    for report, first, value in ((keywords, "accuracy", 0.906), (alarms, "f1", 0.754)):
        text = render_card(report | {"name": 'a "b": \\c'})
        assert text.startswith("---\n")
        found = yaml.safe_load(text.split("---\n")[1])
        (result,) = found["model-index"][0]["results"]
        assert found["model-index"][0]["name"] == 'a "b": \\c'
        assert result["metrics"][0]["type"] == first
        assert result["metrics"][0]["value"] == pytest.approx(value)
        assert "int8" in found["tags"]


def test_without_a_test_part_there_are_no_figures(keywords: dict[str, Any]) -> None:
    text = render_card(keywords | {"models": [], "comparisons": []})
    assert "not measured: the data has no test part" in text
    assert "model-index" not in text


def test_it_says_what_was_not_run_and_why(keywords: dict[str, Any]) -> None:
    reasons = ["hardware: no board is part of a build", f"engines: {', '.join(['abcdefgh'] * 20)}"]
    said = flat(render_card(keywords | {"not_run": reasons}))
    assert "Not run: hardware: no board is part of a build." in said
    assert "Not run: engines, see report.html." in said


def test_the_same_report_gives_the_same_bytes(keywords: dict[str, Any]) -> None:
    again = json.loads(json.dumps(keywords, sort_keys=True))
    assert render_card(again, LIMITS) == render_card(keywords, LIMITS)
    assert not re.search(r"\b20\d\d-\d\d", render_card(keywords))


@pytest.mark.parametrize("name", ["keywords", "alarms"])
def test_the_page_has_every_part_of_the_card(name: str, request: pytest.FixtureRequest) -> None:
    report = request.getfixturevalue(name)
    page = Page(render_report(report))
    page.require_closed()
    assert page.sections()[-1] == "card"
    text = render_card(report)
    for part in card_parts(Node(report)):
        assert part.title in page.text
        assert f"## {part.title}" in text


def test_a_report_of_an_earlier_version_has_no_card(keyword_report: dict[str, Any]) -> None:
    assert "card" not in Page(render_report(keyword_report)).sections()
    with pytest.raises(BundleError, match="card"):
        render_card(keyword_report)
