"""`rnn-edge run --report`: what the page and the JSON say of a run, and how they are paced."""

import contextlib
import io
import json
import re
import time

import numpy as np
import pytest
from html_page import Page
from live_bundles import SENSOR, WORDS, make_bundle, write_rows

from rnn_edge.cli.main import run
from rnn_edge.live.envelope import MOST_BUCKETS

pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")

LABELLED = SENSOR.replace("[features]", 'label_columns = ["anomaly", "other"]\n[features]')
MADE = """
[model]
name = "made"
task = "anomaly"
cell = "gru"
hidden = 6
[data]
kind = "synthetic-machine"
[features]
kind = "channels"
"""
ROWS = 3000


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    make_bundle(folder / "pump", LABELLED)
    make_bundle(folder / "word", WORDS)
    write_rows(folder / "plain.csv", ROWS)
    lines = (folder / "plain.csv").read_text().splitlines()
    # Faults are rows 471..499 of every 500; a label that says nothing leaves its row out.
    marked = [f"{lines[0]},anomaly,changepoint"]
    for t, line in enumerate(lines[1:]):
        mark = "" if t in (40, 41) else str(int(t % 500 > 470))
        marked.append(f"{line},{mark},0")
    (folder / "rows.csv").write_text("\n".join(marked) + "\n")
    return folder


def report_of(rnn_edge, out, *arguments):
    result = rnn_edge("run", *arguments, "--fast", "--report", out)
    assert result.code == 0, result.err
    assert "run.html" in result.err
    events = [json.loads(line) for line in result.out.splitlines()]
    return json.loads((out / "run.json").read_text()), Page((out / "run.html").read_text()), events


@pytest.fixture(scope="module")
def found(places, tmp_path_factory):
    """JSON, page and events of one run over labelled rows."""
    out = tmp_path_factory.mktemp("found") / "run"
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        arguments = ["run", places / "pump", "-s", places / "rows.csv", "--fast", "--report", out]
        assert run(list(map(str, arguments))) == 0
    events = [json.loads(line) for line in text.getvalue().splitlines()]
    page = (out / "run.html").read_text()
    return json.loads((out / "run.json").read_text()), page, events


def test_decisions_are_those_that_were_told(found):
    result, page, events = found
    ended = [e for e in events if e["event"] == "end"]
    assert result["frames"] == ROWS
    assert result["decisions"]["begun"] == len([e for e in events if e["event"] == "begin"]) > 0
    assert [d["began"] for d in result["decisions"]["listed"]] == [e["began"] for e in ended]
    assert result["decisions"]["rate"]["per"] == "day"
    assert result["decisions"]["rate"]["value"] == pytest.approx(
        len(ended) / (ROWS / 2.0 / 86_400.0)
    )
    assert f"{ended[0]['began']:,}" in page


def test_labels_are_those_of_the_columns_of_the_spec(found):
    result, _, events = found
    labels = result["labels"]
    truth = np.arange(ROWS) % 500 > 470
    alarm = np.zeros(ROWS, bool)
    for event in events:
        if event["event"] == "end":
            alarm[event["began"] : event["step"]] = True
    known = np.ones(ROWS, bool)
    known[[40, 41]] = False
    assert labels["anomalous_frames"] == truth.sum()
    assert labels["normal_frames"] == (known & ~truth).sum()
    assert labels["right_frames"] == (alarm & truth).sum()
    assert labels["false_frames"] == (alarm & known & ~truth).sum()
    assert labels["events"] == 6
    assert 0 < labels["events_found"] <= 6


