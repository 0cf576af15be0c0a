"""Hooks, logs, metrics and messages never hold up a stream, and count what they lose."""

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
from live_bundles import make_bundle

from rnn_edge.errors import DataError, DeviceError, EnvironmentFailureError
from rnn_edge.live import broker
from rnn_edge.live.broker import BrokerAddress, BrokerEvents
from rnn_edge.live.counts import BUCKETS_S, Counts, Histogram
from rnn_edge.live.hook import MOST_WAITING, Hook
from rnn_edge.live.log_folder import LogFolder
from rnn_edge.live.printed import Lines
from rnn_edge.live.service import parse_metrics
from rnn_edge.live.told import Teller
from rnn_edge.logs import LogReader

EVENT = {"event": "begin", "label": "yes", "score": 0.5, "step": 7, "model": "word"}


@pytest.fixture
def said():
    return []


@pytest.fixture
def script(tmp_path):
    def write(body):
        path = tmp_path / "hook.sh"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    return write


def test_a_hook_gets_the_event_and_its_fields(script, tmp_path, said):
    body = f'cat > {tmp_path}/in\necho "$RNN_EDGE_EVENT $RNN_EDGE_LABEL $RNN_EDGE_STEP '
    body += f'$RNN_EDGE_SCORE $RNN_EDGE_MODEL" > {tmp_path}/env'
    hook = Hook(script(body), 2, 60.0, Teller(said.append))
    hook.send(EVENT)
    hook.close()
    assert json.loads((tmp_path / "in").read_text()) == EVENT
    assert (tmp_path / "env").read_text() == "begin yes 7 0.5 word\n"
    assert (hook.done, hook.failed, said) == (1, 0, [])


def test_a_hook_that_fails_or_hangs_is_counted_and_killed_with_what_it_started(
    script, tmp_path, said
):
    hook = Hook(script("exit 3"), 1, 60.0, Teller(said.append))
    hook.send(EVENT)
    hook.close()
    assert hook.failed == 1
    assert "ended with 3" in said[0]
    hanging = Hook(
        script(f"(sleep 3; touch {tmp_path}/late) & sleep 60"), 1, 0.3, Teller(said.append)
    )
    hanging.send(EVENT)
    hanging.close()
    # Closing waits a second longer than a hook may take, which a busy machine may exceed.
    deadline = time.monotonic() + 60
    while not hanging.killed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert hanging.killed == 1
    assert "killed after 0.3 s" in said[1]
    time.sleep(3.2)
    assert not (tmp_path / "late").exists()


def test_a_slow_hook_costs_events_and_no_time(script, tmp_path, said):
    body = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
    hook = Hook(script(body), 1, 60.0, Teller(said.append))
    began = time.monotonic()
    for _ in range(MOST_WAITING + 20):
        hook.send(EVENT)
    # The first of them is at work until it is told to end: nothing has waited for it.
    assert (hook.done, hook.killed) == (0, 0)
    assert time.monotonic() - began < 60.0
    assert hook.dropped in (19, 20)
    assert "an event dropped" in said[0]
    (tmp_path / "go").touch()
    hook.close()
    assert (hook.done, hook.dropped) == (MOST_WAITING + 20 - hook.dropped, hook.dropped)


def test_a_hook_that_does_not_exist_is_refused(said):
    for command in ("/no/such/program", "", "'"):
        with pytest.raises(EnvironmentFailureError, match="Hook"):
            Hook(command, 1, 1.0, Teller(said.append))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("model") / "b").model()


def log_folder(path, counts, said, **options):
    given = {"frames": 10, "keep": 0, "is_packed": False} | options
    frames, keep = given.pop("frames"), given.pop("keep")
    return LogFolder(path, frames, keep, counts, Teller(said.append), **given)


def write(log, model, first, count):
    zero = np.zeros(2, np.int16)
    for step in range(first, first + count):
        log.write(zero, zero, step=step, reset=step == 0)


@pytest.mark.parametrize("is_packed", [False, True])
def test_logs_are_numbered_and_the_oldest_go(tmp_path, model, said, is_packed):
    counts = Counts()
    for first in (0, 25):
        log = log_folder(tmp_path / "logs", counts, said, keep=3, is_packed=is_packed)
        log.begin(model, 2.0, ("a", "b"))
        write(log, model, first, 25)
        log.close()
    suffix = ".jsonl.gz" if is_packed else ".jsonl"
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert names == [f"pump-00000{k}{suffix}" for k in (4, 5, 6)]
    with LogReader(tmp_path / "logs" / names[0]) as reader:
        assert [frame.step for frame in reader] == list(range(25, 35))
    assert (counts.unlogged, said) == (0, [])


