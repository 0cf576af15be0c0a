"""The application in a program of this host: its ring, decisions, log, saves and restarts."""

import dataclasses
import os
import signal
import struct
import time

import numpy as np
import pytest
from app_programs import FEW, LABELS, MODEL, RECIPE, RULE, expected_of, frames_of
from c_models import build
from link_lines import FaultyStream

from rnn_edge import __version__
from rnn_edge.errors import LinkError, LinkRestartError
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.links.application import About, Found, Mode, Origin, Rule, Started
from rnn_edge.links.client import LinkClient
from rnn_edge.links.device_log import DeviceLog
from rnn_edge.links.frames import Frame, Parser
from rnn_edge.links.messages import ANSWER, EVENT_NOTICE, Kind, LogFlag, Status
from rnn_edge.links.process import ProcessStream
from rnn_edge.logs import LogReader, LogWriter
from rnn_edge.reference import IntegerReference
from rnn_edge.types import SavedState
from rnn_edge.types.resets import ResetPolicy
from rnn_edge.types.saved_state import digest_bytes

SESSION = 77


def opened(stream, mode=None, timeout_s=5.0, attempts=10):
    client = LinkClient(stream, timeout_s, attempts)
    client.open()
    if mode is not None:
        client.set_mode(mode)
    return client


def started(program, *arguments):
    return ProcessStream([str(program), *arguments], "Program")


@pytest.fixture
def client(app_program):
    with opened(started(app_program)) as found:
        yield found


@pytest.fixture(scope="module")
def x():
    return frames_of(600)


@pytest.fixture(scope="module")
def expected(x):
    found = expected_of(x)
    # What follows is about detections: there have to be some, of both kinds, and ends of them.
    assert {change.label for change in found.changes} == {1, 2}
    assert len(found.changes) > 20
    return found


def wait_until_stepped(client, count):
    deadline = time.monotonic() + 60
    while (found := client.status()).frames < count:
        assert time.monotonic() < deadline
    return found


def events_of(changes):
    return [(c.step, c.has_begun, c.label, c.score) for c in changes]


def told(events):
    return [(e.step, e.has_begun, e.label, e.score) for e in events]


def test_it_says_what_it_is(client):
    about = client.about()
    assert about == About(
        version=__version__,
        device="test board",
        digest=digest_bytes(MODEL),
        started=Started.POWER,
        origin=Origin.ZERO,
        found=Found.HAS_RAM,
        mode=Mode.SENSOR,
        rule=Rule.KEYWORDS,
        score_exponent=-15,
        threshold=RULE.threshold_score,
        rule_key=RULE.key,
        ring_frames=8,
        event_records=8,
        retain_every=1,
        flash_every=0,
        watchdog_ms=4000,
    )
    assert client.capabilities().log_records == 32
    assert client.capabilities().kinds >= set(Kind) - {Kind.SAMPLES}


def test_frames_of_a_host_are_stepped_and_decided_on(client, x, expected):
    client.set_mode(Mode.FED)
    records = []
    for at in range(0, 600, 20):
        client.feed(x[at : at + 20])
        wait_until_stepped(client, at + 20)
        records += client.log(at)
    assert [record.step for record in records] == list(range(600))
    np.testing.assert_array_equal([r.x for r in records], x)
    np.testing.assert_array_equal([r.y for r in records], expected.outputs)
    np.testing.assert_array_equal([r.label for r in records], expected.labels)
    np.testing.assert_array_equal([r.score for r in records], expected.scores)
    plain = LogFlag.DEPLOYED | LogFlag.DECIDED
    assert [r.flags for r in records] == [plain | LogFlag.RESET] + [plain] * 599
    found = client.status()
    begun = sum(change.has_begun for change in expected.changes)
    assert (found.frames, found.dropped, found.detections) == (600, 0, begun)
    assert found.events == len(expected.changes)
    assert 1 <= found.most_filled <= 8
    assert found.saved_to_ram == 600
    assert found.active == (expected.changes[-1].label if expected.changes[-1].has_begun else 0)
    # It remembers the last ones.
    assert told(client.event_log()) == events_of(expected.changes[-8:])
    numbers = [event.number for event in client.event_log()]
    assert numbers == list(range(found.events - 8, found.events))
    assert client.event_log(found.events) == []


