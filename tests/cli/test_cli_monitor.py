"""`rnn-edge monitor`: detections as they come, the device's log, restarts, and the end of it."""

import itertools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from c_models import tool
from device_bundles import INPUTS, device_bundle

from rnn_edge.cli.monitor_lines import feed_line
from rnn_edge.engines.board import Place, open_here
from rnn_edge.errors import DeviceError, LinkError
from rnn_edge.links.frames import Frame, Parser
from rnn_edge.links.messages import Kind
from rnn_edge.pipeline.device_image import build_device_image
from rnn_edge.pipeline.device_log import DeviceLog
from rnn_edge.pipeline.device_proof import ProofFrames
from rnn_edge.pipeline.monitor import Monitor, Watch
from rnn_edge.spec import find_device

PROGRAM = Path(sys.executable).with_name("rnn-edge")
PLACE = Place(find_device("host"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    tool("cc")
    return device_bundle(tmp_path_factory.mktemp("monitor") / "out" / "sample")


@pytest.fixture(scope="module")
def bundle(made):
    return made.path


@pytest.fixture
def frames(tmp_path):
    """A file of int16 frames, and the frames."""
    x = np.random.default_rng(3).normal(0, 4096, (600, INPUTS)).astype(np.int16)
    np.save(tmp_path / "frames.npy", x)
    return tmp_path / "frames.npy", x


class Told:
    """Remembers what a monitor tells."""

    def __init__(self):
        self.events, self.statuses, self.lines = [], [], []

    def event(self, event, name, score):
        self.events.append((event, name, score))

    def status(self, status):
        self.statuses.append(status)

    def tell(self, line):
        self.lines.append(line)


def test_a_slow_feed_says_how_long_it_lasts_and_how_it_goes_faster():
    line = feed_line("rows.npy", 12_000, 1.0)
    assert line.startswith("feeding 12,000 frames of rows.npy, 1 per second as their sensor would")
    assert ": 3:20:00 hours; --rate max feeds" in line


def test_detections_are_shown_and_the_log_has_the_bits(rnn_edge, bundle, frames, tmp_path):
    log = tmp_path / "log.jsonl"
    result = rnn_edge(
        *("monitor", bundle, "--device", "host", "--feed", frames[0], "--rate", "max"),
        *("--log", log),
    )
    assert result.code == 0, result.err
    *events, summary, logged = result.out.splitlines()
    assert summary.startswith("host: 600 frames stepped, 0 dropped, ")
    fed = f"feeding 600 frames of {frames[0].name}, as fast as the device steps them"
    assert fed in result.err
    assert f"{len(events)} events" in summary
    assert len(events) > 4
    assert {line.split()[3] for line in events} == {"begins", "ends"}
    assert f"log: {log}, 600 steps; " in logged
    replayed = rnn_edge("replay", bundle, "--data", log, "--engines", "int8", "--json")
    assert replayed.code == 0, replayed.err
    found = replayed.json
    assert found["steps"] == 600
    rows = [json.loads(line) for line in log.read_text().splitlines()][1:]
    np.testing.assert_array_equal([row["x"] for row in rows], frames[1])
    assert rows[0]["reset"]
    assert sum("detected" in row for row in rows) > 4


def test_a_program_is_told_at_the_end(rnn_edge, bundle, frames):
    result = rnn_edge(
        *("monitor", bundle, "--device", "host", "--feed", frames[0], "--rate", "max", "--json")
    )
    found = result.json
    assert found["frames"] == 600
    assert found["event_count"] == len(found["events"])
    assert found["missed_events"] == found["restarts"] == found["losses"] == 0
    assert found["status"]["mode"] == "fed"
    assert set(found["events"][0]) == {"number", "step", "begins", "detected", "score"}
    assert found["log"] is None


def test_frames_that_the_input_does_not_hold_are_told(rnn_edge, bundle, frames, tmp_path):
    real = frames[1].astype(np.float32)[:20] / 4096
    real[3:6, 0] = 9.0
    np.save(tmp_path / "loud.npy", real)
    arguments = ("--device", "host", "--rate", "max")
    result = rnn_edge("monitor", bundle, *arguments, "--feed", tmp_path / "loud.npy")
    assert result.code == 0, result.err
    assert (
        "3 of 20 frames of loud.npy have values beyond what the model's input holds" in result.err
    )
    np.save(tmp_path / "fits.npy", real[:3])
    result = rnn_edge("monitor", bundle, *arguments, "--feed", tmp_path / "fits.npy", "--json")
    assert result.json["fed"] == {"source": "fits.npy", "frames": 3, "clipped": 0}
    assert "clipped" not in result.err


def test_the_time_is_that_of_the_sensor(rnn_edge, bundle, frames):
    start = time.monotonic()
    result = rnn_edge("monitor", bundle, "--device", "host", "--for", "1.5", "--json")
    assert time.monotonic() - start > 1.4
    # At most 62.5 frames per second, and a ring of them.
    assert 1 <= result.json["frames"] <= 110


def test_frames_are_fed_when_they_are_due(made, frames):
    image = build_device_image(made, PLACE.device).path
    readings = itertools.count()
    watch = Watch(PLACE, ProofFrames(frames[1], "frames.npy"), rate_hz=62.5, duration_s=1.5)
    monitor = Monitor(
        *(made, watch, lambda: open_here(PLACE, image), Told()),
        # A clock of its own: none but its readings make time pass.
        clock=lambda: 0.02 * next(readings),
    )
    assert 85 <= monitor.run().frames <= 100


def test_a_log_is_fed_again(rnn_edge, bundle, frames, tmp_path):
    log, again = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    common = ("monitor", bundle, "--device", "host", "--rate", "max", "--quiet")
    assert rnn_edge(*common, "--feed", frames[0], "--log", log).code == 0
    assert rnn_edge(*common, "--feed", log, "--log", again).code == 0
    assert again.read_text() == log.read_text()


def test_ctrl_c_ends_it_with_a_summary(bundle):
    process = subprocess.Popen(
        [PROGRAM, "monitor", bundle, "--device", "host"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The first status says that it is under way.
    for line in process.stderr:
        if " frames, " in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "frames stepped" in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--device", "hots"), 2, "did you mean host?"),
        (("--device", "nucleo-f401re"), 1, "is a board: no port is named"),
        (("--device", "host", "--feed", "nothing.npy"), 1, "no such file; expected a .npy file"),
        (("--device", "host", "--feed", __file__), 1, "no array; expected a file that numpy"),
        (("--device", "host", "--feed", "."), 1, "Frames .: not a file; expected a .npy file"),
        (
            ("--device", "host", "--log", "/nowhere/x.jsonl"),
            1,
            "Log /nowhere/x.jsonl cannot be written: No such file or directory; expected",
        ),
        (("--device", "host", "--feed", "x.npy", "--data", "."), 2, "--data is about --feed test"),
        (("--device", "host", "--rate", "fast"), 2, "'--rate'"),
        (("--device", "host", "--for", "0"), 2, "'--for'"),
        (("--device", "host", "--for", "nan"), 2, "'nan'; expected a number from 0.1 to"),
    ],
)
def test_what_cannot_be_is_refused(rnn_edge, bundle, arguments, code, message):
    result = rnn_edge("monitor", bundle, *arguments)
    assert result.code == code, result.err
    assert message in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    "x", [np.zeros((3, 7), np.int16), np.zeros((3, INPUTS), np.int32), np.zeros(INPUTS, np.int16)]
)
def test_frames_of_another_shape_are_refused(rnn_edge, bundle, tmp_path, x):
    np.save(tmp_path / "x.npy", x)
    result = rnn_edge("monitor", bundle, "--device", "host", "--feed", tmp_path / "x.npy")
    assert result.code == 1
    assert "expected " in result.err


def test_a_log_that_is_there_is_not_written_over(rnn_edge, bundle, tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text("mine")
    result = rnn_edge("monitor", bundle, "--device", "host", "--for", "1", "--log", log)
    assert result.code == 1
    assert "is there already" in result.err
    assert log.read_text() == "mine"


class Rebooting:
    """A program of this host that starts again behind its line after so many feeds."""

    def __init__(self, open_program, feeds):
        self._open = open_program
        self._stream = open_program()
        self._left = feeds
        self._parser = Parser()

    def write(self, data, timeout_s):
        kinds = [f.type for f in self._parser.feed(data) if isinstance(f, Frame)]
        if Kind.FEED in kinds and self._left is not None:
            self._left -= 1
            if self._left == 0:
                self._left = None
                self._stream.close()
                self._stream = self._open()
        self._stream.write(data, timeout_s)

    def read(self, timeout_s):
        return self._stream.read(timeout_s)

    def close(self):
        self._stream.close()


def test_a_restart_is_told_and_watched_through(made, frames, tmp_path):
    image = build_device_image(made, PLACE.device).path
    told = Told()
    with DeviceLog(made, tmp_path / "log.jsonl", "host") as log:
        monitor = Monitor(
            made,
            Watch(PLACE, ProofFrames(frames[1], "frames.npy")),
            lambda: Rebooting(lambda: open_here(PLACE, image), 30),
            told,
            log,
        )
        seen = monitor.run()
    assert seen.restarts == 1
    assert any("started again" in line for line in told.lines)
    assert any(line.startswith("device is back: started by ") for line in told.lines)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()][1:]
    steps = [row["step"] for row in rows]
    # A gap where nobody knows what was stepped, and every frame of the file is there.
    assert sorted(np.diff(steps))[-2:] == [1, 2]
    assert sum(bool(row.get("reset")) for row in rows) == 2
    assert len(rows) >= 600 - 16


def test_a_program_that_ends_is_told(made, frames):
    image = build_device_image(made, PLACE.device).path

    class Ending(Rebooting):
        def write(self, data, timeout_s):
            if Kind.FEED in [f.type for f in self._parser.feed(data) if isinstance(f, Frame)]:
                self._stream._process.kill()
            self._stream.write(data, timeout_s)

    watch = Watch(PLACE, ProofFrames(frames[1], "frames.npy"))
    ending = Ending(lambda: open_here(PLACE, image), None)
    with pytest.raises(LinkError, match="'device:host' was ended by SIGKILL"):
        Monitor(made, watch, lambda: ending, Told()).run()


def test_another_model_is_refused(made, tmp_path):
    other = device_bundle(tmp_path / "other", seed=9)
    image = build_device_image(other, PLACE.device).path
    with pytest.raises(DeviceError, match="Device serves model 'sample'"):
        Monitor(made, Watch(PLACE), lambda: open_here(PLACE, image), Told()).run()


def test_events_that_the_device_had_forgotten_are_told(made, frames):
    image = build_device_image(made, PLACE.device).path
    told = Told()
    monitor = Monitor(made, Watch(PLACE), lambda: open_here(PLACE, image), told)
    monitor._watch = Watch(PLACE, ProofFrames(frames[1], "x"), duration_s=0.0)
    monitor._connect()
    client = monitor._client
    for k in range(0, len(frames[1]), 4):
        client.feed(frames[1][k : k + 4])
    # As if every notice had been lost on the line.
    client._notices.clear()
    while client.status().waiting:
        pass
    client._notices.clear()
    monitor._look(client, monitor.about, 0.0)
    client.close()
    assert monitor.seen.missed_events > 0
    assert "events are lost: the device had forgotten them" in told.lines[-1]
    assert monitor.seen.event_count == len(told.events) <= 16


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are those of Unix")
def test_a_log_that_finds_no_room_is_told_by_its_name(rnn_edge, bundle, tmp_path):
    assert rnn_edge("monitor", bundle, "--device", "host", "--for", "0.2").code == 0
    log = tmp_path / "full.jsonl"
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "from rnn_edge.cli.main import main; main()"
    )
    command = ["monitor", bundle, "--device", "host", "--rate", "max", "--for", "20", "--log", log]
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert f"Writing the log {log} failed: File too large" in done.stderr
    assert "Traceback" not in done.stderr
