"""Steps of a clip teacher, each on mixtures of two clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from rnn_edge.train import losses
from rnn_edge.train.augment import mixing_shares
from rnn_edge.train.cells import Tensor
from rnn_edge.train.compiled import compiled
from rnn_edge.train.loop import Schedule, adam
from rnn_edge.types import Array

Step = Callable[[Array, Array, Array, Sequence[int]], Tensor]
"""(x float32 [B, T, D], mask as the network wants it, classes [B], dropout seed [2]) -> loss."""


def mixed_steps(
    logits: Callable[[Tensor, Tensor, Tensor], Tensor],
    variables: Sequence[tf.Variable],
    schedule: Schedule,
    mixup: float,
    generator: np.random.Generator,
) -> Step:
    """Returns what takes one optimiser step on a batch.

    Args:
        logits: The network: (x, mask, seed of the dropout) -> float32 [B, C].
        variables: Its weights, moved in place.
        schedule: Rates.
        mixup: Both parameters of the beta distribution of the shares; 0 mixes none.
        generator: Source of the shares.

    Source:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization" (2018).
    """
    optimizer = adam(schedule, variables)

    @compiled
    def step(
        x: Tensor,
        mask: Tensor,
        targets: tuple[Tensor, Tensor],
        share: Tensor,
        dropout_seed: Tensor,
    ) -> Tensor:
        with tf.GradientTape() as tape:
            loss = losses.mixed_cross_entropy(logits(x, mask, dropout_seed), targets, share)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def take(x: Array, mask: Array, classes: Array, dropout_seed: Sequence[int]) -> Tensor:
        target = classes.astype(np.int32)
        share = np.ones(len(x), np.float32)
        if mixup > 0.0:
            share = mixing_shares(len(x), mixup, generator)
            # The partners are the same clips in reverse order.
            x = share[:, None, None] * x + (1.0 - share)[:, None, None] * x[::-1]
            mask = np.maximum(mask, mask[::-1])
        seed = np.array(dropout_seed, dtype=np.int32)
        return step(x, mask, (target, target[::-1].copy()), share, seed)

    return take
