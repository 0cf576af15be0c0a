"""Runs `rnn-edge run` over millions of frames, kills it on the way, and holds it to account.

    python benchmarks/soak.py BUNDLE --source FILE... [--frames 10000000] [--kills 3] [--json]

The stream is played as fast as it is stepped, again and again, with a log of every frame, metrics
and a kept state. It is killed (SIGKILL) on the way and started again with the same command. Told
are the resident memory over the frames, frames that are missing in the log or that differ from
those of a run of the same length in this process, what the metrics said against the log, and
whether the interrupted stream ended in the very state of that run. Without the log it is the state,
and the decisions, that tell.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.cli.scripts import explained_errors, positive
from rnn_edge.live.lane import Lane
from rnn_edge.live.opening import SourceRequest, open_lane, open_source
from rnn_edge.live.queue import SampleQueue
from rnn_edge.live.saved import read_state
from rnn_edge.live.told import Teller
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.types import Array

PROGRAM = Path(sys.executable).with_name("rnn-edge")
POLL_S = 0.5

Expected = Callable[[Array], tuple[Array, Array]]


class Run:
    """One process of the stream, watched."""

    def __init__(
        self, bundle: Path, sources: list[Path], folder: Path, frames: int, *, is_logged: bool
    ) -> None:
        words = [w for path in sources for w in ("--source", str(path))]
        self.process = subprocess.Popen(
            [
                *(str(PROGRAM), "run", str(bundle), *words, "--fast", "--repeat", "0"),
                *("--state", str(folder / "stream.state"), "--save-every", "5"),
                *(("--log", str(folder / "logs"), "--log-gzip") if is_logged else ()),
                *("--metrics", "0", "--steps", str(frames)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.events: list[dict] = []
        self.port: int | None = None
        self.readings: list[tuple[float, int]] = []
        self.metrics: dict[str, float] = {}
        self._threads = [threading.Thread(target=f) for f in (self._read_events, self._read_notes)]
        for thread in self._threads:
            thread.start()

    def _read_events(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.events.append(json.loads(line))

    def _read_notes(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                found = re.search(r"Metrics: http://.*:(\d+)/", line)
                if found:
                    self.port = int(found[1])

    def look(self) -> float:
        """Scrape the metrics and the resident memory; return the frames so far."""
        if self.port is None:
            return 0.0
        try:
            url = f"http://127.0.0.1:{self.port}/metrics"
            with urllib.request.urlopen(url, timeout=10) as answer:
                text = answer.read().decode()
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0.0
        pairs = [line.rsplit(" ", 1) for line in text.splitlines() if line[:1] != "#"]
        self.metrics = {name: float(value) for name, value in pairs}
        frames = self.metrics["rnn_edge_frames_total"]
        self.readings.append((frames, int(re.search(r"VmRSS:\s+(\d+)", status)[1])))
        return frames

    def end(self, number: int | None = None) -> int:
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait()
        for thread in self._threads:
            thread.join()
        return code


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a compressed log, up to where a kill cut it off."""
    with gzip.open(path, "rb") as file:
        try:
            yield from file
        except EOFError:
            return


class LogBook:
    """Holds the log to the frames that should be in it, one file at a time."""

    def __init__(self, folder: Path) -> None:
        self.frames = self.twice = self.missing = self.differing = 0
        self._files = sorted(folder.iterdir()) if folder.is_dir() else []
        self._next = 0

    def read(self, expected: Expected) -> None:
        """Compare with what is expected at steps: int16 (n, D) and (n, C)."""
        for path in self._files:
            steps, x, y = self._file(path)
            for first in range(0, len(steps), 65_536):
                part = slice(first, first + 65_536)
                wanted_x, wanted_y = expected(steps[part])
                wrong = (x[part] != wanted_x).any(axis=1) | (y[part] != wanted_y).any(axis=1)
                self.differing += int(wrong.sum())
            self.twice += int((steps < self._next).sum())
            new = steps[steps >= self._next]
            if len(new):
                self.missing += int(new[-1]) + 1 - self._next - len(new)
                self.frames += len(new)
                self._next = int(new[-1]) + 1

    def _file(self, path: Path) -> tuple[Array, Array, Array]:
        steps, x, y = [], [], []
        for line in lines_of(path):
            try:
                frame = json.loads(line)
            except ValueError:
                continue  # cut off by a kill
            if "step" in frame:
                steps.append(frame["step"])
                x.append(frame["x"])
                y.append(frame["y"])
        return np.array(steps, np.int64), np.array(x, np.int16), np.array(y, np.int16)


