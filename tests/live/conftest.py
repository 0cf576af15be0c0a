"""Bundles and running streams."""

import json
import queue
import subprocess
import threading
import time

import pytest
from live_bundles import PROGRAM, WORDS, make_bundle, write_rows


@pytest.fixture(scope="session")
def bundles(tmp_path_factory):
    """Folders of bundles, two of the same task, and of rows."""
    folder = tmp_path_factory.mktemp("bundles")
    make_bundle(folder / "pump")
    make_bundle(folder / "near", change=0.001)
    make_bundle(folder / "far", seed=77)
    make_bundle(folder / "word", WORDS)
    write_rows(folder / "rows.csv")
    return folder


class Running:
    """A stream that runs as a process of its own."""

    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen(
            [PROGRAM, "run", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        self.events, self.notes = [], []
        self._arrived = queue.Queue()
        self._threads = [
            threading.Thread(target=self._read, args=(self.process.stdout, self._event)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.notes.append)),
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, file, take):
        for line in file:
            take(line)
        file.close()

    def _event(self, line):
        event = json.loads(line)
        self.events.append(event)
        self._arrived.put(event)

    def wait_for(self, name, timeout_s=60.0):
        """Return the next event of a name."""
        end = time.monotonic() + timeout_s
        while True:
            left = end - time.monotonic()
            assert left > 0, f"no {name}: {self.events} {self.notes}"
            try:
                event = self._arrived.get(timeout=left)
            except queue.Empty:
                continue
            if event["event"] == name:
                return event

    def wait_until(self, holds, timeout_s=60.0):
        end = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < end, (self.events, self.notes)
            time.sleep(0.02)

    def end(self, number=None):
        """Send a signal, if one is given, and return the exit code."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(120)
        for thread in self._threads:
            thread.join(60)
        return code


@pytest.fixture
def running():
    """Starts streams, and leaves none behind."""
    started = []

    def start(*arguments, **options):
        started.append(Running(*arguments, **options))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.end()