def test_every_event_is_noticed(client, x, expected):
    assert client.watch(0.0).events == ()
    client.set_mode(Mode.FED)
    events = []
    for at in range(0, 600, 30):
        client.feed(x[at : at + 30])
        wait_until_stepped(client, at + 30)
        watched = client.watch(0.0)
        assert watched.missed == 0
        events += watched.events
    assert told(events) == events_of(expected.changes)
    assert client.statistics.traffic.damaged == 0


def test_events_that_nobody_fetched_are_counted(client, x, expected):
    client.watch(0.0)
    client.set_mode(Mode.FED)
    for at in range(0, 600, 8):
        client.feed(x[at : at + 8])
    wait_until_stepped(client, 600)
    client._notices.clear()
    watched = client.watch(0.0)
    assert told(watched.events) == events_of(expected.changes[-8:])
    assert watched.missed == len(expected.changes) - 8


def test_a_model_that_is_not_the_hosts_is_not_changed(client, x):
    before = client.state()
    for mode in (Mode.SENSOR, Mode.FED):
        client.set_mode(mode)
        for ask in (
            client.reset,
            lambda: client.step(x[:1]),
            lambda: client.stream(x[:1]),
            lambda: client.set_state(before),
        ):
            with pytest.raises(LinkError, match="out of place"):
                ask()
        assert client.mode() is mode
    for mode in (Mode.SENSOR, Mode.HOST):
        client.set_mode(mode)
        with pytest.raises(LinkError, match="answers feed with out of place"):
            client.feed(x[:1])
    client.reset()
    assert client.counters().steps == 0


def test_a_host_takes_the_model_over_and_gives_it_back(client, x, expected):
    client.set_mode(Mode.FED)
    client.feed(x[:300])
    wait_until_stepped(client, 300)
    client.set_mode(Mode.HOST)
    assert client.status().active == 0
    # The state goes on where the application left it.
    np.testing.assert_array_equal(client.step(x[300:400]), expected.outputs[300:400])
    assert LogFlag.DECIDED not in client.log()[-1].flags
    client.set_mode(Mode.FED)
    client.feed(x[400:])
    wait_until_stepped(client, 500)
    records = client.log()
    np.testing.assert_array_equal([r.y for r in records], expected.outputs[-32:])
    np.testing.assert_array_equal([r.label for r in records], expected.labels[-32:])


def raw(program):
    """A function that sends frames in one piece and returns as many answers."""
    stream, parser = started(program), Parser()

    def ask(*frames):
        stream.write(b"".join(frame.pack() for frame in frames), 5.0)
        found, deadline = [], time.monotonic() + 60
        while len(found) < len(frames) and time.monotonic() < deadline:
            parts = parser.feed(stream.read(1.0))
            found += [part for part in parts if part.type != EVENT_NOTICE]
        return found

    ask(Frame(Kind.OPEN, SESSION, 0, b"\1"))
    return stream, ask


def request(kind, sequence, payload=b""):
    return Frame(kind, SESSION, sequence, payload)


def test_a_full_ring_takes_no_more_and_what_waits_is_dropped_with_its_mode(build_app, x):
    stream, ask = raw(build_app(FEW, flags=("-O1", "-DRNN_EDGE_APP_RECEIVE_BYTES=4096")))
    # All in one turn of the main loop, so that nothing is stepped between them.
    found = ask(
        request(Kind.MODE, 1, bytes([Mode.FED])),
        request(Kind.FEED, 2, x[:5].tobytes()),
        request(Kind.FEED, 3, x[5:15].tobytes()),
        request(Kind.FEED, 4, x[:1].tobytes()),
        request(Kind.MODE, 5, bytes([Mode.SENSOR])),
        request(Kind.STATUS, 6),
    )
    assert [each.payload for each in found[:5]] == [
        b"\0\2",
        struct.pack("<BHH", 0, 5, 3),
        struct.pack("<BHH", 0, 3, 0),
        struct.pack("<BHH", 0, 0, 0),
        b"\0\0",
    ]
    frames, dropped = struct.unpack_from("<II", found[5].payload, 1)
    assert (frames, dropped) == (0, 8)
    # The first frame that is stepped behind them says so.
    ask(request(Kind.MODE, 7, bytes([Mode.FED])), request(Kind.FEED, 8, x[:2].tobytes()))
    (page,) = ask(request(Kind.LOG, 9, bytes(4)))
    flags = LogFlag.RESET | LogFlag.DEPLOYED | LogFlag.DECIDED | LogFlag.DROPPED
    assert page.payload[9] == flags
    stream.close()


