"""Losses of the two tasks, hard target and teacher's target together."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from rnn_edge.train.cells import Tensor


def distilled_cross_entropy(
    logits: Tensor, target: Tensor, soft: Tensor, soft_weight: float, temperature: float
) -> Tensor:
    """Mixes cross-entropy with the labels and with the teacher's softened distribution.

    Args:
        logits: float32 [B, C] of the student.
        target: int32 [B] labels.
        soft: float32 [B, C] logits of the teacher.
        soft_weight: Share of the teacher's term, 0..1.
        temperature: Divides both logits; the term is multiplied by its square, so that its
            gradient keeps its size.

    Returns:
        float32 scalar, mean over the batch.

    Source:
        Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015).
    """
    hard = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
    if soft_weight == 0.0:
        return tf.reduce_mean(hard)
    wanted = tf.nn.softmax(soft / temperature)
    softened = tf.nn.softmax_cross_entropy_with_logits(labels=wanted, logits=logits / temperature)
    return tf.reduce_mean((1.0 - soft_weight) * hard + soft_weight * temperature**2 * softened)


def dense_cross_entropy(
    logits: Tensor,
    target: Tensor,
    soft: Tensor,
    soft_weight: float,
    temperature: float,
    weights: Tensor,
) -> Tensor:
    """Mixes the cross-entropy of weighted frames with that of the last one and the teacher.

    Args:
        logits: float32 [T, B, C] of the student.
        target: int32 [B] labels.
        soft: As in `distilled_cross_entropy`; what a teacher says of a clip is asked at its end.
        soft_weight: Share of the teacher's term, 0..1.
        temperature: As in `distilled_cross_entropy`.
        weights: float32 [T, B], 1 in sum over a clip.

    Returns:
        float32 scalar, mean over the batch.
    """
    labels = tf.repeat(target[None, :], logits.shape[0], axis=0)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    hard = tf.reduce_sum(each * weights, axis=0)
    if soft_weight == 0.0:
        return tf.reduce_mean(hard)
    wanted = tf.nn.softmax(soft / temperature)
    softened = tf.nn.softmax_cross_entropy_with_logits(
        labels=wanted, logits=logits[-1] / temperature
    )
    return tf.reduce_mean((1.0 - soft_weight) * hard + soft_weight * temperature**2 * softened)


def mixed_cross_entropy(logits: Tensor, targets: tuple[Tensor, Tensor], share: Tensor) -> Tensor:
    """Mixes the cross-entropies with the labels of the two clips that a mixture is made of.

    Args:
        logits: float32 [B, C] of the mixtures.
        targets: int32 [B] twice, labels of the first and of the second clip.
        share: float32 [B], share of the first clip.

    Returns:
        float32 scalar, mean over the batch.

    Source:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization" (2018).
    """
    first, second = (
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
        for target in targets
    )
    return tf.reduce_mean(share * first + (1.0 - share) * second)


def distilled_square_error(
    forecast: Tensor, target: Tensor, soft: Tensor, soft_weight: float, mask: Tensor | None
) -> Tensor:
    """Mixes the squared errors to the frames meant and to what the teacher said of them.

    Args:
        forecast: float32 [T, B, C] of the student.
        target: float32 [T, B, C], the frames that outputs stand for.
        soft: float32 [T, B, C] of the teacher.
        soft_weight: Share of the teacher's term, 0..1.
        mask: float32 [T, B, 1] or None.

    Returns:
        float32 scalar, mean over the frames that count.
    """
    error = (1.0 - soft_weight) * tf.square(forecast - target)
    if soft_weight > 0.0:
        error += soft_weight * tf.square(forecast - soft)
    if mask is None:
        return tf.reduce_mean(error)
    return tf.reduce_sum(error * mask) / (tf.reduce_sum(mask) * float(error.shape[2]))


def mean_square_percent(distance: Tensor, mask: Tensor | None) -> Tensor:
    """Returns the mean square of a distance between states, in percent of their full scale 1.

    Args:
        distance: float32 [T, B, H].
        mask: float32 [T, B, 1] or None; frames that do not count repeat the state before them.

    Returns:
        float32 scalar, mean over the frames that count.
    """
    squares = tf.square(100.0 * distance)
    if mask is None:
        return tf.reduce_mean(squares)
    return tf.reduce_sum(squares * mask) / (tf.reduce_sum(mask) * float(distance.shape[2]))


def cell_excess(cells: Sequence[Tensor], limit: float) -> Tensor:
    """Returns what LSTM cells have beyond a limit.

    A cell is a sum that nothing bounds: with a forget gate near 1 it grows for as long as a
    stream runs, and takes the resolution of its integer with it. Its tanh is flat by then, so
    that the task's own loss no longer pulls it back.

    Args:
        cells: float32 [B, H] of every layer, after a sequence.
        limit: Largest magnitude that costs nothing.

    Returns:
        float32 scalar, mean over lanes and units, summed over layers.
    """
    return tf.add_n([tf.reduce_mean(tf.nn.relu(tf.abs(c) - limit)) for c in cells])
