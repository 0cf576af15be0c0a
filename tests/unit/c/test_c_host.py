"""The C engine: its compiler, its cache and its refusals."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from c_models import Recipe, build, export, frames

from rnn_edge.engines import c_host
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import EngineError, MissingDependencyError

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on this host")

RECIPE = Recipe(kinds=("gru", "lstm"), units=(6, 9))


@pytest.fixture(autouse=True)
def _default_compiler(monkeypatch):
    monkeypatch.delenv("CC", raising=False)


@pytest.fixture
def source(tmp_path):
    model = build(RECIPE)
    export(model, tmp_path)
    return EngineSource(None, model, tmp_path, tmp_path / "work")


def libraries(source):
    return sorted(path.name for path in source.work.iterdir())


def test_engine_is_found_by_name():
    assert all_engines()["c"] is c_host.ENGINE


def test_library_is_compiled_once_and_again_for_another_compiler_or_model(source, monkeypatch):
    c_host.ENGINE.open(source)
    (first,) = libraries(source)
    stamp = (source.work / first).stat().st_mtime_ns
    c_host.ENGINE.open(source)
    assert (source.work / first).stat().st_mtime_ns == stamp
    monkeypatch.setenv("CC", "cc -DOTHER")
    c_host.ENGINE.open(source)
    assert len(libraries(source)) == 2
    other = build(replace(RECIPE, seed=9))
    export(other, source.exports)
    c_host.ENGINE.open(replace(source, model=other))
    assert len(libraries(source)) == 3


def test_engines_of_one_library_do_not_share_state(source):
    x = frames(RECIPE, 30)
    with c_host.ENGINE.open(source) as a, c_host.ENGINE.open(source) as b:
        expected = a.run(x)
        a.reset()
        for t, frame in enumerate(x):
            np.testing.assert_array_equal(a.step(frame), expected.outputs[t])
            if t % 2:
                b.step(frame)


def test_export_that_needs_a_larger_scratch_than_todays_gets_it(source):
    x = frames(RECIPE, 30)
    with c_host.ENGINE.open(source) as engine:
        expected = engine.run(x)
    name = source.model.name
    (header,) = source.exports.rglob(f"{name}_data.h")
    text = header.read_text()
    for what, more in (("SCRATCH_VALUES", 4_000_000), ("STATE_BYTES", 8_000_000)):
        define = f"#define {name.upper()}_{what} "
        assert text.count(define) == 1
        text = text.replace(define, f"{define}{more} + ")
    header.write_text(text)
    api = header.with_name(f"{name}.c")
    step = f"void {name}_step({name}_state *state, const int16_t x[{name.upper()}_INPUTS],"
    head, body = api.read_text().split(step)
    opened = body.index("{") + 1
    filled = "memset(state->scratch, 1, sizeof state->scratch);"
    api.write_text(head + step + body[:opened] + filled + body[opened:])
    # Memory of today's size would be overrun by 8 MB, which no allocator has mapped behind it.
    with c_host.ENGINE.open(source) as engine:
        found = [engine.step(frame) for frame in x]
    np.testing.assert_array_equal(found, expected.outputs)


def test_state_goes_out_and_in(source):
    x = frames(RECIPE, 30)
    with c_host.ENGINE.open(source) as engine:
        engine.run(x[:10])
        middle = engine.state()
        rest = engine.run(x[10:])
        engine.reset(middle)
        np.testing.assert_array_equal(engine.run(x[10:]).outputs, rest.outputs)
        engine.reset({"c1": middle["c1"]})
        assert not engine.state()["h0"].any()
        np.testing.assert_array_equal(engine.state()["c1"], middle["c1"])
        engine.reset()
        assert not any(value.any() for value in engine.state().values())


def test_frames_in_any_memory_order(source):
    x = frames(RECIPE, 30)
    with c_host.ENGINE.open(source) as engine:
        expected = engine.run(x).outputs
        engine.reset()
        np.testing.assert_array_equal(engine.run(np.asfortranarray(x)).outputs, expected)
        engine.reset()
        wide = np.repeat(x, 2, axis=1)[:, ::2]
        stepped = np.stack([engine.step(frame) for frame in wide])
        np.testing.assert_array_equal(stepped, expected)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(6, np.int16), r"int16 \(6,\); expected int16 \(5,\)"),
        (np.zeros(5, np.float32), r"float32 \(5,\)"),
    ],
)
def test_wrong_frames_are_refused(source, x, message):
    with c_host.ENGINE.open(source) as engine:
        with pytest.raises(EngineError, match=message):
            engine.step(x)
        with pytest.raises(EngineError, match="expected int16 "):
            engine.run(x[None])


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"h7": np.zeros(6, np.int16)}, "'h7'; known are h0, h1, c1"),
        ({"h0": np.zeros(5, np.int16)}, r"h0 of sample: int16 \(5,\); expected int16 \(6,\)"),
        ({"h0": np.zeros(6)}, "float64"),
    ],
)
def test_wrong_states_are_refused(source, state, message):
    with c_host.ENGINE.open(source) as engine:
        engine.run(frames(RECIPE, 30)[:9])
        before = engine.state()
        with pytest.raises(EngineError, match=message):
            engine.reset(state)
        for name, value in engine.state().items():
            np.testing.assert_array_equal(value, before[name])


def test_missing_compiler_is_named(source, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingDependencyError, match="No C compiler") as caught:
        c_host.ENGINE.open(source)
    assert "apt-get install gcc" in caught.value.hint
    monkeypatch.setenv("CC", "no-such-cc -O1")
    with pytest.raises(MissingDependencyError, match="'no-such-cc'"):
        c_host.ENGINE.open(source)


def test_missing_export_is_named(source):
    (source.exports / "c" / "sample_data.c").unlink()
    with pytest.raises(EngineError, match=r"sample_data\.c is missing"):
        c_host.ENGINE.open(source)


def test_export_of_other_weights_is_refused(source):
    other = build(replace(RECIPE, seed=9))
    with pytest.raises(EngineError, match=f"expected {other.digest()[:32]}"):
        c_host.ENGINE.open(replace(source, model=other))


def test_sources_that_do_not_compile_show_the_compilers_words(source):
    with (source.exports / "c" / "sample.c").open("a") as file:
        file.write("int broken = ;\n")
    with pytest.raises(EngineError, match="int broken = ;"):
        c_host.ENGINE.open(source)
    assert libraries(source) == []
