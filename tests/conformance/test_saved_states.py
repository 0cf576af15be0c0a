"""Saved states: any integer engine goes on where any other stopped, and refuses what is not its."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from conformance_cases import assert_same_trace, frames_of, models_of, real_units
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_models import Shape, source

from rnn_edge.engines import c_compilers
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import EngineError, MissingDependencyError, SavedStateError
from rnn_edge.exporters.base import all_exporters
from rnn_edge.reference import IntegerReference
from rnn_edge.types import GATES, SavedState, Trace
from rnn_edge.types.saved_state import BlobStatus, blob_status

# What is emulated is as exact and much slower: tests/firmware hands its states on as well. A
# runtime that keeps its state and takes none is held to saying so in test_engine_conformance.py.
# Of the compilers that make the engine c once more, the one that looks at every access is enough.
SANITIZED = "c-sanitized"
COMPILERS = {kind.name for kind in c_compilers.engine_kinds()} - {SANITIZED}
ENGINES = {
    name: kind
    for name, kind in all_engines().items()
    if kind.sets_state
    and not (kind.is_emulated or kind.is_approximate or kind.needs_port)
    and name not in COMPILERS
}
INTEGER = [
    # Each of these compiles its program; the engine "c" stands for them in quick tests.
    pytest.param(name, marks=pytest.mark.slow if kind.exporter == "c" and name != "c" else ())
    for name, kind in ENGINES.items()
    if kind.is_integer
]
FLOAT = [name for name, kind in ENGINES.items() if not kind.is_integer]
STEPS = 60
CASE = "lstm-gru"
EXAMPLES = {"c": 3}
"""Models for engines of an exporter; a compiler takes a second for each."""


@st.composite
def shapes(draw):
    """Models of one to three layers with random weights, some of which saturate."""
    kinds = draw(st.lists(st.sampled_from(sorted(GATES)), min_size=1, max_size=3))
    return Shape(
        kinds=tuple(kinds),
        units=tuple(draw(st.integers(1, 17)) for _ in kinds),
        inputs=draw(st.integers(1, 9)),
        outputs=draw(st.integers(1, 5)),
        cell_exponent=draw(st.integers(-15, -8)),
        gain=draw(st.sampled_from([0.3, 1.0, 8.0])),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def open_model(name, models, folder):
    """Open an engine of a model that is exported where it is needed."""
    kind = ENGINES[name]
    try:
        if kind.exporter and not (folder / f"{kind.exporter}.done").exists():
            all_exporters()[kind.exporter].export(models, folder)
            (folder / f"{kind.exporter}.done").touch()
        opened = EngineSource(models.float_model, models.model, folder, folder / "work")
        return kind.open(opened)
    except MissingDependencyError as error:
        pytest.skip(str(error))


@st.composite
def journeys(draw):
    """Where a stream is stopped, and which of three engines goes on from each stop."""
    stops = sorted(draw(st.sets(st.integers(0, STEPS), max_size=5)))
    return stops, [draw(st.integers(0, 2)) for _ in range(len(stops) + 1)]


def travel(runners, frames, stops, turns):
    """Run the frames by turns, with a blob as all that is handed on; return trace and last blob."""
    blob, parts = None, []
    for begin, end, turn in zip([0, *stops], [*stops, STEPS], turns, strict=True):
        running = runners[turn]
        if blob is None:
            running.reset()
        else:
            running.restore(blob)
        if end > begin:
            parts.append(running.run(frames[begin:end]))
        blob = running.save()
        # What follows belongs to nobody: it must not be seen in what was saved.
        running.run(frames[:3])
    names = parts[0].states
    states = {name: np.concatenate([part.states[name] for part in parts]) for name in names}
    return Trace(np.concatenate([part.outputs for part in parts]), states), blob


@pytest.mark.parametrize("engine", INTEGER)
def test_stopping_anywhere_gives_the_bits_of_never_having_stopped(engine):
    @settings(
        max_examples=EXAMPLES.get(ENGINES[engine].exporter, 10),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(shape=shapes(), journey=journeys())
    def holds(shape, journey):
        models = source(shape)
        rng = np.random.default_rng(shape.seed)
        frames = rng.integers(-32768, 32768, (STEPS, shape.inputs)).astype(np.int16)
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            # Two of the engine and the reference, so that blobs go to and fro.
            runners = [
                stack.enter_context(open_model(each, models, Path(name)))
                for each in (engine, "int8", engine)
            ]
            found, blob = travel(runners, frames, *journey)
        whole = IntegerReference(models.model).run(frames[None])
        assert_same_trace(engine, found, whole)
        last = {key: value[0, -1] for key, value in whole.states.items()}
        assert blob == SavedState.of(models.model, last).pack()

    holds()


@pytest.mark.parametrize("engine", INTEGER)
def test_every_engine_writes_the_same_bytes(open_engine, engine):
    frames = frames_of(CASE, "random")[:40]
    with open_engine(engine, CASE) as running, open_engine("int8", CASE) as reference:
        for frame in frames:
            running.step(frame)
            reference.step(frame)
            assert running.save() == reference.save()


@pytest.mark.parametrize("engine", INTEGER)
def test_no_damaged_byte_is_taken_and_none_changes_the_state(open_engine, engine):
    frames = frames_of(CASE, "random")
    rng = np.random.default_rng(7)
    with open_engine(engine, CASE) as running:
        running.run(frames[:11])
        blob = running.save()
        running.run(frames[11:20])
        before = running.save()
        assert before != blob
        for at in range(len(blob)):
            damaged = bytearray(blob)
            damaged[at] ^= int(rng.integers(1, 256))
            refuse(running, bytes(damaged), before)
        for length in range(len(blob)):
            refuse(running, blob[:length], before)
        for tail in (b"\0", b"\xff", blob[-4:], blob):
            refuse(running, blob + tail, before)
        running.restore(blob)
        assert running.save() == blob


@pytest.mark.parametrize("engine", INTEGER)
def test_the_state_of_another_model_is_named_as_that(open_engine, engine):
    # Of the same layers and sizes: only the weights differ, and nothing but the digest tells.
    shape = Shape(("lstm", "gru"), (5, 12), inputs=40, outputs=1, seed=60)
    other = source(shape).model
    state = {name: np.full(size, 9, np.int16) for name, size in other.state_sizes.items()}
    blob = SavedState.of(other, state).pack()
    with open_engine(engine, CASE) as running:
        running.run(frames_of(CASE, "random")[:5])
        before = running.save()
        assert len(blob) == len(before)
        message = refuse(running, blob, before)
    assert f"of another model, {other.digest()[:32]}" in message
    assert f"expected {models_of(CASE).model.digest()[:32]}" in message


def refuse(running, blob, before):
    """Hold an engine to refusing a blob and to keeping its state; return what it says."""
    with pytest.raises(SavedStateError, match="Saved state for sample: ") as caught:
        running.restore(blob)
    assert running.save() == before
    assert "reset()" in caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("engine", FLOAT)
def test_engines_of_floats_say_that_they_have_no_saved_state(open_engine, engine):
    with open_engine("int8", CASE) as integer:
        blob = integer.save()
    with open_engine(engine, CASE) as running:
        running.run(real_units(frames_of(CASE, "random")[:5]))
        before = running.state()
        for attempt in (running.save, lambda: running.restore(blob)):
            with pytest.raises(EngineError, match="holds no integer state") as caught:
                attempt()
            assert f"engine {engine!r} holds" in caught.value.message
            assert "state()" in caught.value.hint
        for name, value in running.state().items():
            np.testing.assert_array_equal(value, before[name])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_only_the_blob_itself_is_ever_taken(data):
    model = models_of(CASE).model
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    state = {
        name: rng.integers(-32768, 32768, size).astype(np.int16)
        for name, size in model.state_sizes.items()
    }
    blob = SavedState.of(model, state).pack()
    damaged = bytearray(blob)
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(["overwrite", "insert", "remove", "swap"]))
        at = data.draw(st.integers(0, max(0, len(damaged) - 1)))
        size = data.draw(st.integers(1, 8))
        if kind == "overwrite":
            damaged[at : at + size] = data.draw(st.binary(min_size=size, max_size=size))
        elif kind == "insert":
            damaged[at:at] = data.draw(st.binary(min_size=size, max_size=size))
        elif kind == "remove":
            del damaged[at : at + size]
        else:
            damaged = damaged[at:] + damaged[:at]
    if bytes(damaged) == blob:
        assert blob_status(model, blob) is BlobStatus.OK
        for name, value in SavedState.unpack(model, blob).vectors(model).items():
            np.testing.assert_array_equal(value, state[name])
    else:
        assert blob_status(model, bytes(damaged)) is not BlobStatus.OK
        with pytest.raises(SavedStateError):
            SavedState.unpack(model, bytes(damaged))


def test_a_state_that_is_not_whole_is_not_saved():
    model = models_of(CASE).model
    state = {name: np.zeros(size, np.int16) for name, size in model.state_sizes.items()}
    wrong = (
        {name: value for name, value in state.items() if name != "c0"},
        state | {"c0": state["c0"].astype(np.int32)},
        state | {"c0": np.zeros(len(state["c0"]) + 1, np.int16)},
        state | {"c9": state["c0"]},
    )
    for vectors in wrong:
        with pytest.raises(SavedStateError, match=r"State of sample: .*expected"):
            SavedState.of(model, vectors)
    with pytest.raises(SavedStateError, match="a digest of 3 bytes"):
        SavedState(b"abc", np.zeros(3, np.int16))
    with pytest.raises(SavedStateError, match="of another model"):
        SavedState.of(model, state).vectors(models_of("gru").model)
