"""Environments are made once, whole or not at all, and failures say what to do."""

import dataclasses
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from rnn_edge.cache import cache_folder
from rnn_edge.engines import environment, worker_engine
from rnn_edge.engines.environment import (
    Environment,
    environment_folder,
    how_to_repair,
    interpreter_of,
    python_of,
)
from rnn_edge.errors import EnvironmentFailureError, MissingDependencyError

WANTED = Environment("tiny", ("tinything==1.2",), "tinything", "the engine 'tiny'")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("RNN_EDGE_CACHE", str(folder))
    return folder


class Tools:
    """Stands in for venv, pip and the import: the tool named by ``fails`` ends with its words."""

    def __init__(self, fails="", words="", pause_s=0.0):
        self.fails, self.words, self.pause_s = fails, words, pause_s
        self.commands = []

    def __call__(self, command):
        self.commands.append(command)
        time.sleep(self.pause_s)
        tool = command[3] if command[2] == "-m" else "import"
        if tool == "venv":
            python = Path(command[4]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.write_text("")
        return (1, self.words) if tool == self.fails else (0, "")


@pytest.fixture
def tools(monkeypatch):
    def install(**settings):
        stand_in = Tools(**settings)
        monkeypatch.setattr(environment, "_run", stand_in)
        return stand_in

    return install


def left_in(folder):
    return sorted(path.name for path in (folder / "environments").iterdir())


def test_cache_folder_follows_the_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("RNN_EDGE_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.setenv("RNN_EDGE_CACHE", "~/mine")
    assert cache_folder() == tmp_path / "home" / "mine"
    monkeypatch.delenv("RNN_EDGE_CACHE")
    assert cache_folder() == tmp_path / "xdg" / "rnn-edge"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / "home" / ".cache" / "rnn-edge"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / "home" / ".cache" / "rnn-edge"


def test_the_folder_depends_on_requirements_and_python(monkeypatch):
    other = dataclasses.replace(WANTED, requirements=("tinything==1.3",))
    here = environment_folder(WANTED)
    assert here.name.startswith("tiny-")
    assert here != environment_folder(other)
    assert here == environment_folder(dataclasses.replace(WANTED, purpose="something else"))
    monkeypatch.setattr(sys, "version", "3.99")
    assert here != environment_folder(WANTED)


def test_an_environment_is_made_once_from_wheels(tools, cache):
    asked = tools()
    python = interpreter_of(WANTED)
    assert python == python_of(WANTED)
    assert python.exists()
    assert [command[2:4] for command in asked.commands] == [
        ["-m", "venv"], ["-m", "pip"], ["-c", "import tinything"],
    ]  # fmt: skip
    assert asked.commands[1][-1] == "tinything==1.2"
    assert "--only-binary=:all:" in asked.commands[1]
    assert interpreter_of(WANTED) == python
    assert len(asked.commands) == 3
    assert left_in(cache) == [python.parts[-3], f"{python.parts[-3]}.lock"]


def test_threads_that_ask_at_once_make_it_once(tools):
    asked = tools(pause_s=0.1)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(interpreter_of(WANTED))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [python_of(WANTED)] * 4
    assert len(asked.commands) == 3


def test_leftovers_of_a_killed_process_are_removed(tools, cache):
    tools()
    folder = environment_folder(WANTED)
    abandoned = folder.parent / f".{folder.name}-killed" / "bin"
    abandoned.mkdir(parents=True)
    interpreter_of(WANTED)
    assert left_in(cache) == [folder.name, f"{folder.name}.lock"]


def test_an_environment_whose_python_was_removed_is_made_again(tools):
    folder = environment_folder(WANTED)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to("/nonexistent/python")
    (folder / "old").write_text("")
    asked = tools()
    assert interpreter_of(WANTED).is_file()
    assert len(asked.commands) == 3
    assert not (folder / "old").exists()


NO_NETWORK = """
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)'
ERROR: Could not find a version that satisfies the requirement tinything==1.2
ERROR: No matching distribution found for tinything==1.2
"""
NO_WHEEL = """
ERROR: Could not find a version that satisfies the requirement tinything==1.2 (from versions: 1.0)
ERROR: No matching distribution found for tinything==1.2
"""
IGNORED = "Ignoring indexes: https://pypi.org/simple\n" + NO_WHEEL
NO_SPACE = "Collecting tinything\nERROR: Could not install: [Errno 28] No space left on device\n"


@pytest.mark.parametrize(
    ("fails", "words", "kind", "message"),
    [
        ("pip", NO_NETWORK, MissingDependencyError, "no package index was reached"),
        ("pip", NO_NETWORK, MissingDependencyError, "Hint: connect to the network once"),
        ("pip", NO_WHEEL, MissingDependencyError, r"finds no wheels of tinything==1\.2 for Python"),
        ("pip", NO_WHEEL, MissingDependencyError, r"; pip says: .*\(from versions: 1\.0\)"),
        ("pip", IGNORED, MissingDependencyError, "no package index was asked, as pip is set to"),
        ("pip", IGNORED, MissingDependencyError, "Hint: unset PIP_NO_INDEX"),
        ("pip", NO_SPACE, EnvironmentFailureError, r"pip failed: .*No space left on device\."),
        ("pip", "", EnvironmentFailureError, r"pip failed: no message\."),
        ("venv", "No module named venv", MissingDependencyError, r"apt-get install python3\.\d+-v"),
        ("venv", "ensurepip is not available", MissingDependencyError, "no working module venv"),
        ("venv", "Error: disk full", EnvironmentFailureError, "Error: disk full"),
        ("import", "a\nImportError: numpy", EnvironmentFailureError, "not load: a / ImportError"),
    ],
)
def test_failures_say_what_to_do_and_leave_nothing(tools, cache, fails, words, kind, message):
    tools(fails=fails, words=words)
    with pytest.raises(kind, match=message) as caught:
        interpreter_of(WANTED)
    assert "the engine 'tiny'" in caught.value.message
    assert left_in(cache) == [f"{environment_folder(WANTED).name}.lock"]
    tools()
    assert interpreter_of(WANTED).exists()


@pytest.mark.parametrize(
    ("value", "is_set"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_pip_without_an_index_is_not_blamed_on_this_python(tools, monkeypatch, value, is_set):
    monkeypatch.setenv("PIP_NO_INDEX", value)
    tools(fails="pip", words=NO_WHEEL)
    with pytest.raises(MissingDependencyError) as caught:
        interpreter_of(WANTED)
    assert ("no package index was asked, as PIP_NO_INDEX is set" in caught.value.message) is is_set
    assert ("run with another Python" in caught.value.hint) is not is_set
    assert "No matching distribution found for tinything==1.2." in caught.value.message


def test_only_the_damaged_environment_is_to_be_removed(cache, monkeypatch):
    assert how_to_repair(WANTED).startswith(f"rm -r {environment_folder(WANTED)}; ")
    monkeypatch.setattr(worker_engine, "interpreter_of", lambda wanted: sys.executable)
    worker = worker_engine.start_worker(WANTED, "nothing")
    try:
        assert worker.remedy == how_to_repair(WANTED)
    finally:
        worker.close()


def test_a_cache_that_cannot_be_written_is_named(cache):
    cache.write_text("a file")
    with pytest.raises(EnvironmentFailureError, match=r"set RNN_EDGE_CACHE to a folder") as caught:
        interpreter_of(WANTED)
    assert str(environment_folder(WANTED)) in caught.value.message


def test_the_lock_of_another_process_is_not_waited_for_for_ever(cache, monkeypatch):
    folder = environment_folder(WANTED)
    folder.parent.mkdir(parents=True)
    code = (
        "import fcntl, sys\n"
        f"file = open({str(folder.parent / (folder.name + '.lock'))!r}, 'a')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    monkeypatch.setattr(environment, "LOCK_TIMEOUT_S", 0.3)
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(EnvironmentFailureError, match=r"another process has been making it"):
            interpreter_of(WANTED)


def test_a_tool_that_hangs_is_killed_with_its_children(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "TOOL_TIMEOUT_S", 2.0)
    note = tmp_path / "pid"
    begun = time.monotonic()
    with pytest.raises(EnvironmentFailureError, match=r"did not end within 2 s"):
        environment._run(["sh", "-c", f"sleep 600 & echo $! > {note}; wait"])
    assert time.monotonic() - begun < 60
    child = int(note.read_text())
    end = time.monotonic() + 60
    while is_running(child):
        assert time.monotonic() < end
        time.sleep(0.01)


def is_running(pid):
    """Whether a process exists and is no zombie, which only its parent can remove."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_tool_that_is_not_there_is_named():
    with pytest.raises(EnvironmentFailureError, match="/nonexistent/tool does not start"):
        environment._run(["/nonexistent/tool"])


def write_wheel(folder, content="VALUE = 12\n"):
    folder.mkdir(exist_ok=True)
    info = "tinything-1.2.dist-info"
    with zipfile.ZipFile(folder / "tinything-1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tinything.py", content)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinything\nVersion: 1.2\n")
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(
            f"{info}/RECORD",
            f"tinything.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
        )


@pytest.mark.slow
def test_two_processes_make_a_real_environment_from_a_folder_of_wheels(
    tmp_path, monkeypatch, cache
):
    write_wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PYTHONPATH", "/nonexistent")
    code = (
        "from rnn_edge.engines.environment import Environment, interpreter_of\n"
        f"print(interpreter_of({WANTED!r}))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=300)[0].strip() for process in processes]
    python = python_of(WANTED)
    assert printed == [str(python)] * 2
    value = subprocess.run(
        [python, "-I", "-c", "import tinything, sys; print(tinything.VALUE, sys.prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert value.stdout.split() == ["12", str(environment_folder(WANTED))]
    assert left_in(cache) == [python.parts[-3], f"{python.parts[-3]}.lock"]


@pytest.mark.slow
def test_pip_without_wheels_or_network_and_a_wheel_that_does_not_load(tmp_path, monkeypatch):
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(MissingDependencyError, match="no package index was reached"):
        interpreter_of(WANTED)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(MissingDependencyError, match=r"no package index was asked, as PIP_NO_IND"):
        interpreter_of(WANTED)
    write_wheel(tmp_path / "wheels", "raise ImportError('built for something else')\n")
    with pytest.raises(EnvironmentFailureError, match="built for something else"):
        interpreter_of(WANTED)
