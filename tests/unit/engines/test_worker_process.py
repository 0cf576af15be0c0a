"""Frames, and what becomes of a worker that lies, hangs or dies."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from rnn_edge import child_process
from rnn_edge.engines import worker
from rnn_edge.engines.worker import Worker
from rnn_edge.engines.worker_program import (
    HEAD,
    HEADER_LIMIT_BYTES,
    MAGIC,
    PAYLOAD_LIMIT_BYTES,
    FrameError,
    pack_frame,
    read_frame,
)
from rnn_edge.errors import EngineError

ARRAYS = {
    "x": np.arange(-6, 6, dtype=np.int16).reshape(4, 3),
    "none": np.empty((0, 5), np.float32),
    "scalar": np.array(2.5, np.float32),
    "model": np.frombuffer(bytes(range(256)), np.uint8),
}


def reader(data):
    place = [0]

    def read(count):
        part = data[place[0] : place[0] + count]
        if len(part) != count:
            raise EOFError
        place[0] += count
        return part

    return read


def assert_same_arrays(actual, expected):
    assert list(actual) == list(expected)
    for name, value in expected.items():
        assert actual[name].dtype == value.dtype
        np.testing.assert_array_equal(actual[name], value, strict=True)


def test_a_frame_brings_back_what_was_packed():
    read = reader(pack_frame({"command": "run", "ä": [1]}, ARRAYS) + pack_frame({}, {}))
    header, arrays = read_frame(read)
    assert header == {"command": "run", "ä": [1]}
    assert_same_arrays(arrays, ARRAYS)
    assert read_frame(read) == ({}, {})


def test_rows_of_a_larger_array_are_packed_as_they_look():
    columns = np.arange(12, dtype=np.int16).reshape(3, 4)[:, ::2]
    _, arrays = read_frame(reader(pack_frame({}, {"x": columns})))
    np.testing.assert_array_equal(arrays["x"], columns)


def test_every_cut_frame_ends_early():
    whole = pack_frame({"command": "run"}, {"x": np.ones(3, np.int16)})
    for length in range(len(whole)):
        with pytest.raises(EOFError):
            read_frame(reader(whole[:length]))


def head_and(text, payload=b""):
    return HEAD.pack(MAGIC, len(text), len(payload)) + text + payload


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"Traceback (most recent call last)", "starts with b'Traceback"),
        (HEAD.pack(MAGIC, HEADER_LIMIT_BYTES + 1, 0), "claims"),
        (HEAD.pack(MAGIC, 2, PAYLOAD_LIMIT_BYTES + 1), "claims"),
        (head_and(b"not json"), "not json"),
        (head_and(b"[]"), "header"),
        (head_and(b"{}"), "header"),
        (head_and(b'{"arrays": [["x", "int16"]]}'), "header"),
        (head_and(b'{"arrays": [["x", "object", [1]]]}', b"12345678"), "object"),
        (head_and(b'{"arrays": [["x", "int16", [-1, -1]]]}', b"12"), "-1"),
        (head_and(b'{"arrays": [["x", "int16", [2]]]}', b"12"), "lists 4 bytes"),
        (head_and(b'{"arrays": []}', b"12"), "lists 0 bytes"),
    ],
)
def test_what_is_not_a_frame_is_refused(data, complaint):
    with pytest.raises(FrameError, match=complaint.replace("(", r"\(")):
        read_frame(reader(data))


def is_there(pid):
    """Whether a process exists, a zombie included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(pid, limit_s=60.0):
    end = time.monotonic() + limit_s
    while is_there(pid):
        assert time.monotonic() < end, f"process {pid} is still there"
        time.sleep(0.01)


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a program as the worker of an engine."""
    started = []

    def start_one(code):
        path = tmp_path / f"program{len(started)}.py"
        path.write_text("import os, sys, time\n" + textwrap.dedent(code))
        started.append(Worker([sys.executable, "-I", "-S", str(path)], "engine 'fake'"))
        return started[-1]

    yield start_one
    for each in started:
        each.close()
        assert not is_there(each.pid)


ECHO = """
    import struct
    while True:
        head = sys.stdin.buffer.read(16)
        if not head:
            break
        _, text, payload = struct.unpack("=4sIQ", head)
        sys.stdout.buffer.write(head + sys.stdin.buffer.read(text + payload))
        sys.stdout.buffer.flush()
