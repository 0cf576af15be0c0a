from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from html_page import Page
from profile_results import profile

from rnn_edge.errors import BundleError
from rnn_edge.report import render_report

pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")

PARTS = ("train", "validation", "test")
SHARED = {
    *("summary", "models", "drift", "parity", "ranges"),
    *("exports", "training", "data", "not-run"),
}


@pytest.fixture(params=["keyword_report", "anomaly_report"])
def report(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.getfixturevalue(request.param)


def test_page_is_well_formed_and_its_ids_and_links_match(report: dict[str, Any]) -> None:
    page = Page(render_report(report))
    page.require_closed()
    assert {v for t, n, v in page.attributes if (t, n) == ("a", "href")} >= {
        f"#{name}" for name in SHARED
    }


def test_page_loads_nothing(report: dict[str, Any]) -> None:
    Page(render_report(report)).require_offline()


def test_every_section_of_the_task_is_there(
    keyword_report: dict[str, Any], anomaly_report: dict[str, Any]
) -> None:
    keyword, anomaly = (
        {v for t, n, v in Page(render_report(r)).attributes if (t, n) == ("section", "id")}
        for r in (keyword_report, anomaly_report)
    )
    assert keyword == SHARED | {"classes"}
    assert anomaly == SHARED | {"scores"}


def test_banner_stands_on_synthetic_data_only(
    keyword_report: dict[str, Any], anomaly_report: dict[str, Any]
) -> None:
    assert 'class="banner"' in render_report(keyword_report)
    assert 'class="banner"' not in render_report(anomaly_report)


def test_bytes_are_the_same_in_two_processes(report: dict[str, Any]) -> None:
    code = (
        "import json, sys; from rnn_edge.report import render_report; "
        "sys.stdout.buffer.write(render_report(json.load(sys.stdin)).encode())"
    )
    pages = [
        subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps(report).encode(),
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    ]
    assert pages[0] == pages[1]
    assert pages[0].decode() == render_report(report)


def test_users_matplotlibrc_does_not_change_the_page(keyword_report: dict[str, Any]) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    plain = render_report(keyword_report)
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.facecolor": "red"}):
        assert render_report(keyword_report) == plain


HOSTILE = "<script>alert('x')</script>&\"'><img src=//a.b/c onerror=d> $\\frac{"


def _poison(value: Any, path: str = "") -> Any:
    """Replace every text whose value is free by a hostile one."""
    fixed = {"format", "task"}
    if isinstance(value, dict):
        keys_are_names = re.search(r"(curves|cell_max|audio\.clips|channels\.\w+)$", path)
        return {
            (key + HOSTILE if keys_are_names else key): value[key]
            if key in fixed | {"measure", "with", "without"}
            or (key == "name" and path in {"models", "drift"})
            else _poison(value[key], f"{path}.{key}".strip("."))
            for key in value
        }
    if isinstance(value, list):
        return [_poison(item, path) for item in value]
    return HOSTILE if isinstance(value, str) else value


def test_every_text_is_escaped(report: dict[str, Any]) -> None:
    poisoned = _poison(report)
    poisoned["models"].append(copy.deepcopy(poisoned["models"][1]) | {"name": HOSTILE})
    poisoned["drift"].append(copy.deepcopy(poisoned["drift"][1]) | {"name": HOSTILE})
    page = Page(render_report(poisoned))
    assert not page.tags & {"script", "img"}
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.text.count(HOSTILE) > 20


def test_figures_are_printed_where_they_belong(keyword_report: dict[str, Any]) -> None:
    page = Page(render_report(keyword_report))
    assert page.row("Accuracy, reset")[-1] == "91.8 %90.7 to 92.7 %"
    assert page.row("onnx", "y") == ["onnx", "y", "within rounding", "10,000", "7.2e−7", "0.001"]
    assert page.row("onnx-int8", "y")[2:] == ["own arithmetic", "10,000", "0.25", "–"]
    assert page.row("Accuracy, never reset")[1] == "–"
    assert page.row("int8", "100,000") == ["int8", "100,000", "0.00910", "99.52 %"]
    assert page.row("c/demo_gru_data.c")[1:] == ["C source", "148,213"]
    assert page.row("Constants of the matrices together")[2] == "23,904"
    assert page.row("_silence_", "2,048") == ["_silence_", "2,048", "256", "243"]
    counts = keyword_report["models"][-1]["metrics"]["unreset"]["confusion"][2]
    assert page.row("yes")[1:] == [str(n) for n in counts]
    assert "qemu-system-arm is not installed" in page.text


def test_data_stands_in_the_order_of_its_use(
    keyword_report: dict[str, Any], anomaly_report: dict[str, Any]
) -> None:
    audio, sensors = Page(render_report(keyword_report)), Page(render_report(anomaly_report))
    assert [r[0] for r in audio.rows if r[0] in PARTS] == list(PARTS)
    assert audio.row("train") == [
        *("train", "24,576", "1,203", "32.4 min", "0.4 s", "1.0 s", "1.0 s", "5.3 min"),
    ]
    assert audio.row("test")[-1] == "none"
    clips = [r[0] for r in audio.rows if r[1:] == ["2,048", "256", "243"]]
    assert clips == keyword_report["labels"]
    assert audio.row("Equal samples in more than one part")[1] == "1: test:yes/1 = train:yes/9"
    clipped = audio.row("Words with over 1 % of the samples at full scale")
    assert clipped[1] == "20: bed/1, bed/2, cat/3, …"
    assert audio.row("Speakers in more than one part")[1] == "none"
    assert sensors.row("Channel") == ["Channel", "Part", "Min", "Mean", "Max", "Std"]
    channels = [r for r in sensors.rows if r[0] in anomaly_report["labels"]]
    assert [r[:2] for r in channels] == [
        [name, part] for name in anomaly_report["labels"] for part in PARTS
    ]
    assert sensors.row("Current", "test")[2:] == ["0.5000", "3.400", "6.000", "0.008000"]
    # The validation part has no recording whose length is known, and no label.
    assert sensors.row("validation")[3:] == ["–", "–", "–", "–", "0", "–"]


def test_synthetic_is_said_once_of_a_source(keyword_report: dict[str, Any]) -> None:
    for source, shown in (("pump", "pump (synthetic)."), ("synthetic pump", "synthetic pump.")):
        keyword_report["data"]["source"] = source
        assert f"Source: {shown}" in Page(render_report(keyword_report)).text


def test_what_each_step_changed_is_tested_pair_by_pair(
    keyword_report: dict[str, Any], anomaly_report: dict[str, Any]
) -> None:
    text = Page(render_report(keyword_report)).text.replace("\u00a0", " ")
    assert (
        "never reset: −0.28 points (95 % interval −0.78 to +0.21 points; 20 of 2,880 clips "
        "gained, 28 lost; p = 0.31): may be chance"
    ) in text
    assert "The test part does not tell int8 from float" in text
    assert "Training with the teacher" not in text  # nothing was measured of it
    assert "one seed" in text
    text = Page(render_report(anomaly_report)).text.replace("\u00a0", " ")
    assert "F1: −0.6 points (95 % interval −1.1 to −0.2 points; 19 recordings; p = 0.012)" in text
    assert "int8 differs from float by more than chance: F1 −0.6 points." in text


def test_an_unknown_measure_is_named(keyword_report: dict[str, Any]) -> None:
    keyword_report["comparisons"][0]["rows"][1]["measure"] = "speed"
    with pytest.raises(BundleError, match=r"'comparisons\[0\]\.rows\[1\]\.measure'"):
        render_report(keyword_report)


UNKNOWN = ("precision", "recall", "f1", "f1_interval", "missing_alarm_rate", "auc_pr", "event_f1")


@pytest.mark.parametrize("is_labelled", [True, False])
def test_without_anomalies_quality_is_not_measured(
    anomaly_report: dict[str, Any], is_labelled: bool
) -> None:
    for model in anomaly_report["models"]:
        model["metrics"] |= dict.fromkeys(UNKNOWN) | {"events": 0, "events_found": 0}
        model["metrics"] |= {"anomalous": 0, "is_labelled": is_labelled}
        if not is_labelled:
            model["metrics"]["false_alarm_rate"] = None
    anomaly_report["comparisons"][0]["rows"] = []
    page = Page(render_report(anomaly_report))
    text = page.text.replace("\u00a0", " ")
    assert text.count("not measured: no labelled anomalies") == 3
    assert "100.0 %" not in text.split("Anomaly scores", 2)[1].split("Score:")[0]
    titles = [r[0] for r in page.rows]
    assert ("False alarms, of normal frames" in titles) == is_labelled
    assert ("Alarms, of all frames" in titles) != is_labelled
    assert not {"F1 by frame", "Precision", "Events found"} & set(titles)


def test_without_a_test_part_the_page_says_so(report: dict[str, Any]) -> None:
    report |= {"models": [], "comparisons": [], "scores": []}
    text = Page(render_report(report)).text
    places = 4 if report["task"] == "kws" else 3
    assert text.count("not measured: the data has no test part") == places
    assert "frequent class" not in text
    assert "alarming all" not in text


def test_a_few_recordings_give_no_interval(anomaly_report: dict[str, Any]) -> None:
    assert "71.0 to 80.0" in Page(render_report(anomaly_report)).text
    for model in anomaly_report["models"]:
        model["metrics"]["recordings"] = 4
    text = Page(render_report(anomaly_report)).text
    assert "71.0 to 80.0" not in text
    assert "the test part has 4 recordings, too few for an interval" in text


def test_memory_and_work_stand_in_the_summary(report: dict[str, Any]) -> None:
    summary = Page(render_report(report)).text.replace("\u00a0", " ").split("Models", 2)[1]
    assert "Constants, flash23.3 KiB23,904 bytes" in summary
    assert "State and scratch, RAM256 Bfor each stream: 128 B carried, 128 B within" in summary
    assert "20,736 MAC" in summary
    assert "1,036,800 MAC a second at 50 steps a second" in summary
    assert "onnx: within 7.2e−7 of float" in summary


def test_what_the_c_of_a_pruned_model_multiplies_is_told(report: dict[str, Any]) -> None:
    whole, pruned = (
        Page(render_report({**report, **more})).text.replace("\u00a0", " ")
        for more in ({}, {"c_macs": 5120})
    )
    assert "5,120 MAC" in pruned
    assert "in the C, of 20,736 with zeros" in pruned
    assert "in the C, of" not in whole
    assert "20,736 MAC" in whole


def test_drift_is_described_by_its_figures(report: dict[str, Any]) -> None:
    page = Page(render_report(report))
    assert "of int8 is off by 0.00910 rms" in page.text
    assert "after training by 0.0290: fine-tuned weights drift 0.31 times as far" in page.text
    assert page.row("h0", "int8")[-1] == "1.00×"
    report["drift"][1]["hidden_rms"] = 0.058
    assert "drift 2.0 times as far" in Page(render_report(report)).text
    report["drift"][1]["hidden_rms"] = report["drift"][0]["hidden_rms"] = 0.029
    text = Page(render_report(report)).text
    assert "weights drift as far from their float run as those after training." in text
    assert "1.0 times" not in text


def test_a_negative_measure_is_shown_as_what_it_is_called(anomaly_report: dict[str, Any]) -> None:
    anomaly_report["training"][0]["best"] = -0.41789
    page = Page(render_report(anomaly_report))
    assert page.row("teacher", "validation error")[2] == "0.4179"
    assert "negative" not in page.text
    names = re.findall(r"(loss|score|validation|carried): ", page.text.split("Training", 2)[2])
    assert names == ["loss", "carried", "validation"]


def test_scores_are_defined_where_they_are_shown(anomaly_report: dict[str, Any]) -> None:
    text = Page(render_report(anomaly_report)).text.replace("\u00a0", " ")
    assert "Smoothed exponentially over 8 frames (0.2 s); the first 10 frames" in text
    assert "the 99 % quantile of the scores of the validation part, times 1.5" in text
    for name in ("threshold of float", "threshold of int8", "int8 − float", "labelled anomalous"):
        assert name in text


def test_how_far_a_threshold_is_extrapolated_is_said(anomaly_report: dict[str, Any]) -> None:
    anomaly_report["offsets"] = [0, -1]
    anomaly_report["detector"] |= {
        "score": "covariance",
        "method": "peaks",
        "false_alarms_per_day": 0.5,
        "least_frames": 3,
        "release": 0.7,
        "release_frames": 20,
    }
    anomaly_report["tails"]["int8"] = {
        "level": 1.5, "shape": -0.1234, "scale": 0.2, "peaks": 48, "seconds": 21600.0,
    }  # fmt: skip
    text = Page(render_report(anomaly_report)).text.replace("\u00a0", " ")
    assert "the outputs, which stand for the frames t, t-1, after their covariance" in text
    assert "the height that 0.5 peaks a day exceed" in text
    assert "the peaks above the 98 % quantile" in text
    assert "48 peaks in 6.0 h, shape −0.123; one in 48.0 h is wanted" in text
    assert "an extrapolation to 8.00 times as long" in text
    assert (
        "begins with 3 frames on end above the threshold and ends with 20 frames on end at or "
        "below 70 % of it" in text
    )


def test_alarms_of_a_plot_are_those_that_last(anomaly_report: dict[str, Any]) -> None:
    curve = anomaly_report["scores"][0]
    curve["alarms"] = {name: [1] * 150 + [0] * 450 for name in ("float", "int8")}
    text = Page(render_report(anomaly_report)).text.replace("\u00a0", " ")
    assert "alarm at 25.0 % of the points by float (above 2.22), at 25.0 % by int8" in text
    curve["alarms"]["int8"].pop()
    with pytest.raises(BundleError, match=r"'scores\[0\]\.alarms'"):
        render_report(anomaly_report)


def test_a_float_engine_that_is_off_is_named(report: dict[str, Any]) -> None:
    report["float_engines"][0]["maximum"] = 0.5
    page = Page(render_report(report))
    assert page.row("onnx", "y")[2] == "off"
    assert "onnx: off by 0.50 from float" in page.text


def test_every_tensor_has_its_ranges_and_its_verdict(report: dict[str, Any]) -> None:
    page = Page(render_report(report))
    assert page.row("l0_gx")[1:5] == ["matrix", "2−11", "±16", "−46.3 to 20"]
    assert page.row("l0_gx")[5:9] == ["−1.5", "−20 to 9.82", "−0.3", "−18 to 9.82"]
    assert page.row("l0_gx")[9] == "seencalibration 4,321 (0.211 %)replay 1,280 (0.200 %)"
    assert page.row("x")[4:6] == ["no bound", "–"]
    assert page.row("x")[-1] == "possible"
    assert page.row("h0_in")[-1] == "never"
    # Its end is one unit beyond the format: less than a bit can show.
    assert page.row("h0_out")[5:9] == ["0.0", "−0.977 to 1", "0.0", "−0.977 to 1"]
    assert page.row("h0_out")[9] == "seencalibration 2 (under 0.001 %)by one unit"
    assert page.row("l0_a_n")[9] == ("seencalibration 99 (0.005 %)replay 64 (0.010 %)before tanh")
    assert page.row("l0_rh_n")[4:8] == ["−4 to 2", "+2.0", "0 to 0", "–"]
    assert page.row("l0_rh_n")[8:] == ["−4 to 2", "never"]
    # Seen on the replay stream alone.
    assert page.row("y", "matrix")[8:] == ["−31.2 to 40", "seenreplay 6,400 (1.000 %)"]
    assert page.row("layer0.x", "192")[1:] == ["192", "26", "28", "25", "192", "0", "int32"]
    assert page.row("head", "12")[1:] == ["12", "33", "35", "32", "9", "3", "int64"]


def test_only_values_that_were_lost_are_warned_of(report: dict[str, Any]) -> None:
    sentence = "Values were lost to saturation on the "
    text = Page(render_report(report)).text
    assert text.count(f"{sentence}calibration streams") == 1
    assert "l0_gx: 4,321 (0.211\u00a0%) of its values; they span −20 to 9.82, and ±16 is" in text
    assert text.count(f"{sentence}replay stream") == 1
    assert "l0_gx: 1,280 (0.200\u00a0%) of its values; they span −18 to 9.82, and ±16 is" in text
    assert "y: 6,400 (1.000\u00a0%) of its values; they span −31.2 to 40, and ±32 is" in text
    assert "l0_a_n: " not in text
    assert "h0_out: " not in text
    for row in (*report["quantization"]["ranges"]["tensors"], *report["replayed_ranges"]):
        row["loses"] = False
    assert sentence not in Page(render_report(report)).text


def test_an_engine_with_other_bits_is_named(keyword_report: dict[str, Any]) -> None:
    assert "different" not in Page(render_report(keyword_report)).text
    keyword_report["parity"][3] |= {"differing": 5, "max_lsb": 2, "first_step": 1234}
    page = Page(render_report(keyword_report))
    assert "different: litert" in page.text
    assert page.row("litert", "h0")[2:] == ["different", "10,000", "5", "2", "1,234"]


def test_empty_lists_are_said_to_be_empty(report: dict[str, Any]) -> None:
    for key in ("training", "drift", "parity", "float_engines", "scores", "exports", "not_run"):
        report[key] = []
    text = Page(render_report(report)).text
    for sentence in (
        "No model was trained in this build.",
        "Drift was not measured.",
        "No engine was compared with the integer reference.",
        "No engine was compared with the float reference.",
        "Nothing was exported.",
        "Everything ran.",
    ):
        assert sentence in text


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("format",), "rnn-edge report 2", "'format'"),
        (("task",), "speech", "'task'"),
        (("models",), {}, "'models'"),
        (("weight_bytes",), 3.5, "'weight_bytes'"),
        (("macs",), True, "'macs'"),
        (("models", 4, "metrics", "reset", "accuracy"), float("nan"), "accuracy'"),
        (("models", 4, "metrics", "reset", "accuracy_interval"), [0.1], "accuracy_interval'"),
        (("models", 4, "metrics", "reset", "confusion", 0), [1, 2], "reset.confusion[0]'"),
        (("models", 4, "name"), "int4", "'models'"),
        (("drift", 0, "rows", 0, "curve", 3), 7, "'drift[0].rows[0].curve[3]'"),
        (("data", "is_synthetic"), "no", "'data.is_synthetic'"),
        (("replayed_ranges", 0, "tensor"), "other", "'replayed_ranges'"),
        (
            ("quantization", "ranges", "tensors", 2, "values"),
            17,
            "'quantization.ranges.tensors[2].values'",
        ),
        (("not_run",), None, "'not_run'"),
    ],
)
def test_a_wrong_value_is_named(
    keyword_report: dict[str, Any], path: tuple[Any, ...], value: Any, named: str
) -> None:
    place = keyword_report
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(BundleError, match=re.escape(named)):
        render_report(keyword_report)


