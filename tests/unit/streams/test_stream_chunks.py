"""What every kind of stream has in common."""

import tracemalloc

import numpy as np
import pytest
from random_models import Shape, source

from rnn_edge.errors import DataError, ModelError
from rnn_edge.spec.stream import STREAM_KINDS
from rnn_edge.streams import ModelPair, open_stream, read_whole
from rnn_edge.streams.grid import on_grid

STEPS = 9_001
SMALL = {"adversarial": {"window": 20, "population": 8, "generations": 2, "between": 300}}


@pytest.fixture(scope="module")
def models():
    found = source(Shape(("gru",), (6,), inputs=3, seed=5))
    return ModelPair(found.float_model, found.model)


@pytest.fixture(params=sorted(STREAM_KINDS))
def opened(request, make_spec, make_frames, models):
    def make(steps=STEPS, seed=4):
        spec = make_spec(request.param, seed=seed, **SMALL.get(request.param, {}))
        return open_stream(spec, make_frames(), steps=steps, models=models)

    make.kind = request.param
    return make


def joined(stream, size):
    frames, starts, done = [], [], 0
    for chunk in stream.chunks(size):
        frames.append(chunk.frames)
        starts.append(chunk.starts + done)
        done += len(chunk.frames)
    return np.concatenate(frames), np.concatenate(starts), [len(f) for f in frames]


def test_frames_do_not_depend_on_the_chunks(opened):
    stream = opened()
    whole, starts, _ = joined(stream, STEPS)
    assert whole.shape == (STEPS, 3) == (stream.steps, stream.inputs)
    assert whole.dtype == np.float32
    for size in (1000, 4096, 7):
        frames, again, lengths = joined(stream, size)
        assert np.array_equal(frames, whole)
        assert np.array_equal(again, starts)
        assert set(lengths[:-1]) == {size}
    assert starts[0] == 0
    assert (np.diff(starts) > 0).all()


def test_every_reading_gives_the_same_frames(opened):
    stream = opened()
    first = next(iter(stream.chunks(100))).frames
    # What a reader does with a chunk does not come back.
    kept = first.copy()
    first[:] = 99.0
    assert np.array_equal(next(iter(stream.chunks(100))).frames, kept)
    assert np.array_equal(joined(opened(), 500)[0], joined(stream, 500)[0])


def test_a_longer_stream_begins_as_a_shorter_one(opened):
    assert np.array_equal(joined(opened(2 * STEPS), 999)[0][:STEPS], joined(opened(), 999)[0])


def test_another_seed_gives_other_frames(opened):
    if opened.kind == "silence":
        pytest.skip("silence has nothing to draw")
    assert not np.array_equal(joined(opened(seed=5), 999)[0], joined(opened(), 999)[0])


def test_frames_are_numbers_that_an_input_can_have(opened):
    whole = read_whole(opened()).frames
    assert np.array_equal(on_grid(whole), whole)
    assert np.abs(whole).max() <= 8.0


def test_memory_does_not_grow_with_the_length(opened):
    stream = opened(400_000)
    rows = iter(stream.chunks())
    next(rows)
    tracemalloc.start()
    try:
        count = sum(len(chunk.frames) for chunk in rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 400_000 - 4096
    # The whole stream has 4.8 MB of frames.
    assert peak < 2_000_000


def test_a_stream_says_what_it_is(opened, make_spec, make_frames, models):
    stream = opened()
    assert stream.name == opened.kind
    assert len(stream.description) > 20
    spec = make_spec(opened.kind, **SMALL.get(opened.kind, {}))
    named = open_stream(spec, make_frames(), steps=5, models=models, name="mine")
    assert named.name == "mine"


def test_the_length_is_that_of_the_spec_by_default(opened, make_spec, make_frames, models):
    spec = make_spec(opened.kind, steps=12_345, **SMALL.get(opened.kind, {}))
    assert open_stream(spec, make_frames(), models=models).steps == 12_345


def test_a_missing_part_is_refused(opened, make_spec, make_frames, models):
    spec = make_spec(opened.kind, split="validation", **SMALL.get(opened.kind, {}))
    with pytest.raises(DataError, match="the data has no validation part"):
        open_stream(spec, make_frames(), models=models)


def test_streams_and_chunks_without_frames_are_refused(opened):
    with pytest.raises(DataError, match="0 frames; expected at least 1"):
        opened(steps=0)
    with pytest.raises(DataError, match="chunks of 0 frames; expected at least 1"):
        opened().chunks(0)


def test_an_adversarial_stream_needs_models(make_spec, make_frames):
    with pytest.raises(ModelError, match="made for a model and none was given"):
        open_stream(make_spec("adversarial"), make_frames())