@pytest.mark.parametrize(
    ("kind", "payload", "status"),
    [
        (Kind.MODE, b"\3", Status.BAD_REQUEST),
        (Kind.MODE, b"\0\0", Status.BAD_REQUEST),
        (Kind.FEED, b"12345", Status.BAD_REQUEST),
        (Kind.STATUS, b"1", Status.BAD_REQUEST),
        (Kind.ABOUT, b"1", Status.BAD_REQUEST),
        (Kind.SAVE, b"1", Status.BAD_REQUEST),
        (Kind.RESTART, b"1", Status.BAD_REQUEST),
        (Kind.EVENTS, b"1", Status.BAD_REQUEST),
    ],
)
def test_requests_that_make_no_sense_change_nothing(app_program, kind, payload, status):
    stream, ask = raw(app_program)
    (found,) = ask(request(kind, 1, payload))
    assert found == Frame(kind | ANSWER, SESSION, 1, bytes([status]))
    stream.close()


def test_a_fed_request_that_comes_again_is_taken_once(app_program, x):
    stream, ask = raw(app_program)
    feed = request(Kind.FEED, 2, x[:4].tobytes())
    ask(request(Kind.MODE, 1, bytes([Mode.FED])), feed)
    assert ask(feed) == ask(feed)
    (found,) = ask(request(Kind.STATUS, 3))
    assert struct.unpack_from("<I", found.payload, 1) == (4,)
    stream.close()


def test_a_mode_does_not_change_within_a_stream(app_program):
    stream, ask = raw(app_program)
    ask(request(Kind.MODE, 1, bytes([Mode.HOST])), request(Kind.STREAM_BEGIN, 2, b"\0"))
    assert ask(request(Kind.MODE, 3, b"\0"))[0].payload == bytes([Status.OUT_OF_PLACE])
    stream.close()


def test_a_restart_goes_on_where_the_stream_was(client, x, expected):
    client.set_mode(Mode.FED)
    client.feed(x[:299])
    wait_until_stepped(client, 299)
    saved = client.state()
    client.restart()
    assert not client.is_open
    assert client.open().steps == 0
    about = client.about()
    assert (about.started, about.origin) == (Started.SOFTWARE, Origin.RAM)
    assert client.state() == saved
    active = client.status().active
    client.set_mode(Mode.FED)
    client.feed(x[299:310])
    wait_until_stepped(client, 11)
    records = client.log()
    assert records[0].flags == LogFlag.RESTORED | LogFlag.DEPLOYED | LogFlag.DECIDED
    # The decision goes on too: what it remembers of the frames before is saved with the state.
    np.testing.assert_array_equal([r.y for r in records], expected.outputs[299:310])
    np.testing.assert_array_equal([r.label for r in records], expected.labels[299:310])
    np.testing.assert_array_equal([r.score for r in records], expected.scores[299:310])
    before = [change for change in expected.changes if change.step < 299]
    assert active == (before[-1].label if before[-1].has_begun else 0)
    after = [change for change in expected.changes if 299 <= change.step < 310]
    found = [(step + 299, *rest) for step, *rest in told(client.event_log())]
    assert found == events_of(after)


def test_a_session_tells_of_a_restart_that_it_did_not_ask_for(app_program, x, expected):
    with opened(stream := started(app_program), Mode.FED) as client:
        client.feed(x[:200])
        wait_until_stepped(client, 200)
        os.kill(stream.pid, signal.SIGVTALRM)
        with pytest.raises(LinkRestartError, match="started again"):
            client.feed(x[200:])
        client.open()
        about, found = client.about(), client.status()
        assert (about.started, about.origin) == (Started.WATCHDOG, Origin.RAM)
        assert found.watchdog_restarts == 1
        client.set_mode(Mode.HOST)
        np.testing.assert_array_equal(client.step(x[200:210]), expected.outputs[200:210])
        os.kill(stream.pid, signal.SIGVTALRM)
        time.sleep(0.1)
        client.open()
        assert client.status().watchdog_restarts == 2


