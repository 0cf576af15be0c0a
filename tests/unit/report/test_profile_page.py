"""The page of a profile, of prepared figures."""

import copy

import pytest
from html_page import Page
from profile_results import emulated, profile

from rnn_edge.cli.profile_lines import profile_lines
from rnn_edge.errors import BundleError
from rnn_edge.report import render_profile


def test_the_page_is_closed_loads_nothing_and_is_the_same_twice():
    text = render_profile(profile())
    page = Page(text)
    page.require_closed()
    page.require_offline()
    assert text == render_profile(profile())
    assert page.sections() == [
        "summary", "distributions", "real-time", "memory", "timeline", "conditions",
    ]  # fmt: skip
    assert "pi@garden <b>" in page.text
    assert "it is <not>" in page.text


def test_figures_stand_where_they_belong():
    page = Page(render_profile(profile()))
    row = page.row("exported C, int8")
    assert row[1] == "8.007.20 to 8.80"
    assert row[-1] == "equal"
    assert "7.5\u00a0times as fast" in page.text
    paced = [each for each in page.rows if each[:2] == ["LiteRT, int8", "150"]]
    assert paced[0][2] == "2"
    assert page.row("Stack of a step")[1] == "352"
    assert page.row("Throttled now") == ["Throttled now", "no", "frequency capped"]
    assert page.row("Temperature, °C") == ["Temperature, °C", "50", "not available"]


def test_lines_and_page_say_the_same_of_the_clock():
    result = profile()
    assert "clock in steps of 20 ns, a reading 25 ns" in "\n".join(profile_lines(result))
    page = Page(render_profile(result)).text
    assert "The clock moves in steps of 20 ns and a reading takes 25 ns" in page


def test_heat_is_drawn_where_it_is_known():
    known = render_profile(profile())
    assert "does not tell its temperature" not in known
    silent = profile()
    for moment in silent["timeline"]:
        moment["temperature_c"] = None
    assert "does not tell its temperature" in render_profile(silent)
    assert render_profile(silent).count("°C") < known.count("°C")


def test_nothing_paced_and_nothing_started_is_said():
    result = profile()
    for row in result["subjects"]:
        row |= {"paced": None, "cold_start_ms": None, "per_second_ms": None}
    text = Page(render_profile(result)).text
    assert "No frames were paced" in text
    assert "No cold starts were measured" in text
    assert "missed" in "\n".join(profile_lines(result))


def test_energy_is_shown_where_there_is_a_sensor():
    assert "Energy" not in Page(render_profile(profile())).text
    result = profile()
    energy = {"idle_w": 2.5, "busy_w": 3.0, "step_s": 8e-6, "step_uj": 4.0}
    energy |= {"source": "sensor in the supply", "paced_w": None}
    result["subjects"][0]["energy"] = energy
    rows = Page(render_profile(result)).rows
    assert ["exported C, int8", "4.00", "3.00", "2.50", "–"] in rows
    assert "exported C, int8: 4.00 µJ (3.000 W, idle 2.500 W; sensor in the supply)" in "\n".join(
        profile_lines(result)
    )


def test_an_emulated_processor_has_no_times():
    page = Page(render_profile(emulated()))
    assert page.sections() == ["emulated", "memory", "conditions"]
    assert page.row("cortex-a72")[1] == "49,728"
    assert "µs" not in page.text


def test_words_say_the_same():
    text = "\n".join(profile_lines(profile()))
    for part in (
        "on pi@garden <b>",
        "Raspberry Pi 4; aarch64; 4 cores",
        "2 of 150",
        "governor ondemand",
        "throttling frequency capped",
        "not measured: onnxruntime, float: it is <not>",
        "5 hops at once: 1.04 % of a core flat out, 2.08 % paced in real time",
    ):
        assert part in text
    assert text.splitlines()[-1] == (
        "verdict: a step of the C takes 8.00 µs, flat out 7.5 times as fast as the fastest "
        "interpreter (LiteRT, int8); paced in real time 7.5 times (LiteRT, int8)"
    )


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("format",), "x", "'rnn-edge profile 1'"),
        (("subjects", 0, "step_us", "p50", "value"), "fast", "a number"),
        (("program", "state_bytes"), 1.5, "a whole number"),
    ],
)
def test_what_is_no_profile_is_refused_by_its_place(path, value, expected):
    result = copy.deepcopy(profile())
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(BundleError, match=expected):
        render_profile(result)
