"""Runs the commands of a runner: their words are passed on, and none outlives its command line."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence

from rnn_edge.runners.base import Job, Runner
from rnn_edge.runners.failures import explain, explain_hung

END_TIMEOUT_S = 3.0
_WORDS_LINES = 200
"""Of the end of what it writes: what went wrong is often said early."""
_READ_BYTES = 1 << 16


def run_command(
    runner: Runner,
    job: Job,
    command: Sequence[str],
    say: Callable[[str], None],
    timeout_s: float | None = None,
) -> None:
    """Run a command of a runner, pass its lines on, and wait for it.

    Args:
        runner: Whose command it is.
        job: What it is to do.
        command: Program and arguments.
        say: Called with the command, and with each line that it writes.
        timeout_s: For all of it; None for what the runner says.

    Raises:
        DeviceError: If it does not start, fails or takes too long, with what that means, and what
            to do.
        KeyboardInterrupt: If it is interrupted; the command is ended first.
    """
    say(f"$ {shlex.join(command)}")
    allowed_s = runner.timeout_s if timeout_s is None else timeout_s
    try:
        # A session of its own: Ctrl-C is for this process, which ends the command itself.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise explain(runner, job, command, "", f"{error.strerror}") from error
    words: deque[str] = deque(maxlen=_WORDS_LINES)
    try:
        is_done = _listen(process, time.monotonic() + allowed_s, say, words)
    finally:
        _end(process)
    output = "\n".join(words)
    if not is_done:
        raise explain_hung(runner, job, command, output, allowed_s)
    if process.returncode != 0:
        raise explain(runner, job, command, output, f"exit code {process.returncode}")


def _listen(
    process: subprocess.Popen[bytes],
    deadline: float,
    say: Callable[[str], None],
    words: deque[str],
) -> bool:
    """Pass lines on until the program ends; return whether it did in time."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    rest = b""
    while (left := deadline - time.monotonic()) > 0:
        if not poller.poll(int(left * 1000) + 1):
            continue
        part = os.read(descriptor, _READ_BYTES)
        # Progress bars return to the start of their line.
        *lines, rest = (rest + part).replace(b"\r", b"\n").split(b"\n")
        for line in [*lines, *([] if part else [rest])]:
            text = line.decode(errors="replace").rstrip()
            if text:
                words.append(text)
                say(text)
        if not part:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                return False
            return True
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing of a program and of what it started."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
    assert process.stdout is not None
    process.stdout.close()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        process.poll()
