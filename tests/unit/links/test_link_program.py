"""The C server in a program of this host: its answers, and each request executed once."""

import struct
import time

import numpy as np
import pytest
from c_models import Recipe, build, frames
from link_lines import FaultyStream, RestartingStream

from rnn_edge.engines.link_engine import LinkEngine
from rnn_edge.errors import EngineError, LinkError, LinkRestartError, SavedStateError
from rnn_edge.links.client import LinkClient
from rnn_edge.links.frames import Frame, Parser
from rnn_edge.links.messages import ANSWER, DAMAGE_NOTICE, Kind, LogFlag, Status, StepFlag
from rnn_edge.links.process import ProcessStream
from rnn_edge.reference import IntegerReference
from rnn_edge.types import SavedState
from rnn_edge.types.resets import ResetPolicy
from rnn_edge.types.saved_state import digest_bytes

SESSION = 77


@pytest.fixture
def client(linked_program):
    with LinkClient(ProcessStream([str(linked_program), "--host"], "Program"), 5.0) as found:
        found.open()
        yield found


class Raw:
    """Sends what it is told and returns what comes back."""

    def __init__(self, program):
        self.stream = ProcessStream([str(program), "--host"], "Program")
        self.parser = Parser()

    def __enter__(self):
        self.ask(Frame(Kind.OPEN, SESSION, 0, b"\1"))
        return self

    def __exit__(self, *error):
        self.stream.close()

    def send(self, data, count=1):
        """Return ``count`` frames; more of them, or none, is a failure."""
        self.stream.write(data, 5.0)
        found, deadline = [], time.monotonic() + 60
        while len(found) < count and time.monotonic() < deadline:
            found += self.parser.feed(self.stream.read(1.0))
        found += self.parser.feed(self.stream.read(0.02))
        assert len(found) == count
        return found

    def ask(self, frame):
        return self.send(frame.pack())[0]

    def counters(self, sequence):
        return struct.unpack("<IQIIII", self.ask(request(Kind.COUNTERS, sequence)).payload[1:])


def request(kind, sequence, payload=b""):
    return Frame(kind, SESSION, sequence, payload)


@pytest.fixture
def raw(linked_program):
    with Raw(linked_program) as found:
        yield found


@pytest.fixture(scope="module")
def x(linked_recipe):
    return frames(linked_recipe, 300)


@pytest.fixture(scope="module")
def expected(linked_model, x):
    return IntegerReference(linked_model).run(x[None])


def rows_of(trace):
    return np.concatenate([trace.outputs[0], *(value[0] for value in trace.states.values())], 1)


def test_it_says_who_it_is_and_what_it_can(client, linked_model):
    found = client.identify()
    assert found.name == "linked"
    assert found.digest == digest_bytes(linked_model)
    assert (found.inputs, found.outputs, found.state_values) == (3, 2, 14)
    assert found.input_exponent == linked_model.input_exponent
    assert found.output_exponent == linked_model.head.output_exponent
    able = client.capabilities()
    assert (able.most_payload, able.credits, able.log_records) == (512, 8, 16)
    assert able.kinds == set(Kind) - {Kind.SAMPLES}


def test_steps_have_every_bit_of_the_reference(client, x, expected):
    rows = client.step(x, StepFlag.WITH_STATES)
    np.testing.assert_array_equal(rows, rows_of(expected))
    client.reset()
    np.testing.assert_array_equal(client.step(x), expected.outputs[0])
    client.reset()
    np.testing.assert_array_equal(client.stream(x), expected.outputs[0])
    found = client.counters()
    assert (found.steps, found.ticks, found.stack_bytes) == (900, 0, 0)
    assert (found.damaged, found.repeated, client.statistics.retries) == (0, 0, 0)


