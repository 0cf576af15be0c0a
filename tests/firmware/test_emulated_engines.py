"""Every emulated engine, really compiled and run, against the integer reference, bit by bit."""

import functools

import numpy as np
import pytest
from c_models import Recipe, build, frames
from c_models import export as export_c

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import EngineError, MissingDependencyError, SavedStateError
from rnn_edge.reference import IntegerReference
from rnn_edge.replay import ProbeRow, Verdict, find_frames, integer_case, probe

pytestmark = pytest.mark.slow

STEPS = 2000
# Simulated boards take a hundred times as long; they have tests of their own.
EMULATED = [
    name
    for name, kind in all_engines().items()
    if kind.is_emulated and not name.startswith("simulated:")
]
MODELS = {
    "gru-lstm-gru": Recipe(
        seed=21, kinds=("gru", "lstm", "gru"), units=(32, 17, 9), inputs=20, outputs=7
    ),
    "lstm-gru-lstm": Recipe(
        seed=24, kinds=("lstm", "gru", "lstm"), units=(24, 15, 8), inputs=13, weights="extreme"
    ),
    "rnn-before": Recipe(
        seed=25, kinds=("rnn", "gru_reset_before"), units=(21, 12), inputs=6, head="softmax"
    ),
    # Columns of zeros that are left out; rows and columns that are no multiple of 4.
    "kept": Recipe(
        seed=27, kinds=("gru", "lstm"), units=(40, 21), inputs=18, weights="pruned", bias="none"
    ),
    # A layer that is taken along its inputs.
    "local": Recipe(
        seed=28, kinds=("gru", "gru"), units=(10, 21), inputs=19, bias="none", along=(0, 7, 4)
    ),
    # Sums and shifts that take 64 bits, in the helpers of a processor that has no such thing.
    "wide": Recipe(
        seed=26, kinds=("gru", "lstm"), units=(7, 10), bias="int64", shifts="any", cell_exponent=-15
    ),
}


# Every model on the kinds of inner loop; on the others one of three layers and one of wide sums.
KINDS = (
    "c-aarch64",
    "c-armv7",
    "device:qemu-m0",
    "device:qemu-m4",
    "device:qemu-m55",
    "device:qemu-rv32",
)
PAIRS = [
    (engine, case)
    for engine in EMULATED
    for case in MODELS
    if engine in KINDS or case in ("gru-lstm-gru", "wide")
]


@functools.cache
def stream(case):
    return frames(MODELS[case], STEPS)


@functools.cache
def expected(case):
    return IntegerReference(build(MODELS[case])).run(stream(case)[None])


@pytest.fixture(scope="module")
def open_emulated(tmp_path_factory):
    folders = {}

    def open_one(engine, case):
        model = build(MODELS[case])
        if case not in folders:
            folders[case] = tmp_path_factory.mktemp(case)
            export_c(model, folders[case])
        source = EngineSource(None, model, folders[case], folders[case] / "work")
        try:
            return all_engines()[engine].open(source)
        except MissingDependencyError as error:
            pytest.skip(str(error))

    return open_one


def assert_equal(actual, wanted, what):
    wrong = np.argwhere(actual != wanted)
    assert actual.dtype == wanted.dtype
    assert actual.shape == wanted.shape, what
    if len(wrong):
        at = tuple(wrong[0])
        pytest.fail(
            f"{what}: step {at[0]}, index {at[1:]}: actual {actual[at]}, expected {wanted[at]}; "
            f"{len(wrong)} of {wanted.size} values differ"
        )


@pytest.mark.parametrize(("engine", "case"), PAIRS)
def test_every_bit_of_2000_unreset_steps_is_that_of_the_reference(open_emulated, engine, case):
    with open_emulated(engine, case) as running:
        trace = running.run(stream(case))
        last = running.state()
        counters = running.counters()
    wanted = expected(case)
    assert_equal(trace.outputs, wanted.outputs[0], f"{engine} y")
    assert list(trace.states) == list(wanted.states)
    for name, value in wanted.states.items():
        assert_equal(trace.states[name], value[0], f"{engine} {name}")
        assert_equal(last[name], value[0][-1], f"{engine} saved {name}")
    # A stream that goes nowhere would be equal too.
    assert len(np.unique(np.concatenate(list(trace.states.values()), axis=1))) > 1000
    assert counters.steps == STEPS
    if engine.startswith("device:"):
        assert 0 < counters.ticks / STEPS <= counters.most_ticks < 1 << 24
        assert 100 < counters.stack_bytes < (1600 if case == "kept" else 1100)


