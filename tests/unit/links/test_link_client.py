"""The host's side against devices that answer late, wrongly, twice or never."""

import struct

import numpy as np
import pytest
from link_lines import EndedStream, ScriptedStream, scripted_time

from rnn_edge.errors import LinkError, LinkRestartError, SavedStateError
from rnn_edge.links.client import LinkClient
from rnn_edge.links.frames import Frame
from rnn_edge.links.messages import ANSWER, DAMAGE_NOTICE, VERSION, Kind, LogFlag, Status, StepFlag

OPENING = struct.pack("<BHI", VERSION, 64, 7)
IDENTITY = struct.pack("<B16sIIIbbB", VERSION, b"d" * 16, 2, 1, 3, -12, -11, 3) + b"kws"
CAPABILITIES = struct.pack("<HHI", 64, 4, 16) + bytes([1, 2, 9])


@pytest.fixture(autouse=True)
def clock():
    with scripted_time() as found:
        yield found


def answer(frame, content=b"", status=Status.OK, **changes):
    fields = {"type": frame.type | ANSWER, "session": frame.session, "sequence": frame.sequence}
    return Frame(**{**fields, **changes}, payload=bytes([status]) + content)


def device(**others):
    """Answers open and identify; the others by the name of their kind, as answers or functions."""
    contents = {"OPEN": OPENING, "IDENTIFY": IDENTITY, "CAPABILITIES": CAPABILITIES, **others}

    def reply(frame):
        found = contents.get(Kind(frame.type).name, b"")
        return found(frame) if callable(found) else [answer(frame, found)]

    return ScriptedStream(reply)


def opened(stream, **options):
    client = LinkClient(stream, **{"timeout_s": 0.02, "attempts": 4, **options})
    client.open()
    return client


def sometimes(*replies):
    """Give one reply after the other, the last one for ever."""
    left = list(replies)
    return lambda frame: (left.pop(0) if len(left) > 1 else left[0])(frame)


def test_a_session_begins_with_what_the_device_says():
    stream = device()
    client = LinkClient(stream)
    assert not client.is_open
    opening = client.open()
    assert (opening.version, opening.most_payload, opening.steps) == (VERSION, 64, 7)
    identity = client.identify()
    assert (identity.name, identity.digest) == ("kws", b"d" * 16)
    assert (identity.inputs, identity.outputs, identity.state_values) == (2, 1, 3)
    assert (identity.input_exponent, identity.output_exponent) == (-12, -11)
    found = client.capabilities()
    assert (found.most_payload, found.credits, found.log_records) == (64, 4, 16)
    assert found.kinds == {1, 2, 9}
    assert [frame.sequence for frame in stream.heard[1:]] == [1, 2]
    assert len({frame.session for frame in stream.heard} - {0}) == 1
    client.close()
    assert stream.is_closed


def test_a_device_that_never_answers_is_reported_in_time(clock):
    stream = ScriptedStream(lambda frame: [])
    client = LinkClient(stream, timeout_s=0.02, attempts=5)
    with pytest.raises(LinkError, match=r"did not answer open in 5 attempts of 0\.02 s") as caught:
        client.open()
    assert clock.now_s == pytest.approx(5 * 0.02)
    assert len(stream.heard) == 5
    assert "powered" in caught.value.hint


def test_a_device_that_only_makes_noise_is_reported_in_time():
    stream = ScriptedStream(lambda frame: [b"\x55" * 50])
    with pytest.raises(LinkError, match="did not answer"):
        LinkClient(stream, timeout_s=0.02, attempts=3).open()
    stream = ScriptedStream(lambda frame: [b"\0" + b"\x55" * 50 + b"\0"] * 4)
    with pytest.raises(LinkError, match="did not answer"):
        LinkClient(stream, timeout_s=0.02, attempts=3).open()


def test_a_request_is_repeated_with_its_number_until_it_is_answered():
    lost = lambda frame: []  # noqa: E731
    damaged = lambda frame: [answer(frame).pack()[:-2] + b"\x55\0"]  # noqa: E731
    noticed = lambda frame: [Frame(DAMAGE_NOTICE, 0, 0, b"\0")]  # noqa: E731
    stream = device(RESET=sometimes(lost, damaged, noticed, lambda frame: [answer(frame)]))
    client = opened(stream)
    client.reset()
    sent = [frame for frame in stream.heard if frame.type == Kind.RESET]
    assert len(sent) == 4
    assert len(set(sent)) == 1
    found = client.statistics
    assert (found.requests, found.retries) == (2, 3)
    assert (found.traffic.sent, found.traffic.received, found.traffic.damaged) == (5, 3, 1)