def test_a_stream_goes_on_where_steps_ended_and_may_be_empty(client, x, expected):
    found = [client.step(x[:7]), client.stream(x[7:100]), client.stream(x[100:100])]
    found += [client.stream(x[100:101]), client.step(x[101:110])]
    np.testing.assert_array_equal(np.concatenate(found), expected.outputs[0][:110])


@pytest.mark.slow
def test_a_state_goes_there_and_back_in_parts(build_linked, linked_model, x, expected):
    wide = build(Recipe(seed=9, kinds=("lstm",), units=(300,), inputs=2, name="wide"))
    program = build_linked(wide, "-O1", "-DRNN_EDGE_LINK_PAYLOAD=2000")
    rng = np.random.default_rng(3)
    state = {n: rng.integers(-9999, 9999, k).astype(np.int16) for n, k in wide.state_sizes.items()}
    blob = SavedState.of(wide, state).pack()
    assert len(blob) == 1228
    small = build_linked(linked_model, "-O1", "-DRNN_EDGE_LINK_PAYLOAD=130")
    for path, saved in ((program, blob), (small, None)):
        with LinkClient(ProcessStream([str(path), "--host"], "Program"), 5.0) as found:
            found.open()
            if saved is None:
                found.step(x[:50])
                saved = found.state()
                found.step(x[50:60])
            found.set_state(saved)
            assert found.state() == saved
            if path == small:
                np.testing.assert_array_equal(found.step(x[50:90]), expected.outputs[0][50:90])


@pytest.mark.parametrize("at", [0, 4, 8, 30, -1])
def test_a_damaged_state_is_refused_and_changes_nothing(client, x, at):
    client.step(x[:20])
    before = client.state()
    damaged = bytearray(before)
    damaged[at] ^= 1
    with pytest.raises(SavedStateError, match=r"refuses it with status -[2345]"):
        client.set_state(bytes(damaged))
    with pytest.raises(SavedStateError, match="status -1"):
        client.set_state(before[:-1] if at else b"")
    assert client.state() == before


def test_parts_of_a_state_have_to_follow_each_other(raw):
    put = lambda n, at: raw.ask(request(Kind.PUT_STATE, n, struct.pack("<I", at) + b"ab")).payload  # noqa: E731
    assert put(1, 2) == bytes([Status.BAD_REQUEST])
    assert put(2, 0) == bytes([Status.OK])
    assert put(3, 4) == bytes([Status.BAD_REQUEST])
    assert put(4, 2) == bytes([Status.OK])
    assert raw.ask(request(Kind.COMMIT_STATE, 5)).payload == bytes([Status.REFUSED, 1])
    assert raw.ask(request(Kind.COMMIT_STATE, 6)).payload == bytes([Status.BAD_REQUEST])
    asked = struct.pack("<I", 4)
    assert raw.ask(request(Kind.GET_STATE, 7, asked)).payload == bytes([Status.BAD_REQUEST])


def test_all_parts_of_a_state_are_of_one_moment(raw, x):
    step = lambda n: raw.ask(request(Kind.STEP, n, b"\0" + x[0].tobytes()))  # noqa: E731
    part = lambda n, at: raw.ask(request(Kind.GET_STATE, n, struct.pack("<I", at))).payload[5:]  # noqa: E731
    step(1)
    whole = part(2, 0)
    step(3)
    assert part(4, 30) == whole[30:]
    assert part(5, 0) != whole
    assert part(6, len(whole)) == b""


def test_a_repeated_step_is_answered_and_not_executed(raw, x):
    step = request(Kind.STEP, 1, b"\1" + x[:2].tobytes())
    first = raw.ask(step)
    assert first.payload[0] == Status.OK
    assert [raw.ask(step) for _ in range(3)] == [first] * 3
    # With another payload too: the number says that it is the same request.
    assert raw.ask(request(Kind.STEP, 1, b"\1" + x[2:4].tobytes())) == first
    assert raw.counters(2)[0] == 2
    assert raw.counters(2)[5] == 4


