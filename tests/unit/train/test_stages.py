import numpy as np
import pytest

pytest.importorskip("tensorflow")

from rnn_edge.errors import DataError
from rnn_edge.quantize import calibrate, quantize_model
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.train.qat import QatConfig, finetune_quantized
from rnn_edge.train.sequences import SequenceSet, TrainingSet
from rnn_edge.train.student import StudentConfig, train_student
from rnn_edge.train.teacher import TeacherConfig, TeacherResult, train_teacher
from rnn_edge.types import CellKind

LABELS = ("low", "high", "none")
STUDENT = StudentConfig(
    hidden=12, steps=200, lanes=32, evaluate_every=100, hide_frames=0, hide_bands=0
)
TEACHER = TeacherConfig(
    hidden=12, layers=1, stack=2, steps=60, batch=32, evaluate_every=30, hide_frames=1, hide_bands=1
)


def clips(count: int, seed: int) -> SequenceSet:
    """Noise with a bump early in the low features, in the high ones, or nowhere."""
    generator = np.random.default_rng(seed)
    label = generator.integers(0, 3, count)
    x = 0.5 * generator.normal(size=(count, 15, 6))
    x[label == 0, 4:8, :3] += 2.0
    x[label == 1, 4:8, 3:] += 2.0
    lengths = generator.integers(12, 16, count)
    for row, length in zip(x, lengths, strict=True):
        row[length:] = 0.0
    return SequenceSet(np.rint(x * 4096).astype(np.float32) / np.float32(4096), lengths, label)


def clip_data() -> TrainingSet:
    return TrainingSet("kws", clips(600, 0), clips(96, 1), LABELS)


def wave_data() -> TrainingSet:
    """Two recordings of two channels, cut into contiguous sequences."""

    def part(seed: int) -> SequenceSet:
        phase = np.random.default_rng(seed).uniform(0, 6, size=(2, 1, 2))
        t = np.arange(20 * 16 + 1)[None, :, None]
        wave = np.sin(t * np.array([0.3, 0.5]) + phase).astype(np.float32)
        wave = np.rint(wave * 4096).astype(np.float32) / np.float32(4096)
        successor = np.concatenate(
            [np.append(np.arange(1, 20), -1), np.append(np.arange(21, 40), -1)]
        )
        shape = (40, 16, 2)
        x, target = wave[:, :-1].reshape(shape), wave[:, 1:].reshape(shape)
        return SequenceSet(x, np.full(40, 16), target, successor)

    return TrainingSet("anomaly", part(0), part(1), ("a", "b"))


@pytest.mark.slow
def test_distilled_student_and_its_quantized_form_work_on_an_unreset_stream() -> None:
    data = clip_data()
    heard: list[tuple[str, int]] = []
    teacher = train_teacher(TEACHER, data, 0, lambda stage, step, *_: heard.append((stage, step)))
    assert heard == [("teacher", 30), ("teacher", 60)]
    assert teacher.best > 0.9
    restored = TeacherResult.of_arrays("kws", TEACHER, teacher.arrays())
    soft = restored.soft_targets(data.train.x, data.train.lengths)
    assert soft.shape == (600, 3)
    student = train_student(STUDENT, data, soft, 0)
    assert student.best > 0.9
    assert list(student.curves["carried"][0]) == [100, 200]
    tuned = finetune_quantized(
        QatConfig(steps=60, lanes=32, evaluate_every=30, hide_frames=0, hide_bands=0),
        student.model, data, soft, -12, [None], 0,
    )  # fmt: skip
    assert tuned.best > 0.9

    part = data.validation
    stream = np.concatenate([x[:n] for x, n in zip(part.x, part.lengths, strict=True)])
    ends = np.cumsum(part.lengths) - 1
    quantized = quantize_model(tuned.model, calibrate(tuned.model, stream[None]))
    trace = IntegerReference(quantized).run(np.rint(stream[None] * 4096).astype(np.int16))
    assert (trace.outputs[0, ends].argmax(axis=1) == part.target).mean() > 0.9


@pytest.mark.slow
def test_the_pull_leaves_weights_on_the_grid() -> None:
    data = clip_data()
    student = train_student(STUDENT, data, None, 1)

    def off_grid(pull: float) -> float:
        config = QatConfig(
            steps=100, lanes=32, evaluate_every=100, pull=pull, hide_frames=0, hide_bands=0
        )
        model = finetune_quantized(config, student.model, data, None, -12, [None], 0).model
        matrix = quantize_model(model, calibrate(model, data.validation.x)).layers[0].h
        real = matrix.weight * matrix.weight_scale[:, None]
        return float(np.abs(real - model.layers[0].w_h).mean() / matrix.weight_scale.mean())

    assert off_grid(0.0) > 0.2
    assert off_grid(0.3) < 0.05


@pytest.mark.parametrize(
    "kinds",
    [
        ("gru",),
        ("lstm",),
        pytest.param(("rnn", "gru_reset_before", "lstm"), marks=pytest.mark.slow),
    ],
)
def test_same_seed_gives_the_same_weights(kinds: tuple[CellKind, ...]) -> None:
    data = clip_data()
    config = StudentConfig(kinds=kinds, hidden=8, steps=30, lanes=16, evaluate_every=10)
    digests = [train_student(config, data, None, seed).model.digest() for seed in (5, 5, 6)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.slow
def test_forecaster_is_distilled_over_recordings() -> None:
    data = wave_data()
    config = TeacherConfig(hidden=16, layers=2, steps=150, batch=16, evaluate_every=50)
    teacher = train_teacher(config, data, 0)
    soft = teacher.soft_targets(data.train.x, data.train.lengths, data.train.successor)
    assert soft.shape == data.train.x.shape
    assert float(np.mean(np.square(soft - data.train.target)[1:])) < 0.1
    config = StudentConfig(
        hidden=12, steps=200, lanes=16, evaluate_every=50, hide_frames=0, hide_bands=0
    )
    student = train_student(config, data, soft, 0)
    assert -student.best < 0.05
    trace = FloatReference(student.model, 1).run(data.validation.x[:20].reshape(1, -1, 2))
    error = np.square(trace.outputs[0] - data.validation.target[:20].reshape(-1, 2))
    assert float(error[100:].mean()) < 0.05


def test_lengths_beyond_the_frames_are_refused() -> None:
    with pytest.raises(DataError, match=r"expected 1\.\.4"):
        SequenceSet(np.zeros((2, 4, 1), np.float32), np.array([4, 5]), np.zeros(2, np.int64))
