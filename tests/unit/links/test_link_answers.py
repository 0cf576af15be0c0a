"""Answers of an application, whatever is in them: read, or refused by an error of this family."""

import struct
from contextlib import nullcontext, suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from link_lines import ScriptedStream, scripted_time

from rnn_edge.errors import EngineError, LinkError
from rnn_edge.links.application import About, AppStatus, Event, EventPage, LogPage, Mode
from rnn_edge.links.client import LinkClient
from rnn_edge.links.frames import Frame
from rnn_edge.links.messages import ANSWER, EVENT_NOTICE, VERSION, Kind, Status, StepFlag

OPENING = struct.pack("<BHI", VERSION, 96, 0)
IDENTITY = struct.pack("<B16sIIIbbB", VERSION, b"d" * 16, 2, 1, 3, -12, -11, 1) + b"m"
ABOUT = struct.pack("<16sBBBBBbHHIIIII", b"d" * 16, 1, 0, 48, 0, 1, -15, 8, 4, 1, 2, 3, 4, 5)


@pytest.fixture(autouse=True, scope="module")
def clock():
    with scripted_time() as found:
        yield found


def answered(frame, content, status=Status.OK):
    return Frame(frame.type | ANSWER, frame.session, frame.sequence, bytes([status]) + content)


def notice(frame, number, step=0, session=None):
    content = struct.pack("<BIIBBI", 0, number, step, 1, 2, 9)
    return Frame(EVENT_NOTICE, frame.session if session is None else session, number, content)


def opened(**contents):
    def reply(frame):
        name = Kind(frame.type).name
        found = contents.get(name, {"OPEN": OPENING, "IDENTIFY": IDENTITY}.get(name, b""))
        return found(frame) if callable(found) else [answered(frame, found)]

    client = LinkClient(ScriptedStream(reply), 0.02, 3)
    client.open()
    return client


def use(client):
    """Everything that a client can be asked."""
    one = np.zeros((1, 2), np.int16)
    return (
        client.about,
        client.mode,
        client.status,
        client.save,
        client.log,
        client.event_log,
        client.counters,
        client.capabilities,
        client.state,
        lambda: client.watch(0.0),
        lambda: client.watch(0.0, 5),
        lambda: client.feed(one),
        lambda: client.step(one),
        lambda: client.step(one, StepFlag.WITH_STATES),
        lambda: client.set_mode(Mode.HOST),
        lambda: client.feed_samples(one[0]),
    )


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=120), status=st.integers(0, 9), which=st.integers(0, 15))
def test_any_answer_is_read_or_refused(clock, content, status, which):
    def answer(frame):
        payload = bytes([status]) + content
        return [Frame(frame.type | ANSWER, frame.session, frame.sequence, payload)]

    others = {kind.name: answer for kind in Kind if kind not in (Kind.OPEN, Kind.IDENTIFY)}
    client = opened(**others)
    begin_s = clock.now_s
    with suppress(EngineError):
        use(client)[which]()
    assert clock.now_s - begin_s < 2


@given(content=st.binary(max_size=200))
def test_any_content_is_read_or_refused(content):
    for read in (
        About.unpack,
        AppStatus.unpack,
        Event.unpack,
        EventPage.unpack,
        lambda data: LogPage.unpack(data, 2, 1),
    ):
        with suppress(LinkError):
            read(content)


@given(rest=st.binary(max_size=40))
def test_what_follows_of_devices_that_hear_is_read_or_refused(rest):
    about = None
    with suppress(LinkError):
        about = About.unpack(ABOUT + b"\1v\1d" + rest)
    assert about is None or (about.samples is None) == (not rest)
    with suppress(LinkError):
        status = AppStatus.unpack(struct.pack("<12IBB", *range(12), Mode.FED, 0) + rest)
        assert (status.heard is None) == (not rest)


def test_samples_that_find_no_room_are_reported():
    samples = struct.pack("<BHHII", 1, 1, 640, 16_000_000, 7)
    client = opened(ABOUT=ABOUT + b"\1v\1d" + samples, SAMPLES=struct.pack("<HH", 0, 0))
    with pytest.raises(LinkError, match=r"steps none of the samples: 0 of 3 taken"):
        client.feed_samples(np.zeros(3, np.int16))
    assert not client.is_open


@given(content=st.binary(max_size=30), session=st.booleans())
def test_any_notice_is_read_passed_over_or_refused(content, session):
    def reply(frame):
        other = frame.session if session else frame.session ^ 1
        return [Frame(EVENT_NOTICE, other, 0, content), answered(frame, frame.payload)]

    client = opened(PING=reply)
    is_short = content[:1] == b"\0" and len(content) < 15 and session
    with pytest.raises(LinkError, match="Answer to events") if is_short else nullcontext():
        client.ping(b"x")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (ABOUT, "a text of 0 bytes"),
        (ABOUT + b"\3ab", "a text of 3 bytes"),
        (ABOUT[:16] + b"\x09" + ABOUT[17:] + b"\0\0", "9 is not a valid Started"),
        (ABOUT[:30], "Answer to about: 30 bytes"),
    ],
)
def test_what_no_device_is_is_refused(content, words):
    with pytest.raises(LinkError, match=words):
        opened(ABOUT=content).about()


def test_what_a_device_is_is_read():
    found = opened(ABOUT=ABOUT + b"\3abc\2de").about()
    assert (found.version, found.device, found.threshold, found.rule_key) == ("abc", "de", 4, 5)


def page(first, count, numbers):
    rows = b"".join(struct.pack("<IIBBI", n, n, 1, 1, 7) for n in numbers)
    return struct.pack("<II", first, count) + rows


def test_notices_are_kept_while_answers_are_waited_for():
    def noisy(frame):
        others = [notice(frame, 1), notice(frame, 9, session=4)]
        return [*others, answered(frame, b""), notice(frame, 2)]

    client = opened(STATUS=b"\0" * 12 + struct.pack("<I", 1) + b"\0" * 34, PING=noisy)
    assert client.watch(0.0).events == ()
    client.ping()
    for number in (1, 2):
        found = client.watch(0.1)
        assert ([event.number for event in found.events], found.missed) == ([number], 0)


def test_events_are_asked_for_where_a_notice_is_missing():
    client = opened(
        PING=lambda frame: [answered(frame, b""), notice(frame, 4)],
        EVENTS=page(3, 5, [3, 4]),
    )
    client.ping()
    found = client.watch(0.1, 1)
    assert ([event.number for event in found.events], found.missed) == ([3, 4], 2)
    # What was told already is not told again.
    client.ping()
    assert client.watch(0.1).events == ()


def test_numbers_of_events_go_round():
    last = (1 << 32) - 1
    found = opened(EVENTS=page(last, 1, [last, 0])).watch(0.0, last)
    assert ([event.number for event in found.events], found.missed) == ([last, 0], 0)


def test_a_device_whose_ring_stays_full_is_reported(clock):
    client = opened(FEED=struct.pack("<HH", 0, 0))
    begin_s = clock.now_s
    with pytest.raises(LinkError, match=r"steps none of the frames: 0 of 3 taken"):
        client.feed(np.zeros((3, 2), np.int16))
    assert clock.now_s - begin_s < 0.1
    assert not client.is_open


def test_a_restart_that_was_not_answered_is_one():
    client = opened(RESTART=lambda frame: [
        Frame(frame.type | ANSWER, 0, frame.sequence, bytes([Status.NO_SESSION]))
    ])  # fmt: skip
    client.restart()
    assert not client.is_open
