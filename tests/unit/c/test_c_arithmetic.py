"""The C arithmetic against the numpy arithmetic, over every int16 where that is possible."""

import ctypes
from pathlib import Path

import numpy as np
import pytest
from c_models import WARNINGS, succeed, tool

from rnn_edge import fixedpoint
from rnn_edge.resources import data_folder

EVERY = np.arange(-32768, 32768).astype(np.int16)
COUNT = ctypes.c_size_t(len(EVERY))


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    library = tmp_path_factory.mktemp("probe") / "probe.so"
    common = data_folder("firmware_templates") / "common"
    source = Path(__file__).with_name("kernel_probe.c")
    flags = [*WARNINGS, "-O2", "-fPIC", "-shared", f"-I{common}"]
    succeed(tool("cc"), *flags, source, common / "rnn_edge_activation.c", "-o", library)
    return ctypes.CDLL(str(library))


def address(array):
    return ctypes.c_void_p(array.ctypes.data)


def sums(limit):
    """Every sum of two int16, what lies beyond them, and both ends of what is allowed."""
    near = np.arange(-140_000, 140_001)
    return np.concatenate([near, limit - np.arange(1, 100), np.arange(1, 100) - limit])


def saturated(x):
    return np.clip(x, -32768, 32767).astype(np.int16)


def through(function, x):
    values, out = x.astype(np.int32), np.empty(len(x), np.int32)
    function(address(values), ctypes.c_size_t(len(values)), address(out))
    return out


def test_logistic_of_every_sum(probe):
    x = sums(1 << 29)
    expected = fixedpoint.logistic(saturated(x), -11)
    np.testing.assert_array_equal(through(probe.probe_logistic, x), expected)


def test_tanh_of_every_sum(probe):
    x = sums(1 << 29)
    expected = fixedpoint.tanh(saturated(x), -13)
    np.testing.assert_array_equal(through(probe.probe_tanh, x), expected)


def test_tanh_of_every_gate(probe):
    x = sums(1 << 28)
    expected = fixedpoint.tanh(fixedpoint.requantize(saturated(x), -11, -13), -13)
    np.testing.assert_array_equal(through(probe.probe_tanh_of_gate, x), expected)


@pytest.mark.parametrize("bits", range(15, 31))
def test_a_gate_multiplies_as_anything_else(probe, bits):
    rng = np.random.default_rng(bits)
    corners = np.array([0, 1, 2, 3, 16383, 16384, 16385, 32766, 32767], np.int16)
    ends = np.concatenate([corners, -corners, [-32768]]).astype(np.int16)
    gate = np.concatenate([rng.integers(0, 32768, len(EVERY)), np.repeat(corners, len(ends))])
    value = np.concatenate([EVERY, np.tile(ends, len(corners))])
    gate = gate.astype(np.int16)
    out = np.empty(len(gate), np.int32)
    size = ctypes.c_size_t(len(gate))
    probe.probe_gated(address(gate), address(value), size, ctypes.c_uint(bits), address(out))
    np.testing.assert_array_equal(out, fixedpoint.multiply(gate, -15, value, -15, bits - 30))


@pytest.mark.parametrize("source", range(-15, 1))
def test_requantize_of_every_int16(probe, source):
    out = np.empty_like(EVERY)
    for target in (-15, -13, -11, -1, 0):
        probe.probe_requantize(address(EVERY), COUNT, source, target, address(out))
        np.testing.assert_array_equal(out, fixedpoint.requantize(EVERY, source, target))


@pytest.mark.parametrize("bits", range(15, 31))
def test_multiply_at_every_shift_of_the_cells(probe, bits):
    rng = np.random.default_rng(bits)
    corners = np.array([-32768, -32767, -16384, -1, 0, 1, 2, 16384, 32766, 32767], np.int16)
    a = np.concatenate([EVERY, np.repeat(corners, len(corners))])
    b = np.concatenate([rng.permutation(EVERY), np.tile(corners, len(corners))])
    # Products of powers of two lie on the ties.
    powers = (1 << np.arange(15)).astype(np.int16)
    a = np.concatenate([a, np.repeat(powers, 15), -np.repeat(powers, 15)])
    b = np.concatenate([b, np.tile(powers, 15), np.tile(powers, 15)])
    out = np.empty_like(a)
    size = ctypes.c_size_t(len(a))
    probe.probe_multiply(address(a), address(b), size, ctypes.c_uint(bits), address(out))
    np.testing.assert_array_equal(out, fixedpoint.multiply(a, -15, b, -15, bits - 30))


def test_difference_of_the_gru_over_its_whole_range(probe):
    total = np.arange(-65535, 65536).astype(np.int32)
    a = np.clip(total, -32768, 32767).astype(np.int16)
    b = (a.astype(np.int64) - total).astype(np.int16)
    out = np.empty(len(total), np.int16)
    probe.probe_halve(address(total), ctypes.c_size_t(len(total)), address(out))
    np.testing.assert_array_equal(out, fixedpoint.subtract(a, -15, b, -15, -14))