"""


def test_messages_larger_than_a_pipe_go_both_ways(start):
    echo = start(ECHO)
    big = {"x": np.arange(600_000, dtype=np.int16).reshape(-1, 3)}
    for arrays in (ARRAYS, big, {}):
        header, answered = echo.call({"n": 1}, arrays, 30)
        assert header == {"n": 1}
        assert_same_arrays(answered, arrays)


def test_close_leaves_no_process_and_may_be_repeated(start):
    echo = start(ECHO)
    echo.call({}, {}, 30)
    echo.close()
    echo.close()
    assert not is_there(echo.pid)
    with pytest.raises(ChildProcessError):
        os.waitpid(echo.pid, 0)
    with pytest.raises(EngineError, match=r"engine 'fake' is closed"):
        echo.call({}, {}, 30)


def test_a_worker_that_is_not_closed_ends_with_its_object(tmp_path):
    path = tmp_path / "echo.py"
    path.write_text("import sys\nsys.stdin.read()")
    forgotten = Worker([sys.executable, "-I", "-S", str(path)], "engine 'fake'")
    pid = forgotten.pid
    del forgotten
    gc.collect()
    assert not is_there(pid)


def test_a_worker_ends_when_its_host_is_killed(tmp_path):
    code = (
        "import os, sys, signal\n"
        "from rnn_edge.engines.worker import Worker\n"
        "worker = Worker([sys.executable, '-I', '-S', '-c', 'import sys; sys.stdin.read()'], 'x')\n"
        "print(worker.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_until_gone(int(done.stdout))


def test_a_busy_worker_that_ignores_the_end_of_its_input_is_killed(start, monkeypatch):
    monkeypatch.setattr(child_process, "CLOSE_TIMEOUT_S", 0.2)
    busy = start("time.sleep(600)")
    busy.close()
    assert not is_there(busy.pid)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("sys.exit(3)", "ended with exit code 3"),
        ("os.kill(os.getpid(), 11)", "was ended by SIGSEGV"),
        ("os.kill(os.getpid(), 40)", "was ended by signal 40"),
        ("sys.stdin.buffer.read(16); sys.exit(4)", "ended with exit code 4"),
        ("os.write(1, b'RNEW' + bytes([9, 0, 0, 0])); sys.exit(5)", "ended with exit code 5"),
        ("print('Hello, this is no reply', flush=True); time.sleep(600)", "b'Hello, this is n'"),
        ("os.write(1, b'RNEW' + b'\\xff' * 12); time.sleep(600)", "claims"),
        ("os.close(1); time.sleep(600)", "closed its output"),
    ],
)
def test_a_worker_that_fails_gives_one_error_with_its_last_words(start, monkeypatch, code, message):
    # Only who closes its output and stays has to be given up.
    monkeypatch.setattr(worker, "CLOSE_TIMEOUT_S", 0.5 if "os.close(1)" in code else 30.0)
    words = "[os.write(2, f'line {n}\\n'.encode()) for n in range(9)]\n"
    failing = start(words + code)
    begun = time.monotonic()
    with pytest.raises(EngineError) as caught:
        failing.call({"command": "load"}, {"model": np.zeros(9, np.uint8)}, 30)
    assert time.monotonic() - begun < 29
    assert message in caught.value.message
    assert "its last words: line 5 / line 6 / line 7 / line 8." in caught.value.message
    assert "line 4" not in caught.value.message
    assert "\n" not in caught.value.message
    assert not is_there(failing.pid)
    with pytest.raises(EngineError, match="is closed"):
        failing.call({}, {}, 30)


TRACEBACK = """
    try:
        import first_missing
    except ImportError as error:
        raise RuntimeError("that is why\\n\\nand a long story\\nabout it") from error
"""


def test_a_traceback_is_told_as_the_line_that_names_its_cause(start):
    with pytest.raises(EngineError) as caught:
        start(TRACEBACK).call({}, {}, 30)
    assert caught.value.message == (
        "Worker of the engine 'fake' ended with exit code 1: "
        "ModuleNotFoundError: No module named 'first_missing'."
    )


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (TRACEBACK, "remove it"),
        ("sys.exit(3)", "open the engine again; if that does not help, remove it"),
        # What answered once was whole.
        (ECHO + "        raise ValueError\n", "open the engine again"),
    ],
)
def test_a_worker_that_never_answered_has_another_remedy(tmp_path, code, hint):
    path = tmp_path / "program.py"
    path.write_text("import os, sys, time\n" + textwrap.dedent(code))
    failing = Worker([sys.executable, "-I", "-S", str(path)], "engine 'fake'", "remove it")
    calls = (failing.call({}, {}, 30) for _ in range(2))
    with pytest.raises(EngineError) as caught:
        list(calls)
    assert caught.value.hint == hint
    with pytest.raises(EngineError) as caught:
        Worker([str(tmp_path / "gone")], "engine 'fake'", "remove it")
    assert caught.value.hint == "remove it"


@pytest.mark.parametrize(
    "code",
    [
        "time.sleep(600)",
        "sys.stdin.buffer.read(16); os.write(1, b'RNEW'); time.sleep(600)",
        "while True: os.write(2, b'still working'); time.sleep(0.05)",
    ],
)
@pytest.mark.parametrize("size", [1, 1_000_000], ids=["small", "larger-than-a-pipe"])
def test_a_worker_that_hangs_is_given_up(start, code, size):
    hanging = start(code)
    begun = time.monotonic()
    with pytest.raises(EngineError, match=r"did not answer within 0\.3 s"):
        hanging.call({}, {"x": np.zeros(size, np.int16)}, 0.3)
    assert time.monotonic() - begun < 60
    assert not is_there(hanging.pid)


def test_an_interrupted_call_ends_the_worker(start):
    def interrupt(number, frame):
        raise KeyboardInterrupt

    hanging = start("time.sleep(600)")
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            hanging.call({}, {}, 30)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not is_there(hanging.pid)


def test_a_program_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EngineError, match=r"engine 'fake' does not start: .*gone"):
        Worker([str(tmp_path / "gone")], "engine 'fake'")