def test_curves_are_the_samples_with_nothing_lost(found, places):
    result, _, _ = found
    held = result["curves"]["samples"]
    values = np.loadtxt(places / "rows.csv", delimiter=",", skiprows=1, usecols=(1, 2))
    length = round(held["stretch_s"] * 2.0)
    assert held["names"] == ["pressure", "current"]
    assert held["samples"] == ROWS
    assert len(held["low"][0]) == -(-ROWS // length) <= MOST_BUCKETS
    for k in range(2):
        parts = [values[a : a + length, k] for a in range(0, ROWS, length)]
        assert held["low"][k] == pytest.approx([p.min() for p in parts], rel=1e-5)
        assert held["high"][k] == pytest.approx([p.max() for p in parts], rel=1e-5)
    assert max(v for v in result["curves"]["scores"]["high"][0]) > result["thresholds"][0]
    marks = result["curves"]["anomalous"]
    assert sum(b > a for a, b in zip([0, *marks], marks, strict=False)) == 6


def test_the_frames_about_the_largest_score_are_kept_one_by_one(found, places):
    result, page, _ = found
    whole, closest = result["curves"], result["closest"]
    assert whole["scores"]["stretch_s"] > closest["curves"]["scores"]["stretch_s"] == 0.5
    scores = closest["curves"]["scores"]["high"][0]
    assert max(scores) == max(whole["scores"]["high"][0])
    first = closest["first"]
    values = np.loadtxt(places / "rows.csv", delimiter=",", skiprows=1, usecols=(1, 2))
    for k in range(2):
        samples = closest["curves"]["samples"]["high"][k]
        assert samples == pytest.approx(values[first : first + len(samples), k], rel=1e-5)
    marks = closest["curves"]["anomalous"]
    truth = np.arange(first, first + len(marks)) % 500 > 470
    assert marks == truth.astype(int).tolist()
    assert "About the largest score" in page


def test_the_page_shows_channels_score_alarms_and_labels(found):
    page = Page(found[1])
    page.require_closed()
    page.require_offline()
    assert page.sections() == ["summary", "picture", "decisions", "counts"]
    for word in ("pressure", "current", "score", "threshold", "alarm", "labelled anomalous"):
        assert word in page.text
    assert re.search(r"per day \(\S+ to \S+\) of normal frames", page.text)


def test_the_same_samples_give_the_same_bytes(found, places, tmp_path, rnn_edge):
    report_of(rnn_edge, tmp_path, places / "pump", "-s", places / "rows.csv")
    result = json.loads((tmp_path / "run.json").read_text())
    assert result == found[0]
    assert (tmp_path / "run.html").read_text() == found[1]


def test_without_labels_the_page_says_so(places, tmp_path, rnn_edge):
    result, page, _ = report_of(
        rnn_edge, tmp_path, places / "pump", "-s", places / "plain.csv", "--steps", "700"
    )
    assert result["labels"] is None
    # Every frame is drawn by itself already.
    assert result["closest"] is None
    assert result["curves"]["anomalous"] is None
    assert result["curves"]["samples"]["samples"] == result["frames"] == 700
    assert "Nothing is labelled" in page.text
    assert "labelled anomalous" not in page.text


def test_a_bundle_of_made_data_knows_usual_labels(places, tmp_path, rnn_edge):
    make_bundle(tmp_path / "made", MADE)
    source = ["-s", places / "rows.csv", "--steps", "600"]
    result, _, _ = report_of(rnn_edge, tmp_path / "a", tmp_path / "made", *source)
    assert result["labels"]["anomalous_frames"] == 29
    # A spec that describes tables and names no labels is believed.
    make_bundle(tmp_path / "plain")
    result, _, _ = report_of(rnn_edge, tmp_path / "b", tmp_path / "plain", *source)
    assert result["labels"] is None


def test_keywords_have_their_probabilities_and_detections(places, tmp_path, rnn_edge):
    soundfile = pytest.importorskip("soundfile", reason="reading audio files needs soundfile")
    pcm = np.random.default_rng(0).normal(0, 3000, 48_000).astype(np.int16)
    soundfile.write(tmp_path / "noise.wav", pcm, 16_000)
    result, page, events = report_of(
        rnn_edge, tmp_path / "out", places / "word", "-s", tmp_path / "noise.wav"
    )
    assert result["scores"] == ["yes", "no"]
    assert result["thresholds"] == pytest.approx([0.4, 0.4], abs=1e-3)
    assert set(result["curves"]["detected"]) == {"yes", "no"}
    begun = [e["label"] for e in events if e["event"] == "begin"]
    for label in ("yes", "no"):
        assert any(result["curves"]["detected"][label]) == (label in begun)
    assert result["curves"]["samples"]["names"] == ["sound"]
    assert max(result["curves"]["samples"]["high"][0]) == pcm.max()
    assert "mean probability" in page.text


def test_files_are_played_at_a_speed(places, tmp_path, rnn_edge):
    began_s = time.monotonic()
    # 400 rows at 2 per second are 200 s of signal.
    result = rnn_edge(
        "run", places / "pump", "-s", places / "plain.csv", "--steps", "400", "--speed", "400"
    )
    took_s = time.monotonic() - began_s
    assert result.code == 0
    stopped = json.loads(result.out.splitlines()[-1])
    assert stopped["frames"] + stopped["dropped_frames"] >= 400
    assert took_s >= 0.45


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["-s", "plain.csv", "--fast", "--speed", "2"], 2, "--fast plays as fast as can be"),
        (["--speed", "2"], 1, "Source '-' at 2 times its speed; expected files."),
        (["-s", "plain.csv", "--install-unit", "--report", "x"], 2, "a unit has none"),
        (["-s", "plain.csv", "--report", "pump"], 1, "Folder pump is a bundle"),
        (["-s", "plain.csv", "--report", "pump"], 1, "Hint: --report pump-report"),
        (["-s", "plain.csv", "--report", "plain.csv/x"], 1, "choose another folder with --report"),
    ],
)
def test_what_makes_no_sense_is_refused(places, rnn_edge, monkeypatch, arguments, code, expected):
    monkeypatch.chdir(places)
    result = rnn_edge("run", "pump", *arguments)
    assert result.code == code
    assert expected in result.err


def test_a_run_without_a_frame_has_no_report_and_says_so(places, tmp_path, rnn_edge):
    (tmp_path / "names.csv").write_text((places / "plain.csv").read_text().splitlines()[0] + "\n")
    (tmp_path / "own").mkdir()
    for out, stays in (("new", False), ("own", True)):
        line = ["run", places / "pump", "-s", tmp_path / "names.csv", "--fast"]
        result = rnn_edge(*line, "--report", tmp_path / out)
        assert "No report: there was no frame." in result.err
        assert (tmp_path / out).exists() == stays
