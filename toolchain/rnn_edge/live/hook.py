"""A program that is run for every event, and never holds up the stream."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from typing import Any

from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.live.told import Teller

MOST_WAITING = 64
"""Events that wait for a free place; what comes beyond is dropped and counted."""

_STDERR = 2


class Hook:
    """Runs a command with an event as JSON on its standard input.

    Its output goes to stderr: stdout is for events. ``RNN_EDGE_EVENT``, ``RNN_EDGE_LABEL``,
    ``RNN_EDGE_SCORE``, ``RNN_EDGE_STEP`` and ``RNN_EDGE_MODEL`` are set where the event has them.

    Args:
        command: As it would be typed, without a shell.
        limit: How many may run at once.
        timeout_s: After which one is killed, with what it started.
        tell: Told of failures.

    Raises:
        EnvironmentFailureError: If there is no such program.
    """

    def __init__(self, command: str, limit: int, timeout_s: float, tell: Teller) -> None:
        try:
            self._command = shlex.split(command)
        except ValueError as error:
            raise EnvironmentFailureError(f"Hook {command!r}: {error}; expected a command.") from (
                error
            )
        if not self._command or shutil.which(self._command[0]) is None:
            raise EnvironmentFailureError(
                f"Hook {command!r} is no program that can be run; expected one.",
                "name it with its path, and make it executable",
            )
        self.done = self.failed = self.killed = self.dropped = 0
        self._timeout_s, self._tell = timeout_s, tell
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue(MOST_WAITING)
        self._counting = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"hook-{k}", daemon=True) for k in range(limit)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, event: Mapping[str, Any]) -> None:
        """Run the command for an event, as soon as there is a place."""
        try:
            self._waiting.put_nowait(dict(event))
        except queue.Full:
            self.dropped += 1
            self._tell("hook", f"Hook {self._command[0]}: an event dropped; too many wait.")

    def close(self) -> None:
        """Let what waits be done, each within its time."""
        for _ in self._threads:
            with contextlib.suppress(queue.Full):
                self._waiting.put(None, timeout=self._timeout_s)
        for thread in self._threads:
            thread.join(self._timeout_s + 1.0)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None:
            self._run(event)

    def _run(self, event: Mapping[str, Any]) -> None:
        names = ("event", "label", "score", "step", "model")
        own = {f"RNN_EDGE_{n.upper()}": str(event[n]) for n in names if n in event}
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=_STDERR,
                env={**os.environ, **own},
                start_new_session=True,
            )
        except OSError as error:
            self._count("failed", f"cannot be run: {error}")
            return
        try:
            process.communicate(json.dumps(event).encode() + b"\n", self._timeout_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            self._count("killed", f"killed after {self._timeout_s:g} s")
            return
        if process.returncode:
            self._count("failed", f"ended with {process.returncode}")
        else:
            self._count("done", "")

    def _count(self, what: str, message: str) -> None:
        with self._counting:
            setattr(self, what, getattr(self, what) + 1)
        if message:
            self._tell("hook", f"Hook {self._command[0]} {message}.")