def test_answers_to_something_else_are_passed_over():
    def confused(frame):
        yield answer(frame, b"old", sequence=frame.sequence - 1)
        yield answer(frame, b"other", type=Kind.RESET | ANSWER)
        yield frame
        yield answer(frame, b"right")
        yield answer(frame, b"wrong")

    client = opened(device(PING=confused))
    client.ping(b"right")
    client.ping(b"right")
    assert client.statistics.retries == 0


def test_a_request_without_an_answer_ends_the_session():
    client = opened(device(RESET=lambda frame: []))
    with pytest.raises(LinkError, match="did not answer reset"):
        client.reset()
    assert not client.is_open
    with pytest.raises(LinkError, match="no session") as caught:
        client.ping()
    assert caught.value.hint == "call open()"
    client.open()
    client.ping()


def test_a_device_that_started_again_is_told_from_another_host():
    gone = lambda frame: [answer(frame, status=Status.NO_SESSION, session=0)]  # noqa: E731
    taken = lambda frame: [answer(frame, status=Status.NO_SESSION, session=9)]  # noqa: E731
    client = opened(device(STEP=gone, COUNTERS=taken))
    with pytest.raises(LinkRestartError, match="started again"):
        client.step(np.zeros((1, 2), np.int16))
    client.open()
    with pytest.raises(LinkRestartError, match="another session, 00000009"):
        client.counters()
    assert not client.is_open


def test_answers_to_an_earlier_open_are_passed_over():
    old = struct.pack("<BHI", VERSION, 64, 5)

    def late(frame):
        yield answer(frame, old, session=8, sequence=frame.sequence ^ 1)
        yield answer(frame, old, session=8)
        yield answer(frame, OPENING)

    client = LinkClient(device(OPEN=late), 0.02, 4)
    assert client.open().steps == 7
    client.ping()
    assert client.statistics.retries == 0


def test_an_answer_of_another_session_is_passed_over():
    def confused(frame):
        yield answer(frame, b"old", session=frame.session ^ 1)
        yield answer(frame, frame.payload)

    client = opened(device(PING=confused))
    client.ping(b"new")
    assert client.statistics.retries == 0


def test_an_unknown_version_is_refused():
    other = lambda frame: [answer(frame, b"\2", Status.NOT_SUPPORTED)]  # noqa: E731
    with pytest.raises(LinkError, match="speaks version 02 of the link; expected 01"):
        LinkClient(device(OPEN=other)).open()


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("OPEN", b"\1", "Answer to open: 1 bytes"),
        ("IDENTIFY", IDENTITY[:-1], "a name of 2 bytes; expected 3"),
        ("IDENTIFY", b"", "Answer to identify: 0 bytes"),
        ("IDENTIFY", struct.pack("<B16sIIIbbB", 1, b"", 0, 1, 0, 0, 0, 0), "0 inputs and 1"),
        ("OPEN", struct.pack("<BHI", 1, 63, 0), "payloads of 63 bytes; expected at least 64"),
        ("CAPABILITIES", b"\1", "Answer to capabilities"),
        ("COUNTERS", b"\1", "Answer to counters"),
        ("PING", b"other", "came back as 5 other bytes"),
        ("GET_STATE", struct.pack("<I", 9), "0 bytes came; expected 9"),
        ("GET_STATE", struct.pack("<I", 1) + b"ab", "2 bytes came; expected 1"),
        ("GET_STATE", struct.pack("<I", 1 << 31) + b"ab", "2 bytes came; expected 2147483648"),
        ("STEP", b"123", "Answer to step: 3 bytes; expected 2"),
        ("LOG", b"123", "Answer to log: 3 bytes; expected at least 8"),
        ("LOG", b"123456789", "1 bytes; expected a multiple of 12"),
        ("STREAM_BEGIN", b"\0\0", "a stream of 0 frames"),
    ],
)
def test_answers_that_are_none_are_refused(kind, content, words):
    def use():
        client = opened(device(**{kind: content}))
        client.identify()
        client.capabilities()
        client.ping()
        one = np.zeros((1, 2), np.int16)
        for name, ask in (
            ("STREAM_BEGIN", lambda: client.stream(one)),
            ("STEP", lambda: client.step(one)),
            ("LOG", client.log),
            ("GET_STATE", client.state),
            ("COUNTERS", client.counters),
        ):
            if name == kind:
                ask()

    with pytest.raises(LinkError, match=words):
        use()


@pytest.mark.parametrize("payload", [b"", b"\x08", b"\xff"])
def test_a_status_that_nobody_knows_is_refused(payload):
    odd = lambda frame: [Frame(frame.type | ANSWER, frame.session, frame.sequence, payload)]  # noqa: E731
    with pytest.raises(LinkError, match="expected 0 to 7"):
        opened(device(RESET=odd)).reset()


