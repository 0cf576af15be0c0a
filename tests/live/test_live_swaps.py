"""Models change without a gap: every frame is stepped once, by the one or by the other."""

import shutil
import signal

import pytest
from live_bundles import events_of, make_bundle, run_live

from rnn_edge.live.saved import read_state
from rnn_edge.logs import LogReader
from rnn_edge.pipeline.bundle import Bundle


def digest(folder):
    return Bundle.open(folder).model().digest()


def steps_of(folder):
    """Return the logged steps and the models in order."""
    steps, models = [], []
    for path in sorted(folder.iterdir()):
        with LogReader(path) as reader:
            models.append(reader.header.model_digest)
            steps += [frame.step for frame in reader]
    return steps, models


def canary(bundles, other, *arguments):
    common = ("-s", bundles / "rows.csv", "--fast", "--canary", bundles / other)
    return run_live(
        bundles / "pump", *common, "--warmup", "50", "--canary-frames", "1000", *arguments
    )


def test_a_canary_within_its_budget_takes_over(bundles, tmp_path):
    done = canary(bundles, "near", "--log", tmp_path / "log", "--state", tmp_path / "s")
    assert done.returncode == 0, done.stderr
    events = events_of(done.stdout)
    (swap,) = [e for e in events if e["event"] == "swap"]
    ours, theirs = digest(bundles / "pump"), digest(bundles / "near")
    assert (swap["from"], swap["to"], swap["step"]) == (ours, theirs, 1050)
    assert swap["reason"].startswith("within its budget over 1,000 frames")
    assert swap["frame_agreement"] >= 0.95
    assert steps_of(tmp_path / "log") == (list(range(4000)), [ours, theirs])
    assert read_state(tmp_path / "s").digest == theirs


@pytest.mark.slow
def test_a_canary_outside_its_budget_is_left(bundles, tmp_path):
    done = canary(bundles, "far", "--log", tmp_path / "log", "--state", tmp_path / "s")
    assert done.returncode == 0, done.stderr
    (rollback,) = [e for e in events_of(done.stdout) if e["event"] == "rollback"]
    assert "the budget 0.95" in rollback["reason"]
    assert steps_of(tmp_path / "log") == (list(range(4000)), [digest(bundles / "pump")])
    plain = run_live(
        bundles / "pump", "-s", bundles / "rows.csv", "--fast", "--state", tmp_path / "t"
    )
    assert plain.returncode == 0
    # Nothing of it is left in the model at work.
    assert read_state(tmp_path / "s").pack() == read_state(tmp_path / "t").pack()


@pytest.mark.slow
def test_sighup_and_watch_load_the_bundle_anew(bundles, tmp_path, running):
    shutil.copytree(bundles / "pump", tmp_path / "b")
    stream = running(
        tmp_path / "b", "-s", bundles / "rows.csv", "--repeat", "0", "--fast", "--warmup", "5",
        "--log", tmp_path / "log", "--watch",
    )  # fmt: skip
    stream.wait_for("started")
    stream.process.send_signal(signal.SIGHUP)
    stream.wait_until(lambda: any("is the one at work" in note for note in stream.notes))
    (tmp_path / "b").rename(tmp_path / "old")
    shutil.copytree(bundles / "near", tmp_path / "b")
    swap = stream.wait_for("swap")
    assert (swap["from"], swap["to"]) == (digest(bundles / "pump"), digest(bundles / "near"))
    assert swap["reason"] == "5 frames beside the model before it"
    (tmp_path / "b" / "model.npz").write_bytes(b"broken")
    stream.process.send_signal(signal.SIGHUP)
    stream.wait_until(lambda: any("file model.npz was changed" in note for note in stream.notes))
    assert stream.end(signal.SIGTERM) == 0
    stopped = stream.events[-1]
    steps, models = steps_of(tmp_path / "log")
    assert steps == list(range(stopped["frames"]))
    assert models == [swap["from"], swap["to"]]
    assert stopped["step"] == stopped["frames"]


@pytest.mark.slow
def test_a_reload_keeps_to_a_budget_that_is_named(bundles, tmp_path, running):
    make_bundle(tmp_path / "b")
    stream = running(
        tmp_path / "b", "-s", bundles / "rows.csv", "--repeat", "0", "--fast", "--warmup", "5",
        "--canary-budget", "frame_agreement=0.99", "--canary-frames", "500",
    )  # fmt: skip
    stream.wait_for("started")
    make_bundle(tmp_path / "b", seed=77)
    stream.process.send_signal(signal.SIGHUP)
    rollback = stream.wait_for("rollback")
    assert "frame_agreement" in rollback["reason"]
    assert stream.end(signal.SIGTERM) == 0