HANG = """
#include <stdint.h>
void __real_rnn_edge_platform_start_ticks(void);
void __wrap_rnn_edge_platform_start_ticks(void);
void __wrap_rnn_edge_platform_start_ticks(void) {
    static volatile uint32_t steps;
    if (++steps == 100) {
        for (;;) {
        }
    }
    __real_rnn_edge_platform_start_ticks();
}
"""


def keep_talking(client, x):
    """Traffic does not feed the watchdog of an application that hangs."""
    client.feed(x)
    while True:
        client.ping(b"alive?")


def test_a_step_that_hangs_is_ended_by_the_watchdog(build_app, tmp_path, x, expected):
    (tmp_path / "hang.c").write_text(HANG)
    app = AppConfig("test board", RULE, retain_every=1, watchdog_ms=300)
    flags = ("-O1", "-Wl,--wrap=rnn_edge_platform_start_ticks", str(tmp_path / "hang.c"))
    with opened(started(build_app(app, flags=flags)), Mode.FED, 0.2, 30) as client:
        begin = time.monotonic()
        with pytest.raises(LinkRestartError, match="started again"):
            keep_talking(client, x[:130])
        assert time.monotonic() - begin < 60
        client.open()
        about = client.about()
        assert (about.started, about.origin) == (Started.WATCHDOG, Origin.RAM)
        # All but the step that it hung in.
        client.set_mode(Mode.HOST)
        np.testing.assert_array_equal(client.step(x[99:120]), expected.outputs[99:120])


def test_a_state_in_flash_is_there_after_the_power_was_off(app_program, x, expected, tmp_path):
    flash = ("--state", str(tmp_path / "flash"))
    for part in range(3):
        with opened(started(app_program, *flash)) as client:
            about = client.about()
            assert about.found == Found.HAS_RAM | Found.HAS_FLASH
            assert about.origin is (Origin.FLASH if part else Origin.ZERO)
            assert about.started is Started.POWER
            client.set_mode(Mode.FED)
            client.feed(x[100 * part : 100 * part + 100])
            wait_until_stepped(client, 100)
            for _ in range(part + 1):
                assert client.save() is Origin.FLASH
            assert client.status().saved_to_flash == part + 1
    with opened(started(app_program, *flash), Mode.HOST) as client:
        np.testing.assert_array_equal(client.step(x[300:400]), expected.outputs[300:400])
        assert client.log(0)[0].step >= 68


def test_the_newest_of_both_memories_counts(app_program, x, expected, tmp_path):
    with opened(started(app_program, "--state", str(tmp_path / "flash")), Mode.FED) as client:
        client.feed(x[:50])
        wait_until_stepped(client, 50)
        client.save()
        client.feed(x[50:80])
        wait_until_stepped(client, 80)
        client.restart()
        client.open()
        assert client.about().origin is Origin.RAM
        client.save()
        client.set_mode(Mode.HOST)
        np.testing.assert_array_equal(client.step(x[80:90]), expected.outputs[80:90])


def test_flash_is_saved_to_as_often_as_was_said(build_app, x, tmp_path):
    app = AppConfig("test board", RULE, retain_every=0, flash_every=30)
    program = build_app(app)
    flash = ("--state", str(tmp_path / "flash"))
    with opened(started(program, *flash), Mode.FED) as client:
        client.feed(x[:100])
        found = wait_until_stepped(client, 100)
        assert (found.saved_to_ram, found.saved_to_flash) == (0, 3)
    with opened(started(program, *flash), Mode.HOST) as client:
        expected = IntegerReference(MODEL).run(x[None, :91]).outputs[0]
        np.testing.assert_array_equal(client.step(x[90:91])[0], expected[90])


OTHER = build(dataclasses.replace(RECIPE, seed=6))


