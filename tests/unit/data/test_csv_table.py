import contextlib
import csv
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.data.table import MISSING_CELLS, parse_csv, parse_table
from rnn_edge.errors import DataError

finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.lists(
    st.text(
        st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8
    ).map(lambda text: "n" + text),
    min_size=1,
    max_size=5,
    unique=True,
)


def as_csv(header, rows, delimiter, end="\r\n"):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end)
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue().encode()


@settings(max_examples=60, deadline=None)
@given(
    header=names,
    data=st.data(),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_numbers_survive_exactly(header, data, delimiter, end, mark):
    cell = st.one_of(finite, st.none())
    rows = data.draw(
        st.lists(st.lists(cell, min_size=len(header), max_size=len(header)), min_size=1, max_size=6)
    )
    # A line of one empty cell is an empty line, which a parser has to skip.
    written = [["nan" if v is None else repr(v) for v in row] for row in rows]
    table = parse_csv("t.csv", mark + as_csv(header, written, delimiter, end), delimiter)
    assert table.columns == tuple(header)
    for k, column in enumerate(header):
        wanted = [np.nan if row[k] is None else row[k] for row in rows]
        assert np.array_equal(table.numbers(column), wanted, equal_nan=True)
    assert table.lines == tuple(range(2, 2 + len(rows)))


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1),
        min_size=1,
        max_size=6,
    )
)
def test_texts_survive_quoting(texts):
    table = parse_csv("t.csv", as_csv(["name", "x"], [[t, 1] for t in texts], ","), ",")
    assert table.texts("name") == [text.strip() for text in texts]


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_table_or_a_data_error(content):
    read = []
    with contextlib.suppress(DataError):
        table = parse_csv("t.csv", content, ",")
        read = [table.numbers(column) for column in table.columns]
    assert not any(np.isinf(values).any() for values in read)


@settings(max_examples=60, deadline=None)
@given(row=st.integers(0, 4), bad=st.text("abcxyz_%", min_size=1, max_size=6))
def test_bad_cell_is_named_by_line_and_column(row, bad):
    if bad.lower() in MISSING_CELLS:
        return
    rows = [[k, 2.0 * k] for k in range(5)]
    rows[row][1] = bad
    table = parse_csv("t.csv", as_csv(["a", "b"], rows, ","), ",")
    with pytest.raises(DataError) as caught:
        table.numbers("b")
    assert f"line {row + 2}, column 'b': {bad};" in caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no rows"),
        (b"a,b\n", "has no rows"),
        (b"a,b\n1,2\n3\n", "line 3 has 1 cells; expected 2"),
        (b"a,a\n1,2\n", "two columns 'a'"),
        (b"a,\n1,2\n", "a column without a name"),
        (b"1,2\n3,4\n", "starts with numbers"),
        (b"a,b\n\xff,2\n", "is not text"),
        (b'a,b\n"1,2\n', "expected CSV"),
    ],
)
def test_bad_csv(content, message):
    with pytest.raises(DataError, match=message):
        parse_csv("t.csv", content, ",")


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1_000", "1,5", "0x10"])
def test_what_is_no_number(cell):
    table = parse_csv("t.csv", as_csv(["a"], [[1], [cell]], ";"), ";")
    with pytest.raises(DataError, match="expected a finite number"):
        table.numbers("a")


def test_missing_column_lists_the_ones_there_are():
    table = parse_csv("t.csv", b"a,b\n1,2\n", ",")
    with pytest.raises(DataError, match=r"no column 'c'; its columns are a, b\."):
        table.column("c")


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def archive(name, content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(name, content)
    return stream.getvalue()


def test_npz_vectors_and_matrices_are_columns():
    content = npz(t=np.arange(3), m=np.ones((3, 2)), kind=np.array(["ok", "ok", "bad"]))
    table = parse_table("t.npz", content, ",")
    assert set(table.columns) == {"t", "m_0", "m_1", "kind"}
    assert table.numbers("t").tolist() == [0, 1, 2]
    assert table.texts("kind") == ["ok", "ok", "bad"]
    assert table.texts("t") == ["0", "1", "2"]


def test_npy_matrix_gives_columns():
    stream = io.BytesIO()
    np.save(stream, np.arange(6.0).reshape(3, 2))
    table = parse_table("t.npy", stream.getvalue(), ",")
    assert table.numbers("column_1").tolist() == [1, 3, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "File t.npz is empty; expected NumPy arrays"),
        (b"no array", "File t.npz is no NumPy file; expected NumPy arrays"),
        (npz(a=np.array([1, None], object)), "holds Python objects"),
        (archive("a.txt", b"text"), "'a.txt' is no array"),
        (npz(a=np.zeros(3), b=np.zeros(4)), r"rows; expected the same number"),
        (npz(a=np.zeros((2, 2, 2))), "3 dimensions"),
        (npz(a=np.zeros(2, complex)), "expected real numbers"),
        (npz(a=np.zeros(9))[:-40], "cannot be read"),
    ],
)
def test_bad_npz(content, message):
    with pytest.raises(DataError, match=message):
        parse_table("t.npz", content, ",")


def test_what_is_no_numpy_file_is_not_to_be_trusted_but_written_anew():
    with pytest.raises(DataError) as refused:
        parse_table("t.npz", b"a,b\n1,2\n", ",")
    assert "numpy.savez" in refused.value.hint
    assert "trust" not in str(refused.value)


def test_infinity_in_npz_is_named():
    table = parse_table("t.npz", npz(a=np.array([1.0, np.inf])), ",")
    with pytest.raises(DataError, match="line 2, column 'a': inf"):
        table.numbers("a")
