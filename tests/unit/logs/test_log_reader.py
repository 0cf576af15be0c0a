"""Logs are read as they stand, and whatever is no log is told in one message."""

import gzip
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_edge.errors import DataError
from rnn_edge.logs import BadLine, LogFrame, LogReader, is_log

HEADER = {
    "format": "rnn-edge log 1",
    "model": "pump",
    "model_digest": "ab" * 32,
    "input_exponent": -12,
    "output_exponent": -10,
    "frame_rate_hz": 50.0,
}


def frame(step, **fields):
    return {"step": step, "x": [1, -2, 3], **fields}


def content(*lines, header=HEADER):
    rows = [header, *lines]
    return b"".join(
        row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows
    )


@pytest.fixture
def read(tmp_path):
    def call(data, inputs=3, outputs=2, name="log.jsonl"):
        (tmp_path / name).write_bytes(data)
        with LogReader(tmp_path / name, inputs, outputs) as log:
            return log.header, list(log)

    return call


def test_frames_come_as_they_stand(read):
    header, lines = read(
        content(
            frame(7, reset=True, y=[5, -6], label="yes", score=0.5, time_ms=20, user={"a": [1]}),
            b"\n  \n",
            {"step": 8, "xf": [0.5, -1, 2.0]},
        ),
    )
    assert header.model == "pump"
    assert header.has_frames
    first, second = lines
    assert (first.line, first.step, first.x, first.y) == (2, 7, [1, -2, 3], [5, -6])
    assert (first.is_reset, first.label, first.score) == (True, "yes", 0.5)
    assert first.record["user"] == {"a": [1]}
    assert (second.line, second.x, second.xf, second.is_reset) == (5, None, [0.5, -1, 2.0], False)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"step 3\n", "no JSON"),
        (b'{"step":3,"x":[1,2,NaN]}\n', "no JSON (NaN is no number there)"),
        (b'{"step":3,"x":[1,2,' + b"9" * 5000 + b"]}\n", "a number with too many digits"),
        (b'{"step":3,"a":"\xff"}\n', "no UTF-8"),
        (b"[" * 100_000 + b"\n", "too many brackets"),
        (b"[1, 2, 3]\n", "no object; expected one with step and x"),
        ({"x": [1, 2, 3]}, "step is missing; expected a whole number from 0"),
        (frame(-1), "step is none"),
        (frame(True), "step is none"),
        (frame(1.0), "step is none"),
        ({"step": 3}, "has neither x nor xf"),
        (frame(3, xf=[1.0, 2.0, 3.0]), "has both x and xf"),
        ({"step": 3, "x": [1, 2]}, "x has 2 values; expected 3 features"),
        ({"step": 3, "x": [1, 2, 32768]}, "beyond int16; expected -32768 to 32767"),
        ({"step": 3, "x": [1, 2, 3.0]}, "no list of whole numbers"),
        ({"step": 3, "x": [1, 2, True]}, "no list of whole numbers"),
        ({"step": 3, "x": "123"}, "no list of whole numbers"),
        ({"step": 3, "xf": [1.0, 2.0]}, "xf has 2 values"),
        (b'{"step":3,"xf":[1,2,1e999]}\n', "no list of finite numbers"),
        (frame(3, y=[1]), "y has 1 values; expected 2 outputs"),
        (frame(3, y=[1, -40000]), "y has a value beyond int16"),
        (frame(3, reset=1), "reset is neither true nor false"),
        (frame(3, label=["yes"]), "label is none"),
        (frame(3, score="high"), "score is no finite number"),
        (frame(3, time_ms="noon"), "time_ms is no finite number"),
        (b'{"a":"' + b"secret" * 200_000 + b'"}\n', "too long; expected at most 1,048,576 bytes"),
    ],
)
def test_bad_lines_have_a_number_and_a_reason(read, line, reason):
    _, lines = read(content(frame(1), line, frame(4)))
    assert [type(row) for row in lines] == [LogFrame, BadLine, LogFrame]
    assert lines[1].line == 3
    assert reason in lines[1].reason
    assert lines[2].line == 4
    for value in ("40000", "32768", "secret", "noon", "high"):
        assert value not in lines[1].reason.replace("to 32767", "").replace("-32768", "")


def test_a_line_cut_off_by_a_loss_of_power_is_a_bad_line(read):
    data = content(frame(0), frame(1))
    start = data.rindex(b"{")
    for end in range(start + 1, len(data) - 1):
        _, lines = read(data[:end])
        assert isinstance(lines[-1], BadLine)
        assert "cut off" in lines[-1].reason
    # All of it but the end of the line is a frame.
    assert isinstance(read(data[:-1])[1][-1], LogFrame)


