"""The page of a drift result: every figure of the JSON, and a place for every mistake in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict
from typing import Any

import pytest
from drift_analyses import DETAILS, attribution, every_analysis
from drift_results import alarms, result, stream, tensor
from html_page import Page

from rnn_edge.errors import BundleError
from rnn_edge.report import render_drift
from rnn_edge.report.markup import Markup
from rnn_edge.report.plots import bands, bars, dots, heat, histograms, trade
from rnn_edge.types.drift import Estimate, TrendVerdict
from rnn_edge.types.replay import ParityRow

pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")

FACTS = {"rnn_edge": "0.1.0", "task": "kws", "frame_rate_hz": 50.0}
ALWAYS = ["summary", "curves", "units", "details", "stability", "attribution", "resets"]
NOISE = stream(
    "noise <b>&",
    Estimate(0.0071, 0.0066, 0.0077),
    tensors=(
        tensor("y", 0.031),
        tensor("h0", 0.0071, verdict=TrendVerdict.GROWTH, slope=0.52),
        tensor("c0", 0.0123, verdict=TrendVerdict.UNDECIDED, slope=0.11),
    ),
    steps=1234567,
    details=DETAILS.to_json(),
)


def plain(made: Any) -> dict[str, Any]:
    return json.loads(json.dumps(made.to_json()))


@pytest.fixture
def bare() -> dict[str, Any]:
    """One stream, without analyses and details."""
    return plain(result(**FACTS))


def whole() -> dict[str, Any]:
    """Return a result of two streams, one of them stopped, with all there can be."""
    short = stream(
        "speech",
        tensors=(tensor("y", 0.031), tensor("h0", 0.0052), tensor("c0", 0.0121)),
        planned=5000,
    )
    rows = [asdict(ParityRow("tflm", "h0", 2000, 3, 2, 17))]
    made = result(
        NOISE, short, analysis={**every_analysis(), "parity": rows}, **FACTS, bundle="a <i>name</i>"
    )
    found = plain(made)
    found["total"] |= {"stream": "all streams", "streams": 2}
    return found


@pytest.fixture
def full() -> dict[str, Any]:
    return whole()


@pytest.fixture(scope="module")
def page() -> Page:
    """The page of `whole`, drawn once."""
    return Page(render_drift(whole()))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave plots empty: what is read for them is read all the same."""
    for module in (bands, bars, dots, heat, histograms, trade):
        monkeypatch.setattr(module, "draw", lambda *_, **__: Markup(""))


def test_page_is_well_formed_and_offline(page: Page, bare: dict[str, Any]) -> None:
    for each in (page, Page(render_drift(bare))):
        each.require_closed()
        each.require_offline()


@pytest.mark.usefixtures("undrawn")
def test_false_alarms_are_told_where_they_were_counted(bare: dict[str, Any]) -> None:
    assert "false alarms" not in Page(render_drift(bare)).text
    told = Page(render_drift(plain(result(stream(alarms=alarms()), **FACTS)))).text
    assert "10,000 frames that are known to be normal" in told
    assert "8 and 7 false alarms" in told


def test_every_plot_says_what_it_shows(page: Page) -> None:
    labels = [v for t, n, v in page.attributes if (t, n) == ("svg", "aria-label")]
    assert len(labels) == 3 + 2 + 2 + 1 + 2 + 1
    assert "Error of c0 over time; at the end: all streams 0.0123 at step 1,000, noise" in labels[2]
    assert all(labels)


@pytest.mark.usefixtures("undrawn")
def test_every_section_stands_where_there_is_something_to_show(
    full: dict[str, Any], bare: dict[str, Any]
) -> None:
    assert Page(render_drift(bare)).sections() == ALWAYS
    assert Page(render_drift(full)).sections() == [
        *ALWAYS[:-1],
        "recommendations",
        "resets",
        "parity",
    ]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", ["stability", "attribution", "resets"])
def test_a_missing_analysis_says_how_to_get_it(bare: dict[str, Any], name: str) -> None:
    text = Page(render_drift(bare)).text
    assert f"rnn-edge drift BUNDLE --analyse {name}" in text
    assert "No single steps were looked into" in text


def test_an_analysis_that_is_there_is_not_asked_for(page: Page) -> None:
    assert "--analyse" not in page.text