def blocks_of(lane: Lane, bundle: Bundle, sources: list[Path], frames: int) -> Iterator[Array]:
    """Yield all frames int16 (n, D) that the stream has, made of the whole recordings at once."""
    front_end = lane.parts.front_end
    words = tuple(str(path) for path in sources)
    tell = Teller(lambda line: None)
    source = open_source(bundle, front_end, SourceRequest(words, is_fast=True), tell)
    queue = SampleQueue(10**12)
    source.deliver(queue, threading.Event())
    queue.end()
    pieces = []
    while (piece := queue.take(0.0)) is not None:
        pieces.append(piece.samples)
    samples = np.concatenate(pieces)
    config = front_end.config
    is_sound = samples.ndim == 1
    if not is_sound and (config.window_samples, config.hop_samples) != (1, 1):
        raise SystemExit("a gap begins a window anew; expected a model of single rows")
    stream = front_end.stream()
    done = 0
    while done < frames:
        x = lane.frames(stream.push(samples))[: frames - done]
        done += len(x)
        yield x


def reference(
    bundle: Bundle, sources: list[Path], frames: int, folder: Path, *, keeps: bool
) -> tuple[Array, Array, bytes]:
    """Step all frames in this process, in C; return inputs and outputs, if kept, and the state."""
    xs, ys = [], []
    with open_lane(bundle, "c", folder) as lane:
        # The very engine, without the stream around it.
        engine = lane.parts.engine
        for block in blocks_of(lane, bundle, sources, frames):
            outputs = engine.run(block).outputs
            if keeps:
                xs.append(block)
                ys.append(outputs)
        empty = np.empty((0, 0), np.int16)
        state = engine.save()
    return np.concatenate(xs) if xs else empty, np.concatenate(ys) if ys else empty, state


def soak(
    bundle: Path, sources: list[Path], frames: int, kills: int, *, is_logged: bool
) -> dict[str, Any]:
    """Run, kill, run on; return what was found."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        opened = Bundle.open(bundle)
        began_s = time.monotonic()
        runs: list[Run] = []
        done = 0
        while True:
            runs.append(Run(bundle, sources, folder, frames - done, is_logged=is_logged))
            run = runs[-1]
            limit = frames / (kills + 1) if len(runs) <= kills else float("inf")
            while run.process.poll() is None and run.look() < limit:
                time.sleep(POLL_S)
            if run.process.poll() is None:
                run.end(signal.SIGKILL)
                saved = read_state(folder / "stream.state")
                done = 0 if saved is None else saved.step
                continue
            code = run.end()
            break
        took_s = time.monotonic() - began_s
        last = read_state(folder / "stream.state")
        x, y, blob = reference(opened, sources, frames, folder, keeps=is_logged)
        book = LogBook(folder / "logs")
        book.read(lambda steps: (x[steps], y[steps]))
        run = runs[-1]
        stopped = run.events[-1]
        settled = [kib for count, kib in run.readings if count > 50_000] or [0]
        all_readings = [[(int(c), kib) for c, kib in each.readings] for each in runs]
        before = sum(e["event"] == "begin" for e in run.events)
        return {
            "bundle": opened.spec().model.name,
            "frames": frames,
            "is_logged": is_logged,
            "processes": len(runs),
            "exit_code": code,
            "seconds": took_s,
            "frames_per_second": frames / took_s,
            "rss_kib_first": settled[0],
            "rss_kib_last": settled[-1],
            "rss_kib_largest": max(settled),
            "rss_kib_by_process": [
                {"after_frames": each[0][0], "first": each[0][1], "last": each[-1][1]}
                for each in all_readings
                if each
            ],
            "log_frames": book.frames,
            "log_missing": book.missing,
            "log_stepped_twice": book.twice,
            "log_differing": book.differing,
            "dropped_frames": stopped["dropped_frames"],
            "last_scrape_frames": run.metrics.get("rnn_edge_frames_total", 0.0),
            "stopped_frames": stopped["frames"],
            "decisions_counted": sum(stopped["decisions"].values()),
            "decisions_written": before,
            "state_is_equal": last is not None and last.blob == blob and last.step == frames,
        }


def faults(found: dict) -> list[str]:
    """Return what is not as it has to be."""
    wanted = {
        "exit_code": 0,
        "log_frames": found["frames"] if found["is_logged"] else 0,
        "log_missing": 0,
        "log_differing": 0,
        "dropped_frames": 0,
        "decisions_written": found["decisions_counted"],
        "state_is_equal": True,
    }
    wrong = [f"{k} is {found[k]}, expected {v}" for k, v in wanted.items() if found[k] != v]
    if found["last_scrape_frames"] > found["stopped_frames"]:
        wrong.append("the metrics counted more frames than were stepped")
    # Two per cent, or two MiB: what an allocator keeps and gives back.
    room = max(2048, found["rss_kib_first"] // 50)
    if found["rss_kib_last"] > found["rss_kib_first"] + room:
        wrong.append(f"memory grew from {found['rss_kib_first']} to {found['rss_kib_last']} KiB")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--source", type=Path, action="append", required=True)
    parser.add_argument("--frames", type=positive, default=10_000_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--no-log", action="store_true", help="decisions and state only")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = soak(given.bundle, given.source, given.frames, given.kills, is_logged=not given.no_log)
    wrong = faults(found)
    if given.json:
        print(json.dumps({**found, "faults": wrong}, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:<22} {value}")
        print("faults:", "; ".join(wrong) or "none")
    return 1 if wrong else 0


if __name__ == "__main__":
    with explained_errors():
        sys.exit(main())
