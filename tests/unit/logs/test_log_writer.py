"""What is written is what is read."""

import gzip
import json

import numpy as np
import pytest
from random_models import Shape, source

from rnn_edge.errors import DataError
from rnn_edge.logs import LogHeader, LogReader, LogWriter

HEADER = LogHeader("pump", "0" * 32, -12, -10, 2.0, further={"site": "north"})


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_frames_come_back(tmp_path, name):
    path = tmp_path / name
    x = np.random.default_rng(0).integers(-32768, 32768, (20, 4)).astype(np.int16)
    with LogWriter(path, HEADER) as log:
        for k, row in enumerate(x):
            log.write(row, row[:2], time_ms=k / 2, reset=k in (0, 7), user="ä\ud800")
        log.write(np.array([0.5, 1.0, 2.0, 3.0]), step=40, label=1, score=0.25)
    with LogReader(path) as log:
        assert log.header == HEADER
        rows = list(log)
    assert np.array_equal([row.x for row in rows[:20]], x)
    assert np.array_equal([row.y for row in rows[:20]], x[:, :2])
    assert [row.step for row in rows] == [*range(20), 40]
    assert [row.step for row in rows if row.is_reset] == [0, 7]
    assert rows[3].record["user"] == "ä\ud800"
    assert (rows[20].xf, rows[20].label, rows[20].score) == ([0.5, 1.0, 2.0, 3.0], 1, 0.25)


def test_the_first_frame_is_a_reset_unless_it_is_not(tmp_path):
    for reset, expected in ((None, [True, False]), (False, [False, False])):
        path = tmp_path / f"{reset}.jsonl"
        with LogWriter(path, HEADER) as log:
            log.write(np.zeros(3, np.int16), reset=reset)
            log.write(np.zeros(3, np.int16))
        with LogReader(path) as log:
            assert [row.is_reset for row in log] == expected


def test_a_line_is_there_as_soon_as_it_is_written(tmp_path):
    path = tmp_path / "log.jsonl"
    with LogWriter(path, HEADER) as log:
        log.write(np.zeros(2, np.int16))
        assert path.read_bytes().count(b"\n") == 2
    packed = tmp_path / "log.jsonl.gz"
    with LogWriter(packed, HEADER) as log:
        log.write(np.zeros(2, np.int16))
    with LogWriter(tmp_path / "again.jsonl.gz", HEADER) as log:
        log.write(np.zeros(2, np.int16))
    assert packed.read_bytes() == (tmp_path / "again.jsonl.gz").read_bytes()
    assert gzip.decompress(packed.read_bytes()) == path.read_bytes()


def test_what_cannot_be_logged_is_refused(tmp_path):
    with LogWriter(tmp_path / "log.jsonl", HEADER) as log:
        for x, fields in (
            (np.array([40000]), {}),
            (np.array([[1]]), {}),
            (np.array([np.nan]), {}),
            (np.array([1]), {"score": np.inf}),
            (np.array([1]), {"user": object()}),
            (np.array([1]), {"y": np.array([0.5])}),
            (np.array([1]), {"xf": 3}),
        ):
            with pytest.raises(DataError, match="Log"):
                log.write(x, **fields)
        log.write(np.array([1]))
    assert (tmp_path / "log.jsonl").read_bytes().count(b"\n") == 2
    with pytest.raises(DataError, match="is there already"):
        LogWriter(tmp_path / "log.jsonl", HEADER)
    with pytest.raises(DataError, match="model_digest is none"):
        LogHeader("pump", "?", -12, -10, 2.0)


def test_a_header_is_of_its_model_by_half_a_digest_too():
    model = source(Shape(("gru",), (5,), inputs=3, outputs=2, seed=1)).model
    header = LogWriter.header_of(model, 10.0, ["a", "b", "c"], site="north")
    assert header.is_of(model.digest())
    found = json.loads(json.dumps(header.to_json()))
    assert found["labels"] == list(model.labels)
    assert found["site"] == "north"
    half = LogHeader("m", model.digest()[:32], -12, -10, 10.0)
    assert half.is_of(model.digest())
    assert not HEADER.is_of(model.digest())