def test_a_number_that_is_not_due_is_told_and_nothing_is_executed(raw, x):
    for number in (0, 2, 9, 65535):
        found = raw.ask(request(Kind.STEP, number, b"\0" + x[:1].tobytes()))
        assert found.payload == bytes([Status.OUT_OF_ORDER, 0, 0])
    assert raw.counters(1)[0] == 0


def test_numbers_go_round(raw):
    pings = [request(Kind.PING, k & 0xFFFF, b"a").pack() for k in range(1, 65540)]
    for at in range(0, len(pings), 600):
        part = pings[at : at + 600]
        assert {found.payload for found in raw.send(b"".join(part), len(part))} == {b"\0a"}
    assert raw.ask(request(Kind.PING, 4, b"b")).payload == b"\0b"


def test_unknown_types_are_not_supported_and_the_session_goes_on(raw):
    for number, kind in enumerate((0x00, 0x16, 0x42, 0x7F), start=1):
        found = raw.ask(request(kind, number, b"anything"))
        assert found == Frame(kind | ANSWER, SESSION, number, bytes([Status.NOT_SUPPORTED]))
    assert raw.ask(request(Kind.PING, 5, b"x")).payload == b"\0x"


def test_answers_are_not_answered(raw):
    echoed = b"".join(Frame(kind, SESSION, 1, b"").pack() for kind in (0x80, 0x89, DAMAGE_NOTICE))
    assert raw.send(echoed + request(Kind.PING, 1).pack())[0].type == Kind.PING | ANSWER


@pytest.mark.parametrize(
    ("kind", "payload", "status"),
    [
        (Kind.STEP, b"", Status.BAD_REQUEST),
        (Kind.STEP, b"\4", Status.BAD_REQUEST),
        (Kind.STEP, b"\0" + b"x" * 7, Status.BAD_REQUEST),
        (Kind.STEP, b"\1" + b"x" * 6 * 16, Status.TOO_LARGE),
        (Kind.RESET, b"x", Status.BAD_REQUEST),
        (Kind.GET_STATE, b"abc", Status.BAD_REQUEST),
        (Kind.GET_STATE, struct.pack("<I", 1 << 31), Status.BAD_REQUEST),
        (Kind.PUT_STATE, struct.pack("<I", 0) + b"x" * 200, Status.BAD_REQUEST),
        (Kind.PING, b"x" * 512, Status.TOO_LARGE),
        (Kind.STREAM_BEGIN, b"\1", Status.BAD_REQUEST),
        (Kind.STREAM_END, b"", Status.OUT_OF_PLACE),
        (Kind.LOG, b"", Status.BAD_REQUEST),
    ],
)
def test_requests_that_make_no_sense_change_nothing(raw, kind, payload, status):
    assert raw.ask(request(kind, 1, payload)).payload == bytes([status])
    assert raw.counters(2)[0] == 0


def test_what_changes_the_state_has_no_place_within_a_stream(raw, x):
    raw.ask(request(Kind.STREAM_BEGIN, 1, b"\0"))
    others = (Kind.RESET, Kind.STEP, Kind.PUT_STATE, Kind.COMMIT_STATE, Kind.STREAM_BEGIN)
    for number, kind in enumerate(others, start=2):
        payload = {Kind.STEP: b"\0", Kind.PUT_STATE: bytes(4), Kind.STREAM_BEGIN: b"\0"}
        found = raw.ask(request(kind, number, payload.get(kind, b"")))
        assert found.payload == bytes([Status.OUT_OF_PLACE]), kind
    assert raw.ask(request(Kind.PING, 7)).payload == b"\0"
    frame = x[0].tobytes()
    assert raw.ask(request(Kind.STREAM_FRAME, 0, frame)).payload[0] == Status.OK
    assert raw.ask(request(Kind.STREAM_END, 8)).payload == b"\0\1\0\0\0"
    assert raw.ask(request(Kind.STREAM_FRAME, 1, frame)).payload == bytes([Status.OUT_OF_PLACE])


