"""The float model in C: near the numpy reference, the same bits however it is compiled."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_models import WARNINGS, succeed, tool
from linux_programs import TARGET, linux_program
from random_models import Shape, source

from rnn_edge.engines import c_float
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.errors import EngineError, MissingDependencyError
from rnn_edge.reference import FloatReference
from rnn_edge.resources import data_folder
from rnn_edge.types import GATES, DenseWeights, FloatModel, RecurrentWeights

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on this host")

HOST = data_folder("firmware_templates") / "host"
STACK = (("lstm", 33), ("gru_reset_before", 9), ("rnn", 5), ("gru", 40))
STEPS = 10_000


def model_of(cells=STACK, inputs=7, outputs=3, head="linear", seed=0):
    rng = np.random.default_rng(seed)

    def weights(*shape):
        return rng.normal(0, 1 / np.sqrt(shape[-1]), shape).astype(np.float32)

    layers, columns = [], inputs
    for kind, units in cells:
        rows = len(GATES[kind]) * units
        kernels = weights(rows, columns), weights(rows, units)
        layers.append(RecurrentWeights(kind, *kernels, weights(rows), weights(rows)))
        columns = units
    labels = tuple(f"label {k}" for k in range(outputs))
    dense = DenseWeights(weights(outputs, columns), weights(outputs))
    return FloatModel("sample", "kws", tuple(layers), dense, labels, head)


def layout_of(model):
    states = {name: value.shape[1] for name, value in FloatReference(model).state.items()}
    return StreamLayout(model.name, "float32", model.inputs, model.outputs, states)


def frames(model, steps, seed=1):
    return np.random.default_rng(seed).normal(0, 1.5, (steps, model.inputs)).astype(np.float32)


def opened(model, library):
    return c_float.CFloatEngine(layout_of(model), model, library)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return c_float.build_float_library(tmp_path_factory.mktemp("work"))


def compiled(folder, *command):
    """The library by another compiler or other options, with the engine's own flags before them."""
    path = folder / "other.so"
    code = sorted(HOST.glob("float_*.c"))
    flags = ("-std=c11", "-fPIC", "-shared", *c_float.FLAGS)
    succeed(tool(command[0]), *flags, *command[1:], *code, "-o", path)
    return path


def assert_near(actual, expected, tolerance):
    """Within some units of float's rounding; a cell state may be large, and so is its rounding."""
    pairs = [(actual.outputs, expected.outputs[0])]
    pairs += [(actual.states[name], expected.states[name][0]) for name in expected.states]
    for got, wanted in pairs:
        assert got.dtype == np.float32
        np.testing.assert_array_less(
            np.abs(got - wanted), tolerance * np.maximum(1, np.abs(wanted)) + 1e-30
        )


def test_engine_is_found_by_name():
    kind = all_engines()["c-float"]
    assert kind is c_float.ENGINE
    assert not kind.is_integer


