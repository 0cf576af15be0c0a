"""What the small commands do."""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnn_edge.cli import checks
from rnn_edge.cli.progress import SECONDS_BETWEEN_LINES, LineProgress, describe
from rnn_edge.spec import load_spec

PROGRAM = Path(sys.executable).with_name("rnn-edge")


@pytest.mark.parametrize("task", ["kws", "anomaly"])
def test_new_writes_a_valid_spec(rnn_edge, tmp_path, task):
    folder = tmp_path / "a" / "b"
    result = rnn_edge("new", task, folder, "--json")
    assert result.code == 0
    assert sorted(p.name for p in folder.iterdir()) == [".gitignore", "README.md", "spec.toml"]
    assert sorted(result.json["files"]) == sorted(str(p) for p in folder.iterdir())
    spec = load_spec(folder / "spec.toml")
    assert spec.model.task == task
    assert f"out/{spec.model.name}" in (folder / "README.md").read_text()


@pytest.mark.parametrize("task", ["kws", "anomaly"])
def test_the_commented_section_for_recordings_is_valid(rnn_edge, tmp_path, task):
    rnn_edge("new", task, tmp_path)
    text = (tmp_path / "spec.toml").read_text()
    head, rest = text.split("[data]\n", 1)
    generated, commented = rest.split("# [data]\n", 1)
    recorded, tail = commented.split("\n\n", 1)
    lines = "\n".join(line.removeprefix("# ") for line in recorded.splitlines())
    assert "kind" in generated
    (tmp_path / "own.toml").write_text(f"{head}[data]\n{lines}\n\n{tail}")
    assert load_spec(tmp_path / "own.toml").data.path == str(tmp_path / "recordings")