def test_a_frame_of_a_stream_is_stepped_once(raw, x, expected):
    raw.ask(request(Kind.STREAM_BEGIN, 1, b"\0"))
    send = lambda k: raw.ask(request(Kind.STREAM_FRAME, k, x[k].tobytes()))  # noqa: E731
    first = [send(k) for k in range(10)]
    for k in (9, 2, 5, 9, 3):
        assert send(k) == first[k]
    # Beyond what the device remembers, and ahead: it says which one is due.
    for k in (1, 11, 65535 - 65000):
        found = raw.ask(request(Kind.STREAM_FRAME, k, x[k % 300].tobytes()))
        assert (found.sequence, found.payload) == (10, bytes([Status.OUT_OF_ORDER]))
    assert raw.ask(request(Kind.STREAM_FRAME, 10, b"x")).payload == bytes([Status.BAD_REQUEST])
    assert raw.counters(2)[0] == 10
    rows = np.stack([np.frombuffer(found.payload[1:], "<i2") for found in first])
    np.testing.assert_array_equal(rows, expected.outputs[0][:10])


def test_an_open_that_comes_again_changes_nothing_and_another_one_takes_over(raw, x):
    raw.ask(request(Kind.STEP, 1, b"\0" + x[:1].tobytes()))
    assert raw.ask(Frame(Kind.OPEN, SESSION, 0, b"\1")).payload[-4:] == struct.pack("<I", 1)
    assert raw.ask(request(Kind.PING, 2)).payload == b"\0"
    raw.ask(Frame(Kind.OPEN, 5, 0, b"\1"))
    found = raw.ask(request(Kind.PING, 3))
    assert (found.session, found.payload) == (5, bytes([Status.NO_SESSION]))
    assert raw.ask(Frame(Kind.PING, 5, 1, b"")).payload == b"\0"


@pytest.mark.parametrize(
    ("session", "payload", "answer"),
    [
        (0, b"\1", bytes([Status.BAD_REQUEST])),
        (9, b"", bytes([Status.BAD_REQUEST])),
        (9, b"\2", bytes([Status.NOT_SUPPORTED, 1])),
    ],
)
def test_an_open_that_makes_no_sense_leaves_the_session(raw, session, payload, answer):
    assert raw.ask(Frame(Kind.OPEN, session, 0, payload)).payload == answer
    assert raw.ask(request(Kind.PING, 1)).payload == b"\0"


def test_damage_is_told_at_once_and_short_noise_is_not(raw):
    whole = request(Kind.PING, 1, b"abc").pack()
    found = raw.send(whole[:9] + bytes([whole[9] ^ 0x40]) + whole[10:])[0]
    assert (found.type, found.payload) == (DAMAGE_NOTICE, b"\0")
    assert raw.send(b"\0noise\0" + whole)[0].payload == b"\0abc"
    assert raw.counters(2)[4] == 1


def test_the_log_holds_the_last_steps(client, x, expected):
    client.step(x[:5])
    assert [record.step for record in client.log()] == [0, 1, 2, 3, 4]
    client.reset()
    client.step(x[:2], StepFlag.DEPLOYED)
    client.set_state(client.state())
    client.stream(x[2:40])
    found = client.log()
    assert [record.step for record in found] == list(range(29, 45))
    for record in found:
        np.testing.assert_array_equal(record.x, x[record.step - 5])
        np.testing.assert_array_equal(record.y, expected.outputs[0][record.step - 5])
    assert [record.step for record in client.log(41)] == [41, 42, 43, 44]
    assert client.log(45) == []
    assert len(client.log(3)) == 16


