"""A stream that was ended, or killed, goes on as if nothing had happened."""

import itertools
import json
import signal
import time

import numpy as np
import pytest
from live_bundles import events_of, run_live, write_rows

from rnn_edge.live.saved import read_state
from rnn_edge.logs import LogReader


def decisions(events):
    """Return events that are decisions by step, without what tells the process."""
    return [e for e in events if e["event"] in ("begin", "end")]


def logged(folder):
    """Return the logged frames by step; a frame that was stepped twice has to be equal."""
    frames = {}
    for path in sorted(folder.iterdir()):
        with LogReader(path) as reader:
            for item in reader:
                if not hasattr(item, "step"):
                    continue  # the line that was cut off when the process was killed
                known = frames.setdefault(item.step, (item.x, item.y))
                assert known == (item.x, item.y), item.step
    return frames


@pytest.mark.slow
def test_kill_9_in_mid_stream_changes_no_bit(bundles, tmp_path, running):
    write_rows(tmp_path / "rows.csv", 3000)
    common = ("-s", tmp_path / "rows.csv", "--repeat", "12", "--fast", "-q")
    whole = run_live(bundles / "pump", *common, "--state", tmp_path / "a", "--log", tmp_path / "la")
    assert whole.returncode == 0, whole.stderr
    expected = events_of(whole.stdout)
    found, kills = [], 0
    arguments = (*common, "--state", tmp_path / "b", "--log", tmp_path / "lb", "--save-every")
    for _ in itertools.count():
        stream = running(bundles / "pump", *arguments, "0.05")
        started = stream.wait_for("started")
        if kills:
            assert started["step"] > 0
        before = read_state(tmp_path / "b")
        if kills < 3:
            # Killed at any moment after it has saved once more.
            def has_saved(before=before):
                now = read_state(tmp_path / "b")
                return now is not None and (before is None or now.step > before.step)

            process = stream.process
            stream.wait_until(lambda p=process, f=has_saved: f() or p.poll() is not None)
            time.sleep(0.03 * kills)
            if stream.process.poll() is None:
                stream.end(signal.SIGKILL)
                kills += 1
                found += stream.events
                continue
        assert stream.end() == 0
        found += stream.events
        break
    assert kills >= 1
    # What was decided between the last save and the end is decided again, alike.
    unique = {json.dumps(e): e for e in decisions(found)}
    in_order = sorted(unique.values(), key=lambda e: (e["step"], e["event"] == "begin"))
    assert in_order == decisions(expected)
    first, second = read_state(tmp_path / "a"), read_state(tmp_path / "b")
    assert first.pack() == second.pack()
    assert (first.step, first.position) == (36_000, 36_000)
    whole_log, parts = logged(tmp_path / "la"), logged(tmp_path / "lb")
    assert parts == whole_log
    assert sorted(parts) == list(range(36_000))


@pytest.mark.slow
def test_sound_goes_on_in_mid_frame(bundles, tmp_path):
    soundfile = pytest.importorskip("soundfile", reason="reading audio files needs soundfile")
    pcm = np.random.default_rng(0).normal(0, 2000, 40_123).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", pcm, 16_000)
    common = (bundles / "word", "-s", tmp_path / "a.wav", "--fast", "--repeat", "2")
    whole = run_live(*common, "--state", tmp_path / "a")
    parts = [
        run_live(*common, "--state", tmp_path / "b", "--steps", steps)
        for steps in (57, 1, 120, 999)
    ]
    assert [each.returncode for each in parts] == [0] * 4
    assert read_state(tmp_path / "a").pack() == read_state(tmp_path / "b").pack()
    found = [e for each in parts for e in decisions(events_of(each.stdout))]
    assert found == decisions(events_of(whole.stdout))
    assert len(found) > 3
    again = run_live(*common, "--state", tmp_path / "b")
    assert again.returncode == 0
    assert events_of(again.stdout)[-1]["frames"] == 0


def test_sigterm_saves_and_ends_with_0_and_interrupts_with_130(bundles, tmp_path, running):
    arguments = (bundles / "pump", "-s", bundles / "rows.csv", "--state", tmp_path / "s")
    stream = running(*arguments)
    stream.wait_for("started")
    assert stream.end(signal.SIGTERM) == 0
    assert stream.events[-1]["event"] == "stopped"
    assert read_state(tmp_path / "s").step == stream.events[-1]["step"]
    stream = running(*arguments)
    stream.wait_for("started")
    assert stream.end(signal.SIGINT) == 130
    assert stream.events[-1]["event"] == "stopped"
    assert "Interrupted." in stream.notes[-1]