def test_a_refusal_is_an_error_and_the_session_goes_on():
    client = opened(device(LOG=lambda frame: [answer(frame, status=Status.NOT_SUPPORTED)]))
    with pytest.raises(LinkError, match="answers log with not supported"):
        client.log()
    client.ping()


def test_a_state_that_is_refused_says_why():
    client = opened(device(COMMIT_STATE=lambda frame: [answer(frame, b"\4", Status.REFUSED)]))
    with pytest.raises(SavedStateError, match="refuses it with status -4"):
        client.set_state(b"x" * 200)
    puts = [frame.payload for frame in client._port._stream.heard if frame.type == Kind.PUT_STATE]
    assert [len(put) for put in puts] == [64, 64, 64, 24]
    assert [int.from_bytes(put[:4], "little") for put in puts] == [0, 60, 120, 180]


def test_frames_are_cut_into_requests_that_fit():
    def steps(frame):
        count = (len(frame.payload) - 1) // 4
        return [answer(frame, b"\1\0\2\0\3\0\4\0" * count)]

    stream = device(STEP=steps)
    client = opened(stream)
    assert client.most_frames(StepFlag.PLAIN) == 15
    assert client.most_frames(StepFlag.WITH_STATES) == 7
    rows = client.step(np.zeros((20, 2), np.int16), StepFlag.WITH_STATES)
    assert rows.shape == (20, 4)
    assert rows[13].tolist() == [1, 2, 3, 4]
    asked = [frame.payload for frame in stream.heard if frame.type == Kind.STEP]
    assert [len(payload) for payload in asked] == [29, 29, 25]
    assert client.step(np.zeros((0, 2), np.int16)).shape == (0, 1)


def test_a_model_whose_states_fit_no_payload_still_gives_outputs():
    large = struct.pack("<B16sIIIbbB", VERSION, b"d" * 16, 2, 1, 99, -12, -11, 0)
    client = opened(device(IDENTIFY=large, STEP=lambda frame: [answer(frame, b"\1\0")]))
    assert client.step(np.zeros((1, 2), np.int16)).tolist() == [[1]]
    with pytest.raises(LinkError, match="a result of 100 does not fit") as caught:
        client.step(np.zeros((1, 2), np.int16), StepFlag.WITH_STATES)
    assert "RNN_EDGE_LINK_PAYLOAD" in caught.value.hint


@pytest.mark.parametrize(
    "frames",
    [np.zeros((3, 3), np.int16), np.zeros((3, 2)), np.zeros(2, np.int16)],
    ids=["width", "dtype", "shape"],
)
def test_frames_of_another_shape_are_refused(frames):
    client = opened(device())
    with pytest.raises(LinkError, match="expected int16"):
        client.step(frames)
    with pytest.raises(LinkError, match="expected int16"):
        client.stream(frames)


def test_a_log_is_fetched_in_pages_and_ends_where_it_was_overwritten():
    row = bytes([0xC9, 2]) + struct.pack("<Ihhh", 9, 5, -6, 7)
    pages = iter([(3, 9, 2), (5, 9, 2), (8, 9, 1)])

    def page(frame):
        first, steps, count = next(pages)
        return [answer(frame, struct.pack("<II", first, steps) + row * count)]

    found = opened(device(LOG=page)).log(3)
    assert [record.step for record in found] == [3, 4, 5, 6]
    assert found[0].flags == LogFlag.RESET | LogFlag.DECIDED | LogFlag.FAULTY
    assert (found[0].label, found[0].score) == (2, 9)
    assert (found[0].x.tolist(), found[0].y.tolist()) == ([5, -6], [7])


def test_a_ping_that_is_too_long_is_refused_here():
    with pytest.raises(LinkError, match=r"Request ping: 65 bytes; the device takes 64"):
        opened(device()).ping(b"x" * 65)


def test_sequence_numbers_go_round():
    stream = device(PING=lambda frame: [answer(frame, frame.payload)])
    client = opened(stream)
    client._sequence = 65534
    for _ in range(3):
        client.ping(b"a")
    assert [frame.sequence for frame in stream.heard[1:]] == [65535, 0, 1]


def test_a_line_that_has_ended_is_told():
    with pytest.raises(LinkError, match="Line has ended"):
        LinkClient(EndedStream()).open()


@pytest.mark.parametrize("options", [{"timeout_s": 0.0}, {"attempts": 0}])
def test_a_client_that_would_not_try_is_refused(options):
    with pytest.raises(LinkError, match="expected at least one"):
        LinkClient(device(), **options)
