"""A search for the window under which a model drifts most."""

import numpy as np
import pytest
from random_models import Shape, float_model, quantized_model, source

from rnn_edge.errors import DataError, ModelError
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.streams import ModelPair, adversarial, open_stream, read_whole, search_window
from rnn_edge.streams.adversarial import ways_to_begin
from rnn_edge.streams.closed_loop import WindowMeter
from rnn_edge.streams.mutation import _CHANGES, Material
from rnn_edge.streams.search import find_worst_window

KEYS = {"window": 24, "population": 16, "generations": 12, "between": 0}


def pair(kinds=("gru",), units=(8,), gain=1.5, seed=5, inputs=3):
    found = source(Shape(kinds, units, inputs=inputs, gain=gain, seed=seed))
    return ModelPair(found.float_model, found.model)


def sequences_of(frames):
    return [s.frames for s in frames.sequences]


@pytest.mark.parametrize(
    ("kinds", "units"), [(("gru",), (8,)), (("lstm",), (6,)), (("lstm", "gru"), (5, 7))]
)
def test_drift_is_that_of_two_runs_of_their_own(make_frames, kinds, units):
    models = pair(kinds, units)
    frames = np.concatenate(sequences_of(make_frames()))
    ways, windows = np.stack([frames[:60], frames[200:260]]), frames[[range(100, 130)] * 2]
    windows[1] = frames[300:330]
    found = WindowMeter(models, ways).measure(windows)
    for window, drift in zip(windows, found, strict=True):
        errors = [_drift_of_runs(models, np.concatenate([way, window])[None], 60) for way in ways]
        assert drift == pytest.approx(np.mean(errors), rel=1e-4)
        assert errors[0] != pytest.approx(errors[1], rel=1e-4)


def _drift_of_runs(models, x, first):
    exact = FloatReference(models.float_model).run(x).states
    quantized = IntegerReference(models.model).run(quantize_input(x, -12)).states
    errors = [
        quantized[name][0, first:] * 2.0**-15 - exact[name][0, first:]
        for name in exact
        if name.startswith("h")
    ]
    return np.sqrt((np.concatenate(errors, axis=1) ** 2).mean())


def test_the_search_beats_as_many_recorded_windows(make_spec, make_frames):
    frames = sequences_of(make_frames())
    found = search_window(make_spec("adversarial", **KEYS), frames, pair())
    assert found.evaluations == 16 * 12
    assert found.recorded_mean < found.recorded_drift < found.drift
    assert found.gain > 1.3
    assert found.gain == pytest.approx(found.drift / found.recorded_drift)


def test_what_it_reports_can_be_measured_again(make_spec, make_frames):
    frames, models = sequences_of(make_frames()), pair()
    spec = make_spec("adversarial", **KEYS, seed=3)
    found = search_window(spec, frames, models)
    adversarial._FOUND.clear()
    again = search_window(spec, frames, models)
    assert again is not found
    assert np.array_equal(found.frames, again.frames)
    assert (found.drift, found.recorded_drift) == (again.drift, again.recorded_drift)
    order = np.random.Generator(np.random.PCG64(3)).permutation(len(frames))
    meter = WindowMeter(models, ways_to_begin(np.concatenate([frames[k] for k in order])))
    assert meter.measure(found.frames[None])[0] == pytest.approx(found.drift, rel=1e-9)


def test_a_search_is_made_once(make_spec, make_frames, monkeypatch):
    adversarial._FOUND.clear()
    frames, models = sequences_of(make_frames()), pair()
    spec = make_spec("adversarial", **{**KEYS, "generations": 2})
    found = search_window(spec, frames, models)
    # Length and what comes between do not matter to it.
    longer = spec.model_copy(update={"steps": 50_000, "between": 9})
    assert search_window(longer, frames, models) is found
    for other in ({"seed": 1}, {"window": 25}, {"population": 17}, {"generations": 3}):
        assert search_window(spec.model_copy(update=other), frames, models) is not found
    assert search_window(spec, frames, pair(seed=6)) is not found
    assert search_window(spec, frames[:2], models) is not found
    assert search_window(spec, frames, models) is found
    with pytest.raises(ValueError, match="read-only"):
        found.frames[0] = 0.0
    monkeypatch.setattr(adversarial, "REMEMBERED", len(adversarial._FOUND))
    search_window(spec.model_copy(update={"seed": 9}), frames, models)
    assert search_window(spec, frames, models) is not found