@pytest.mark.slow
def test_a_state_of_another_model_is_left_alone_and_told(build_app, app_program, x, tmp_path):
    flash = ("--state", str(tmp_path / "flash"))
    with opened(started(app_program, *flash), Mode.FED) as client:
        client.feed(x[:20])
        wait_until_stepped(client, 20)
        client.save()
    with opened(started(build_app(FEW, OTHER), *flash)) as client:
        about = client.about()
        assert about.origin is Origin.ZERO
        assert Found.OTHER_MODEL in about.found
        zero = {name: np.zeros(n, np.int16) for name, n in OTHER.state_sizes.items()}
        assert client.state() == SavedState.of(OTHER, zero).pack()
        # It is written over by the next one that is saved.
        client.save()
    with opened(started(build_app(FEW, OTHER), *flash)) as client:
        assert client.about().origin is Origin.FLASH


def test_a_decision_of_another_rule_begins_anew_and_the_state_goes_on(
    build_app, app_program, x, expected, tmp_path
):
    flash = ("--state", str(tmp_path / "flash"))
    with opened(started(app_program, *flash), Mode.FED) as client:
        client.feed(x[:50])
        wait_until_stepped(client, 50)
        client.save()
    # As many frames, so that it is the key that tells them apart.
    rule = dataclasses.replace(RULE, keywords=(*RULE.keywords[:1] * 3, None))
    with opened(started(build_app(AppConfig("other", rule)), *flash), Mode.HOST) as client:
        about = client.about()
        assert about.origin is Origin.FLASH
        assert Found.OTHER_RULE in about.found
        np.testing.assert_array_equal(client.step(x[50:60]), expected.outputs[50:60])


@pytest.mark.parametrize("content", [b"\0" * 9000, b"RNEK" * 2500, b"\xff" * 100])
def test_a_memory_that_holds_anything_is_as_good_as_empty(app_program, tmp_path, content, x):
    flash = tmp_path / "flash"
    flash.write_bytes(content)
    for k in range(2):
        with opened(started(app_program, "--state", str(flash))) as client:
            about = client.about()
            assert about.origin is (Origin.FLASH if k else Origin.ZERO)
            # What is in the other place is not whole either, until it is erased.
            assert (Found.DAMAGED in about.found) == (content[:1] == b"R")
            client.save()


def test_the_counter_of_a_reset_policy_outlives_a_restart(build_app, x):
    policy = ResetPolicy("every", 40)
    app = AppConfig("test board", RULE, log_records=64, retain_every=1)
    with opened(started(build_app(app, reset=policy)), Mode.FED) as client:
        client.feed(x[:30])
        wait_until_stepped(client, 30)
        client.restart()
        client.open()
        client.set_mode(Mode.FED)
        client.feed(x[30:90])
        wait_until_stepped(client, 60)
        records = client.log()
        assert [r.step for r in records if LogFlag.RESET in r.flags] == [10, 50]
        start = IntegerReference(MODEL).run(x[None, 40:80]).outputs[0]
        np.testing.assert_array_equal([r.y for r in records[10:50]], start)


def test_a_device_that_cannot_save_says_so(build_app):
    # Without a record for a restart, and without flash.
    program = build_app(AppConfig("small"), flags=("-O1", "-DRNN_EDGE_STORE_MOST_UNIT=2U"))
    with opened(started(program)) as client:
        assert client.about().found == Found.NONE
        with pytest.raises(LinkError, match="no memory to save"):
            client.save()
        client.restart()
        client.open()
        assert client.about().origin is Origin.ZERO


def header(**further):
    return LogWriter.header_of(MODEL, 50.0, **further)


def test_a_log_is_fetched_without_a_gap(client, x, expected, tmp_path):
    path = tmp_path / "device.jsonl"
    client.set_mode(Mode.FED)
    with LogWriter(path, header(device="test board")) as writer:
        log, about = DeviceLog(writer, LABELS), client.about()
        log.begin()
        assert log.fetch(client, about).frames == 0
        for at in range(0, 600, 25):
            client.feed(x[at : at + 25])
            wait_until_stepped(client, at + 25)
            found = log.fetch(client, about)
            assert (found.frames, found.lost) == (25, 0)
    with LogReader(path) as reader:
        frames = list(reader)
    assert [frame.step for frame in frames] == list(range(600))
    np.testing.assert_array_equal([frame.x for frame in frames], x)
    np.testing.assert_array_equal([frame.y for frame in frames], expected.outputs)
    assert [frame.is_reset for frame in frames] == [True] + [False] * 599
    names = [frame.record.get("detected") for frame in frames]
    assert names == [None if label == 0 else LABELS[label - 1] for label in expected.labels]
    scores = [frame.record["detection_score"] for frame in frames]
    np.testing.assert_array_equal(scores, expected.scores * 2.0**-15)


