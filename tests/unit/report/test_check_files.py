"""A check as JUnit and as Markdown: every finding is there, and both are well formed."""

import re
from xml.etree import ElementTree

import pytest
from drift_results import result, stream, tensor

from rnn_edge.pipeline.budget import Baseline
from rnn_edge.pipeline.judgement import judge
from rnn_edge.report.junit import junit_xml
from rnn_edge.report.step_summary import sparkline, summary_markdown
from rnn_edge.spec.drift import DriftSection
from rnn_edge.types.drift import Estimate, TrendVerdict

ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"classname", "name"},
    "skipped": {"message"},
    "error": {"type", "message"},
    "failure": {"type", "message"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": ("testsuite",),
    "testsuite": ("properties", "testcase"),
    "properties": ("property",),
    "testcase": ("skipped", "error", "failure", "system-out"),
}

ENGINES = [
    {
        "engine": "int8",
        "verdict": "state carried",
        "resets": True,
        "restores": True,
        "detail": "",
        "is_sound": True,
        "hint": "",
    },
    {
        "engine": "stuck",
        "verdict": "starts from zero at each step",
        "resets": True,
        "restores": None,
        "detail": "as if c0 < 1",
        "is_sound": False,
        "hint": "",
    },
    {
        "engine": "crashed",
        "verdict": None,
        "resets": False,
        "restores": False,
        "detail": "cc said \x1b[1m|error|\x00",
        "is_sound": False,
        "hint": "look there",
    },
]
STATE = {
    "stream": "kws_stream",
    "frames": [4, 5],
    "engines": ENGINES,
    "left_out": [{"engine": "tflm", "reason": "Not made.", "hint": "make it"}],
}


def checked(drift=None, state=None, baseline=None, section=None):
    budget = None
    if drift is not None:
        base = baseline and Baseline("old", baseline.to_json())
        budget = judge(drift.to_json(), section or DriftSection(), base)
    passed = budget is None or budget.is_passed
    return {
        "bundle": "tiny",
        "model_digest": "d",
        "source": "synthetic",
        "state": state,
        "drift": budget and budget.to_json(),
        "is_passed": passed and state is None,
    }


@pytest.fixture
def mixed():
    """One of everything: within, outside, unsure, not measured."""
    drift = result(
        stream(
            hidden=Estimate(0.02, 0.019, 0.021),
            tensors=(tensor("y"), tensor("h0", verdict=TrendVerdict.UNDECIDED)),
        ),
        stream("a|b<c>", steps=1000),
    )
    section = DriftSection(budget={"state.c0.rms": 1.0})
    return checked(drift, STATE, result(stream(), stream("a|b<c>")), section)


def check_shape(element):
    """Compare an element with the schema that the usual readers share."""
    assert set(element.attrib) == ATTRIBUTES[element.tag]
    order = [CHILDREN.get(element.tag, ()).index(child.tag) for child in element]
    assert order == sorted(order)
    for child in element:
        check_shape(child)


def test_junit_has_the_shape_of_junit(mixed):
    root = ElementTree.fromstring(junit_xml(mixed))
    check_shape(root)
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases)
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("errors")) == len(suite.findall("testcase/error"))
        assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))
        names = [(case.get("classname"), case.get("name")) for case in cases]
        assert len(set(names)) == len(names)
    assert int(root.get("tests")) == sum(int(suite.get("tests")) for suite in root)


def test_junit_says_what_became_of_every_engine_and_limit(mixed):
    root = ElementTree.fromstring(junit_xml(mixed))
    found = {
        (case.get("classname"), case.get("name")): [child.tag for child in case]
        for case in root.iter("testcase")
    }
    assert found["state probe", "int8"] == ["system-out"]
    assert found["state probe", "stuck"] == ["failure", "system-out"]
    assert found["state probe", "crashed"] == ["error"]
    assert found["state probe", "tflm"] == ["skipped"]
    group = "drift budget.kws_stream"
    assert found[group, "hidden_rms"] == ["failure", "system-out"]
    assert found[group, "hidden_rms / baseline"] == ["failure", "system-out"]
    assert found[group, "state.c0.rms"] == ["failure", "system-out"]
    assert found[group, "frame_agreement"] == ["system-out"]
    assert found[group, "trend"] == ["system-out"]
    failure = root.find(f".//testcase[@classname='{group}'][@name='hidden_rms']/failure")
    assert failure.get("message") == (
        "hidden_rms: outside: 0.02 (0.019 to 0.021), expected at most 0.006; "
        "baseline 0.004 (0.0038 to 0.0042)"
    )
    crashed = root.find(".//testcase[@name='crashed']/error")
    assert crashed.text == "cc said ?[1m|error|?\nlook there"
    names = {each.get("name"): each.get("value") for each in root.iter("property")}
    assert names["engine"] == "c"
    assert names["baseline"] == "old"


