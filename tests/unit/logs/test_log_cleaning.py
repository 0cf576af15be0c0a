"""Fields go, or become hashes that nobody can turn back."""

import hashlib
import hmac
import json

import pytest

from rnn_edge.errors import DataError
from rnn_edge.logs import Cleaner, Cleaning, LogReader, read_key

HEADER = {
    "format": "rnn-edge log 1",
    "model": "pump",
    "model_digest": "ab" * 32,
    "input_exponent": -12,
    "output_exponent": -10,
    "frame_rate_hz": 2.0,
    "device": "seven",
    "site": "north",
}
KEY = bytes(range(32))


@pytest.fixture
def clean(tmp_path):
    source = tmp_path / "log.jsonl"
    rows = [
        {
            "step": k,
            "x": [k, 2],
            "y": [k],
            "user": ["anna", "ben"][k % 2],
            "place": {"b": 1, "a": k},
        }
        for k in range(4)
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in (HEADER, *rows)))

    def call(name="out.jsonl", **options):
        cleaning = Cleaning(tmp_path / name, **options)
        with LogReader(source) as log, Cleaner(cleaning, source, log.header) as cleaner:
            for row in log:
                cleaner.write(row.record)
            return cleaning.out, cleaner.finish()

    return call


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_fields_are_dropped_and_hashed_and_all_others_stay(clean):
    out, told = clean(drop=("device", "place"), replace=("user",), key=KEY)
    header, *rows = rows_of(out)
    assert "device" not in header
    assert header["site"] == "north"
    assert (header["dropped"], header["hashed"]) == (["device", "place"], ["user"])
    assert [row["x"] for row in rows] == [[k, 2] for k in range(4)]
    assert all("place" not in row for row in rows)
    expected = hmac.new(KEY, b'["user","anna"]', hashlib.sha256).hexdigest()
    assert rows[0]["user"] == rows[2]["user"] == expected
    assert rows[1]["user"] not in (expected, "ben")
    assert told == {
        "file": "out.jsonl",
        "lines": 4,
        "dropped": {"device": 1, "place": 4},
        "hashed": {"user": 4},
        "key": "file",
        "not_found": [],
    }


def test_a_random_key_is_another_one_at_every_run(clean):
    one, told = clean("one.jsonl", replace=("user",))
    two, _ = clean("two.jsonl", replace=("user",))
    assert told["key"] == "random, not kept"
    assert rows_of(one)[1]["user"] == rows_of(one)[3]["user"]
    assert rows_of(one)[1]["user"] != rows_of(two)[1]["user"]


def test_equal_values_of_two_fields_have_different_hashes(clean):
    out, _ = clean(replace=("device", "site"), key=KEY)
    header = rows_of(out)[0]
    assert header["device"] != header["site"]
    assert hmac.new(KEY, b'["site","north"]', hashlib.sha256).hexdigest() == header["site"]


def test_frames_go_in_whichever_form_they_are(clean):
    out, told = clean(drop=("xf", "y"))
    assert told["not_found"] == []
    with LogReader(out) as log:
        assert not log.header.has_frames
        assert [row.step for row in log] == [0, 1, 2, 3]
    assert "x" not in rows_of(out)[1]


def test_what_is_cleaned_twice_is_listed_once(clean, tmp_path):
    out, _ = clean(replace=("user",), drop=("device",), key=KEY)
    again = Cleaning(tmp_path / "again.jsonl", ("user",))
    with LogReader(out) as log, Cleaner(again, out, log.header) as cleaner:
        cleaner.finish()
    header = rows_of(again.out)[0]
    assert header["dropped"] == ["device", "user"]
    assert "hashed" not in header


def test_a_name_that_is_nowhere_is_told(clean):
    assert clean(drop=("usr",), replace=("user",))[1]["not_found"] == ["usr"]


def test_nothing_is_left_where_it_does_not_end(clean, tmp_path):
    source = tmp_path / "log.jsonl"

    def break_off():
        cleaning = Cleaning(tmp_path / "o.jsonl.gz", ("user",))
        with LogReader(source) as log, Cleaner(cleaning, source, log.header) as cleaner:
            cleaner.write({"step": 1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_the_log_itself_is_never_written_over(clean, tmp_path):
    before = (tmp_path / "log.jsonl").read_bytes()
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "log.jsonl")
    for name in ("log.jsonl", "link.jsonl"):
        with pytest.raises(DataError, match="is the log itself; expected another file"):
            clean(name, drop=("user",))
    with pytest.raises(DataError, match="does not exist"):
        clean("no/out.jsonl", drop=("user",))
    with pytest.raises(DataError, match="is no file"):
        clean("", drop=("user",))
    assert (tmp_path / "log.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no field is named"),
        ({"drop": ("a",), "replace": ("a",)}, "cannot be dropped and hashed"),
        ({"drop": ("step",)}, "step cannot be taken out"),
        ({"replace": ("model_digest",)}, "model_digest cannot be taken out"),
        ({"replace": ("x",)}, "x cannot be hashed"),
        ({"replace": ("a",), "key": b"short"}, "5 bytes; expected 16 at least"),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path, options, message):
    with pytest.raises(DataError, match=message):
        Cleaning(tmp_path / "out.jsonl", **options)


def test_a_key_is_all_bytes_of_its_file(tmp_path):
    (tmp_path / "key").write_bytes(KEY + b"\n")
    assert read_key(tmp_path / "key") == KEY + b"\n"
    with pytest.raises(DataError, match="cannot be read"):
        read_key(tmp_path / "none")
