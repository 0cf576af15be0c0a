from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest

from rnn_edge.errors import BundleError
from rnn_edge.report import render_report

pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")

VOID = {"meta", "br", "hr", "link", "img", "input"}
SHARED = {
    *("summary", "models", "drift", "parity", "ranges"),
    *("exports", "training", "data", "not-run"),
}


class Page(HTMLParser):
    """Collects what the tests ask for and fails on elements that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data.replace("\u00a0", " ")

    def row(self, *start: str) -> list[str]:
        return next(r for r in self.rows if r[: len(start)] == list(start))


@pytest.fixture(params=["keyword_report", "anomaly_report"])
def report(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.getfixturevalue(request.param)


def test_page_is_well_formed_and_its_ids_and_links_match(report: dict[str, Any]) -> None:
    page = Page(render_report(report))
    assert len(page.ids) == len(set(page.ids))
    targets = {v.removeprefix("#") for _, name, v in page.attributes if name == "href"}
    targets |= {m for _, _, v in page.attributes for m in re.findall(r"url\(#(.*?)\)", v)}
    assert targets <= set(page.ids)
    assert {v for t, n, v in page.attributes if (t, n) == ("a", "href")} >= {
        f"#{name}" for name in SHARED
    }


def test_page_loads_nothing(report: dict[str, Any]) -> None:
    source = render_report(report)
    page = Page(source)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "image", "base"}
    for _, name, value in page.attributes:
        assert name not in {"src", "srcset", "data", "xlink:href"}
        assert not name.startswith("on")
        if name == "href":
            assert value.startswith("#")
    assert "//" not in source.replace("</", "")
    assert "@import" not in source
    assert not re.search(r"url\((?!#)", source)


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
        keys_are_names = path.split(".")[-1] in {"curves", "classes", "cell_max", "summary"}
        return {
            (key + HOSTILE if keys_are_names else key): value[key]
            if key in fixed or (key == "name" and path in {"models", "drift"})
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
    assert page.row("Accuracy, never reset")[1] == "–"
    assert page.row("int8", "100,000") == ["int8", "100,000", "0.00910", "99.52 %"]
    assert page.row("c/demo_gru_data.c")[1:] == ["148,213", "144.7 KiB"]
    assert page.row("_silence_", "2,048") == ["_silence_", "2,048", "256", "243"]
    counts = keyword_report["models"][-1]["metrics"]["unreset"]["confusion"][2]
    assert page.row("yes")[1:] == [str(n) for n in counts]
    assert "qemu-system-arm is not installed" in page.text


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
    for key in ("training", "drift", "parity", "scores", "exports", "not_run"):
        report[key] = []
    text = Page(render_report(report)).text
    for sentence in (
        "No model was trained in this build.",
        "Drift was not measured.",
        "No engine was compared with the integer reference.",
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
    unused = {"keyword": {"scores"}, "anomaly": {"labels"}}
    is_keyword = report["task"] == "kws"
    for key in ("training", "drift", "scores"):
        report[key] = []  # nothing to draw: what is missing is found all the same
    for key in set(report) - unused["keyword" if is_keyword else "anomaly"]:
        rest = {k: v for k, v in report.items() if k != key}
        with pytest.raises(BundleError, match=f"'{key}' is missing"):
            render_report(rest)