@pytest.mark.slow
def test_the_state_of_another_model_is_refused_or_set_aside(bundles, tmp_path):
    rows = ("-s", bundles / "rows.csv", "--fast", "--state", tmp_path / "s")
    assert run_live(bundles / "pump", *rows).returncode == 0
    before = (tmp_path / "s").read_bytes()
    refused = run_live(bundles / "far", *rows)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "Saved stream is of another model, pump " in refused.stderr
    assert "--new-state" in refused.stderr
    assert (tmp_path / "s").read_bytes() == before
    anew = run_live(bundles / "far", *rows, "--new-state")
    assert anew.returncode == 0
    assert "It is now s.old1; the stream begins anew." in anew.stderr
    assert (tmp_path / "s.old1").read_bytes() == before
    assert events_of(anew.stdout)[0]["state"] == "zero"
    (tmp_path / "s").write_bytes(before[:-9] + b"x" + before[-8:])
    damaged = run_live(bundles / "pump", *rows)
    assert damaged.returncode == 1
    assert "is damaged: its CRC is" in damaged.stderr


@pytest.mark.slow
def test_another_source_begins_anew_with_the_state(bundles, tmp_path):
    state = ("--fast", "--state", tmp_path / "s")
    run_live(bundles / "pump", "-s", bundles / "rows.csv", *state)
    write_rows(tmp_path / "other.csv", 77)
    other = run_live(bundles / "pump", "-s", tmp_path / "other.csv", *state)
    assert "it is of another source; this one begins anew" in other.stderr
    started, *_, stopped = events_of(other.stdout)
    assert (started["step"], started["position"]) == (4000, 0)
    assert (stopped["step"], stopped["frames"]) == (4077, 77)


def test_a_state_that_cannot_be_kept_is_refused(bundles, tmp_path):
    rows = ("-s", bundles / "rows.csv", "--fast", "--state")
    refused = run_live(bundles / "pump", *rows, tmp_path / "s", "--engine", "float")
    assert refused.returncode == 1
    assert "engine 'float' has no state that can be kept" in refused.stderr
    nowhere = run_live(bundles / "pump", *rows, tmp_path / "none" / "s")
    assert nowhere.returncode == 1
    assert "is not there, or cannot be written" in nowhere.stderr


@pytest.mark.slow
def test_rows_on_standard_input_are_stepped_to_the_last(bundles):
    content = (bundles / "rows.csv").read_text()
    by_name = run_live(bundles / "pump", "-q", input=content)
    from_file = run_live(bundles / "pump", "-q", "-s", bundles / "rows.csv", "--fast")
    assert by_name.returncode == 0, by_name.stderr
    strip = lambda events: [{k: v for k, v in e.items() if k != "at"} for e in decisions(events)]  # noqa: E731
    assert strip(events_of(by_name.stdout)) == decisions(events_of(from_file.stdout))
    garbage = b"\xff\xfe,\n1;2\nnan,nan\n" + b"7" * 100_000 + b"\n0.1,0.2\nx"
    broken = run_live(bundles / "pump", "-q", input=(b"0,0\n" + garbage).decode("latin-1"))
    assert broken.returncode == 0, broken.stderr
    stopped = events_of(broken.stdout)[-1]
    # The missing values of one row are held; the others are no rows.
    assert (stopped["frames"], stopped["bad_lines"], stopped["held_values"]) == (3, 4, 2)


@pytest.mark.slow
def test_sound_on_standard_input_is_that_of_the_file(bundles, tmp_path):
    soundfile = pytest.importorskip("soundfile", reason="reading audio files needs soundfile")
    pcm = np.random.default_rng(0).normal(0, 2000, 40_123).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", pcm, 16_000)
    (tmp_path / "a.pcm").write_bytes(pcm.tobytes() + b"x")
    logs = ("--log", tmp_path / "file")
    from_file = run_live(bundles / "word", "-s", tmp_path / "a.wav", "--fast", *logs)
    assert from_file.returncode == 0, from_file.stderr
    with (tmp_path / "a.pcm").open("rb") as file:
        piped = run_live(bundles / "word", "--log", tmp_path / "pipe", stdin=file)
    assert piped.returncode == 0, piped.stderr
    name = "word-000001.jsonl"
    assert (tmp_path / "file" / name).read_bytes() == (tmp_path / "pipe" / name).read_bytes()
    assert events_of(piped.stdout)[-1]["frames"] == 1 + (40_123 - 480) // 320
