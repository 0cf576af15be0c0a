"""Every form that x86-64 has gives the bits of the portable one."""

import ctypes
import platform
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_models import WARNINGS, Recipe, build, export, frames, succeed, tool

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.reference import IntegerReference
from rnn_edge.resources import data_folder
from rnn_edge.types import GATES

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="another processor"
)

COMMON = data_folder("firmware_templates") / "common"
PARTS = ("activation", "blocks_x86", "gru_units", "lstm_units", "matrix", "units_x86")
LEVELS = {"sse2": 0, "sse4_1": 1, "avx2": 2}
COMPILERS = ("gcc", "clang")
GRU_LIKE, LSTM_LIKE = 3, 4
MULTIPLIER_MOST = (1 << 31) - (1 << 16)
"""15 bits, widened by 16: the generator gives no more."""
EVERY = np.arange(-32768, 32768).astype(np.int16)
EVERY_SUM = np.arange(-65536, 65535)
SHAPES = [
    (rows, columns)
    for rows in (1, 3, 4, 5, 8, 12, 15, 31, 32, 33, 64, 71)
    for columns in (1, 2, 3, 4, 7, 40, 65)
]


def skip_without(level):
    info = Path("/proc/cpuinfo")
    if level != "sse2" and (not info.is_file() or f" {level}" not in info.read_text()):
        pytest.skip(f"this processor has no {level}")


def library(folder, compiler, *flags):
    path = folder / "probe.so"
    sources = [
        Path(__file__).with_name("vector_probe.c"),
        *(COMMON / f"rnn_edge_{part}.c" for part in PARTS),
    ]
    command = (tool(compiler), *WARNINGS, "-O2", "-fPIC", "-shared", *flags, f"-I{COMMON}")
    succeed(*command, *sources, "-o", path)
    return ctypes.CDLL(str(path))


@pytest.fixture(scope="module")
def portable(tmp_path_factory):
    return library(tmp_path_factory.mktemp("portable"), "cc", "-DRNN_EDGE_PORTABLE")


@pytest.fixture(scope="module", params=COMPILERS)
def compiler(request):
    return request.param


@pytest.fixture(scope="module", params=LEVELS)
def vectors(request, compiler, tmp_path_factory):
    skip_without(request.param)
    folder = tmp_path_factory.mktemp(f"{compiler}-{request.param}")
    return library(folder, compiler, f"-DRNN_EDGE_X86_LEVEL={LEVELS[request.param]}")


