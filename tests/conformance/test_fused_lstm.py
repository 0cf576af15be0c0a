"""The fused int8 LSTM: what its runtimes keep, forget, agree on and lose."""

import dataclasses

import numpy as np
import pytest
from conformance_cases import (
    assert_same_trace,
    export_source,
    float_trace,
    frames_of,
    models_of,
    real_units,
)
from random_models import Shape, source

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import EngineError, MissingDependencyError, MissingExportError
from rnn_edge.exporters.base import all_exporters
from rnn_edge.quantize.spans import measure_spans
from rnn_edge.reference import FloatReference

IN_WORKER = pytest.param("tflm-w8a8", marks=pytest.mark.slow)
ENGINES = ["litert-w8a8", IN_WORKER]
CASES = ["lstm", "lstm-lstm"]


@pytest.fixture
def open_fused(tmp_path):
    def open_one(engine, case):
        models = export_source(case)
        try:
            all_exporters()["tflite-w8a8"].export(models, tmp_path)
            return all_engines()[engine].open(
                EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")
            )
        except MissingDependencyError as error:
            pytest.skip(str(error))

    return open_one


def test_every_engine_of_another_arithmetic_is_tested_here():
    names = {getattr(name, "values", [name])[0] for name in ENGINES}
    assert names == {name for name, kind in all_engines().items() if kind.is_approximate}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("engine", ENGINES)
def test_it_stays_near_the_float_model_on_its_own_state(open_fused, engine, case):
    x = real_units(frames_of(case, "random"))
    with open_fused(engine, case) as running:
        trace = running.run(x)
    expected = float_trace(case, "random")
    assert trace.outputs.dtype == np.float32
    pairs = {"y": (trace.outputs, expected.outputs[0])}
    pairs.update({name: (trace.states[name], expected.states[name][0]) for name in trace.states})
    for name, (actual, wanted) in pairs.items():
        rms = np.sqrt(np.mean((actual - wanted) ** 2))
        # A gate in another's place, or a state that is lost, costs a third of the signal.
        assert 0 < rms < 0.03 * np.sqrt(np.mean(wanted**2)), name


@pytest.mark.parametrize("engine", ENGINES)
def test_the_state_survives_from_one_invocation_to_the_next(open_fused, engine):
    x = real_units(frames_of("lstm", "random"))[:2]
    with open_fused(engine, "lstm") as running:
        running.step(x[0])
        kept = running.state()
        carried = running.step(x[1])
        running.reset()
        assert not any(value.any() for value in running.state().values())
        fresh = running.step(x[1])
    assert all(value.any() for value in kept.values())
    assert not np.array_equal(carried, fresh)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_reset_gives_the_bits_of_the_start_and_steps_those_of_a_run(open_fused, engine):
    x = real_units(frames_of("lstm-lstm", "random"))[:60]
    with open_fused(engine, "lstm-lstm") as running:
        first = running.run(x)
        running.reset()
        assert_same_trace(engine, running.run(x), first)
        running.reset()
        outputs = [running.step(frame) for frame in x]
    np.testing.assert_array_equal(np.stack(outputs), first.outputs)


def test_litert_goes_on_from_a_given_state(open_fused):
    x = real_units(frames_of("lstm-lstm", "random"))[:60]
    with open_fused("litert-w8a8", "lstm-lstm") as running:
        running.run(x[:20])
        saved = running.state()
        expected = running.run(x[20:])
        running.reset(saved)
        for name, value in running.state().items():
            np.testing.assert_array_equal(value, saved[name])
        assert_same_trace("litert-w8a8", running.run(x[20:]), expected)


@pytest.mark.slow
def test_tflm_says_that_it_takes_no_state(open_fused):
    x = real_units(frames_of("lstm", "random"))[:20]
    with open_fused("tflm-w8a8", "lstm") as running:
        running.run(x)
        with pytest.raises(EngineError, match="cannot be set: the runtime keeps it"):
            running.reset(running.state())


