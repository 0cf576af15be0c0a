"""Frames from bytes: any bytes, any portions, any damage."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.errors import LinkError
from rnn_edge.links.cobs import stuffed, unstuffed
from rnn_edge.links.frames import LEAST_CONTENT, MOST_PAYLOAD, Damage, Frame, Parser

# Zeros and long runs without any are what the stuffing turns on.
CONTENTS = st.one_of(
    st.binary(max_size=600),
    st.lists(
        st.one_of(st.just(b"\0"), st.integers(0, 600).map(lambda n: b"\x07" * n)), max_size=6
    ).map(b"".join),
)
FRAMES = st.builds(
    Frame, st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(0, 65535), CONTENTS
)


def portions(data, cuts):
    places = sorted(cut % (len(data) + 1) for cut in cuts)
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def parsed(data, cuts=()):
    parser = Parser()
    return [found for part in portions(data, cuts) for found in parser.feed(part)]


@given(CONTENTS)
def test_stuffing_leaves_no_zero_and_comes_back(content):
    found = stuffed(content)
    assert 0 not in found
    assert unstuffed(found) == content
    assert len(found) <= len(content) + len(content) // 254 + 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "01"),
        (b"\0", "0101"),
        (b"\0\0", "010101"),
        (b"\x11\x22\0\x33", "0311220233"),
        (bytes(range(1, 255)), "ff" + bytes(range(1, 255)).hex()),
        (b"\0" + bytes(range(1, 255)), "01ff" + bytes(range(1, 255)).hex()),
        (bytes(range(1, 256)), "ff" + bytes(range(1, 255)).hex() + "02ff"),
        (bytes([*range(2, 256), 0]), "ff" + bytes(range(2, 256)).hex() + "0101"),
    ],
)
def test_stuffing_is_that_of_the_paper(content, expected):
    assert stuffed(content).hex() == expected


@given(st.lists(FRAMES, max_size=5), st.lists(st.integers(0, 10_000), max_size=8))
def test_frames_come_back_in_any_portions(frames, cuts):
    assert parsed(b"".join(frame.pack() for frame in frames), cuts) == frames


@given(st.binary(max_size=2000), st.lists(st.integers(0, 10_000), max_size=8), FRAMES)
def test_any_bytes_are_taken_and_the_frame_behind_them_is_found(noise, cuts, frame):
    found = parsed(noise + frame.pack(), cuts)
    assert found[-1] == frame
    assert found == parsed(noise + frame.pack())
    assert all(isinstance(each, Frame | Damage) for each in found)


@given(FRAMES, st.data())
@settings(max_examples=300)
def test_no_frame_with_a_fault_is_taken_for_a_frame(frame, data):
    whole = frame.pack()
    at = data.draw(st.integers(1, len(whole) - 2))
    kind = data.draw(st.sampled_from(["drop", "double", "garble", "insert"]))
    other = data.draw(st.integers(1, 255))
    damaged = {
        "drop": whole[:at] + whole[at + 1 :],
        "double": whole[: at + 1] + whole[at:],
        "garble": whole[:at] + bytes([whole[at] ^ other]) + whole[at + 1 :],
        "insert": whole[: at + 1] + bytes([other]) + whole[at + 1 :],
    }[kind]
    assert not any(isinstance(found, Frame) for found in parsed(damaged))


def test_only_the_frames_that_were_hit_are_lost():
    frames = [Frame(k, 7, k, bytes(range(k))) for k in range(40)]
    packed = [frame.pack() for frame in frames]
    packed[10] = packed[10][:8] + b"\0" + packed[10][8:]
    packed[20] = packed[20][:-3] + packed[20][-1:]
    packed[30] = b"\xff" * 3 + packed[30][:-1]
    found = [each for each in parsed(b"".join(packed)) if isinstance(each, Frame)]
    assert [each.type for each in found] == [k for k in range(40) if k not in (10, 20)]


def test_noise_shorter_than_a_frame_is_no_damage():
    assert parsed(b"\0ab\0" + b"\x05" * LEAST_CONTENT + b"\0") == []
    assert parsed(b"\x05" * (LEAST_CONTENT + 1) + b"\0") == [Damage(LEAST_CONTENT + 1)]


def test_a_line_that_never_pauses_fills_no_memory():
    parser = Parser()
    for _ in range(40):
        assert parser.feed(b"\x55" * 10_000) == []
    assert len(parser._seen) < 70_000
    assert parser.feed(b"\0") == [Damage(400_000)]
    frame = Frame(1, 2, 3, b"x")
    assert parser.feed(frame.pack()) == [frame]


def test_the_largest_frame_comes_back_and_a_larger_one_is_refused():
    rng = np.random.default_rng(0)
    frame = Frame(1, 2, 3, rng.bytes(MOST_PAYLOAD))
    assert parsed(frame.pack()) == [frame]
    with pytest.raises(LinkError, match=r"65001 bytes of payload; expected at most 65000"):
        Frame(1, 2, 3, b"x" * (MOST_PAYLOAD + 1)).pack()
    with pytest.raises(LinkError, match=r"expected 8, 32 and 16 bits"):
        Frame(1, 1 << 32, 3, b"").pack()


@pytest.mark.parametrize("length", [0, 1, 3, 65535])
def test_a_length_that_is_not_the_frames_is_damage(length):
    content = struct.pack("<HBIH", length, 4, 1, 1) + b"ab"
    content += struct.pack("<I", zlib.crc32(content))
    assert parsed(b"\0" + stuffed(content) + b"\0") == [Damage(len(stuffed(content)))]