def test_the_first_generation_is_recordings(make_frames):
    frames = np.concatenate(sequences_of(make_frames()))
    meter = WindowMeter(pair(), frames[None, :50])
    found = find_worst_window(meter, Material.of(frames, 24), 16, 1, 0)
    assert found.evaluations == 16
    assert found.drift == found.recorded_drift
    assert any(np.array_equal(found.frames, frames[k : k + 24]) for k in range(len(frames)))


@pytest.mark.parametrize("change", _CHANGES)
def test_every_change_stays_within_what_was_seen(make_frames, change):
    frames = np.concatenate(sequences_of(make_frames()))
    material = Material.of(frames, 24)
    generator = np.random.default_rng(0)
    best = material.recorded(5, generator)
    changed = 0
    for _ in range(60):
        window = change(material, best[0].copy(), best, generator)
        assert window.shape == (24, 3)
        assert (window >= material.low).all()
        assert (window <= material.high).all()
        assert np.array_equal(window * 4096, np.rint(window * 4096))
        changed += not np.array_equal(window, best[0])
    assert changed > 30


def test_parents_are_left_as_they_are(make_frames):
    frames = np.concatenate(sequences_of(make_frames()))
    material = Material.of(frames, 24)
    generator = np.random.default_rng(0)
    best = material.recorded(5, generator)
    kept = best.copy()
    tried = [material.offspring(best, generator) for _ in range(50)]
    assert np.array_equal(best, kept)
    assert len({window.tobytes() for window in tried}) > 40


def test_end_to_end_is_the_window_alone(make_spec, make_frames):
    stream = open_stream(make_spec("adversarial", **KEYS), make_frames(), steps=60, models=pair())
    whole = read_whole(stream)
    window = stream.found.frames
    assert np.array_equal(whole.frames, np.concatenate([window, window, window[:12]]))
    assert list(whole.starts) == [0, 24, 48]
    assert "end to end" in stream.description
    assert f"{stream.found.drift:.2e}" in stream.description
    assert f"{stream.found.recorded_drift:.2e}" in stream.description


def test_windows_come_between_whole_recordings(make_spec, make_frames):
    frames = make_frames((30, 40, 50))
    spec = make_spec("adversarial", **{**KEYS, "between": 60}, seed=2)
    stream = open_stream(spec, frames, steps=400, models=pair())
    whole = read_whole(stream)
    pieces = np.split(whole.frames, whole.starts[1:])[:-1]
    recorded = 0
    for piece in pieces:
        if len(piece) == 24:
            assert np.array_equal(piece, stream.found.frames)
            # Not one recording more than it takes.
            assert 60 <= recorded < 60 + 50
            recorded = 0
        else:
            assert any(np.array_equal(piece, s.frames) for s in frames.sequences)
            recorded += len(piece)
    assert sum(len(piece) == 24 for piece in pieces) >= 3


def test_a_window_longer_than_the_data_is_refused(make_spec, make_frames):
    spec = make_spec("adversarial", **{**KEYS, "window": 101})
    with pytest.raises(DataError, match="the test part has 100 frames; expected at least 101"):
        search_window(spec, sequences_of(make_frames((40, 60))), pair())
    exact = make_spec("adversarial", **{**KEYS, "window": 100, "generations": 1})
    assert len(search_window(exact, sequences_of(make_frames((40, 60))), pair()).frames) == 100


def test_models_that_do_not_belong_together_are_refused(make_spec, make_frames):
    one, other = Shape(("gru",), (8,), inputs=3), Shape(("gru",), (9,), inputs=3)
    with pytest.raises(ModelError, match="expected the same"):
        ModelPair(float_model(one), quantized_model(float_model(other), -10))
    with pytest.raises(DataError, match="frames have 3 features; sample reads 5"):
        search_window(make_spec("adversarial", **KEYS), sequences_of(make_frames()), pair(inputs=5))
