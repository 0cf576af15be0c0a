"""Lines become rows; what is none is told and counted, and nothing of it breaks a stream."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_edge.errors import DataError
from rnn_edge.live.lines import LONGEST, LineSplitter
from rnn_edge.live.queue import SampleQueue
from rnn_edge.live.rows import BadRowError, RowFormat, RowReader
from rnn_edge.live.table_files import TableFiles
from rnn_edge.live.told import Teller
from rnn_edge.streams.base import ANOMALOUS, NORMAL, UNLABELLED

FORM = RowFormat(("a", "b"), 2.0, ",", "time", "number")


def reader(**options):
    return RowReader(FORM, "table", **options)


def rows_of(lines, **options):
    """Return the rows that lines give, the gaps, the complaints, and the reader."""
    found, gaps, complaints = [], [], []
    each = reader(**options)
    for line in lines:
        try:
            row = each.row(line)
        except BadRowError as error:
            complaints.append(str(error))
            continue
        if row is not None:
            gaps += [len(found)] * row[1]
            found.append(row[0].tolist())
    return found, gaps, complaints, each


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"1,2", [1.0, 2.0]),
        (b" 1.5e3 ,-2\r", [1500.0, -2.0]),
        (b'"1","2"', [1.0, 2.0]),
        (b"[1, 2.5]", [1.0, 2.5]),
        (b'{"b": 2, "a": 1, "c": "x"}', [1.0, 2.0]),
    ],
)
def test_a_row_is_read(line, expected):
    assert rows_of([line])[0] == [expected]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,2,3", "3 cells; expected 2"),
        (b"1", "1 cells; expected 2"),
        (b"1,x", "column 'b': 'x'; expected a number"),
        (b"1," + b"y" * 500, f"column 'b': '{'y' * 59}...; expected a number"),
        (b"1,inf", "beyond 1e+18"),
        (b"1,1e19", "beyond 1e+18"),
        (b"1,\xff", "no UTF-8"),
        (b"[1]", "expected 2 numbers"),
        (b"[1,true]", "channel 'b': True; expected a number"),
        (b'["1",2]', "channel 'a': '1'; expected a number"),
        (b"[1,", "no JSON"),
        (b"[" * 5000, "no JSON"),
        (b"[1," + b"9" * 400 + b"]", "too large"),
        (b'1,"2', "no CSV"),
        (b"{}", "no name is that of a channel: none; expected 'a', 'b'"),
        (b'{"A":1,"\\ud800":2}', r"no name is that of a channel: 'A', '\ud800'; expected"),
        (b'{"a":1}', "a cell has no value, and none was before it"),
        (b"nan,1", "a cell has no value, and none was before it"),
        (None, "longer than any row"),
    ],
)
def test_a_line_that_is_no_row_is_told_and_counted(line, reason):
    found, _, complaints, each = rows_of([line], is_whole=False)
    assert found == []
    assert reason in complaints[0]
    assert each.bad == 1


def test_a_missing_value_is_the_last_one_of_its_channel():
    found, _, complaints, each = rows_of([b"1,2", b",3", b"nan,NA", b"[null,5]"])
    assert found == [[1.0, 2.0], [1.0, 3.0], [1.0, 3.0], [1.0, 5.0]]
    assert each.held == 4
    assert complaints == []


def test_an_object_of_other_names_is_no_row_of_missing_values():
    lines = [b"1,2", b'{"b":3}', b'{"x":4,"y":5}', b"{}"]
    found, _, complaints, each = rows_of(lines)
    assert found == [[1.0, 2.0], [1.0, 3.0]]
    assert (each.held, each.bad) == (1, 2)
    assert "no name is that of a channel: 'x', 'y'; expected 'a', 'b'" in complaints[0]


def test_columns_are_found_by_their_names_and_gaps_by_their_times():
    lines = [b"x,b,time,a", b"0,2,0.0,1", b"0,4,0.5,3", b"0,6,2.0,5", b"0,8,2.0,7", b"0,8,2.5,7"]
    found, gaps, complaints, each = rows_of(lines)
    assert found == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]
    assert gaps == [2]
    assert each.missing == 2
    assert complaints == ["its time is not after that of the row before"]


def test_a_channel_that_is_nowhere_is_refused():
    with pytest.raises(DataError, match="has no column 'b'; its columns are a, c"):
        reader().row(b"a,c")


@pytest.mark.parametrize("line", [b"a,b,a", b"b,time,a,time"])
def test_a_name_that_is_there_twice_is_refused(line):
    with pytest.raises(DataError, match=r"has two columns '(a|time)'; expected different names"):
        rows_of([line, b"1,2,3,4"])


def test_another_delimiter_is_refused_where_the_first_line_is_one():
    with pytest.raises(DataError, match="has no column 'a', 'b'; its columns are a;b"):
        reader().row(b"a;b")
    assert rows_of([b"a;b", b"1,2"], is_whole=False)[0] == [[1.0, 2.0]]


def test_of_a_file_of_something_else_not_all_is_told():
    names = [f"{k:03d}" * 50 for k in range(300)]
    with pytest.raises(DataError) as caught:
        reader().row(",".join(["a", *names]).encode())
    assert caught.value.message.endswith(" and 261 more.")
    assert len(caught.value.message) < 3000


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_line_breaks_a_reader(lines):
    each = reader(is_whole=False)
    for line in lines:
        try:
            row = each.row(line)
        except (BadRowError, DataError):
            continue
        assert row is None or np.isfinite(row[0]).all()


@given(st.binary(max_size=400), st.integers(1, 50))
def test_lines_do_not_depend_on_the_pieces(content, piece):
    at_once, bit_by_bit = LineSplitter(), LineSplitter()
    expected = [*at_once.feed(content), at_once.end()]
    parts = [content[k : k + piece] for k in range(0, len(content), piece)]
    found = [line for part in parts for line in bit_by_bit.feed(part)]
    assert [*found, bit_by_bit.end()] == expected


def test_a_line_without_an_end_does_not_fill_the_memory():
    splitter = LineSplitter()
    found = []
    for _ in range(100):
        found += splitter.feed(b"x" * 10_000)
    found += splitter.feed(b"\n1,2\n")
    assert found == [None, b"1,2"]
    assert LONGEST < 100 * 10_000


def table(path, content, **options):
    path.write_bytes(content)
    given = {"is_paced": False, "repeat": 1} | options
    return TableFiles([path], FORM, 3, Teller(lambda line: None), **given)


def taken(source, position=0):
    queue, stop = SampleQueue(10**9), threading.Event()
    source.begin_at(position)
    source.deliver(queue, stop)
    queue.end()
    pieces = []
    while (piece := queue.take(0.0)) is not None:
        pieces.append(piece)
    return pieces


def test_a_gap_never_lies_within_a_piece(tmp_path):
    lines = "time,a,b\n" + "".join(f"{t},{t},0\n" for t in (0, 0.5, 1, 1.5, 5, 5.5, 6, 6.5, 7))
    pieces = taken(table(tmp_path / "t.csv", lines.encode()))
    assert [(p.position, len(p.samples), p.is_after_gap) for p in pieces] == [
        (0, 3, False),
        (3, 1, False),
        (4, 3, True),
        (7, 2, False),
    ]


@pytest.mark.parametrize("position", [0, 1, 3, 4, 5, 9])
def test_a_table_goes_on_from_any_position(tmp_path, position):
    # The cell that is missing takes a value from before the position.
    content = b"a,b\n1,2\nno row\n3,\n,6\n7,8\n"
    whole = [[1, 2], [3, 2], [3, 6], [7, 8]] * 3
    source = table(tmp_path / "t.csv", content, repeat=3)
    pieces = taken(source, position)
    assert pieces[0].position == position
    assert np.concatenate([p.samples for p in pieces]).tolist() == whole[position:]


def test_a_table_without_a_row_is_refused(tmp_path):
    with pytest.raises(DataError, match="has no row that can be read; expected 2 channels: a, b"):
        taken(table(tmp_path / "t.csv", b"a,b\nx,y\n"))


def test_usual_labels_are_known_however_they_are_written_but_no_channel_is_one():
    form = RowFormat(("a", "fault"), 2.0, label_columns=None)
    each = RowReader(form, "table")
    found = []
    for line in (b"a,fault,Anomaly", b"1,1,0", b"1,0,1"):
        each.row(line)
        found.append(each.label)
    assert found == [UNLABELLED, NORMAL, ANOMALOUS]
