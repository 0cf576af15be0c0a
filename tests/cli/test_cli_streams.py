"""`rnn-edge listen` and `rnn-edge evaluate --streaming`, and the examples of their pages."""

import fcntl
import json
import os
import pty
import re
import shlex
import struct
import subprocess
import termios
from pathlib import Path

import numpy as np
import pytest
from live_bundles import PROGRAM, WORDS, events_of, make_bundle

from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.detections import DETECTIONS, bundle_limits
from rnn_edge.pipeline.device_app import app_config

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"<!-- example: (\w+)(, streams)? -->\n```console\n(.*?)```", re.S)
SPOKEN = WORDS.replace(
    'kind = "synthetic-keywords"',
    'kind = "synthetic-keywords"\nkeywords = ["yes", "no"]\nsilence = false\n'
    'unknown_words = ["left", "right", "go"]\n'
    "train_clips = 4\nvalidation_clips = 6\ntest_clips = 6",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a bundle of random weights and sound."""
    soundfile = pytest.importorskip("soundfile", reason="sound files need soundfile")
    made = tmp_path_factory.mktemp("streams")
    make_bundle(made / "out" / "word", SPOKEN)
    make_bundle(made / "out" / "pump")
    rng = np.random.default_rng(0)
    loud = np.repeat(rng.uniform(0, 9000, 20), 1600)
    soundfile.write(made / "words.wav", (rng.normal(0, 1, 32_000) * loud).astype(np.int16), 16_000)
    (made / "bad.wav").write_bytes(rng.bytes(400))
    return made


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def test_listening_tells_the_events_of_run(here, rnn_edge):
    heard = rnn_edge("listen", "out/word", "words.wav", "--fast", "--json", "--every", "0.1")
    ran = rnn_edge("run", "out/word", "--source", "words.wav", "--fast")
    assert (heard.code, ran.code) == (0, 0)
    events, wanted = events_of(heard.out), events_of(ran.out)
    told = ("begin", "end")
    assert [e for e in events if e["event"] in told] == [e for e in wanted if e["event"] in told]
    assert sum(e["event"] == "begin" for e in events) > 3
    assert events[0]["event"] == "started"
    assert events[0]["thresholds"] == [pytest.approx(0.4, abs=1e-4)] * 2 + [None]
    between = [e for e in events if e["event"] == "probabilities"]
    assert [round(e["time_s"], 2) for e in between[:2]] == [0.11, 0.21]
    assert all(set(e["means"]) == {"yes", "no"} for e in between)
    assert all(0.0 <= p <= 1.0 for e in between for p in e["means"].values())


def test_lines_are_written_where_there_is_no_terminal(here, rnn_edge):
    result = rnn_edge("listen", "out/word", "words.wav", "--fast", "--every", "0.5")
    assert result.code == 0
    head, *lines = result.out.splitlines()
    assert head == "word listens to words.wav, with limits that treat all keywords alike"
    assert any(re.fullmatch(r"00:0\d\.\d\d  (yes|no) begins, score 0\.\d\d", x) for x in lines)
    assert any(re.fullmatch(r"00:0\d\.\d\d  (yes|no) 0\.\d\d  (yes|no) 0\.\d\d", x) for x in lines)
    assert re.match(r"9\d frames; ", result.err.splitlines()[-1])


def test_bars_move_in_a_terminal(here):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    child = subprocess.Popen(
        [PROGRAM, "listen", "out/word", "words.wav"],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    shown = b""
    # The end of a pseudo-terminal whose program is gone is an error on Linux.
    while True:
        try:
            chunk = os.read(ours, 65_536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    assert child.wait(30) == 0
    child.stderr.close()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", shown.decode())
    assert "word listens to words.wav" in text
    # It was drawn again and again, as the file was played in real time.
    assert text.count("detections") > 5
    assert "███" in text
    assert "│" in text


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["out/word"], 2, "Name FILE.wav or give --mic, one of them."),
        (["out/word", "words.wav", "--mic"], 2, "Name FILE.wav or give --mic, one of them."),
        (["out/word", "words.wav", "--device", "x"], 2, "--device is for --mic."),
        (["out/word", "--mic", "--fast"], 2, "--fast is for files"),
        (["out/word", "words.wav", "--json", "--plain"], 2, "choose one"),
        (["out/word", "none.wav"], 1, "Source 'none.wav' is no file"),
        (["out/word", "bad.wav"], 1, "bad.wav cannot be read"),
        (["out/pump", "words.wav"], 1, "listening is for keywords"),
    ],
)
def test_what_cannot_be_heard_is_refused(here, rnn_edge, arguments, code, expected):
    result = rnn_edge("listen", *arguments)
    assert result.code == code
    assert expected in result.err
    assert "event" not in result.out


def test_a_microphone_that_is_not_there_is_told(here, rnn_edge):
    result = rnn_edge("listen", "out/word", "--mic", "--device", "no such card")
    assert result.code == 1
    assert "icrophone" in result.err
    assert "Hint:" in result.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--minutes", "2"], "--minutes does nothing without --streaming."),
        (["--calibrate", "2"], "--calibrate does nothing without --streaming."),
        (["--streaming", "--calibrate", "0.01"], "0.01 is not in the range"),
        (["--streaming", "--all", "--data", "words.wav"], "--all is not for --streaming"),
    ],
)
def test_a_wrong_evaluation_is_refused(here, rnn_edge, arguments, expected):
    result = rnn_edge("evaluate", "out/word", *arguments)
    assert result.code == 2
    assert expected in result.err


def test_noise_that_is_one_file_is_refused(here, tmp_path, rnn_edge):
    soundfile = pytest.importorskip("soundfile", reason="sound files need soundfile")
    soundfile.write(tmp_path / "one.wav", np.ones(800, np.int16), 16_000)
    result = rnn_edge("evaluate", "out/word", "--streaming", "--noise", tmp_path)
    assert result.code == 1
    assert f"Noise {tmp_path} has 1 sound file; expected two at least" in result.err


@pytest.mark.slow
def test_streams_are_measured_and_limits_are_kept(tmp_path, monkeypatch, rnn_edge):
    pytest.importorskip("matplotlib", reason="the page has a plot")
    make_bundle(tmp_path / "word", SPOKEN)
    monkeypatch.chdir(tmp_path)
    common = ("evaluate", "word", "--streaming", "--minutes", "1", "--engines", "int8,c")
    before = rnn_edge(*common, "--json")
    assert before.code == 0, before.err
    assert before.json["wanted_false_accepts_per_hour"] is None
    assert before.json["engines"]["int8"] == before.json["engines"]["c"]
    found = before.json["engines"]["int8"]
    kinds = [(row["bed"], row["snr_db"]) for row in found["conditions"]]
    ratios = (20.0, 10.0, 5.0, 0.0)
    assert kinds == [
        *((bed, snr) for bed in ("noise", "speech") for snr in ratios),
        ("noise", None),
        ("speech", None),
    ]
    assert all(row["words"] == 12 for row in found["conditions"][:8])
    here = next(point for point in found["curve"] if point["moved"] == 0.0)
    assert here["false_accepts_per_hour"] == found["background"]["false_accepts_per_hour"]

    after = rnn_edge(*common, "--calibrate", "3600", "--out", "pages")
    assert after.code == 0, after.err
    assert "limits: calibrated for 3600 false accepts per hour" in after.out
    bundle = Bundle.open(tmp_path / "word")
    kept = bundle_limits(bundle, bundle.model())
    written = json.loads((tmp_path / "word" / DETECTIONS).read_text())
    assert [row["label"] for row in written["keywords"]] == ["yes", "no", "unknown"]
    # What a device is given is what was chosen.
    assert app_config(bundle).rule.keywords == kept.keywords
    assert kept.keywords[2] is None
    page = (tmp_path / "pages" / "streaming.html").read_text()
    assert page.count("<svg") >= 2
    assert "http" not in page.replace("http://www.w3.org", "")
    result = json.loads((tmp_path / "pages" / "streaming.json").read_text())
    assert result["wanted_false_accepts_per_hour"] == 3600.0
    told = rnn_edge("listen", "word", "--json", "--fast", "nothing.wav")
    assert told.code == 1


def examples():
    for page in ("listen.md", "detections.md", "cli.md"):
        for name, marked, body in BLOCK.findall((DOCS / page).read_text()):
            if page != "cli.md" or marked:
                yield from ((page, name, line) for line in body.strip().splitlines())


@pytest.mark.parametrize(("page", "name", "line"), list(examples()))
def test_examples_run(here, rnn_edge, page, name, line):
    _, program, verb, *arguments = shlex.split(line)
    assert (program, verb) == ("rnn-edge", name)
    if "--mic" in arguments:
        pytest.skip("no microphone here")
    if "--out" in arguments:
        pytest.importorskip("matplotlib", reason="the page has a plot")
    result = rnn_edge(verb, *arguments)
    assert result.code == 0, f"{line}\n{result.err}"
    assert result.out


def test_every_option_is_told():
    from rnn_edge.cli.program import cli

    text = (DOCS / "listen.md").read_text()
    for param in cli.get_command(None, "listen").params:
        for name in (name for name in param.opts if name.startswith("--")):
            assert f"`{name}" in text or f" {name}" in text, name
