"""The state probe calls every engine sound, and every runtime that loses its state by its fault."""

import forgetful
import numpy as np
import pytest
from conformance_cases import CASES, export_source, frames_of, models_of, real_units
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import Shape, source

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.engines.integer_reference import open_engine as open_reference
from rnn_edge.engines.numpy_reference import ReferenceEngine
from rnn_edge.errors import DataError, EngineError, MissingDependencyError
from rnn_edge.exporters.base import all_exporters
from rnn_edge.reference import FloatReference
from rnn_edge.replay import Verdict, find_frames, float_case, integer_case, probe
from rnn_edge.types import GATES, QuantizedMatrix, QuantizedModel

# What is emulated is opened by tests/firmware.
ENGINES = {
    name: kind
    for name, kind in all_engines().items()
    if not (kind.is_emulated or kind.is_approximate or kind.needs_port)
}
PROBED = [
    pytest.param(name, marks=pytest.mark.slow if kind.exporter == "c" and name != "c" else ())
    for name, kind in ENGINES.items()
]
CASE = "lstm-gru-lstm"


def integer_probe(name, engine, case=CASE, **options):
    model, frames = models_of(case).model, frames_of(case, "random")
    at = find_frames(model, frames)
    return probe(name, engine, integer_case(model, frames[at : at + 2]), **options)


@pytest.mark.parametrize("engine", PROBED)
def test_every_engine_is_sound(open_engine, engine):
    kind, models, frames = ENGINES[engine], models_of(CASE), frames_of(CASE, "random")
    at = find_frames(models.model, frames)
    pair = frames[at : at + 2]
    if kind.is_integer:
        case = integer_case(models.model, pair)
    else:
        case = float_case(models.float_model, real_units(pair))
    with open_engine(engine, CASE) as running:
        row = probe(engine, running, case, sets_state=kind.sets_state)
    assert row.is_sound, row
    assert (row.verdict, row.resets, row.detail) == (Verdict.CARRIED, True, "")
    assert row.restores is (True if kind.sets_state else None)


@pytest.fixture
def exported(tmp_path):
    """The case's models with the files that broken runtimes need."""
    models = models_of(CASE)
    for name in ("c", "tflite-stateful"):
        try:
            all_exporters()[name].export(models, tmp_path)
        except MissingDependencyError as error:
            pytest.skip(str(error))
    return EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")


def test_an_interpreter_that_is_allocated_anew_starts_from_zero(exported):
    pytest.importorskip("ai_edge_litert")
    with forgetful.variables_engine(forgetful.ReallocatedInterpreter, exported) as engine:
        row = integer_probe("reallocated", engine)
    assert row.verdict is Verdict.FROM_ZERO
    assert (row.resets, row.restores, row.is_sound) == (True, False, False)


@pytest.mark.slow
def test_tflm_that_is_made_anew_starts_from_zero(exported):
    try:
        engine = forgetful.recreated_tflm(exported)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    with engine:
        row = integer_probe("recreated", engine, sets_state=False)
    assert row.verdict is Verdict.FROM_ZERO
    assert not row.is_sound


def test_a_program_that_initialises_in_its_loop_starts_from_zero(exported):
    try:
        engine = forgetful.initialised_each_step(exported)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    row = integer_probe("initialised", engine)
    assert row.verdict is Verdict.FROM_ZERO
    assert (row.resets, row.restores) == (True, False)


@pytest.mark.parametrize(
    ("session", "resets", "restores"),
    [("StuckVariables", False, False), ("UnheardState", True, False)],
)
def test_a_runtime_that_only_says_it_resets_or_restores_is_found(
    exported, session, resets, restores
):
    pytest.importorskip("ai_edge_litert")
    with forgetful.variables_engine(getattr(forgetful, session), exported) as engine:
        row = integer_probe(session, engine)
    assert row.verdict is Verdict.CARRIED
    assert (row.resets, row.restores, row.is_sound) == (resets, restores, False)


@pytest.mark.parametrize("lost", ["h0", "c0", "h1", "h2", "c2"])
def test_a_single_state_that_is_lost_is_named(exported, lost):
    row = integer_probe("partly", forgetful.LosesSome(exported, {lost}))
    assert row.verdict is Verdict.DIFFERS
    assert row.detail == f"as if {lost} alone started from zero"
    assert not row.is_sound


def test_an_engine_of_other_outputs_differs(exported):
    row = integer_probe("shifted", forgetful.ShiftsOutputs(exported))
    assert (row.verdict, row.detail) == (Verdict.DIFFERS, "")


def test_an_engine_that_saves_something_else_is_found(exported):
    class SavesZero(ReferenceEngine):
        def save(self):
            return open_reference(exported).save()

    engine = open_reference(exported)
    engine.__class__ = SavesZero
    row = integer_probe("saves zero", engine)
    assert (row.verdict, row.restores) == (Verdict.CARRIED, False)
    assert row.detail == "what it saves is not the state of the reference"


def test_a_state_that_is_refused_is_a_failure_unless_that_is_said(exported):
    class TakesNone(ReferenceEngine):
        def restore(self, blob):
            raise EngineError("takes none")

    engine = open_reference(exported)
    engine.__class__ = TakesNone
    with pytest.raises(EngineError, match="takes none"):
        integer_probe("refuses", engine)
    engine.reset()
    row = integer_probe("refuses", engine, sets_state=False)
    assert (row.verdict, row.restores, row.is_sound) == (Verdict.CARRIED, None, True)


