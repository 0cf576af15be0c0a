"""The softmax and the decision of the kernel library, called directly."""

import ctypes
import shutil

import numpy as np
import pytest
from c_models import Recipe, build, export

from rnn_edge.engines.c_host import build_library
from rnn_edge.fixedpoint.softmax import EXP_TABLE, RECIPROCAL_TABLE, softmax

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on this host")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("softmax")
    model = build(Recipe(head="softmax"))
    export(model, folder)
    code = ctypes.CDLL(str(build_library(model, folder, folder / "work")))
    code.rnn_edge_softmax.restype = None
    code.rnn_edge_softmax.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int)
    code.rnn_edge_label.restype = ctypes.c_uint32
    code.rnn_edge_label.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    return code


def in_c(library, x, exponent):
    found = x.copy()
    start, count = found.ctypes.data, x.shape[1]
    for row in range(len(x)):
        library.rnn_edge_softmax(start + 2 * count * row, count, exponent)
    return found


@pytest.mark.parametrize("exponent", range(-15, 1))
def test_every_difference_of_two(library, exponent):
    step = 1 if exponent in (-15, -13, -11) else 13
    below = np.arange(0, 65536, step)
    x = np.stack([np.full(len(below), 32767), 32767 - below], axis=1).astype(np.int16)
    np.testing.assert_array_equal(in_c(library, x, exponent), softmax(x, exponent))


@pytest.mark.parametrize("count", [1, 3, 12, 255, 1000])
def test_random_rows(library, count):
    rng = np.random.default_rng(count)
    for exponent in range(-15, 1):
        x = rng.integers(-32768, 32768, (60, count)) // 2 ** rng.integers(0, 16, (60, 1))
        x[0] = x[0, 0]
        x[1] = -32768
        x = x.astype(np.int16)
        np.testing.assert_array_equal(in_c(library, x, exponent), softmax(x, exponent))


def test_as_many_classes_as_there_may_be(library):
    # All equal: the total of the powers is the largest that is allowed, and each share is one.
    x = np.zeros((1, 32768), np.int16)
    found = in_c(library, x, -11)
    np.testing.assert_array_equal(found, softmax(x, -11))
    assert (found == 1).all()


def test_the_tables_rise_and_fall_between_their_ends():
    # exp(-10) is 1.5 units.
    assert EXP_TABLE[[0, -1]].tolist() == [2, 32767]
    assert (np.diff(EXP_TABLE) >= 0).all()
    assert (np.diff(RECIPROCAL_TABLE) < 0).all()
    assert RECIPROCAL_TABLE[[0, -1]].tolist() == [32767, 16384]


def test_the_first_of_the_greatest(library):
    rows = np.array([[3, 3, 3], [-5, 7, 7], [1, 2, 3], [-32768, -32768, -32767]], np.int16)
    found = [library.rnn_edge_label(row.ctypes.data, 3) for row in rows]
    assert found == [0, 1, 2, 2]
    assert library.rnn_edge_label(rows[0].ctypes.data, 1) == 0