@pytest.mark.parametrize("cells", [STACK, (("gru", 64),), (("lstm", 1),)])
def test_a_long_stream_stays_at_float_rounding_from_the_reference(library, cells):
    model = model_of(cells)
    x = frames(model, STEPS)
    engine = opened(model, library)
    # Carried from call to call: the first part in one run, the second step by step.
    first = engine.run(x[: STEPS // 2])
    second = engine.run(x[STEPS // 2 :])
    reference = FloatReference(model)
    assert_near(first, reference.run(x[None, : STEPS // 2]), 2e-6)
    assert_near(second, reference.run(x[None, STEPS // 2 :]), 2e-6)
    for name, value in engine.state().items():
        np.testing.assert_array_equal(value, second.states[name][-1])


@pytest.mark.parametrize("head", ["linear", "softmax", "argmax"])
def test_heads(library, head):
    model = model_of((("gru", 6),), outputs=35, head=head)
    x = frames(model, 50) * 4
    engine = opened(model, library)
    trace = engine.run(x)
    assert_near(trace, FloatReference(model).run(x[None]), 2e-6)
    engine.reset()
    np.testing.assert_array_equal(engine.run_last(x), trace.outputs[-1])
    if head == "softmax":
        np.testing.assert_allclose(trace.outputs.sum(axis=1), 1, atol=1e-6)


def activation(name, x, folder):
    """One of the inline functions, over a whole array."""
    code = folder / f"{name}.c"
    code.write_text(
        '#include "float_activation.h"\n#include <stddef.h>\n'
        "void over(const float *x, size_t count, float *y);\n"
        "void over(const float *x, size_t count, float *y) {\n"
        f"    for (size_t k = 0; k < count; ++k) y[k] = rnn_edge_float_{name}(x[k]);\n"
        "}\n"
    )
    path = folder / f"{name}.so"
    flags = ("-std=c11", "-O2", "-fPIC", "-shared", f"-I{HOST}", *c_float.FLAGS)
    succeed(tool("cc"), *flags, code, "-o", path)
    x = np.ascontiguousarray(x, np.float32)
    y = np.empty_like(x)
    ctypes.CDLL(str(path)).over(
        ctypes.c_void_p(x.ctypes.data), ctypes.c_size_t(len(x)), ctypes.c_void_p(y.ctypes.data)
    )
    return y


def test_activations_are_as_near_as_their_header_says(tmp_path):
    x = np.concatenate([np.linspace(-100, 100, 400_001), np.geomspace(1e-30, 1, 1000)])
    x = x.astype(np.float32)
    exact = x.astype(np.float64)
    logistic = activation("logistic", x, tmp_path)
    tanh = activation("tanh", x, tmp_path)
    assert np.abs(logistic - 1 / (1 + np.exp(-exact))).max() < 2.0**-22
    assert np.abs(tanh - np.tanh(exact)).max() < 2.0**-22
    # Near zero tanh is as good relative to its value.
    small = np.abs(x) < 0.5
    assert np.all(np.abs(tanh - np.tanh(exact))[small] <= 2.0**-21 * np.abs(exact)[small])
    power = activation("exp", x[np.abs(x) < 80], tmp_path)
    assert np.abs(power / np.exp(exact[np.abs(x) < 80]) - 1).max() < 2.0**-22
    ends = np.array([-np.inf, np.inf, np.nan, 3e38, -3e38], np.float32)
    np.testing.assert_array_equal(activation("tanh", ends, tmp_path), [-1, 1, np.nan, 1, -1])
    np.testing.assert_allclose(
        activation("logistic", ends, tmp_path), [0, 1, np.nan, 1, 0], atol=2e-38
    )


@pytest.mark.parametrize(
    "command",
    [
        ("cc", "-O0"),
        ("cc", "-O3", "-march=native"),
        ("gcc", "-O2"),
        ("clang", "-O1"),
        ("clang", "-O3", "-march=native"),
    ],
    ids=" ".join,
)
def test_the_bits_do_not_depend_on_the_compiler_or_the_width_of_its_vectors(
    library, tmp_path, command
):
    if "-march=native" in command:
        done = subprocess.run(
            [tool(command[0]), "-march=native", "-E", "-x", "c", "/dev/null"],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("the compiler does not know this processor")
    other = compiled(tmp_path, *command)
    for head in ("linear", "softmax"):
        model = model_of(outputs=13, head=head)
        x = frames(model, 2000)
        x[1500] = np.nan
        expected = opened(model, library).run(x)
        actual = opened(model, other).run(x)
        np.testing.assert_array_equal(actual.outputs, expected.outputs)
        for name, value in expected.states.items():
            np.testing.assert_array_equal(actual.states[name], value)


def test_a_fused_product_would_have_other_bits(library, tmp_path):
    """The test above can fail: the flag that it leaves in place is what it is about."""
    probe = subprocess.run(
        [tool("gcc"), "-mfma", "-dM", "-E", "-x", "c", "/dev/null"],
        capture_output=True,
        check=False,
    )
    processor = Path("/proc/cpuinfo")
    if probe.returncode or not processor.is_file() or " fma" not in processor.read_text():
        pytest.skip("this processor or compiler has no fused product of this name")
    fused = compiled(tmp_path, "gcc", "-O3", "-mfma", "-ffp-contract=fast")
    model = model_of()
    x = frames(model, 200)
    assert (opened(model, fused).run(x).outputs != opened(model, library).run(x).outputs).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_goes_where_it_goes_in_the_reference(library, bad):
    model = model_of()
    x = frames(model, 20)
    x[10, 3] = bad
    with np.errstate(invalid="ignore"):
        expected = FloatReference(model).run(x[None])
    actual = opened(model, library).run(x)
    np.testing.assert_array_equal(np.isnan(actual.outputs), np.isnan(expected.outputs[0]))
    for name, value in expected.states.items():
        np.testing.assert_array_equal(np.isnan(actual.states[name]), np.isnan(value[0]))
    assert np.isfinite(actual.outputs[:10]).all()
    assert np.isfinite(actual.outputs[10:]).all() == np.isinf(bad)


def test_state_goes_out_and_in_and_engines_share_nothing(library):
    model = model_of()
    x = frames(model, 40)
    with opened(model, library) as engine, opened(model, library) as other:
        assert list(engine.state()) == ["h0", "c0", "h1", "h2", "h3"]
        engine.run(x[:20])
        middle = engine.state()
        rest = engine.run(x[20:])
        other.run(x[:3])
        engine.reset(middle)
        for t, frame in enumerate(x[20:]):
            np.testing.assert_array_equal(engine.step(frame), rest.outputs[t])
        engine.reset({"c0": middle["c0"]})
        assert not engine.state()["h0"].any()
        np.testing.assert_array_equal(engine.state()["c0"], middle["c0"])
        engine.reset()
        assert not any(value.any() for value in engine.state().values())


def test_frames_in_any_memory_order_and_none(library):
    model = model_of()
    x = frames(model, 30)
    engine = opened(model, library)
    expected = engine.run(x).outputs
    engine.reset()
    np.testing.assert_array_equal(engine.run(np.asfortranarray(x)).outputs, expected)
    before = engine.state()
    assert engine.run(x[:0]).outputs.shape == (0, 3)
    for name, value in engine.state().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(6, np.float32), r"float32 \(6,\); expected float32 \(7,\)"),
        (np.zeros(7, np.float64), r"float64 \(7,\)"),
        (np.zeros(7, np.int16), r"int16 \(7,\)"),
    ],
)
def test_wrong_frames_are_refused(library, x, message):
    engine = opened(model_of(), library)
    with pytest.raises(EngineError, match=message):
        engine.step(x)
    for run in (engine.run, engine.run_last):
        with pytest.raises(EngineError, match="expected float32 "):
            run(x[None])


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"h7": np.zeros(6, np.float32)}, "'h7'; known are h0, c0, h1"),
        ({"h0": np.zeros(5, np.float32)}, r"expected float32 \(33,\)"),
        ({"h0": np.zeros(33, np.int16)}, "int16"),
    ],
)
def test_wrong_states_are_refused_and_change_nothing(library, state, message):
    model = model_of()
    engine = opened(model, library)
    engine.run(frames(model, 5))
    before = engine.state()
    with pytest.raises(EngineError, match=message):
        engine.reset(state)
    for name, value in engine.state().items():
        np.testing.assert_array_equal(value, before[name])


def test_one_library_serves_every_model_and_compiler_options_make_another(tmp_path, monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    first = c_float.build_float_library(tmp_path)
    stamp = first.stat().st_mtime_ns
    assert c_float.build_float_library(tmp_path) == first
    assert first.stat().st_mtime_ns == stamp
    monkeypatch.setenv("CC", "cc -O1")
    assert c_float.build_float_library(tmp_path) != first
    monkeypatch.setenv("CC", "no-such-cc")
    with pytest.raises(MissingDependencyError, match="the engine 'c-float' needs one"):
        c_float.build_float_library(tmp_path)


def test_a_file_that_is_no_such_library_is_refused(tmp_path):
    path = tmp_path / "x.so"
    path.write_bytes(b"nothing")
    with pytest.raises(EngineError, match="does not load"):
        opened(model_of(), path)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_no_compiler_warns(compiler, tmp_path):
    code = sorted(HOST.glob("float_*.c"))
    for level in ("-O0", "-O3"):
        for file in code:
            output = tmp_path / "x.o"
            succeed(tool(compiler), *WARNINGS, *c_float.FLAGS, level, "-c", file, "-o", output)


SOURCES = [*sorted(HOST.glob("float_*.c")), Path(__file__).with_name("float_probe.c")]
PROBE = [f"-I{HOST}", *SOURCES]
SAID = re.compile(r"4 models of 200 steps: [0-9a-f]{16}\n")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the probe says of its results when it is compiled as the library is."""
    program = tmp_path_factory.mktemp("probe") / "probe"
    succeed(tool("cc"), "-std=c11", "-O3", *c_float.FLAGS, *PROBE, "-o", program)
    text = succeed(program).decode()
    assert SAID.fullmatch(text)
    return text


def test_sanitizers_find_nothing(said, tmp_path):
    """Exact sizes of every buffer, all cells and heads, and values that are not finite."""
    program = tmp_path / "probe"
    sanitizers = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    command = (tool("gcc"), *WARNINGS, *sanitizers, *c_float.FLAGS, *PROBE, "-o", program)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "cannot find -lasan" in done.stderr:
        pytest.skip("gcc comes without its sanitizers")
    assert done.returncode == 0, done.stderr
    assert succeed(program).decode() == said


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGET)
def test_the_bits_are_those_of_other_processors(said, tmp_path, name):
    emulator = (tool(TARGET[name].emulator), "-cpu", TARGET[name].processor)
    options = ("-std=c11", "-O3", *c_float.FLAGS, f"-I{HOST}")
    program = linux_program(name, options, SOURCES, tmp_path / "probe")
    assert succeed(*emulator, program).decode() == said


def test_opened_from_a_source(tmp_path):
    models = source(Shape(("gru", "lstm"), (5, 6)))
    engine = c_float.ENGINE.open(
        EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")
    )
    assert engine.name == "c-float"
    assert engine.model is None
    with pytest.raises(EngineError, match="holds no integer state"):
        engine.save()