def test_the_same_check_gives_the_same_bytes(mixed):
    assert junit_xml(mixed) == junit_xml(mixed)
    assert summary_markdown(mixed) == summary_markdown(mixed)


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def test_the_summary_has_a_row_for_each_limit_and_engine(mixed):
    text = summary_markdown(mixed)
    rows = [cells(line) for line in text.splitlines() if line.startswith("| ")]
    drift = {(row[0], row[2]): row for row in rows if len(row) == 7}
    # Nothing that is measured may begin a column or a tag of its own.
    assert drift["a\\|b\\<c>", "hidden_rms"][-1] == "✅ within"
    assert drift["kws_stream", "hidden_rms"] == [
        "kws_stream",
        "1,000",
        "hidden_rms",
        "0.02 (0.019 to 0.021)",
        "at most 0.006",
        "0.004",
        "❌ outside",
    ]
    assert drift["kws_stream", "trend"][3:] == ["undecided", "plateau", "plateau", "⚠️ unsure"]
    assert drift["kws_stream", "state.c0.rms"][-1] == "❌ not measured"
    engines = {row[0]: row for row in rows if len(row) == 5}
    assert engines["stuck"][1:] == [
        "starts from zero at each step as if c0 \\< 1", "yes", "takes none", "❌"
    ]  # fmt: skip
    assert "Left out, since they do not run here: tflm." in text
    assert len({len(cells(line)) for line in text.splitlines() if line.startswith("|")}) == 2
    assert text.count("```") % 2 == 0
    assert text.endswith("\n")


def test_the_verdict_stands_first_and_names_what_failed(mixed):
    lines = summary_markdown(mixed).splitlines()
    assert lines[0] == "## rnn-edge check: tiny"
    assert lines[2].startswith("❌ **Failed**: hidden_rms on kws_stream is outside, ")
    assert "engine stuck: starts from zero at each step, engine crashed: failed" in lines[2]
    assert summary_markdown(checked(result())).splitlines()[2] == "✅ **Passed.**"
    unsure = checked(result(stream(hidden=Estimate(0.006, 0.005, 0.007))))
    assert summary_markdown(unsure).splitlines()[2].startswith("⚠️ **Passed, 1 measure unsure**")
    partial = checked(result(stream(steps=10, planned=1000)))
    assert "stream kws_stream was stopped before its end" in summary_markdown(partial)
    assert b'message="The replay was stopped before the end."' in junit_xml(partial)


def test_curves_share_a_scale_with_the_baseline():
    drift = result(stream(tensors=(tensor("y", 0.02), tensor("h0", 0.004))))
    half = result(stream(tensors=(tensor("y", 0.01), tensor("h0", 0.008))))
    lines = summary_markdown(checked(drift, baseline=half)).splitlines()
    start = lines.index("```text")
    assert lines[start + 1 : start + 5] == [
        "y  ▁▅██  plateau, rms 0.0200, top of the bars 0.0200",
        "   ▁▃▄▅  plateau, rms 0.0100, baseline",
        "h0 ▁▃▄▅  plateau, rms 0.00400, top of the bars 0.00800",
        "   ▁▅██  plateau, rms 0.00800, baseline",
    ]


@pytest.mark.parametrize(
    ("values", "top", "bars"),
    [([0, 1, 2], 2.0, "▁▅█"), ([0.0, 0.0], 0.0, "▁▁"), ([], 1.0, ""), ([2.0], 2.0, "█")],
)
def test_bars(values, top, bars):
    assert sparkline(values, top) == bars


def test_a_check_that_broke_off_is_an_error_in_both():
    failure = {"kind": "EngineError", "message": "It ```crashed``` <b>.", "hint": "look there"}
    check = {"bundle": "out/tiny", "error": failure}
    root = ElementTree.fromstring(junit_xml(check))
    check_shape(root)
    assert root.get("errors") == "1"
    error = root.find(".//error")
    assert (error.get("type"), error.text) == ("EngineError", f"{failure['message']}\nlook there")
    text = summary_markdown(check)
    assert "❌ **Broken off.**" in text
    assert text.count("```") == 4
    assert "Hint: look there" in text