def test_a_compressed_log_that_is_cut_off_ends_in_a_bad_line(read):
    rows = [frame(k, note=str(np.random.default_rng(k).random())) for k in range(400)]
    data = gzip.compress(content(*rows), mtime=0)
    whole = read(data, name="log.jsonl.gz")[1]
    assert [row.step for row in whole] == list(range(400))
    for end in (len(data) - 1, len(data) - 7, len(data) // 2, len(data) // 3):
        _, lines = read(data[:end], name="log.jsonl.gz")
        assert isinstance(lines[-1], BadLine)
        assert "cut off or damaged" in lines[-1].reason
        assert [row.step for row in lines[:-1]] == list(range(len(lines) - 1))
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 0x55
    lines = read(bytes(damaged), name="log.jsonl.gz")[1]
    assert isinstance(lines[-1], BadLine)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty; expected a header and a line for every frame"),
        (b"\n\n", "is empty"),
        (b"time,pressure\n1,2\n", "the first line is no JSON"),
        (b'{"step":0,"x":[1]}\n', 'no header; expected an object with "format"'),
        (b"[1]\n", "no header"),
        (content(header={**HEADER, "format": "rnn-edge log 2"}), "has format 'rnn-edge log 2'"),
        (content(header={**HEADER, "format": 7}), "has format '7'; expected 'rnn-edge log 1'"),
        (b"\x1f\x8b\x08\x00", "the first line is cut off or damaged"),
        (b"x" * (1 << 21), "the first line is too long"),
        *(
            (content(header={k: v for k, v in HEADER.items() if k != name}), f"{name} is missing")
            for name in HEADER
            if name != "format"
        ),
        (content(header={**HEADER, "model": "a\ud800"}), "model is no name"),
        (content(header={**HEADER, "model": "a" * 201}), "model is no name"),
        (content(header={**HEADER, "model_digest": "xyz"}), "model_digest is none"),
        (content(header={**HEADER, "input_exponent": 1.5}), "input_exponent is none"),
        (content(header={**HEADER, "frame_rate_hz": 0}), "frame_rate_hz is none"),
        (content(header={**HEADER, "features": ["a", "a"]}), "features repeat a name"),
        (content(header={**HEADER, "labels": "yes"}), "labels are no names"),
    ],
)
def test_what_has_no_header_is_told_in_one_message(read, data, message):
    with pytest.raises(DataError) as caught:
        read(data)
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        LogReader(tmp_path / "no.jsonl")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.binary(max_size=400).map(lambda tail: content() + tail),
        st.binary(max_size=400).map(lambda tail: b"\x1f\x8b\x08" + tail),
        st.tuples(st.binary(max_size=60), st.integers(0, 300)).map(
            lambda t: gzip.compress(content(frame(0), frame(1)), mtime=0)[: t[1]] + t[0]
        ),
    )
)
def test_any_bytes_give_lines_or_one_clear_error(read, data):
    try:
        _, lines = read(data)
    except DataError:
        return
    assert all(isinstance(row, LogFrame | BadLine) for row in lines)
    numbers = [row.line for row in lines]
    assert numbers == sorted(set(numbers))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from([*HEADER, "labels", "features", "dropped", "hashed", "device"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=4,
        ),
    )
)
def test_any_header_is_valid_or_one_clear_error(read, changes):
    changes.pop("format", None)
    try:
        header, lines = read(content(frame(0), header={**HEADER, **changes}))
    except DataError:
        return
    assert len(lines) == 1
    assert header.frame_rate_hz > 0
    header.model.encode()


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(["step", "x", "xf", "y", "label", "score", "reset", "time_ms", "user"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=4,
        ),
    )
)
def test_any_object_is_a_valid_frame_or_a_bad_line(read, record):
    _, (row,) = read(content(record))
    if isinstance(row, LogFrame):
        assert row.step >= 0
        values = row.xf if row.x is None else row.x
        assert len(values) == 3
        np.array(values if row.x is None else row.x, np.float64 if row.x is None else np.int16)


def test_the_number_of_features_is_that_of_the_first_frame_if_none_is_given(read):
    _, lines = read(content(frame(0), {"step": 1, "x": [1]}), inputs=None)
    assert "expected 3 features" in lines[1].reason


def test_looking_at_the_first_frame_leaves_it_there(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(content(b"\n", frame(0), frame(1)))
    with LogReader(path) as log:
        assert log.peek_inputs() == 3
        assert [row.step for row in log] == [0, 1]
    path.write_bytes(content(b"no frame\n"))
    with LogReader(path) as log:
        assert log.peek_inputs() is None
        assert [row.line for row in log] == [2]


def test_frames_that_were_taken_out_are_not_missed(read):
    header = {**HEADER, "dropped": ["x", "xf"], "hashed": ["label"]}
    found, lines = read(content({"step": 4, "label": "9f"}, header=header))
    assert not found.has_frames
    assert lines[0].x is None
    assert lines[0].label is None


def test_a_log_is_known_by_its_name_or_its_first_line(tmp_path):
    for name, data, expected in (
        ("a.jsonl", b"anything", True),
        ("a.jsonl.gz", b"", True),
        ("a.txt", content(), True),
        ("b.gz", gzip.compress(content()), True),
        ("c.csv", b"time,pressure\n", False),
        ("d.json", b'{"format": "rnn-edge bundle 1"}', False),
        ("e.gz", b"\x1f\x8bdamaged", False),
        ("f.bin", b"\xff\x00\n", False),
    ):
        (tmp_path / name).write_bytes(data)
        assert is_log(tmp_path / name) is expected, name
    assert not is_log(tmp_path)
    assert is_log(tmp_path / "missing.jsonl")
    assert not is_log(tmp_path / "missing")


def test_a_long_log_is_read_in_constant_memory(tmp_path):
    path = tmp_path / "long.jsonl"

    def peak(count):
        rows = b"".join(json.dumps(frame(k)).encode() + b"\n" for k in range(count))
        path.write_bytes(content() + rows)
        del rows
        with LogReader(path, 3) as log:
            tracemalloc.start()
            assert sum(1 for _ in log) == count
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    short = peak(1000)
    assert peak(10_000) < 2 * short + 100_000