def test_what_a_full_log_lost_is_told(client, x, tmp_path):
    path = tmp_path / "device.jsonl"
    client.set_mode(Mode.FED)
    with LogWriter(path, header()) as writer:
        log, about = DeviceLog(writer, LABELS), client.about()
        log.begin()
        done = 0
        for count in (20, 100, 32, 33, 90):
            client.feed(x[done : done + count])
            done += count
            wait_until_stepped(client, done)
            found = log.fetch(client, about)
            assert (found.frames, found.lost) == (min(count, 32), max(0, count - 32))
        assert (log.frames, log.lost) == (20 + 4 * 32, 68 + 1 + 58)
    with LogReader(path) as reader:
        steps = [frame.step for frame in reader]
    assert steps == [*range(20), *range(88, 152), *range(153, 185), *range(243, 275)]


def test_a_restart_leaves_a_gap_in_the_log(client, x, tmp_path):
    path = tmp_path / "device.jsonl"
    client.set_mode(Mode.FED)
    with LogWriter(path, header()) as writer:
        log, about = DeviceLog(writer, LABELS), client.about()
        log.begin()
        client.feed(x[:20])
        wait_until_stepped(client, 20)
        log.fetch(client, about)
        client.restart()
        client.open()
        client.set_mode(Mode.FED)
        client.feed(x[20:50])
        wait_until_stepped(client, 30)
        log.begin()
        assert log.fetch(client, about).frames == 30
        client.set_mode(Mode.HOST)
        client.set_state(client.state())
        client.step(x[:2])
        assert (log.fetch(client, about).frames, log.lost) == (2, 0)
    with LogReader(path) as reader:
        frames = list(reader)
    assert [f.step for f in frames] == [*range(20), *range(21, 51), 52, 53]
    assert [f.step for f in frames if f.record.get("restored")] == [21]
    assert [f.step for f in frames if f.record.get("state_set")] == [52]


@pytest.mark.slow
@pytest.mark.parametrize("attempts", [200, 5])
def test_every_frame_fed_over_a_bad_line_is_stepped_once_or_reported(app_program, attempts):
    x = frames_of(10_000, seed=3)
    expected = expected_of(x)
    line = FaultyStream(started(app_program), seed=21, rate=0.01)
    patient = LinkClient(line, 0.05, 400)
    patient.open()
    patient.set_mode(Mode.FED)
    client = LinkClient(line, 0.05, attempts)
    events, missed, reported, at = [], 0, 0, 0
    client.open()
    since = 0
    while at < len(x):
        try:
            client.feed(x[at : at + 8])
            at += 8
        except LinkError:
            reported += 1
            # How many of them were taken the device tells.
            patient.open()
            status = patient.status()
            assert at <= status.frames + status.waiting <= at + 8
            at = status.frames + status.waiting
            since = len(events)
        if not client.is_open:
            reopen(client)
        try:
            watched = client.watch(0.0, since)
            missed += watched.missed
            events += told(watched.events)
            since = None
        except LinkError:
            reported += 1
            since = len(events)
            reopen(client)
    patient.open()
    found = wait_until_stepped(patient, 10_000)
    later = patient.event_log(len(events))
    assert missed == 0
    assert (found.frames, found.dropped) == (10_000, 0)
    assert found.events == len(expected.changes)
    assert events + told(later) == events_of(expected.changes)
    # A page of the log is so long that hardly one in a hundred gets through whole.
    line.rate = 0.0
    records = patient.log()
    np.testing.assert_array_equal([r.y for r in records], expected.outputs[-32:])
    np.testing.assert_array_equal([r.label for r in records], expected.labels[-32:])
    assert (reported == 0) == (attempts == 200)
    assert min(line.faults.values()) > 500
    line.close()


def reopen(client):
    for _ in range(50):
        try:
            client.open()
            return
        except LinkError:
            continue
    pytest.fail("the device is gone")