class Form(ctypes.Structure):
    """An ``rnn_edge_matrix`` in the narrow form."""

    _fields_ = (
        ("product", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("multipliers", ctypes.c_void_p),
        ("narrow_bias", ctypes.c_void_p),
        ("wide_bias", ctypes.c_void_p),
        ("wide_shifts", ctypes.c_void_p),
        ("rows", ctypes.c_uint32),
        ("columns", ctypes.c_uint32),
        ("narrow_shift", ctypes.c_uint8),
        ("kept", ctypes.c_void_p),
    )


def address(array):
    return array.ctypes.data


def blocked(weight, gates):
    """Columns 0 and 1 of four rows beside each other, then columns 2 and 3."""
    rows, columns = weight.shape[0] // gates, weight.shape[1]
    whole = np.zeros((gates, -(-rows // 4), 4, -(-columns // 4), 2, 2), np.int8)
    view = whole.reshape(gates, whole.shape[1] * 4, -1)
    view[:, :rows, :columns] = weight.reshape(gates, rows, columns)
    return np.ascontiguousarray(whole.transpose(0, 1, 3, 4, 2, 5))


def product(function, weights, gates, shape, multiplier, bias, shift, x):
    form = Form(None, address(weights), address(multiplier), address(bias), None, None)
    form.rows, form.columns, form.narrow_shift = shape[0] // gates, shape[1], shift
    # A value more than there are columns before x: no more alignment than that of an int16.
    odd = np.concatenate([np.zeros(1, np.int16), x])[1:]
    out = np.zeros(shape[0], np.int16)
    function(
        ctypes.byref(form),
        ctypes.c_uint32(gates),
        ctypes.c_void_p(address(odd)),
        *[ctypes.c_void_p(address(out))],
    )
    return out


@pytest.mark.parametrize("kind", ["random", "extreme", "ties"])
def test_products_of_every_shape(portable, vectors, kind):
    rng = np.random.default_rng(7)
    seen = set()
    for rows, columns in SHAPES:
        gates = int(rng.integers(1, 5))
        n = gates * rows
        weight = rng.integers(-127, 128, (n, columns)).astype(np.int8)
        x = rng.integers(-32768, 32768, columns).astype(np.int16)
        shift = int(rng.integers(32, 47))
        if kind == "extreme":
            # The largest sums that the narrow form allows, of both signs.
            weight = np.where(rng.random((n, 1)) < 0.5, -127, 127).astype(np.int8)
            weight = np.repeat(weight, columns, axis=1)
            x[:] = -32768
        spare = (1 << 31) - 1 - 32768 * np.abs(weight.astype(np.int64)).sum(axis=1)
        assert (spare > 0).all()
        bias = rng.integers(-spare, spare + 1).astype(np.int32)
        multiplier = rng.integers(1, MULTIPLIER_MOST + 1, n).astype(np.int32)
        if kind == "extreme":
            bias = np.where(weight[:, 0] > 0, -spare, spare).astype(np.int32)
            multiplier[::2] = MULTIPLIER_MOST
        if kind == "ties":
            # A power of two: with it, one sum in 2^bits lies between two results.
            multiplier = (1 << (shift - rng.integers(1, 3, n).clip(shift - 30))).astype(np.int32)
            bias = rng.integers(-100, 100, n).astype(np.int32)
            x = rng.integers(-20, 20, columns).astype(np.int16)
        shape = (n, columns)
        blocks = blocked(weight, gates)
        numbers = (multiplier, bias, shift, x)
        expected = product(portable.probe_rows, weight, gates, shape, *numbers)
        actual = product(vectors.probe_blocks, blocks, gates, shape, *numbers)
        np.testing.assert_array_equal(actual, expected, err_msg=f"{gates} gates of {shape}")
        seen |= set(expected.tolist())
    assert len(seen) > 50
    if kind != "ties":
        assert {-32768, 32767} <= seen


def gates_over(argument, gates, rng):
    """Return gx and gh (gates, N) such that in each gate every value of `argument` is a sum."""
    gx, gh = [], []
    for _ in range(gates):
        total = rng.permutation(argument)
        low, high = np.maximum(total - 32767, -32768), np.minimum(total + 32768, 32767)
        left = rng.integers(low, high + 1)
        gx.append(left)
        gh.append(total - left)
    return np.array(gx).astype(np.int16), np.array(gh).astype(np.int16)


def pointers(*arrays):
    return [ctypes.c_void_p(address(array)) for array in arrays]


def gru_over(code, gx, gh, h):
    out = np.zeros_like(h)
    code.probe_gru(ctypes.c_uint32(len(h)), *pointers(gx, gh, h, out))
    return out


def lstm_over(code, exponent, gx, gh, c):
    c, out = c.copy(), np.zeros_like(c)
    code.probe_lstm(ctypes.c_uint32(len(c)), exponent, *pointers(gx, gh, c, out))
    return np.stack([c, out])


def test_gates_of_a_gru_over_every_sum(portable, vectors):
    rng = np.random.default_rng(3)
    h = rng.integers(-32768, 32768, len(EVERY_SUM)).astype(np.int16)
    h[::5] = rng.choice(np.array([-32768, -1, 0, 1, 32767], np.int16), len(h[::5]))
    for _ in range(4):
        gx, gh = gates_over(EVERY_SUM, GRU_LIKE, rng)
        expected = gru_over(portable, gx, gh, h)
        np.testing.assert_array_equal(gru_over(vectors, gx, gh, h), expected)
        assert len(np.unique(expected)) > 20_000


def test_candidate_of_a_gru_alone_is_its_result(portable, vectors):
    # z is smallest and h near n: what is left is tanh, of every argument that the sum takes.
    count = len(EVERY_SUM)
    gx, gh = np.zeros((2, GRU_LIKE, count), np.int16)
    gx[1] = gh[1] = -32768
    gx[0] = gh[0] = 32767
    gx[2] = EVERY_SUM >> 1
    gh[2] = EVERY_SUM - gx[2]
    for h in (np.zeros(count, np.int16), np.full(count, -32768, np.int16)):
        expected = gru_over(portable, gx, gh, h)
        np.testing.assert_array_equal(gru_over(vectors, gx, gh, h), expected)
        assert len(np.unique(expected)) > 10_000


@pytest.mark.parametrize("exponent", range(-15, 1))
def test_gates_of_an_lstm_over_every_sum_and_cell(portable, vectors, exponent):
    rng = np.random.default_rng(exponent + 20)
    gx, gh = gates_over(EVERY_SUM, LSTM_LIKE, rng)
    c = np.concatenate([rng.permutation(EVERY), rng.permutation(EVERY)])[: len(EVERY_SUM)]
    expected = lstm_over(portable, exponent, gx, gh, c)
    np.testing.assert_array_equal(lstm_over(vectors, exponent, gx, gh, c), expected)
    # The forget gate is open and nothing is added: tanh of every cell state.
    gx[:], gh[:] = -32768, -32768
    gx[1] = gh[1] = gx[3] = gh[3] = 32767
    expected = lstm_over(portable, exponent, gx, gh, c)
    np.testing.assert_array_equal(lstm_over(vectors, exponent, gx, gh, c), expected)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 31, 33])
def test_units_that_fill_no_vector(portable, vectors, count):
    rng = np.random.default_rng(count)
    gx, gh = gates_over(rng.integers(-40000, 40000, count), LSTM_LIKE, rng)
    h = rng.integers(-32768, 32768, count).astype(np.int16)
    np.testing.assert_array_equal(gru_over(vectors, gx, gh, h), gru_over(portable, gx, gh, h))
    expected = lstm_over(portable, -10, gx, gh, h)
    np.testing.assert_array_equal(lstm_over(vectors, -10, gx, gh, h), expected)


RECIPES = {
    "odd": Recipe(
        seed=61, kinds=tuple(GATES), units=(37, 5, 43, 33), inputs=19, bias="none", head="softmax"
    ),
    "even": Recipe(seed=62, kinds=("gru", "lstm"), units=(64, 32), inputs=40, outputs=12),
    "extreme": Recipe(
        seed=63, kinds=tuple(GATES), units=(9, 40, 33, 8), inputs=3, weights="extreme", bias="int32"
    ),
}


def assert_engine_agrees(name, recipe, folder):
    model = build(recipe)
    export(model, folder)
    x = frames(recipe, 300)
    expected = IntegerReference(model).run(x[None])
    source = EngineSource(None, model, folder, folder / "work")
    with all_engines()[name].open(source) as engine:
        trace = engine.run(x)
    np.testing.assert_array_equal(trace.outputs, expected.outputs[0])
    for key, value in expected.states.items():
        np.testing.assert_array_equal(trace.states[key], value[0], err_msg=key)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "case", ["odd", *(pytest.param(case, marks=pytest.mark.slow) for case in ("even", "extreme"))]
)
def test_models_step_to_the_bits_of_the_reference(case, level, tmp_path, monkeypatch):
    skip_without(level)
    monkeypatch.setenv("CC", f"{tool('cc')} -DRNN_EDGE_X86_LEVEL={LEVELS[level]}")
    assert_engine_agrees("c", RECIPES[case], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("compiler", "form", "case"),
    [
        *(("gcc", form, case) for form in (*LEVELS, "portable") for case in ("odd", "extreme")),
        *(("clang", form, "odd") for form in ("avx2", "portable")),
    ],
)
def test_sanitizers_find_nothing_in_any_form(case, form, compiler, tmp_path, monkeypatch):
    choice = "-DRNN_EDGE_PORTABLE"
    if form in LEVELS:
        skip_without(form)
        choice = f"-DRNN_EDGE_X86_LEVEL={LEVELS[form]}"
    monkeypatch.setenv("CC", f"{tool(compiler)} {choice}")
    assert_engine_agrees("c-sanitized", RECIPES[case], tmp_path)


def test_an_extension_is_used_where_it_is_allowed_only(tmp_path):
    dump = tool("objdump")
    found = {}
    for level, number in LEVELS.items():
        path = tmp_path / f"{level}.o"
        source = COMMON / "rnn_edge_blocks_x86.c"
        flags = ("-std=c11", "-O2", "-march=x86-64", f"-DRNN_EDGE_X86_LEVEL={number}")
        succeed(tool("gcc"), *flags, "-c", source, "-o", path)
        words = set(succeed(dump, "-d", "--no-show-raw-insn", path).decode().split())
        found[level] = words & {"pmaddwd", "pmuldq", "vpmaddwd", "vpmuldq"}
    sse4_1 = {"pmaddwd", "pmuldq"}
    assert found == {
        "sse2": {"pmaddwd"},
        "sse4_1": sse4_1,
        "avx2": {*sse4_1, "vpmaddwd", "vpmuldq"},
    }


@pytest.mark.slow
@pytest.mark.parametrize("compiler", COMPILERS)
def test_no_compiler_warns_whatever_it_may_assume(compiler, tmp_path):
    sources = sorted(COMMON.glob("*_x86.c"))
    for level in LEVELS.values():
        for flags in (("-O0",), ("-O2", "-mavx2"), ("-O3", "-march=native")):
            command = (tool(compiler), *WARNINGS, *flags, f"-DRNN_EDGE_X86_LEVEL={level}", "-c")
            for source in sources:
                done = subprocess.run(
                    [*command, str(source), "-o", str(tmp_path / "x.o")],
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if "unknown target CPU" in done.stderr:
                    continue
                assert done.returncode == 0, done.stderr
