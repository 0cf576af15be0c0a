"""Bad input gives one message, the right exit code, and no traceback."""

import contextlib
import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnn_edge.cli import signals
from rnn_edge.cli.main import run
from rnn_edge.cli.output import Output
from rnn_edge.cli.program import explain
from rnn_edge.cli.progress import progress_for
from rnn_edge.errors import RnnEdgeError, SpecError

PROGRAM = Path(sys.executable).with_name("rnn-edge")


@pytest.mark.parametrize("verb", ["build", "train", "quantize", "export"])
@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("model.hidden=0", "model.hidden = 0; expected a whole number from 1 to 512."),
        ("model.hidden=100000", "model.hidden = 100000; expected a whole number from 1 to 512."),
        ("model.hidden=many", 'model.hidden = "many"; expected a whole number from 1 to 512.'),
        ("model.hiden=3", 'unknown key, did you mean "hidden"?'),
    ],
)
def test_a_wrong_value_is_refused(rnn_edge, tmp_path, verb, override, expected):
    result = rnn_edge(verb, "demo", "--out", tmp_path / "out", "--set", override)
    assert result.code == 1
    assert result.out == ""
    assert expected in result.err
    assert result.err.startswith("Error: ")
    assert "Traceback" not in result.err
    assert not (tmp_path / "out").exists()


def test_an_unknown_engine_is_refused_before_anything_is_built(rnn_edge, tmp_path):
    override = 'replay.engines=["int8","vax"]'
    result = rnn_edge("train", "demo", "--out", tmp_path / "out", "--set", override)
    assert result.code == 1
    assert "Unknown engine: 'vax'; known are c, c-aarch64" in result.err
    assert not (tmp_path / "out").exists()


def test_a_missing_spec_is_refused(rnn_edge, tmp_path):
    result = rnn_edge("build", tmp_path / "none.toml")
    assert result.code == 1
    assert f"File {tmp_path}/none.toml does not exist; expected a spec in TOML." in result.err
    assert "kws_gru" in result.err


def test_a_spec_that_is_not_toml_is_refused(rnn_edge, tmp_path):
    (tmp_path / "spec.toml").write_text("[model\n")
    result = rnn_edge("build", tmp_path / "spec.toml")
    assert result.code == 1
    assert "is not TOML: " in result.err


def test_a_folder_that_is_no_bundle_is_refused(rnn_edge, tmp_path):
    for verb in ("build", "export"):
        result = rnn_edge(verb, tmp_path)
        assert result.code == 1
        assert "is not a bundle" in result.err


def test_recordings_for_a_spec_that_makes_its_own_are_refused(rnn_edge, tmp_path):
    result = rnn_edge("build", "--data", tmp_path, "--out", tmp_path / "out")
    assert result.code == 1
    assert f"Option --data: {tmp_path}; spec demo makes its own data" in result.err
    assert "rnn-edge build kws_gru --data PATH" in result.err


def test_a_spec_without_recordings_asks_for_them(rnn_edge, tmp_path):
    result = rnn_edge("build", "kws_gru", "--out", tmp_path / "out", "-q")
    assert result.code == 1
    assert "--data" in result.err


def test_recordings_that_are_not_there_are_named(rnn_edge, tmp_path):
    missing = tmp_path / "none"
    result = rnn_edge("build", "kws_gru", "--data", missing, "--out", tmp_path / "out", "-q")
    assert result.code == 1
    assert f"{missing} does not exist" in result.err