def test_names_are_escaped(page: Page) -> None:
    source = page.source
    assert "a &lt;i&gt;name&lt;/i&gt;: drift" in source
    assert "noise &lt;b&gt;&amp;" in source
    assert "fine-tune &lt;more&gt;" in source
    assert not re.search(r"<i>|<b>&|<more>|<twice>", source)


def test_tiles_and_words_have_the_figures(page: Page) -> None:
    text = page.text.replace("\u00a0", " ")
    for words in (
        "Error of the hidden state, rms0.007100.00660 to 0.00770 (95 % interval)",
        "Error over timegrowthh0: growth, slope +0.520 (+0.500 to +0.540)",
        "Frames with the same decision99.90 %99.85 to 99.95 % (95 % interval)1 frame decided",
        "Detections the same100.000 %99.950 to 100.000 % (95 % interval)12 events, 12 of the "
        "reference: 0 missed, 0 extra",
        "First frame with another decision70.1 s after a reset, counted from 0, the earliest of "
        "all streamsno detection differs",
        "Steps without a reset1,234,5676.9 h at 50 frames a secondin 2 streams",
        "h0: growth. In ten times the time the error becomes 3.31 times as large (3.16 to 3.47)",
        "c0: undecided. In ten times the time the error becomes 1.23 to 1.35 times as large",
        "y: plateau. In ten times the time the error becomes 1.02 times as large (0.977 to 1.07)",
        "adds 0.00125 rms to h0; the closed loop makes that 5.68 times as large.",
        "The scores that detections are made of differ by 0.00200 rms, at most by 0.0100.",
        "speech: 1,000 of 5,000 steps",
    ):
        assert words in text


@pytest.mark.usefixtures("undrawn")
def test_a_stopped_replay_is_flagged_and_a_finished_one_is_not(bare: dict[str, Any]) -> None:
    assert "was stopped before its end" not in Page(render_drift(bare)).text
    bare["streams"][0] |= {"is_partial": True, "planned_steps": 9000}
    assert "was stopped before its end:kws_stream: 1,000 of 9,000 steps" in (
        Page(render_drift(bare)).text
    )


@pytest.mark.usefixtures("undrawn")
def test_streams_that_were_never_begun_and_analyses_that_were_stopped_are_flagged(
    bare: dict[str, Any],
) -> None:
    bare["total"] |= {"is_partial": True, "planned_steps": 4000}
    bare["unfinished_analyses"] = ["attribution", "resets"]
    text = Page(render_drift(bare)).text
    assert "was stopped before its end:streams that were not begun: 0 of 3,000 steps" in text
    assert "These analyses were stopped before their end:attributionresets" in text


@pytest.mark.usefixtures("undrawn")
def test_no_other_decision_is_none_rather_than_a_step(bare: dict[str, Any]) -> None:
    bare["total"]["decisions"] |= {"first_flip": None, "flips": 0}
    assert "First frame with another decisionnonein 1,000 stepsno" in Page(render_drift(bare)).text


def test_every_row_has_the_figures(page: Page) -> None:
    shown = [" | ".join(row) for row in page.rows]
    for expected in (
        "noise <b>& | 1,234,567 | 6.9 h | 0.007100.00660 to 0.00770 | growth",
        "speech | 1,000 | 20.0 s | 0.004000.00380 to 0.00420 | plateau",
        "noise <b>& | 99.90 %99.85 to 99.95 % | 1 | 7 | 100.000 %99.950 to 100.000 % | "
        "12 / 12 | 0 / 0",
        "c0 | speech | 0.01210.0115 to 0.0127 | 0.121 | 2.42 % | plateau+0.010 (−0.010 to +0.030)",
        "h0 | 2 | 0 | 0.00710 | 0.00710 | 50.0 %",
        "h0 | 0.00125 | 0.0321 | 0.00710 | 5.68 | 1: 0.00150",
        "y | 0.0125 | 0.123 | 0.0310 | 2.48 | –",
        "l0_gx | 17 | 0.197 % | values are lost | 1: 0.394 %",
        "l0_z | 432 | 5.00 % | nothing | 0: 7.00 %",
        "h0 | 3.39 % | 2.51 % | 1 | 1: 4.00 %",
        "h0 | 0.00124 | 0.00398 | 0.00402 | 3.21 | 1.01 | 0.0490 %",
        "h0 | z | 6.10e−5 | 812 | without end | without end",
        "weights l0.h.n | 0.00330 | 61.0 % | 0.00271 | 33.9 % | 0.00660 | 30.5 % | 0.00542 | 1.5 %",
        "weights | 0.00371 | 70.0 % | 0.00211 | 48.5 % | 0.00742 | 35.0 % | 0.00422 | 1.5 %",
        "fine-tune <more> | qat.steps | 0.00211the most it can reach | 48.5 % | training",
        "9-bit weights | nonea measure of what it would be worth | 0.00234measured | "
        "42.9 % | 19,968 bytes more in flash",
        "1 never | 0.00410 | 100.0 % | 91.20 % | 0.00 points0.00 to 0.00 pointsp = 1 | – | "
        "0 | loses",
        "2 every:frames=500 | 0.00230 | 56.1 % | 90.93 % | "
        "−0.27 points−0.61 to +0.08 pointsp = 0.27 | 0.703 | 2.01 | suggested",
        "3 decay:shift=4 | 0.00110 | 26.8 % | 80.21 % | −10.99 points | – | 0 | loses",
        "tflm | h0 | different | 2,000 | 3 | 2 | 17",
    ):
        assert expected in shown