def test_new_does_not_write_over_anything(rnn_edge, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    result = rnn_edge("new", "kws", tmp_path)
    assert result.code == 1
    assert f"File {tmp_path}/README.md exists" in result.err
    assert [p.name for p in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("folder", ["file/x", "/proc/x"])
def test_new_names_a_folder_that_cannot_be_written(rnn_edge, tmp_path, folder):
    (tmp_path / "file").write_text("")
    result = rnn_edge("new", "kws", tmp_path / folder)
    assert result.code == 1
    assert f"{tmp_path / folder} cannot be written" in result.err


def test_doctor_lists_every_group(rnn_edge):
    found = rnn_edge("doctor", "--json").json
    groups = {check["group"] for check in found["checks"]}
    assert groups == {
        "extras", "interpreters", "compilers", "emulators", "flash tools", "permissions",
    }  # fmt: skip
    for check in found["checks"]:
        assert check["is_found"] or check["remedy"], check
        assert not (check["is_found"] and check["remedy"]), check
        assert check["detail"], check


def test_doctor_says_the_same_in_words(rnn_edge):
    text = rnn_edge("doctor").out
    for check in rnn_edge("doctor", "--json").json["checks"]:
        assert check["name"] in text
        assert check["remedy"] in text


def test_doctor_finds_what_is_installed_and_what_is_not(tmp_path, monkeypatch):
    tool = tmp_path / "openocd"
    tool.write_text("#!/bin/sh\necho 'Open On-Chip Debugger 0.12.0+dev' >&2\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    by_name = {check.name: check for check in checks.all_checks()}
    assert by_name["openocd"].is_found
    assert by_name["openocd"].version == "0.12.0"
    assert not by_name["dfu-util"].is_found
    assert by_name["dfu-util"].remedy == "apt install dfu-util"


def test_doctor_survives_a_tool_that_does_not_run(tmp_path, monkeypatch):
    tool = tmp_path / "cc"
    tool.write_text("no program")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    check = checks.check_program("compilers", checks.COMPILERS[0])
    assert check.is_found
    assert check.version == ""


def test_extras_are_those_of_the_project():
    pytest.importorskip("tomllib")
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    declared = project["project"]["optional-dependencies"]
    assert set(checks.extras()) == set(declared)
    assert "tensorflow" in checks.extras()["all"]
    assert "soundfile" in checks.extras()["train"]


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(
        checks, "installed_version", lambda name: "" if name == "matplotlib" else "1.0"
    )
    by_name = {check.name: check for check in checks.check_extras()}
    assert by_name["report"].detail == "lacks matplotlib"
    assert by_name["report"].remedy == "pip install 'rnn-edge[report]'"
    assert by_name["audio"].is_found


@pytest.mark.parametrize(
    ("machine", "python", "expected"),
    [
        ("x86_64", (3, 11), ("ai-edge-litert",)),
        ("armv7l", (3, 11), ("numpy", "tflite-runtime")),
        ("armv7l", (3, 12), ()),
        ("armv6l", (3, 11), ()),
    ],
)
def test_an_extra_lacks_only_what_it_brings_here(monkeypatch, machine, python, expected):
    lines = [
        "rnn-edge[litert]; extra == 'pi'",
        "ai-edge-litert>=2.0; (platform_machine != 'armv6l' and platform_machine != 'armv7l') "
        "and extra == 'litert'",
        *(
            f"{name}; (python_version < '3.12' and platform_machine == 'armv7l') and extra == 'pi'"
            for name in ("tflite-runtime>=2.14", "numpy<2")
        ),
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: lines)
    monkeypatch.setattr(checks, "wheel_machine", lambda: machine)
    monkeypatch.setattr(checks.sys, "version_info", python)
    monkeypatch.setattr(checks, "installed_version", lambda name: "")
    assert checks.extras()["pi"] == expected
    found = {check.name: check for check in checks.check_extras()}["pi"]
    if expected:
        assert found.detail == f"lacks {', '.join(expected)}"
    else:
        assert found.is_found
        assert found.detail.startswith(f"has nothing to bring for {machine} with Python 3.")


def test_a_folder_that_is_not_writable_is_told():
    found = json.loads(
        subprocess.run(
            [PROGRAM, "doctor", "--json"], cwd="/proc", capture_output=True, check=True
        ).stdout
    )
    folder = next(c for c in found["checks"] if c["name"] == "working folder")
    assert not folder["is_found"]


def test_inspecting_tables_guesses_their_layout(rnn_edge, tmp_path, pump_tables):
    pump_tables(tmp_path / "rec", count=4)
    found = rnn_edge("data", "inspect", tmp_path / "rec", "--json").json
    assert found["data"]["kind"] == "sensor-table"
    assert found["data"]["label_columns"] == ["anomaly"]
    assert found["data"]["time_column"] == "time"
    assert found["data"]["time_format"] == "number"
    assert set(found["sensors"]["channels"]["train"]) == {"pressure", "current"}
    text = rnn_edge("data", "inspect", tmp_path / "rec").out
    assert 'time_column = "time"' in text


def test_inspecting_semicolons_and_dates(rnn_edge, tmp_path):
    (tmp_path / "rec").mkdir()
    rows = [f"2020-01-01 00:{m:02}:{s:02};{m};{s}" for m in range(5) for s in range(60)]
    for k in range(3):
        (tmp_path / "rec" / f"{k}.csv").write_text("datetime;a;b\n" + "\n".join(rows) + "\n")
    found = rnn_edge("data", "inspect", tmp_path / "rec", "--json").json
    assert found["data"]["delimiter"] == ";"
    assert found["data"]["time_format"] == "iso"
    assert found["sensors"]["sample_rate_hz"] == 1.0
    # Three files leave a part without any, so that each is divided by time.
    assert found["data"]["split_by"] == "time"
    assert found["sensors"]["leaks"]["count"] == 3


def test_inspecting_sound_guesses_words_and_splits(rnn_edge, tmp_path):
    soundfile = pytest.importorskip("soundfile", reason="sound needs soundfile")
    generator = np.random.default_rng(0)
    for word in ("yes", "no", "rare"):
        (tmp_path / "rec" / word).mkdir(parents=True)
        for k in range(40 if word != "rare" else 2):
            pcm = (3000 * generator.standard_normal(1600)).astype(np.int16)
            soundfile.write(tmp_path / "rec" / word / f"s{k:02}_nohash_0.wav", pcm, 16000)
    found = rnn_edge("data", "inspect", tmp_path / "rec", "--json").json
    assert found["data"]["keywords"] == ["no", "yes"]
    assert found["data"]["split"] == "hash"
    assert sum(found["audio"]["clips"]["yes"].values()) == 40
    text = rnn_edge("data", "inspect", tmp_path / "rec").out
    assert "Words with few clips are left out: rare (2)." in text


def test_inspecting_few_clips_says_what_is_there_and_what_is_needed(rnn_edge, tmp_path):
    soundfile = pytest.importorskip("soundfile", reason="sound needs soundfile")
    for word in ("open", "close"):
        (tmp_path / "rec" / word).mkdir(parents=True)
    soundfile.write(tmp_path / "rec" / "open" / "a.wav", np.ones(1600, np.int16), 16000)
    (tmp_path / "rec" / "open" / "b.wav").write_bytes(b"")
    result = rnn_edge("data", "inspect", tmp_path / "rec")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[1] == "warning: Folder(s) without any file: close."
    assert "expected at least 30" in lines[2]
    assert "b.wav is empty" in lines[3]
    assert 'set on_bad_file = "skip"' in lines[3]
    assert "  open                       0           0           1" in lines
    found = rnn_edge("data", "inspect", tmp_path / "rec", "--json").json
    assert len(found["warnings"]) == 3
    assert "on_bad_file" not in found["data"]


def test_inspecting_a_damaged_file_names_it(rnn_edge, tmp_path):
    pytest.importorskip("soundfile", reason="sound needs soundfile")
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "a.wav").write_bytes(b"")
    result = rnn_edge("data", "inspect", tmp_path)
    assert result.code == 1
    assert "open/a.wav is empty" in result.err


def test_inspecting_a_folder_without_data_names_what_is_expected(rnn_edge, tmp_path):
    (tmp_path / "x.txt").write_text("")
    result = rnn_edge("data", "inspect", tmp_path)
    assert result.code == 1
    assert "expected sound or tables" in result.err
    assert "does not exist" in rnn_edge("data", "inspect", tmp_path / "none").err


def test_inspecting_real_recordings(rnn_edge, recordings):
    archive = recordings / "anomaly-skab.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no {archive.name}")
    found = rnn_edge("data", "inspect", archive, "--spec", "anomaly_gru", "--json").json
    assert len(found["sensors"]["channels"]["train"]) == 8
    assert found["sensors"]["anomalous_share"]["test"] > 0.4


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_lines_come_at_the_ends_and_now_and_then(capsys):
    clock = Clock()
    report = LineProgress(is_verbose=False, clock=clock)
    report("student", 1, 100, {"loss": 1.0})
    report("student", 2, 100, {"loss": 0.9})
    clock.now = SECONDS_BETWEEN_LINES
    report("student", 3, 100, {"loss": 0.8})
    report("student", 100, 100, {"loss": 0.123456})
    report("student", 1, 1, {"kept": 0.0})
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "student 1/100  loss 1",
        "student 3/100  loss 0.8",
        "student 100/100  loss 0.1235",
        "student  done",
    ]


def test_verbose_lines_leave_nothing_out(capsys):
    report = LineProgress(is_verbose=True)
    for step in range(1, 5):
        report("student", step, 100, {})
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_a_kept_stage_says_so():
    assert describe({"kept": 1.0}) == "kept from an earlier build"


def test_bars_are_drawn_on_a_terminal(tmp_path):
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    code = (
        "from rnn_edge.cli.output import Output\n"
        "from rnn_edge.cli.progress import progress_for\n"
        "with progress_for(Output(False, False, False)) as report:\n"
        "    report('student', 50, 100, {'loss': 0.5})\n"
        "    report('student', 1, 1, {'kept': 0.0})\n"
    )
    parent, child = pty.openpty()
    done = subprocess.Popen([sys.executable, "-c", code], stderr=child, stdout=child)
    os.close(child)
    seen = b""
    try:
        while chunk := os.read(parent, 65536):
            seen += chunk
    except OSError:  # Linux: the other side was closed
        pass
    os.close(parent)
    assert done.wait() == 0
    assert b"student" in seen
    assert b"100/100" in seen
    assert b"done" in seen
