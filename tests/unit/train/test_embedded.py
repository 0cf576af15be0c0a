from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from rnn_edge.errors import DataError, SpecError
from rnn_edge.pipeline.embedded_clips import ended_frames
from rnn_edge.reference import FloatReference
from rnn_edge.spec import load_spec
from rnn_edge.train.carried import HeardEmbeddings
from rnn_edge.train.embedded import EmbeddedSet, folds_of, train_embedded
from rnn_edge.train.embedding import HOP_SAMPLES, SIZE, SpeechEmbedding, window_ends, windows_within
from rnn_edge.train.sequences import SequenceSet, TrainingSet
from rnn_edge.train.student import StudentConfig, train_student
from rnn_edge.train.teacher import TeacherConfig
from rnn_edge.types import Array

CONFIG = TeacherConfig(
    kind="embedding", hidden=8, folds=3, steps=60, batch=32, evaluate_every=60, dropout=0.1
)


def embedded(count: int, seed: int) -> tuple[EmbeddedSet, Array]:
    """Noise with a bump in one of two places, and who "speaks" in each clip."""
    generator = np.random.default_rng(seed)
    target = generator.integers(0, 2, count)
    x = generator.normal(size=(count, 5, 6)).astype(np.float32)
    x[target == 1, 2, :3] += 4.0
    return EmbeddedSet(x, np.full(count, 5), target), generator.integers(0, 12, count)


def test_speakers_are_dealt_into_equal_folds_that_share_nobody() -> None:
    groups = np.repeat(np.arange(10, 22), 5)
    fold = folds_of(groups, 3, 0)
    assert all(len({int(k) for k in fold[groups == group]}) == 1 for group in np.unique(groups))
    assert np.bincount(fold).tolist() == [20, 20, 20]
    assert not np.array_equal(fold, folds_of(groups, 3, 1))


def test_more_folds_than_speakers_are_refused() -> None:
    with pytest.raises(DataError, match=r"2 speakers; expected at least teacher.folds = 3"):
        folds_of(np.array([4, 4, 9]), 3, 0)


@pytest.mark.slow
def test_targets_of_a_clip_come_from_the_head_that_never_heard_its_speaker() -> None:
    train, groups = embedded(400, 0)
    validation, _ = embedded(100, 1)
    fold = folds_of(groups, 3, 0)
    # One speaker's labels are wrong: who has heard them repeats them, who has not does not.
    liar = groups == groups[0]
    target = np.where(liar, 1 - train.target, train.target)
    told = replace(train, target=target)
    heard: list[str] = []
    teacher = train_embedded(
        CONFIG, told, fold, validation, 2, 0, lambda stage, *_: heard.append(stage)
    )
    assert heard == ["teacher"] * 3
    each = np.arange(len(train))
    soft = teacher.soft_targets(train.x, train.counts, fold, each)
    assert (soft.argmax(axis=1) == train.target)[liar].mean() > 0.9
    assert (
        teacher.logits(validation.x, validation.counts).argmax(axis=1) == validation.target
    ).mean() > 0.9
    pairs = each // 2
    both = teacher.soft_targets(train.x, train.counts, fold, pairs)
    assert np.array_equal(both[0::2], both[1::2])
    assert np.allclose(both[0::2], (soft[0::2] + soft[1::2]) / 2.0, atol=1e-5)
    again = train_embedded(CONFIG, told, fold, validation, 2, 0)
    assert all(np.array_equal(a, b) for a, b in zip(teacher.weights, again.weights, strict=True))


@pytest.mark.slow
def test_what_is_behind_the_end_of_a_clip_changes_nothing() -> None:
    generator = np.random.default_rng(0)
    target = generator.integers(0, 2, 200)
    x = generator.normal(size=(200, 9, 6)).astype(np.float32)
    # A class by its length alone would be told by what fills it up.
    counts = np.where(target == 1, 3, 6)
    other = x.copy()
    x[np.arange(9)[None, :] >= counts[:, None]] = 0.0
    other[np.arange(9)[None, :] >= counts[:, None]] = 50.0
    fold = folds_of(np.arange(200), 3, 0)
    filled, empty = (
        train_embedded(CONFIG, EmbeddedSet(each, counts, target), fold, part, 2, 0)
        for each, part in (
            (other, EmbeddedSet(other, counts, target)),
            (x, EmbeddedSet(x, counts, target)),
        )
    )
    assert all(np.array_equal(a, b) for a, b in zip(filled.weights, empty.weights, strict=True))
    assert np.array_equal(filled.logits(other, counts), empty.logits(x, counts))
    assert not np.array_equal(filled.logits(other, counts), filled.logits(other, counts + 1))


def test_windows_that_end_behind_a_clip_are_not_to_be_told() -> None:
    heard = np.zeros((2, 3, 4), np.float32)
    heard[1, 1:] = 1000.0
    embeddings = HeardEmbeddings(heard, (1, 3, 5), np.zeros(4), np.ones(4))
    told = np.ones((3, 2, 4), np.float32)
    mask = (np.arange(6)[:, None] < np.array([6, 3])[None, :]).astype(np.float32)[:, :, None]
    assert float(embeddings.squared_distance(told, heard, mask)) == 1.0
    assert float(embeddings.squared_distance(told, heard, None)) > 1000.0