def test_analyses_are_told_in_words(page: Page) -> None:
    text = page.text.replace("\u00a0", " ")
    for words in (
        "4,321 steps, evenly spaced, were taken apart.",
        "h0: 2.50 % of the values in another bin.",
        "l0.z: 0 % of the values in another bin.",
        "−0.0544−0.0567 to −0.0522 (95 % interval)below 0: contracting",
        "An error halves in12.7 steps0.947 of it is left after one step",
        "0.00402predicted 0.00398 rms, hidden statesat most 0.0646",
        "h0, unit 0: remembers over 812.0 steps & stays",
        "Rounding does not explain the numbers of:sums l0: its scale is <twice> what it needs",
        "weights l0.h.n is the cause: 61.0 % of the squared drift",
        "All together drift by 0.00410 (0.00390 to 0.00430) rms; the squares of each alone",
        "add up to 0.00422, 1.0 times that: shares can be read as parts of the whole.",
        "Suggested: every:frames=500. The bundle has: never.",
        "The least drift that is at most 80 % of never resetting",
        "16 pieces of the first stream, of 512 steps each, after 256 steps",
        "Worst units, numbered from 0: 0 (0.00710), 1 (0.00710).",
    ):
        assert words in text


@pytest.mark.usefixtures("undrawn")
def test_no_cause_is_named_where_none_has_half(full: dict[str, Any]) -> None:
    full["analysis"]["attribution"] = json.loads(json.dumps(attribution(share=0.45)))
    text = Page(render_drift(full)).text.replace("\u00a0", " ")
    assert "No quantizer makes half of the drift; the largest, weights l0.h.n, has 45.0 %" in text


@pytest.mark.usefixtures("undrawn")
def test_a_model_that_does_not_forget_is_no_plateau(full: dict[str, Any]) -> None:
    full["analysis"]["stability"]["lyapunov"] |= {
        "exponent": 0.01,
        "low": -0.002,
        "high": 0.022,
        "half_life": None,
        "rate": 1.01,
        "is_contracting": False,
    }
    text = Page(render_drift(full)).text
    assert "not surely below 0" in text
    assert "An error halves inno time" in text
    assert "no plateau is certain" in text


@pytest.mark.usefixtures("undrawn")
def test_what_is_forgotten_at_once_has_no_exponent(full: dict[str, Any]) -> None:
    full["analysis"]["stability"]["lyapunov"] |= {
        **dict.fromkeys(("exponent", "low", "high", "half_life")),
        "rate": 0.0,
    }
    full["analysis"]["stability"]["prediction"]["bound"] = None
    text = Page(render_drift(full)).text
    assert "errors are forgotten at once" in text
    assert "An error halves inone step or less" in text


@pytest.mark.usefixtures("undrawn")
def test_an_end_that_is_not_known_is_no_number(bare: dict[str, Any]) -> None:
    bare["total"]["tensors"][1]["trend"] |= {
        "verdict": "undecided",
        "slope": {"value": 0.0, "low": None, "high": None},
    }
    text = Page(render_drift(bare)).text
    assert "h0: undecided, slope 0.000 (? to ?)" in text
    assert "In ten times the time the error becomes 1.00e−9 to over 1e9 times as large" in text