def test_the_log_says_what_was_before_a_step(client, x):
    client.step(x[:2])
    client.reset()
    client.step(x[:2], StepFlag.DEPLOYED)
    client.set_state(client.state())
    client.step(x[:2])
    begun, none, deployed = LogFlag.RESET, LogFlag.NONE, LogFlag.DEPLOYED
    flags = [begun, none, begun | deployed, deployed, LogFlag.STATE_SET, none]
    assert [record.flags for record in client.log()] == flags


def test_steps_and_streams_under_the_policy(build_linked, linked_model, x):
    every = build_linked(linked_model, "-O1", reset=ResetPolicy("every", 10))
    start = IntegerReference(linked_model).run(x[None, :10]).outputs[0]
    again = IntegerReference(linked_model).run(x[None, 10:20]).outputs[0]
    with LinkClient(ProcessStream([str(every), "--host"], "Program"), 5.0) as found:
        found.open()
        for step in (
            lambda part: found.step(part, StepFlag.DEPLOYED),
            lambda part: found.stream(part, is_deployed=True),
        ):
            found.reset()
            rows = step(x[:20])
            np.testing.assert_array_equal(rows, np.concatenate([start, again]))
        records = [record for record in found.log() if LogFlag.RESET in record.flags]
        assert [record.step for record in records] == [30]


def test_a_device_that_starts_again_is_reported_wherever_it_happens(linked_program, x, expected):
    line = RestartingStream([str(linked_program), "--host"])
    with LinkClient(line, 1.0, 5) as found:
        found.open()
        found.step(x[:10])
        line.restart()
        with pytest.raises(LinkRestartError, match="started again"):
            found.step(x[10:20])
        assert found.open().steps == 0
        line.restart(after_bytes=600)
        with pytest.raises(LinkRestartError, match="started again"):
            found.stream(x)
        found.open()
        np.testing.assert_array_equal(found.stream(x), expected.outputs[0])


def test_an_engine_takes_up_again_with_a_reset(linked_program, linked_model, x, expected):
    line = RestartingStream([str(linked_program), "--host"])
    with LinkEngine(linked_model, LinkClient(line, 1.0, 5)) as engine:
        engine.run(x[:10])
        saved = engine.state()
        line.restart()
        with pytest.raises(LinkRestartError):
            engine.run(x[10:20])
        with pytest.raises(LinkError, match="no session"):
            engine.step(x[10])
        engine.reset(saved)
        np.testing.assert_array_equal(engine.run(x[10:20]).outputs, expected.outputs[0][10:20])


def test_an_engine_refuses_a_device_of_another_model(linked_program, linked_recipe):
    other = build(Recipe(seed=6, kinds=("lstm", "gru"), units=(5, 4), inputs=3, outputs=2))
    stream = ProcessStream([str(linked_program), "--host"], "Program")
    with pytest.raises(EngineError, match=r"serves model 'linked', \w{32}; expected 'sample'"):
        LinkEngine(other, LinkClient(stream, 5.0))
    with pytest.raises(LinkError, match="is closed"):
        stream.read(0.0)


def test_a_program_that_dies_is_told_with_its_last_words(linked_program):
    stream = ProcessStream(["sh", "-c", "echo out of luck >&2; exit 7"], "Program")
    with pytest.raises(LinkError, match=r"exit code 7: out of luck"):
        LinkClient(stream, 2.0).open()


def test_a_session_over_a_bad_line(linked_program, linked_model, x, expected):
    line = FaultyStream(
        ProcessStream([str(linked_program), "--host"], "Program"), seed=4, rate=0.005
    )
    with LinkClient(line, 0.1, 60) as found:
        found.open()
        rows = [found.step(x[k : k + 2]) for k in range(0, 60, 2)]
        rows.append(found.stream(x[60:]))
        np.testing.assert_array_equal(np.concatenate(rows), expected.outputs[0])
        assert found.counters().steps == 300
        assert found.statistics.retries > 10
        last = {name: value[0][-1] for name, value in expected.states.items()}
        assert found.state() == SavedState.of(linked_model, last).pack()
    assert all(line.faults.values())