@pytest.mark.parametrize(
    ("engine", "case"),
    [
        *((engine, "lstm-gru-lstm") for engine in EMULATED),
        *((engine, "wide") for engine in ("c-armv6", "device:qemu-m0", "device:qemu-rv32")),
    ],
)
def test_a_restored_state_goes_on_with_the_same_bits(open_emulated, engine, case):
    x, wanted = stream(case), expected(case)
    with open_emulated(engine, case) as first, open_emulated(engine, case) as second:
        for at in (1, 700, 1900):
            first.reset()
            first.run(x[:at])
            saved = first.state()
            second.run(x[-5:])
            second.reset(saved)
            trace = second.run(x[at : at + 90])
            assert_equal(trace.outputs, wanted.outputs[0][at : at + 90], f"{engine} y from {at}")
            for name, value in wanted.states.items():
                assert_equal(trace.states[name], value[0][at : at + 90], f"{engine} {name}")


@pytest.mark.parametrize("engine", EMULATED)
def test_steps_give_what_a_run_gives_and_reset_starts_over(open_emulated, engine):
    x, wanted = stream("lstm-gru-lstm")[:40], expected("lstm-gru-lstm")
    with open_emulated(engine, "lstm-gru-lstm") as running:
        running.run(x)
        running.reset()
        assert all(not value.any() for value in running.state().values())
        rows = np.stack([running.step(frame) for frame in x])
    assert_equal(rows, wanted.outputs[0][:40], f"{engine} y")


@pytest.mark.parametrize("engine", EMULATED)
def test_wrong_input_is_refused_and_changes_nothing(open_emulated, engine):
    with open_emulated(engine, "gru-lstm-gru") as running:
        running.run(stream("gru-lstm-gru")[:10])
        before = running.state()
        with pytest.raises(EngineError, match="expected int16"):
            running.step(np.zeros(21, np.int16))
        with pytest.raises(EngineError, match="expected int16"):
            running.run(np.zeros((3, 20)))
        with pytest.raises(EngineError, match="known are h0"):
            running.reset({"c0": np.zeros(32, np.int16)})
        with pytest.raises(EngineError, match="expected int16"):
            running.reset({"h0": np.zeros(31, np.int16)})
        np.testing.assert_array_equal(running.state()["h0"], before["h0"])
    with pytest.raises(EngineError, match="no session"):
        running.state()


@pytest.mark.parametrize("case", ["lstm-gru-lstm", "wide"])
def test_a_stream_goes_from_processor_to_processor(open_emulated, case):
    # Nothing but the bytes of a saved state is handed on, over a host in between.
    x, wanted = stream(case), expected(case).outputs[0]
    relay = [name for emulated in (*EMULATED, EMULATED[0]) for name in (emulated, "int8")]
    blob, part = None, STEPS // len(relay)
    for k, name in enumerate(relay):
        at = slice(k * part, (k + 1) * part)
        with open_emulated(name, case) as running:
            if blob is not None:
                running.restore(blob)
                assert running.save() == blob, name
            assert_equal(running.run(x[at]).outputs, wanted[at], f"{name} y from {at.start}")
            blob = running.save()


@pytest.mark.parametrize("engine", EMULATED)
def test_the_state_probe_calls_it_sound(open_emulated, engine):
    model, x = build(MODELS["lstm-gru-lstm"]), stream("lstm-gru-lstm")
    at = find_frames(model, x)
    with open_emulated(engine, "lstm-gru-lstm") as running:
        row = probe(engine, running, integer_case(model, x[at : at + 2]))
    assert row == ProbeRow(engine, Verdict.CARRIED, True, True, "")


@pytest.mark.parametrize("engine", EMULATED)
def test_damaged_states_are_refused_and_change_nothing(open_emulated, engine):
    with open_emulated(engine, "lstm-gru-lstm") as running:
        running.run(stream("lstm-gru-lstm")[:10])
        blob = running.save()
        running.run(stream("lstm-gru-lstm")[10:15])
        before = running.save()
        for at in range(len(blob)):
            damaged = bytearray(blob)
            damaged[at] ^= 1 << at % 8
            with pytest.raises(SavedStateError):
                running.restore(bytes(damaged))
            # Past the checks of the host, to those of the C.
            with pytest.raises(SavedStateError, match=r"refuses it with status -[2-5];"):
                running.client.set_state(bytes(damaged))
        assert running.save() == before
        running.restore(blob)
        assert running.save() == blob