def test_a_full_disk_costs_the_log_and_not_the_stream(tmp_path, model, said, monkeypatch):
    counts = Counts()
    log = log_folder(tmp_path / "logs", counts, said)
    log.begin(model, 2.0, ())
    write(log, model, 0, 4)
    with monkeypatch.context() as patch:

        def full(*arguments, **fields):
            raise OSError(28, "No space left on device")

        patch.setattr("rnn_edge.logs.LogWriter.write", full)
        write(log, model, 4, 4)
    assert counts.unlogged == 4
    assert "No space left on device" in said[0]
    write(log, model, 8, 4)
    log.close()
    # The file at hand is given up; the next one is tried where it would have been full.
    assert counts.unlogged == 6
    with LogReader(tmp_path / "logs" / "pump-000002.jsonl") as reader:
        assert [frame.step for frame in reader] == [10, 11]


def test_a_folder_of_logs_that_cannot_be_made_is_refused(tmp_path, said):
    (tmp_path / "logs").write_text("")
    with pytest.raises(EnvironmentFailureError, match="Folder of logs"):
        log_folder(tmp_path / "logs", Counts(), said)


def test_durations_are_counted_by_size():
    found = Histogram()
    assert found.quantile_s(0.5) is None
    for seconds in [1e-5] * 50 + [3e-4] * 49 + [30.0]:
        found.add(seconds)
    assert found.count == 100
    assert found.counts[0] == 50
    assert found.counts[-1] == 1
    assert found.quantile_s(0.5) == BUCKETS_S[0]
    assert found.quantile_s(0.99) == 5e-4
    assert found.quantile_s(1.0) == 30.0


def test_messages_of_a_kind_become_rare(said):
    teller = Teller(said.append)
    for _ in range(1000):
        teller("bad lines", "A bad line.")
    assert len(said) == 5 + 3
    assert said[-1] == "A bad line. (bad lines: 1,000 so far)"
    assert teller.counts["bad lines"] == 1000


def test_a_reader_that_went_away_ends_the_stream_once():
    written = []

    def write_line(line):
        if written:
            raise BrokenPipeError
        written.append(line)

    lines = Lines(write_line)
    lines.send({"event": "a", "score": float("nan")})
    assert written == ['{"event": "a", "score": null}']
    with pytest.raises(BrokenPipeError):
        lines.send({"event": "b"})
    lines.send({"event": "c"})


def test_addresses_are_read_and_refused(said):
    assert BrokerAddress.of("mqtt://host/a/b") == BrokerAddress("host", 1883, "a/b")
    assert BrokerAddress.of("mqtt://[::1]:18/a") == BrokerAddress("::1", 18, "a")
    for text in ("mqtt://host", "http://host/a", "mqtt://user:secret@host/a", "mqtt://h:99999/a"):
        with pytest.raises(DeviceError, match="expected mqtt://HOST"):
            BrokerAddress.of(text)
    with pytest.raises(DeviceError, match="is a pattern"):
        BrokerEvents(BrokerAddress.of("mqtt://host/a/#"), Teller(said.append))
    assert parse_metrics("9101") == ("127.0.0.1", 9101)
    assert parse_metrics("[::]:9101") == ("::", 9101)
    for text in ("", "host", "host:http", "1:99999"):
        with pytest.raises(DataError, match="expected"):
            parse_metrics(text)


@pytest.mark.parametrize(("is_there", "waits_s"), [(True, 10.0), (False, 2.0)])
def test_an_event_that_is_never_acknowledged_is_counted_as_dropped(
    monkeypatch, said, is_there, waits_s
):
    pytest.importorskip("paho.mqtt.client", reason="MQTT needs paho-mqtt")
    now_s = [0.0]

    def sleep(seconds):
        now_s[0] += seconds

    clock = SimpleNamespace(monotonic=lambda: now_s[0], sleep=sleep)
    monkeypatch.setattr(broker, "time", clock)
    monkeypatch.setattr(broker._Session, "start", lambda self, on_connect: None)
    events = BrokerEvents(BrokerAddress.of("mqtt://host/a"), Teller(said.append))
    if is_there:
        events._session.is_connected.set()
    for _ in range(3):
        events.send(EVENT)
    events._arrived()
    events.close()
    assert waits_s <= now_s[0] < waits_s + 0.2
    assert (events.published, events.dropped, events.waiting) == (1, 2, 0)
    assert said == ["mqtt://host:1883/a: 2 event(s) not acknowledged at the end; they may be lost."]


def test_nothing_is_waited_for_where_all_was_acknowledged(monkeypatch, said):
    pytest.importorskip("paho.mqtt.client", reason="MQTT needs paho-mqtt")
    monkeypatch.setattr(broker._Session, "start", lambda self, on_connect: None)
    monkeypatch.setattr(broker.time, "sleep", lambda seconds: pytest.fail("waited"))
    events = BrokerEvents(BrokerAddress.of("mqtt://host/a"), Teller(said.append))
    events.send(EVENT)
    events._arrived()
    events.close()
    assert (events.dropped, said) == (0, [])
