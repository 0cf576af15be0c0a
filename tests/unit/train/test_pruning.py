"""Pruning: how much stays, what stays, and that it stays away from then on."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from rnn_edge.errors import SpecError  # noqa: E402
from rnn_edge.exporters.c_blocks import in_strips  # noqa: E402
from rnn_edge.exporters.c_kept import kept_columns  # noqa: E402
from rnn_edge.exporters.c_matrices import kept_of  # noqa: E402
from rnn_edge.quantize import calibrate, compensate, quantize_model  # noqa: E402
from rnn_edge.spec import load_spec  # noqa: E402
from rnn_edge.train.network import Network  # noqa: E402
from rnn_edge.train.pruning import Pruner, Pruning, column_squares, spread  # noqa: E402
from rnn_edge.train.qat import QatConfig, finetune_quantized  # noqa: E402
from rnn_edge.train.sequences import SequenceSet, TrainingSet  # noqa: E402
from rnn_edge.train.student import StudentConfig, train_student  # noqa: E402
from rnn_edge.types import GATES  # noqa: E402

FRAMES = np.ones((4, 5, 9), np.float32)


def network(kind="gru", inputs=9, hidden=12, layers=1):
    return Network.fresh((kind,) * layers, inputs, hidden, 3, seed=1)


def used_columns(matrix, gates):
    """Columns of each strip that are not zeros, bool [strips, columns]."""
    codes = np.where(np.asarray(matrix) == 0.0, 0, 1).astype(np.int8)
    return in_strips(codes, gates).any(axis=1)


def blocks(net, kind):
    """Columns by fours that are left, and all of them."""
    left = total = 0
    for k in range(net.layers):
        for matrix in net.variables[4 * k : 4 * k + 2]:
            used = used_columns(matrix.numpy(), len(GATES[kind]))
            left += int((-(-used.sum(axis=1) // 4)).sum())
            total += used.shape[0] * (used.shape[1] // 4)
    return left, total


@pytest.mark.parametrize("kind", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize(("inputs", "hidden"), [(9, 12), (16, 10), (3, 21)])
def test_so_many_blocks_stay_and_the_largest_ones(kind, inputs, hidden):
    net = network(kind, inputs, hidden, layers=2)
    before = [v.numpy() for v in net.variables]
    frames = np.ones((4, 5, inputs), np.float32)
    _, total = blocks(net, kind)
    previous = None
    for part, density in ((0.0, 1.0), (0.3, 0.6 + 0.4 / 8), (0.6, 0.6), (1.0, 0.6)):
        Pruner(Pruning(0.6, 0.0, 0.6), net, frames)(tf.constant(part, tf.float32), net)
        left, _ = blocks(net, kind)
        assert left == round(density * total), part
        if previous is not None:
            assert left <= previous
        previous = left
    # Of a matrix whose columns count alike, no column that went was larger than one that stayed.
    w_h = net.variables[1].numpy()
    used, squares = used_columns(w_h, len(GATES[kind])), column_squares(before[1], len(GATES[kind]))
    for stayed, value in zip(used, squares.numpy(), strict=True):
        if stayed[:hidden].any() and not stayed[:hidden].all():
            assert value[:hidden][stayed[:hidden]].min() >= value[:hidden][~stayed[:hidden]].max()
    # What stays is as it was, and biases and head are.
    for now, then in zip(net.variables, before, strict=True):
        value = now.numpy()
        assert np.array_equal(value[value != 0.0], then[value != 0.0])
    assert np.array_equal(net.variables[-2].numpy(), before[-2])


def test_every_strip_keeps_its_best_block():
    net = network()
    Pruner(Pruning(0.01, 0.0, 0.5), net, FRAMES)(tf.constant(1.0), net)
    for matrix in net.variables[:2]:
        assert (used_columns(matrix.numpy(), 3).sum(axis=1) == 4).all()


def test_inputs_count_by_their_squares():
    left = []
    for scale in (0.01, 0.5, 100.0):
        net = network()
        Pruner(Pruning(0.6, 0.0, 0.5), net, scale * FRAMES)(tf.constant(1.0), net)
        left.append(np.count_nonzero(net.variables[0].numpy()))
    assert all(a < b for a, b in pairwise(left))


def test_nothing_goes_before_its_time():
    net = network()
    before = net.variables[1].numpy()
    Pruner(Pruning(0.3, 0.4, 0.8), net, FRAMES)(tf.constant(0.4), net)
    assert np.array_equal(net.variables[1].numpy(), before)


def test_a_mask_has_the_shape_of_its_matrix():
    matrix = np.arange(1.0, 15 * 7 + 1).reshape(15, 7).astype(np.float32)
    squares = column_squares(matrix, 3).numpy()
    # 3 gates of 5 rows are 2 strips each; 7 columns and one of the padding.
    assert squares.shape == (6, 8)
    assert float(squares[0, 0]) == float(np.square(matrix[:4, 0]).sum())
    assert float(squares[1, 6]) == float(np.square(matrix[4, 6]))
    assert (squares[:, 7] == -1.0).all()
    back = spread(squares, matrix, 3).numpy()
    assert back.shape == matrix.shape
    assert (back[:4, 0] == squares[0, 0]).all()
    assert back[4, 6] == squares[1, 6]
    assert back[5, 0] == squares[2, 0]


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(96, 8, 8)).astype(np.float32)
    part = SequenceSet(x, np.full(96, 8), (x[:, -2, 0] > 0).astype(np.int64))
    return TrainingSet("kws", part, part, ("low", "high"))


STUDENT = StudentConfig(
    hidden=16, steps=30, lanes=16, evaluate_every=10, learning_rate=2e-2, density=0.4
)


@pytest.mark.slow
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_zeros_of_a_student_stay_zeros_down_to_the_c(data, average):
    student = train_student(replace(STUDENT, average=average), data, None, 3).model
    layer = student.layers[0]
    total = 2 * 12 + 4 * 12
    left = sum(int((-(-used_columns(w, 3).sum(axis=1) // 4)).sum()) for w in (layer.w_x, layer.w_h))
    assert left == round(0.4 * total)
    streams = data.train.x.reshape(4, -1, 8)
    stats = calibrate(student, streams)
    tuned = finetune_quantized(
        QatConfig(steps=20, lanes=16, evaluate_every=10), student, data, None, -12, [None], 1
    ).model
    for model, rounded in (
        (student, None),
        (student, compensate(student, streams)),
        (tuned, None),
        (tuned, compensate(tuned, streams)),
    ):
        now = model.layers[0]
        codes = quantize_model(model, stats, 1, None, rounded)
        for name, then, values in (("x", layer.w_x, now.w_x), ("h", layer.w_h, now.w_h)):
            assert not values[then == 0.0].any()
            assert not getattr(codes.layers[0], name).weight[then == 0.0].any()
        kept = kept_of(codes)
        assert kept["layer0.x"] is not None or kept["layer0.h"] is not None
    # Without fine-tuning they would come back: the gradient does not know of them.
    assert np.abs(tuned.layers[0].w_h - layer.w_h).max() > 0.0
    assert kept_columns(np.ones((48, 16), np.int8), 3) is None


def test_pruning_that_cannot_be_is_refused():
    spec = load_spec("demo", ["student.density=0.3", "student.prune_until=0.7"])
    assert spec.student.density == 0.3
    for override, reason in (
        ("student.density=0", "number from 0.01 to 1"),
        ("student.prune_until=0.9", "up to 0.8"),
        ("student.prune_until=0.05", "prune_from = 0.1, prune_until = 0.05"),
    ):
        with pytest.raises(SpecError, match=reason):
            load_spec("demo", [override])
    with pytest.raises(SpecError, match=r"density = 0.5 with patience = 3"):
        load_spec("demo", ["student.density=0.5", "student.patience=3"])
