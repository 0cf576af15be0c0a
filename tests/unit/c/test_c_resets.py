"""Reset policies in C against their twin in numpy, every bit of every step."""

import ctypes
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from c_models import WARNINGS, Recipe, build, export, frames, succeed, tool
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.drift.resets import IntegerResets
from rnn_edge.errors import ModelError
from rnn_edge.exporters.c_source import sources_in
from rnn_edge.exporters.c_stream import check_policy
from rnn_edge.reference import IntegerReference
from rnn_edge.resources import data_folder
from rnn_edge.types.resets import MAX_FRAMES, MAX_QUIET_INPUTS, NEVER, ResetPolicy
from rnn_edge.types.saved_state import blob_bytes

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "reset.md"
COMMON = data_folder("firmware_templates") / "common"
KINDS = {("every", "mean"): 1, ("quiet", "mean"): 2, ("quiet", "magnitude"): 3}
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")
STEPS = 240


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """The rules of the kernel library, and what undefined behaviour ends the test."""
    library = tmp_path_factory.mktemp("resets") / "probe.so"
    sources = [HERE / "reset_probe.c", *(COMMON / f"rnn_edge_{n}.c" for n in ("reset", "state"))]
    sources += [COMMON / f"rnn_edge_{n}.c" for n in ("model", "matrix")]
    checked = ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
    flags = ["-fPIC", "-shared", *checked, f"-I{COMMON}"]
    succeed(tool("gcc"), *WARNINGS, *flags, *sources, "-o", library)
    function = ctypes.CDLL(str(library)).probe
    function.restype = None
    return function


def in_c(probe, policy, counter, states, x, threshold):
    """Return what the C makes of states (T, V) before the frames x (T, D)."""
    kind = KINDS.get((policy.kind, policy.measure), 4)
    found, x = states.copy(), np.ascontiguousarray(x)
    zeroed, own = np.zeros(len(x), np.uint8), ctypes.c_uint32(counter)
    probe(
        *(ctypes.c_uint32(kind), ctypes.c_uint32(policy.frames), ctypes.c_int32(threshold)),
        *(ctypes.c_uint32(policy.shift), ctypes.byref(own)),
        *(ctypes.c_uint32(states.shape[1]), ctypes.c_uint32(x.shape[1]), ctypes.c_size_t(len(x))),
        *(ctypes.c_void_p(a.ctypes.data) for a in (x, found, zeroed)),
    )
    return found, zeroed.astype(bool), own.value


def in_numpy(policy, counter, states, x, exponent):
    resets = IntegerResets(policy, 1, x.shape[1], exponent)
    resets.counters[:] = counter
    found, zeroed = states.copy(), np.zeros(len(x), bool)
    for t in range(len(x)):
        state = {"h0": found[t : t + 1]}
        zeroed[t] = resets.prepare(state, x[t : t + 1])[0]
    return found, zeroed, int(resets.counters[0])


def same(probe, policy, states, x, exponent=-12, counter=0):
    """Compare both, and return which steps were reset."""
    threshold = policy.threshold(x.shape[1], exponent) if policy.kind == "quiet" else 0
    expected = in_numpy(policy, counter, states, x, exponent)
    actual = in_c(probe, policy, counter, states, x, threshold)
    np.testing.assert_array_equal(actual[0], expected[0])
    np.testing.assert_array_equal(actual[1], expected[1])
    assert actual[2] == expected[2]
    return expected[1]


def noise(seed, steps, values):
    return np.random.default_rng(seed).integers(-32768, 32768, (steps, values)).astype(np.int16)


@st.composite
def policies(draw):
    kind = draw(st.sampled_from(["every", "quiet", "decay"]))
    length = st.one_of(st.integers(1, 12), st.integers(1, MAX_FRAMES), st.just(MAX_FRAMES))
    if kind == "every":
        return ResetPolicy("every", draw(length))
    if kind == "decay":
        return ResetPolicy("decay", shift=draw(st.integers(1, 15)))
    level = draw(st.floats(-9.0, 9.0, allow_nan=False))
    return ResetPolicy("quiet", draw(length), level, draw(st.sampled_from(["mean", "magnitude"])))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(policies(), st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(-15, 0), st.data())