@pytest.mark.slow
def test_litert_and_tflm_differ_by_little_and_not_by_nothing(open_fused):
    # If this fails because they agree, the documents that say that they do not are wrong.
    x = real_units(frames_of("lstm", "random"))
    with open_fused("litert-w8a8", "lstm") as one, open_fused("tflm-w8a8", "lstm") as other:
        a, b = one.run(x), other.run(x)
        scale, _ = one.scales["y"]
    lsb = np.rint(np.abs(a.outputs.astype(np.float64) - b.outputs) / scale)
    assert 0.5 < np.mean(lsb == 0) < 1.0
    assert lsb.max() <= 3


@pytest.mark.parametrize("engine", ENGINES)
def test_float_frames_are_asked_for_and_no_blob_is_made(open_fused, engine):
    with open_fused(engine, "lstm") as running:
        with pytest.raises(EngineError, match="expected float32"):
            running.step(frames_of("lstm", "random")[0])
        with pytest.raises(EngineError, match="holds no integer state"):
            running.save()


def test_a_file_that_was_not_asked_for_is_named_with_the_command(tmp_path):
    models = models_of("lstm")
    source = EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")
    with pytest.raises(EngineError, match="written on request") as caught:
        all_engines()["litert-w8a8"].open(source)
    assert "--format tflite-w8a8" in caught.value.hint
    kept = dataclasses.replace(source, bundle=tmp_path / "my bundle")
    with pytest.raises(MissingExportError) as caught:
        all_engines()["litert-w8a8"].open(kept)
    assert caught.value.hint == f"rnn-edge export '{tmp_path}/my bundle' --format tflite-w8a8"


@pytest.mark.parametrize("case", ["gru", "lstm-gru"])
def test_a_model_that_the_format_cannot_hold_is_not_sent_to_the_exporter(tmp_path, case):
    models = source(Shape(tuple(case.split("-")), (5,) * len(case.split("-"))))
    opened = EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work", tmp_path)
    with pytest.raises(MissingExportError, match="expected lstm only, which is all") as caught:
        all_engines()["litert-w8a8"].open(opened)
    assert caught.value.hint == "leave the engine 'litert-w8a8' out"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("head", ["softmax", "argmax"])
def test_heads_come_after_the_fused_operator(tmp_path, engine, head):
    models = source(Shape(("lstm",), (9,), outputs=6, seed=3, head=head))
    x = real_units(np.random.default_rng(1).integers(-9000, 9000, (300, 5)).astype(np.int16))
    spans = measure_spans(models.float_model, x[None])
    models = dataclasses.replace(models, spans=spans)
    try:
        all_exporters()["tflite-w8a8"].export(models, tmp_path)
        running = all_engines()[engine].open(
            EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")
        )
    except MissingDependencyError as error:
        pytest.skip(str(error))
    with running:
        actual = running.run(x).outputs
    expected = FloatReference(models.float_model).run(x[None]).outputs[0]
    largest = np.abs(expected).max()
    assert np.abs(actual - expected).max() < 0.1 * largest
    if head == "softmax":
        np.testing.assert_allclose(actual.sum(axis=1), 1.0, atol=0.02)


def test_the_label_of_the_fused_file_is_its_largest_output(tmp_path):
    runtime = pytest.importorskip("ai_edge_litert.interpreter")
    models = source(Shape(("lstm",), (9,), outputs=6, seed=3, head="argmax"))
    x = real_units(np.random.default_rng(1).integers(-9000, 9000, (60, 5)).astype(np.int16))
    models = dataclasses.replace(models, spans=measure_spans(models.float_model, x[None]))
    (file,) = all_exporters()["tflite-w8a8"].export(models, tmp_path).files
    interpreter = runtime.Interpreter(model_path=str(tmp_path / file))
    run = interpreter.get_signature_runner("serving_default")
    scale, zero_point = run.get_input_details()["x"]["quantization"]
    labels = []
    for frame in x:
        integers = np.clip(np.rint(frame / scale) + zero_point, -128, 127).astype(np.int8)
        found = run(x=integers[None, None])
        assert found["label"].dtype == np.int32
        assert found["label"][0] == found["y"][0].argmax()
        labels.append(int(found["label"][0]))
    assert len(set(labels)) > 1