def test_no_error_at_all_is_said_and_not_drawn() -> None:
    same = stream(hidden=Estimate(0.0, 0.0, 0.0), tensors=(tensor("y", 0.0), tensor("h0", 0.0)))
    page = Page(render_drift(plain(result(same, **FACTS))))
    assert "c and float are equal in every state and output at every step." in page.text
    assert page.text.count("h0: no error at all.") == 2
    assert "In ten times the time" not in page.text
    assert ("svg", "role", "img") not in page.attributes
    assert ["h0", "2", "–", "0", "0", "–"] in page.rows


def test_more_streams_than_looks_are_drawn_as_one(bare: dict[str, Any]) -> None:
    many = [bare["streams"][0] | {"stream": f"stream {k}"} for k in range(7)]
    bare |= {"streams": many, "total": bare["total"] | {"stream": "all streams", "streams": 7}}
    source = render_drift(bare)
    legend = source.split('class="legend"')[1].split("</div>")[0]
    assert "all streams" in legend
    assert "stream 3" not in legend
    assert "stream 3" in source


def test_bytes_are_the_same_in_another_process(page: Page) -> None:
    code = (
        "import json, sys; from rnn_edge.report import render_drift; "
        "sys.stdout.buffer.write(render_drift(json.load(sys.stdin)).encode())"
    )
    made = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(whole()).encode(),
        capture_output=True,
        check=True,
        env={"PYTHONHASHSEED": "1", "PATH": ""},
    )
    assert made.stdout.decode() == page.source


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("format",), "rnn-edge drift 2", "'format'"),
        (("streams",), [], "'streams'"),
        (("frame_rate_hz",), 0.0, "'frame_rate_hz'"),
        (("total", "hidden_rms"), 0.1, "'total.hidden_rms'"),
        (("total", "hidden_rms", "low"), 1.0, "'total.hidden_rms'"),
        (("total", "hidden_rms", "value"), float("nan"), "'total.hidden_rms.value'"),
        (("total", "tensors"), [], "'total.tensors'"),
        (("total", "tensors", 1, "trend", "verdict"), "up", "'total.tensors[1].trend.verdict'"),
        (("total", "tensors", 1, "heat", 2), [1.0], "'total.tensors[1].heat[2]'"),
        (("total", "tensors", 1, "heat"), [], "'total.tensors[1].heat'"),
        (("total", "tensors", 0, "curve", 1, "step"), 1.5, "'total.tensors[0].curve[1].step'"),
        (("total", "detections", "first_flip"), "never", "'total.detections.first_flip'"),
        (("streams", 1, "is_partial"), 0, "'streams[1].is_partial'"),
        (("total", "details", "local", 0, "tensor"), "z", "'total.details.local[0].tensor'"),
        (
            ("total", "details", "distributions", 0, "integer"),
            [1],
            "'total.details.distributions[0].integer'",
        ),
        (
            ("total", "details", "distributions", 0, "high"),
            -2.0,
            "'total.details.distributions[0].high'",
        ),
        (("analysis",), [], "'analysis'"),
        (("analysis", "attribution", "rows"), [], "'analysis.attribution.rows'"),
        (("analysis", "resets", "suggested"), "other", "'analysis.resets.suggested'"),
        (
            ("analysis", "resets", "rows", 1, "interval"),
            [0.1],
            "'analysis.resets.rows[1].interval'",
        ),
        (
            ("analysis", "time_constants", "layers", 0, "tau"),
            [],
            "'analysis.time_constants.layers[0].tau'",
        ),
    ],
)
def test_a_wrong_value_is_named(
    full: dict[str, Any], path: tuple[Any, ...], value: Any, named: str
) -> None:
    place: Any = full
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(BundleError, match=f"Drift result: key {re.escape(named)}") as caught:
        render_drift(full)
    assert caught.value.hint == "measure the drift again"


@pytest.mark.usefixtures("undrawn")
def test_every_missing_top_level_key_is_named(bare: dict[str, Any]) -> None:
    for key in set(bare) - {"task"}:
        rest = {k: v for k, v in bare.items() if k != key}
        with pytest.raises(BundleError, match=f"'{key}' is missing"):
            render_drift(rest)