def test_scores_of_different_lengths_are_named(anomaly_report: dict[str, Any]) -> None:
    anomaly_report["scores"][0]["int8"].pop()
    with pytest.raises(BundleError, match=r"'scores\[0\]\.int8'"):
        render_report(anomaly_report)


def test_every_missing_top_level_key_is_named(report: dict[str, Any]) -> None:
    of_scores = {"detector", "offsets", "is_commissioned", "tails"}
    unused = {"keyword": {"scores", "detector"}, "anomaly": of_scores}
    is_keyword = report["task"] == "kws"
    for key in ("training", "drift", "scores"):
        report[key] = []  # nothing to draw: what is missing is found all the same
    for key in set(report) - unused["keyword" if is_keyword else "anomaly"]:
        rest = {k: v for k, v in report.items() if k != key}
        with pytest.raises(BundleError, match=f"'{key}' is missing"):
            render_report(rest)


def other_machine() -> dict[str, Any]:
    found = profile()
    found["place"] |= {"name": "this machine", "model": "", "processor": "EPYC"}
    return found


def test_latency_on_machines_stands_in_the_report(keyword_report: dict[str, Any]) -> None:
    digest = keyword_report["model_digest"]
    found = [profile() | {"model_digest": digest}, other_machine() | {"model_digest": digest}]
    text = render_report(keyword_report, found)
    page = Page(text)
    # Both have plots: no id is given twice.
    page.require_closed()
    page.require_offline()
    assert page.sections().count("latency") == 1
    assert page.sections().index("latency") < page.sections().index("ranges")
    for part in ("On pi@garden <b>: Raspberry Pi 4", "On this machine: EPYC", "it is <not>"):
        assert part in page.text
    for heading in ("Engines beside each other", "Distribution of step times", "Over time"):
        assert page.text.count(heading) == 2
    assert len([row for row in page.rows if row[:2] == ["exported C, int8", "8.007.20 to 8.80"]])
    assert text.count("°C") > 2


def test_without_a_profile_a_report_says_nothing_of_latency(keyword_report: dict[str, Any]) -> None:
    assert "latency" not in Page(render_report(keyword_report, [])).sections()


def test_a_profile_of_another_model_is_refused(keyword_report: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match="does not belong to the report"):
        render_report(keyword_report, [profile() | {"model_digest": "0" * 64}])


def test_what_is_wrong_in_a_profile_is_told_as_its(keyword_report: dict[str, Any]) -> None:
    found = profile() | {"model_digest": keyword_report["model_digest"], "timeline": 5}
    with pytest.raises(BundleError, match=r"Profile: key 'timeline' is 5"):
        render_report(keyword_report, [found])