def test_embedding_hears_the_same_in_int16_and_float_and_moves_with_the_sound() -> None:
    pytest.importorskip("pyopen_wakeword")
    pytest.importorskip("ai_edge_litert")
    embedding = SpeechEmbedding(16_000)
    time = np.arange(4000) / 16_000
    tone = np.sin(2 * np.pi * (300 + 900 * time) * time) * np.hanning(4000) * 12_000
    pcm = np.zeros(16_000, np.int16)
    pcm[4000:8000] = tone
    found = embedding.embed(pcm)
    assert found.shape == (embedding.windows, SIZE)
    assert np.array_equal(found, embedding.embed((pcm / 32768.0).astype(np.float32)))
    later = embedding.embed(np.roll(pcm, HOP_SAMPLES))
    assert np.allclose(later[1:], found[:-1], atol=1e-3)
    assert np.abs(later - found).max() > 1.0


def test_clips_too_short_for_a_window_are_refused() -> None:
    pytest.importorskip("pyopen_wakeword")
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(DataError, match=r"expected at least 76"):
        SpeechEmbedding(1600)


def test_windows_end_where_the_sound_under_them_does() -> None:
    pytest.importorskip("pyopen_wakeword")
    pytest.importorskip("ai_edge_litert")
    embedding = SpeechEmbedding(16_000)
    ends = window_ends(embedding.windows)

    def heard(start: int) -> Array:
        pcm = np.zeros(16_000, np.int16)
        pcm[start::40] = 8_000
        return embedding.embed(pcm)

    for k in (1, 3):
        # Silence is relative to what is loud in a clip, so that two sounds are compared.
        behind = heard(ends[k] + 1600)[k]
        assert np.allclose(heard(ends[k] + 160)[k], behind, atol=1e-3)
        assert np.abs(heard(ends[k] - 160)[k] - behind).max() > 1.0


def test_frames_are_those_that_are_complete_when_a_window_ends() -> None:
    # Windows end after 525 ms and every 80 ms; frame k is complete after 20 k + 30 ms.
    assert ended_frames(9, 320, 480, 49) == (24, 28, 32, 36, 40, 44, 48)
    assert ended_frames(2, 320, 480, 26) == (24,)
    # One that is too short for a window still has one.
    assert [windows_within(n, 9) for n in (3000, 5679, 5680, 16_000, 40_000)] == [1, 1, 2, 9, 9]
    # Whatever the hidden states have to tell is among what counts.
    for samples in range(5000, 16_001, 100):
        frames = (samples - 480) // 320 + 1
        assert len(ended_frames(9, 320, 480, frames)) <= windows_within(samples, 9)


@pytest.mark.slow
def test_hidden_states_learn_to_tell_embeddings() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(400, 12, 4)).astype(np.float32)
    # What two of the features were long ago, of no use to the label.
    frames = (7, 11)
    heard = np.stack([x[:, k - 5 : k - 2, :2].mean(axis=1) for k in frames], axis=1)
    target = (x[:, -1, 3] > 0).astype(np.int64)
    part = SequenceSet(x, np.full(400, 12), target)
    data = TrainingSet("kws", part, part, ("low", "high"))
    embeddings = HeardEmbeddings(
        heard, frames, heard.mean((0, 1)), heard.std((0, 1)) + np.float32(1e-3)
    )

    def told(weight: float) -> float:
        """Returns the share of the variance that a linear map of the hidden states tells."""
        config = StudentConfig(
            hidden=12, steps=250, lanes=64, evaluate_every=250, hide_frames=0, hide_bands=0,
            reset_probability=1.0, embedding_weight=weight, learning_rate=2e-2,
        )  # fmt: skip
        model = train_student(config, data, None, 0, embeddings=embeddings).model
        states = FloatReference(model, 400).run(x).states["h0"][:, 11]
        design = np.concatenate([states, np.ones((400, 1))], axis=1)
        wanted = heard[:, 1]
        found = design @ np.linalg.lstsq(design, wanted, rcond=None)[0]
        return float(1.0 - np.var(found - wanted) / np.var(wanted))

    assert told(0.0) < 0.3
    assert told(3.0) > 0.6


def test_an_embedding_is_for_keywords_at_its_own_rate_and_for_its_own_teacher() -> None:
    assert load_spec("demo", ["teacher.kind=embedding"]).teacher.kind == "embedding"
    with pytest.raises(SpecError, match="hears sound at 16000 Hz"):
        load_spec(
            "demo",
            ["teacher.kind=embedding", "features.sample_rate_hz=8000", "features.high_hz=3800"],
        )
    with pytest.raises(SpecError, match=r'is for model.task = "kws"'):
        load_spec("demo_anomaly", ["teacher.kind=embedding"])
    with pytest.raises(SpecError, match=r'only teacher.kind = "embedding" hears embeddings'):
        load_spec("demo", ["student.embedding_weight=1.0"])
