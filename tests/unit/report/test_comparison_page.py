"""The page that holds two drift results against each other: it says no more than they do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from drift_analyses import DETAILS, attribution
from drift_results import AGREEMENT, result, stream, tensor
from html_page import Page

from rnn_edge.errors import BundleError
from rnn_edge.report import render_comparison
from rnn_edge.report.comparison_sections.pair import Pair, obstacles
from rnn_edge.types.drift import Estimate, TrendVerdict

pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")

FACTS = {"rnn_edge": "0.1.0", "task": "kws", "frame_rate_hz": 50.0}


def made(*streams: Any, **facts: Any) -> dict[str, Any]:
    return json.loads(json.dumps(result(*streams, **{**FACTS, **facts}).to_json()))


def before() -> dict[str, Any]:
    """Return the result that is called A."""
    return made(
        stream(details=DETAILS.to_json(), missed=3),
        analysis={"attribution": attribution(), "stability": {}},
        bundle="first <i>",
    )


def after() -> dict[str, Any]:
    """Return the result that is called B: less drift, growing; a little less agreement."""
    return made(
        stream(
            hidden=Estimate(0.001, 0.0009, 0.0011),
            agreement=Estimate(0.9987, 0.998, 0.9992),
            tensors=(
                tensor("y", 0.0203),
                tensor("h0", 0.001, verdict=TrendVerdict.GROWTH, slope=0.31),
            ),
            missed=1,
            details=DETAILS.to_json(),
        ),
        analysis={"attribution": attribution(share=0.2)},
        bundle="second",
    )


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_comparison(before(), after()))


def test_page_is_well_formed_offline_and_escaped(page: Page) -> None:
    page.require_closed()
    page.require_offline()
    assert page.sections() == ["summary", "measures", "curves", "streams", "causes"]
    assert "first &lt;i&gt; and second: drift compared" in page.source
    assert "<i>" not in page.source


def test_bytes_are_the_same_again(page: Page) -> None:
    assert render_comparison(before(), after()) == page.source


def test_every_measure_of_both_is_there(page: Page) -> None:
    for expected in (
        "hidden_rms | 0.004000.00380 to 0.00420 | 0.001000.000900 to 0.00110 | ×0.250 | apart | "
        "better",
        "hidden_max | 0.0400 | 0.0100 | ×0.250 | none | better on these frames",
        "y.rms | 0.02000.0190 to 0.0210 | 0.02030.0193 to 0.0213 | ×1.01 | overlap | may be chance",
        "state.h0.relative | 0.800 %0.760 % to 0.840 % | 0.200 %0.190 % to 0.210 % | ×0.250 | "
        "apart | better",
        "frame_agreement | 99.90 %99.85 to 99.95 % | 99.87 %99.80 to 99.92 % | −0.030 points | "
        "overlap | may be chance",
        "missed_events | 3 | 1 | −2 | none | better on these frames",
        "extra_events | 0 | 0 | 0 | none | the same",
        "trend | plateau | growth | – | none | worse",
        "slope | 0.0100−0.0100 to 0.0300 | 0.3100.290 to 0.330 | +0.300 | apart | worse",
        "local_error | 0.00125 | 0.00125 | ×1.00 | none | the same",
        "gain | 3.203.04 to 3.36 | 0.8000.720 to 0.880 | ×0.250 | apart | better",
    ):
        name, rest = expected.split(" | ", 1)
        assert rest in {" | ".join(r[1:]) for r in page.rows if r[0].startswith(name)}


def test_only_what_intervals_say_is_listed(page: Page) -> None:
    text = page.text.replace("\u00a0", " ")
    better, worse = (
        text.split(start)[1].split(end)[0]
        for start, end in (("Better in B", "Worse in B"), ("Worse in B", "Cannot be told apart"))
    )
    chance = text.split("Cannot be told apart")[1].split("Every measure")[0]
    assert "hidden_rms: 0.00100 against 0.00400 (×0.250)" in better
    assert "missed_events" not in better
    assert "slope: 0.310 against 0.0100 (+0.300)" in worse
    assert "trend: growth against plateau" in worse
    assert {"frame_agreement", "y.rms"} <= set(chance.split(", "))
    assert "B drifts 0.250 times as far; the 95 % intervals do not overlap" in text


def test_what_may_be_chance_is_said_to_be() -> None:
    one, other = before(), before()
    other["total"]["hidden_rms"] = {"value": 0.00408, "low": 0.0039, "high": 0.0043}
    text = Page(render_comparison(one, other)).text
    assert "B drifts 1.02 times as far; the 95 % intervals overlap, so that this may be" in text


def test_an_undecided_trend_is_no_worse_than_a_plateau() -> None:
    one, other = before(), before()
    for row in other["total"]["tensors"]:
        row["trend"]["verdict"] = "undecided"
    page = Page(render_comparison(one, other))
    row = next(row for row in page.rows if row[0].startswith("trend"))
    assert row[1:] == ["plateau", "undecided", "–", "none", "may be chance"]


def test_curves_of_both_are_in_one_plot(page: Page) -> None:
    labels = [v for t, n, v in page.attributes if (t, n) == ("svg", "aria-label")]
    assert labels[1] == (
        "Error of h0 over time; at the end: A: first <i> 0.00400 at step 1,000, "
        "B: second 0.00100 at step 1,000"
    )


def test_causes_stand_side_by_side(page: Page) -> None:
    shown = [" | ".join(row) for row in page.rows]
    assert "weights l0.h.n | 0.00330 | 0.00330 | 1.00" in shown
    assert "weights | 0.00371 | 0.00371 | 1.00" in shown


def test_streams_of_both_are_compared_one_by_one(page: Page) -> None:
    expected = "kws_stream | 0.004000.00380 to 0.00420 | 0.001000.000900 to 0.00110 | 0.250"
    expected += " | apart | 99.90 % | 99.87 % | 7 / 7"
    assert expected in [" | ".join(row) for row in page.rows]


def test_a_missing_attribution_says_of_whom_and_how_to_get_it() -> None:
    other = after()
    del other["analysis"]["attribution"]
    text = Page(render_comparison(before(), other)).text
    assert "To see what rounding drifts in B: rnn-edge drift BUNDLE --analyse attribution" in text


def test_comparable_results_have_no_warning(page: Page) -> None:
    assert 'class="warning"' not in page.source
    assert "measured on the same streams, over the same steps" in page.text


@pytest.mark.parametrize(
    ("other", "notes"),
    [
        (
            made(stream(name="silence")),
            ["Streams in A alone: kws_stream.", "Streams in B alone: silence."],
        ),
        (made(stream(steps=2000)), ["Stream kws_stream: 1,000 steps in A, 2,000 in B."]),
        (made(reference="c-float"), ["Other references: A float, B c-float."]),
        (made(source="other"), ["Other frames: A synthetic, B other."]),
        (made(task="anomaly"), ["Other tasks: A kws, B anomaly."]),
        (made(frame_rate_hz=1.0), ["Other frame rates: A 50 Hz, B 1 Hz."]),
        (
            made(stream(tensors=(tensor("y"), tensor("h0"), tensor("c0")))),
            ["Other tensors: A has y, h0, B y, h0, c0."],
        ),
        (made(stream(planned=4000)), ["The replay of B was stopped before its end."]),
        (made(engine="tflm"), []),
    ],
)
def test_what_cannot_be_compared_is_named(other: dict[str, Any], notes: list[str]) -> None:
    assert obstacles(Pair.of(made(stream()), other)) == notes


def test_a_warning_stands_above_what_cannot_be_compared() -> None:
    source = render_comparison(before(), after() | {"source": "other & more"})
    assert "Not comparable without care:" in source
    assert "Other frames: A synthetic, B other &amp; more." in source
    assert "Read it with the notes above." in source


def test_another_way_of_making_a_stream_is_named() -> None:
    other = made(stream())
    other["streams"][0]["description"] = "made in another way"
    assert obstacles(Pair.of(made(stream()), other)) == [
        "Stream kws_stream is not made in the same way in both."
    ]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), "x", "Drift result B: key 'format' is 'x'"),
        (("total", "hidden_rms", "high"), 0.0, "Drift result B: key 'total.hidden_rms'"),
        (("total", "decisions", "flips"), [], "Drift result B: key 'total.decisions.flips'"),
        (("total", "details", "local"), [{"rms": 1}], "Drift result B: measure 'local_error'"),
        (("total", "tensors", 1, "trend", "verdict"), "up", "Drift result B: "),
    ],
)
def test_a_wrong_value_is_named_with_its_result(
    path: tuple[Any, ...], value: Any, message: str
) -> None:
    one, other = before(), after()
    place: Any = other
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(BundleError, match=re.escape(message)):
        render_comparison(one, other)


def test_agreement_is_better_where_it_is_higher() -> None:
    other = before()
    other["total"]["decisions"]["agreement"] = {"value": 0.9999, "low": 0.9997, "high": 1.0}
    assert AGREEMENT.high < 0.9997
    row = next(
        row
        for row in Page(render_comparison(before(), other)).rows
        if row[0].startswith("frame_agreement")
    )
    assert row[-1] == "better"