def test_a_failure_is_one_object_for_programs(rnn_edge):
    result = rnn_edge("build", "--set", "model.hidden=0", "--json")
    assert result.code == 1
    assert result.json["error"]["kind"] == "SpecError"
    assert "model.hidden = 0" in result.json["error"]["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["build", "--bogus"],
        ["build", "a", "b"],
        ["build", "--seed", "-1"],
        ["build", "--quiet", "--verbose"],
        ["build", "demo", "--device", "nope"],
        ["evaluate", "out", "--all"],
        ["evaluate", "out", "--set", "data.gaps=split"],
        ["evaluate", "out", "--data", "x", "--engines", ","],
        ["evaluate", "out", "--data", "x", "--engines", "int8,vax"],
        ["replay", "out", "--engines", ""],
        ["replay", "out", "--engines", "vax"],
        ["replay", "out", "--steps", "0"],
        ["check", "out", "--engines", "vax"],
        ["build", "--set", "model.hidden"],
        ["train", "--set", "modelhidden"],
        ["export", "--set", "model.=3"],
        ["evaluate", "out", "--data", "x", "--set", "data.gaps"],
        ["new", "kws", ""],
        ["data", "fetch", "speech-commands", "--url", "http://x", "--sha256", "xyz"],
        ["new", "kws"],
        ["new", "text", "dir"],
        ["completion", "tcsh"],
        ["data", "inspect"],
        ["data", "inspect", "x", "--set", "a.b=1"],
        ["data", "fetch", "speech-commands", "--url", "http://x"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_exits_with_2(rnn_edge, arguments):
    result = rnn_edge(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert "Error: " in result.err


@pytest.mark.parametrize("out", ["file/out", "/proc/out"])
def test_a_folder_that_cannot_be_written_is_named(rnn_edge, tmp_path, out):
    (tmp_path / "file").write_text("")
    result = rnn_edge("build", "--out", tmp_path / out, "-q")
    assert result.code == 1
    assert str(tmp_path / out) in result.err
    assert "Traceback" not in result.err


def test_an_unwritable_folder_is_named_to_ordinary_users(rnn_edge, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    result = rnn_edge("build", "--out", tmp_path / "out", "-q")
    assert result.code == 1
    assert "Permission denied" in result.err


def test_a_full_disk_is_one_message(tmp_path):
    """A limit on file sizes fails like a full disk does: in the middle of a write."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [PROGRAM, "train", "demo_anomaly", "--out", tmp_path / "out", "--quiet", "--json"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert done.returncode == 1
    failure = json.loads(done.stdout)["error"]
    assert failure["kind"] == "EnvironmentFailureError"
    assert "File too large" in failure["message"]
    assert failure["hint"]
    assert "Traceback" not in done.stderr
    left = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert {p.name for p in left} <= {"lock"}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "/x: No space left on device."),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "/x: Permission denied."),
        (MemoryError(), "Memory is exhausted."),
    ],
)
def test_what_the_system_refuses_is_explained(error, expected):
    explained = explain(error)
    assert expected in explained.message
    assert explained.exit_code == 1
    assert explained.hint


def test_our_own_errors_are_left_as_they_are():
    error = SpecError("what; expected.", "hint")
    assert explain(error) is error
    assert isinstance(error, RnnEdgeError)


def test_verbose_shows_where_it_failed(rnn_edge):
    assert "Traceback" in rnn_edge("build", "--set", "model.hidden=0", "-v").err


def test_an_interruption_exits_with_130(tmp_path):
    child = subprocess.Popen(
        [PROGRAM, "train", "demo_anomaly", "--out", tmp_path / "out", "--verbose", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    with child:
        # It says so when it is at work; before that it would die of the signal.
        assert child.stderr.readline().startswith("data")
        time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        try:
            out, rest = child.communicate(timeout=60)
        finally:
            child.kill()
    assert child.returncode == 130
    assert rest.strip().endswith(
        "Interrupted.\nHint: run the same command again: it goes on where it stopped"
    )
    assert "Traceback" not in rest
    assert json.loads(out) == {
        "error": {
            "kind": "Interrupted",
            "message": "Interrupted.",
            "hint": "run the same command again: it goes on where it stopped",
        }
    }


def test_an_interruption_that_a_library_swallows_ends_the_next_report(monkeypatch):
    monkeypatch.setattr(signals, "_asked", [])
    before = signal.getsignal(signal.SIGINT)
    try:
        signals.watch()
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    output = Output(is_json=False, is_quiet=True, is_verbose=False)
    with progress_for(output) as report, pytest.raises(KeyboardInterrupt):
        report("student", 1, 2, {})


@pytest.mark.parametrize(
    ("name", "code", "told"), [("SIGTERM", 143, ""), ("SIGINT", 130, "Interrupted.\n")]
)
def test_an_end_that_a_library_makes_another_error_of_is_no_traceback(name, code, told):
    script = (
        "import signal, sys\n"
        "import rnn_edge.cli.program as program\n"
        "def swallow(arguments):\n"
        "    try:\n"
        f"        signal.raise_signal(signal.{name})\n"
        "    except BaseException as error:\n"
        "        raise RuntimeError('a callback failed') from error\n"
        "program.run_command = swallow\n"
        "from rnn_edge.cli.main import main\n"
        "sys.argv = ['rnn-edge', 'doctor']\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (code, told)


@pytest.mark.parametrize("module", ["click", "rnn_edge.cli.program", "rnn_edge.cli.output"])
def test_an_interruption_while_it_starts_is_no_traceback(module):
    code = (
        "import importlib.abc, sys\n"
        "class Interrupt(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from rnn_edge.cli.main import main\n"
        "sys.argv = ['rnn-edge', 'doctor', '--json']\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")
    assert json.loads(done.stdout)["error"]["hint"] == ""


def test_a_wrong_command_line_is_one_object_for_programs_too(rnn_edge):
    result = rnn_edge("build", "--json", "--seed", "x")
    assert result.code == 2
    assert "'x'; expected a whole number from 0 to 2147483647." in result.json["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["build", "--set", "model.hidden"], "'model.hidden'; expected section.key=value, e.g."),
        (["replay", "x", "--engines", "vax,c,pdp"], "Unknown engines: 'vax', 'pdp'; known are c"),
        (["replay", "x", "--engines", "vax"], "docs/engines.md"),
        (["check", "x", "--engines", "intt8"], "Hint: did you mean int8?"),
        (["evaluate", "x", "--engines", ""], "expected at least one engine"),
        (["evaluate", "x", "--all"], "--all is about recordings; name them with --data."),
        (["train", "--seed", "1.5"], "'1.5'; expected a whole number from 0 to 2147483647."),
        (["replay", "x", "--steps", "0"], "'0'; expected a whole number from 1 to 10000000."),
        (["new", "kws", " "], "expected the name of a folder"),
        (["build", "--out", ""], "'--out': an empty name; expected a path."),
        (["build", "--data", ""], "'--data': an empty name; expected a path."),
        (["evaluate", ""], "'BUNDLE': an empty name; expected a path."),
        (["listen", "x", ""], "an empty name; expected a path."),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_says_what_is_right(rnn_edge, arguments, expected):
    assert expected in rnn_edge(*arguments).err.replace("\n", " ")


@pytest.mark.parametrize(
    ("engine", "hint"),
    [
        ("intt8", "did you mean int8?"),
        ("vax", "docs/engines.md says what each of them is and needs"),
    ],
)
def test_the_hint_of_a_wrong_command_line_has_its_own_field(rnn_edge, engine, hint):
    failure = rnn_edge("check", "x", "--engines", engine, "--json").json["error"]
    assert failure["hint"] == hint
    assert failure["message"].startswith(f"Unknown engine: {engine!r}; known are c,")
    assert "Hint" not in failure["message"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--set", 'export.also=["foo"]'],
            'export.also[0] = "foo"; expected a format, which are c,',
        ),
        (
            ["--seed", "3", "--set", 'export.also=["tflite-w8a8"]'],
            'model.cell = "gru"; expected lst',
        ),
    ],
)
def test_a_format_that_does_not_fit_names_the_spec(rnn_edge, tmp_path, arguments, expected):
    result = rnn_edge("build", "demo", "--out", tmp_path / "out", *arguments)
    assert result.code == 1
    assert f"models/demo.toml with --set {arguments[-1]}" in result.err
    assert expected in result.err
    assert ("--set seed=3: " in result.err) is ("--seed" in arguments)
    assert not (tmp_path / "out").exists()


def test_a_bundle_is_no_data_to_inspect(rnn_edge, tmp_path):
    folder = tmp_path / "my bundle"
    folder.mkdir()
    for name in ("manifest.json", "spec.toml"):
        (folder / name).write_text("{}")
    result = rnn_edge("data", "inspect", folder)
    assert result.code == 1
    assert f"Path {folder} is a bundle, what a build made; expected recordings." in result.err
    assert f"--spec '{folder}/spec.toml'" in result.err


@pytest.mark.parametrize("verb", ["evaluate", "replay", "check"])
def test_a_bundle_that_is_not_there_does_not_exist(rnn_edge, tmp_path, verb):
    result = rnn_edge(verb, tmp_path / "none")
    assert result.code == 1
    assert f"Bundle {tmp_path}/none does not exist; expected the folder" in result.err


@pytest.mark.parametrize(
    "arguments", [["new", "kws"], ["build"], ["evaluate"], ["data", "inspect"]], ids=" ".join
)
def test_a_name_that_is_too_long_is_said_to_be(rnn_edge, tmp_path, arguments):
    result = rnn_edge(*arguments, tmp_path / ("a" * 300))
    assert result.code == 1
    if sys.version_info >= (3, 14) and arguments != ["new", "kws"]:
        # There a path that is too long is one that does not exist.
        assert "does not exist" in result.err
        return
    assert "Path is too long: " in result.err
    assert "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...' with 300" in result.err


def test_inspecting_by_a_spec_without_data_asks_for_a_path(rnn_edge):
    result = rnn_edge("data", "inspect", "--spec", "kws_gru")
    assert result.code == 1
    assert "rnn-edge data inspect PATH --spec kws_gru" in result.err


def test_a_reader_that_went_away_is_no_error():
    command = f"'{PROGRAM}' doctor --json | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 141)
    assert done.stderr == ""


def test_a_closed_pipe_exits_quietly(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    child = subprocess.run(
        [PROGRAM, "--help"], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert child.returncode == 141
    assert child.stderr == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_empty_ones(closed, tmp_path):
    command = f"'{PROGRAM}' new kws '{tmp_path}/k' {closed}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""
    assert (tmp_path / "k" / "spec.toml").read_text().startswith("#")
    refused = f"'{PROGRAM}' new kws '{tmp_path}/k' {closed}"
    done = subprocess.run(["bash", "-c", refused], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_run_returns_zero_on_success(capsys):
    assert run(["--version"]) == 0