@pytest.mark.parametrize("case", [name for name in CASES if not name.endswith("steep")])
def test_a_float_engine_that_starts_from_zero_is_found(case):
    models, frames = models_of(case), frames_of(case, "random")
    at = find_frames(models.model, frames)
    chosen = float_case(models.float_model, real_units(frames[at : at + 2]))

    class StartsFromZero:
        def __init__(self):
            self.reference = FloatReference(models.float_model)

        def reset(self, state=None):
            self.reference.reset()

        def step(self, x):
            self.reference.reset()
            return self.reference.step(x[None])[0]

        def state(self):
            return {name: value[0] for name, value in self.reference.state.items()}

    row = probe("forgets", StartsFromZero(), chosen)
    assert (row.verdict, row.resets, row.restores) == (Verdict.FROM_ZERO, True, False)


shapes = st.builds(
    lambda kinds, units, **rest: Shape(tuple(kinds), tuple(units[: len(kinds)]), **rest),
    st.lists(st.sampled_from(sorted(GATES)), min_size=1, max_size=3),
    st.lists(st.integers(1, 12), min_size=3, max_size=3),
    inputs=st.integers(1, 6),
    outputs=st.integers(1, 4),
    gain=st.sampled_from([0.3, 1.0, 8.0]),
    seed=st.integers(0, 2**32 - 1),
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(shape=shapes, steps=st.integers(2, 40))
def test_of_random_models_the_verdict_is_the_truth(shape, steps):
    models = source(shape)
    rng = np.random.default_rng(shape.seed)
    frames = rng.integers(-32768, 32768, (steps, shape.inputs)).astype(np.int16)
    opened = EngineSource(models.float_model, models.model, None, None)
    try:
        at = find_frames(models.model, frames)
    except DataError:
        # Then it is the truth that no pair tells.
        for k in range(steps - 1):
            case = integer_case(models.model, frames[k : k + 2])
            np.testing.assert_array_equal(case.carried, case.from_zero)
        return
    case = integer_case(models.model, frames[at : at + 2])
    assert probe("int8", open_reference(opened), case).is_sound
    names = set(models.model.state_sizes)
    assert probe("all", forgetful.LosesSome(opened, names), case).verdict is Verdict.FROM_ZERO
    for name in case.partly:
        row = probe(name, forgetful.LosesSome(opened, {name}), case)
        assert row.verdict is not Verdict.CARRIED
        assert not row.is_sound


def test_a_stream_that_cannot_tell_is_refused():
    models = models_of("gru")
    head = models.model.head
    deaf = QuantizedMatrix(
        np.zeros_like(head.weight),
        head.weight_scale,
        head.bias,
        head.input_exponent,
        head.output_exponent,
    )
    model = models.model
    silent = QuantizedModel(model.name, model.task, model.layers, deaf, model.labels)
    frames = frames_of("gru", "random")
    with pytest.raises(DataError, match=r"no two of the first 1,000 frames give another output"):
        find_frames(silent, frames)
    with pytest.raises(DataError, match="has 1 frames; expected at least 2"):
        find_frames(model, frames[:1])


APPROXIMATE = [
    pytest.param(name, marks=pytest.mark.slow if name.startswith("tflm") else ())
    for name, kind in all_engines().items()
    if kind.is_approximate
]


@pytest.fixture
def fused(tmp_path):
    """A model of fused LSTMs with its file, and the case for engines in their own arithmetic."""
    models = export_source("lstm-lstm")
    try:
        all_exporters()["tflite-w8a8"].export(models, tmp_path)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    frames = frames_of("lstm-lstm", "random")
    at = find_frames(models.model, frames)
    case = float_case(models.float_model, real_units(frames[at : at + 2]), is_approximate=True)
    return EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work"), case


@pytest.mark.parametrize("engine", APPROXIMATE)
def test_every_engine_of_another_arithmetic_is_sound(fused, engine):
    opened, case = fused
    kind = all_engines()[engine]
    try:
        running = kind.open(opened)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    with running:
        row = probe(engine, running, case, sets_state=kind.sets_state)
    assert (row.verdict, row.resets) == (Verdict.CARRIED, True)
    assert row.restores is (True if kind.sets_state else None)


def test_a_fused_lstm_that_is_zeroed_before_each_step_is_found(fused):
    pytest.importorskip("ai_edge_litert")
    opened, case = fused
    with forgetful.fused_engine(forgetful.ZeroedTensors, opened) as engine:
        row = probe("zeroed", engine, case)
    assert (row.verdict, row.resets, row.restores) == (Verdict.FROM_ZERO, True, False)


def test_an_approximate_engine_is_judged_by_what_it_is_nearer_to():
    models, frames = models_of("gru"), real_units(frames_of("gru", "random"))
    at = find_frames(models.model, frames_of("gru", "random"))
    case = float_case(models.float_model, frames[at : at + 2], is_approximate=True)
    gap = case.from_zero - case.carried
    for share, verdict in (
        (0.2, Verdict.CARRIED),
        (0.5, Verdict.DIFFERS),
        (0.8, Verdict.FROM_ZERO),
        (-0.3, Verdict.DIFFERS),
    ):
        assert case.judge(case.carried + np.float32(share) * gap)[0] is verdict