def test_rules_are_those_of_the_twin(probe, policy, seed, inputs, exponent, data):
    limit = 2**policy.shift - 1 if policy.kind == "decay" else policy.frames
    counter = data.draw(st.integers(max(0, limit - 3), limit))
    steps = 60
    x = noise(seed, steps, inputs)
    loud = np.random.default_rng(seed).random(steps) < 0.2
    x[~loud] = (x[~loud] * data.draw(st.floats(0.0, 0.2))).astype(np.int16)
    same(probe, policy, noise(seed + 1, steps, 9), x, exponent, counter)


def test_every_value_decays_as_in_numpy(probe):
    values = np.arange(-32768, 32768, dtype=np.int64).astype(np.int16)[None]
    before = values.astype(np.int64)
    x = np.zeros((1, 1), np.int16)
    for shift in range(1, 16):
        policy = ResetPolicy("decay", shift=shift)
        for counter in {0, 1, 2**shift // 3, 2**shift - 1}:
            same(probe, policy, values, x, counter=counter)
            left = in_numpy(policy, counter, values, x, -12)[0].astype(np.int64)
            assert (np.abs(left) <= np.abs(before)).all()
            assert (np.sign(left) * np.sign(before) >= 0).all()
            # Never more than one unit from the exact loss.
            exact = before * (1.0 - 2.0**-shift)
            assert np.abs(left - exact).max() < 1.0


@pytest.mark.parametrize("shift", [1, 4, 9])
def test_the_loss_is_exact_over_a_round_of_the_counter(probe, shift):
    policy = ResetPolicy("decay", shift=shift)
    values = np.arange(-2000, 2001, 7).astype(np.int16)
    states = np.tile(values, (2**shift, 1))
    same(probe, policy, states, np.zeros((2**shift, 1), np.int16))
    left = in_numpy(policy, 0, states, np.zeros((2**shift, 1), np.int16), -12)[0]
    # Every state loses in 2^shift steps what it is: the same value each time, its size in all.
    np.testing.assert_array_equal((states.astype(np.int64) - left).sum(axis=0), values)


@pytest.mark.parametrize("shift", [1, 6])
def test_a_state_that_nothing_feeds_decays_to_zero_as_in_real_numbers(shift):
    policy = ResetPolicy("decay", shift=shift)
    resets = IntegerResets(policy, 1, 1, -12)
    state = {"h0": np.array([[32767, -32768, 1, -1, 0]], np.int16)}
    start, x = state["h0"].astype(np.float64), np.zeros((1, 1), np.int16)
    for t in range(1, 20 * 2**shift):
        resets.prepare(state, x)
        exact = start * (1.0 - 2.0**-shift) ** t
        assert np.abs(state["h0"] - exact).max() < shift + 1
    assert not state["h0"].any()


def test_a_counter_of_many_frames_does_not_wrap(probe):
    states, x = noise(1, 8, 3), np.zeros((8, 2), np.int16)
    every = ResetPolicy("every", MAX_FRAMES)
    assert same(probe, every, states, x, counter=MAX_FRAMES - 3).nonzero()[0].tolist() == [3]
    quiet = ResetPolicy("quiet", MAX_FRAMES)
    assert same(probe, quiet, states, x, counter=MAX_FRAMES - 3).nonzero()[0].tolist() == [2]
    assert not same(probe, quiet, states, x, counter=MAX_FRAMES).any()


def test_a_quiet_stretch_resets_once_and_at_its_nth_frame(probe):
    x = np.full((30, 4), 100, np.int16)
    x[[2, 3, 4, 10, 11, 12, 13, 14, 15, 20, 21]] = 0
    policy = ResetPolicy("quiet", 3, 0.0)
    zeroed = same(probe, policy, noise(2, 30, 5), x)
    assert zeroed.nonzero()[0].tolist() == [4, 12]


@pytest.mark.parametrize("measure", ["mean", "magnitude"])
def test_the_level_is_met_to_the_unit(probe, measure):
    # Three features at 2^-12: a mean of 0.25 is a sum of 3,072.
    policy = ResetPolicy("quiet", 1, 0.25, measure)
    assert policy.threshold(3, -12) == 3072
    sign = -1 if measure == "magnitude" else 1
    at, beyond = [1000, 1000, 1072], [1000, sign * 1000, sign * 1073]
    zeroed = same(probe, policy, noise(3, 2, 4), np.array([at, beyond], np.int16))
    assert zeroed.tolist() == [True, False]


def test_the_largest_sums_fit(probe):
    wide = np.full((3, MAX_QUIET_INPUTS), -32768, np.int16)
    wide[1] = 32767
    for measure in ("mean", "magnitude"):
        for level in (-8.0, 7.9995, 8.0, 100.0):
            same(probe, ResetPolicy("quiet", 1, level, measure), noise(4, 3, 2), wide)


def twin_run(model, policy, x):
    """Return what the program writes: reset or not, result, state, int16 (T, 1 + C + V)."""
    reference, rows = IntegerReference(model), []
    resets = IntegerResets(policy, 1, model.inputs, model.input_exponent)
    for frame in x:
        zeroed = resets.prepare(reference.state, frame[None])
        y = reference.step(frame[None])[0]
        state = [value[0] for value in reference.state.values()]
        rows.append(np.concatenate([zeroed.astype(np.int16), y, *state]))
    return np.array(rows, np.int16)


ONE = Recipe(seed=3, kinds=("gru", "lstm"), units=(9, 5), name="one")
TWO = Recipe(seed=4, kinds=("rnn",), units=(7,), inputs=3, name="two")
PAIRS = {
    "every-never": (ResetPolicy("every", 37), NEVER),
    "quiet-decay": (ResetPolicy("quiet", 4, 0.0, "magnitude"), ResetPolicy("decay", shift=5)),
    "decay-quiet": (ResetPolicy("decay", shift=9), ResetPolicy("quiet", 2, 0.125)),
}


def gappy(recipe):
    """Frames with quiet stretches of many lengths."""
    x = frames(recipe, STEPS).copy()
    generator = np.random.default_rng(9)
    for start in range(5, STEPS, 17):
        x[start : start + int(generator.integers(1, 9))] = 0
    return x


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(
    ("compiler", "flags"),
    [("cc", ("-O2",)), ("gcc", SANITIZERS), ("clang", SANITIZERS)],
    ids=["plain", "gcc-sanitized", "clang-sanitized"],
)
def test_streams_of_two_models_in_one_image(compiler, flags, pair, tmp_path):
    wanted, given_ = [], b""
    for recipe, policy in zip((ONE, TWO), PAIRS[pair], strict=True):
        model, x = build(recipe), gappy(recipe)
        folder = export(model, tmp_path, policy)
        expected = twin_run(model, policy, x)
        assert expected[:, 0].any() == (policy.kind in ("every", "quiet"))
        wanted.append(expected.ravel())
        given_ += x.tobytes()
    program = tmp_path / "program"
    sources = [HERE / "run_resets.c", *sorted(folder.glob("*.c"))]
    command = [tool(compiler), "-std=c11", "-Wall", "-Wextra", "-Werror", *flags, f"-I{folder}"]
    succeed(*command, *sources, "-o", program)
    out = np.frombuffer(succeed(program, STEPS, input=given_), np.int16)
    np.testing.assert_array_equal(out, np.concatenate(wanted))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("policy", [ResetPolicy("quiet", 7, -0.5), ResetPolicy("decay", shift=3)])
def test_exports_with_a_policy_compile_without_a_warning(compiler, policy, tmp_path):
    folder = export(build(ONE), tmp_path, policy)
    names = sorted(p.name for p in folder.glob("*.c"))
    succeed(tool(compiler), *WARNINGS, "-O2", "-c", *names, cwd=folder)
    for file in ("one.h", "one_data.c"):
        text = (folder / file).read_text()
        assert policy.words() in text
        assert max(map(len, text.splitlines())) <= 110


def test_without_a_policy_nothing_of_it_is_called(tmp_path):
    folder = export(build(ONE), tmp_path)
    succeed(tool("gcc"), "-std=c11", "-c", "one.c", "one_data.c", cwd=folder)
    undefined = succeed(tool("nm"), "-u", "one.o", "one_data.o", cwd=folder).decode()
    assert "rnn_edge_model_step" in undefined
    assert "rnn_edge_reset_" not in undefined
    # The stream is the state and nothing beside it.
    text = (folder / "one.h").read_text()
    assert re.search(r"typedef struct \{\n    one_state state;\n\} one_stream;", text)
    size = blob_bytes(build(ONE))
    assert f"#define ONE_STREAM_BLOB_BYTES {size} " in (folder / "one_data.h").read_text()


def test_a_stream_saved_under_another_policy_is_refused(tmp_path):
    main = (
        '#include <stdio.h>\n#include "one.h"\n'
        "int main(int argc, char **argv) {\n"
        "    static one_stream stream;\n    static uint8_t blob[ONE_STREAM_BLOB_BYTES];\n"
        "    one_stream_init(&stream);\n    (void)argv;\n"
        "    if (argc == 1) {\n        one_stream_save(&stream, blob);\n"
        "        return fwrite(blob, sizeof blob, 1, stdout) != 1;\n    }\n"
        "    if (fread(blob, sizeof blob, 1, stdin) != 1) {\n        return 99;\n    }\n"
        '    printf("%d %d", one_stream_restore(&stream, blob, sizeof blob),\n'
        "        one_restore(&stream.state, blob, ONE_BLOB_BYTES));\n    return 0;\n}\n"
    )
    programs = []
    for frames_ in (5, 6):
        work = tmp_path / str(frames_)
        work.mkdir()
        folder = export(build(ONE), work, ResetPolicy("every", frames_))
        (folder / "main.c").write_text(main)
        programs.append(work / "program")
        succeed(tool("cc"), "-std=c11", *sorted(folder.glob("*.c")), "-o", programs[-1])
    blob = succeed(programs[0])
    assert succeed(programs[0], "restore", input=blob) == b"0 0"
    # Its state alone is a state like any other.
    assert succeed(programs[1], "restore", input=blob) == b"-6 0"


def test_the_program_of_the_page_compiles(tmp_path):
    (snippet,) = re.findall(r"```c\n(.*?)```", PAGE.read_text(), re.DOTALL)
    recipe = replace(ONE, name="kws")
    folder = export(build(recipe), tmp_path, ResetPolicy("decay", shift=8))
    declared, body = snippet.split("kws_stream_init", 1)
    (folder / "page.c").write_text(
        '#include "kws.h"\n'
        "void read_frame(int16_t *x);\nvoid act_on(const int16_t *y);\n_Noreturn void run(void);\n"
        f"void run(void) {{\n{declared}kws_stream_init{body}}}\n"
    )
    succeed(tool("gcc"), *WARNINGS, "-c", "page.c", "-o", tmp_path / "page.o", cwd=folder)


def test_the_example_of_the_page_runs():
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    model, x = build(ONE), frames(ONE, 600)
    given_ = {"model": model, "streams": 1, "frames": x[:, None]}
    exec(compile(example, str(PAGE), "exec"), given_)
    expected = twin_run(model, ResetPolicy("every", frames=500), x)
    np.testing.assert_array_equal(given_["y"][0], expected[-1, 1 : 1 + model.outputs])


def test_an_export_of_an_earlier_version_is_compiled_without_the_policies(tmp_path):
    folder = export(build(ONE), tmp_path)
    every = sources_in(build(ONE), tmp_path)
    assert folder / "rnn_edge_reset.c" in every
    for name in ("rnn_edge_reset.c", "rnn_edge_reset.h", "rnn_edge_bytes.h", "rnn_edge_gru.c"):
        (folder / name).unlink()
    left = sources_in(build(ONE), tmp_path)
    # What every version has is still asked for, and told to be missing.
    assert {path.name for path in every} - {path.name for path in left} == {
        *("rnn_edge_reset.c", "rnn_edge_reset.h", "rnn_edge_bytes.h"),
    }


def test_too_many_inputs_for_a_sum_are_refused():
    policy = ResetPolicy("quiet", 1, 0.0)
    model = build(replace(ONE, kinds=("rnn",), units=(1,), inputs=MAX_QUIET_INPUTS + 1))
    with pytest.raises(ModelError, match="65,536 inputs; expected at most 65,535"):
        check_policy(model, policy)
    check_policy(model, ResetPolicy("every", 5))
