"""How few random cuts part a frame from the normal ones: an isolation forest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_edge.evaluation.baselines.base import SMALLEST_DEVIATION, Baseline, BaselineKind
from rnn_edge.extras import require
from rnn_edge.types import Array

EXTRA, MODULE = "baselines", "sklearn"
TREES, SAMPLES, SEED = 100, 256, 0
"""As in the paper; the seed makes the same forest of the same frames."""
LEAF = -1
_EULER = 0.5772156649015329


@dataclass(frozen=True, eq=False)
class IsolationForest(Baseline):
    """Trees of random cuts, as tables: what scores frames needs no scikit-learn.

    Attributes:
        starts: int64 (TREES,), index of the root of every tree in the tables.
        feature: int64 (N,), channel that a node cuts, or `LEAF`.
        cut: float64 (N,); frames at or below it go left.
        children: int64 (N, 2), left and right, counted in the tables.
        depth: float64 (N,), of a leaf: cuts to it, and those that its samples would still take.
        unit: float64 (3,): cuts that part a normal sample on average, and mean and deviation
            of the anomaly score in normal frames.
    """

    starts: Array
    feature: Array
    cut: Array
    children: Array
    depth: Array
    unit: Array

    @classmethod
    def fit(cls, normal: Sequence[Array]) -> IsolationForest:
        """Grow it on normal frames (T, D) of each recording.

        Raises:
            MissingDependencyError: If scikit-learn is not installed.
        """
        rows = np.concatenate([np.asarray(each, np.float32) for each in normal])
        samples = min(SAMPLES, len(rows))
        ensemble = require("sklearn.ensemble", EXTRA, "the isolation forest beside the model")
        grown = ensemble.IsolationForest(
            n_estimators=TREES, max_samples=samples, random_state=SEED
        ).fit(rows)
        parts: list[tuple[Array, ...]] = []
        starts, count = [], 0
        for each in grown.estimators_:
            tree = each.tree_
            children = np.stack([tree.children_left, tree.children_right], axis=1)
            is_leaf = children[:, 0] < 0
            feature = np.where(is_leaf, LEAF, tree.feature)
            depth = _depths(children) + _more_cuts(tree.n_node_samples)
            parts.append((feature, tree.threshold, children + count, depth))
            starts.append(count)
            count += len(feature)
        feature, cut, children, depth = (np.concatenate(p) for p in zip(*parts, strict=True))
        unit = np.array([_more_cuts(np.array([samples]))[0], 0.0, 1.0])
        raw = cls(np.array(starts), feature, cut, children, depth, unit)
        scores = raw.anomaly_scores(rows)
        unit[1:] = scores.mean(), max(float(scores.std()), SMALLEST_DEVIATION)
        return raw

    @classmethod
    def restore(cls, arrays: Mapping[str, Array]) -> IsolationForest:
        """Return what `arrays` was taken from."""
        names = ("starts", "feature", "cut", "children", "depth", "unit")
        return cls(*(arrays[name] for name in names))

    def anomaly_scores(self, frames: Array) -> Array:
        """Return the anomaly score of frames, float64 (T,) in 0..1.

        Source: Liu, Ting and Zhou, "Isolation forest" (2008), equation 2:
            2 to the power of minus the mean depth over that of a normal sample.
        """
        # Trees are cut in float32, as scikit-learn does.
        x = np.asarray(frames, np.float32)
        every = np.arange(len(x))
        total = np.zeros(len(x))
        for start in self.starts:
            node = np.full(len(x), start)
            while True:
                feature = self.feature[node]
                inner = feature != LEAF
                if not inner.any():
                    break
                goes_right = x[every, feature] > self.cut[node]
                node = np.where(inner, self.children[node, goes_right.astype(np.int64)], node)
            total += self.depth[node]
        mean = total / len(self.starts)
        return np.asarray(np.exp2(-mean / self.unit[0]))

    def residuals(self, frames: Array) -> Array:
        """Return how far the anomaly score is above its normal mean, in deviations, (T, 1)."""
        scores = self.anomaly_scores(frames)
        return np.asarray(np.maximum(0.0, (scores - self.unit[1]) / self.unit[2])[:, None])

    def arrays(self) -> dict[str, Array]:
        """Return the tables."""
        return {
            "starts": self.starts,
            "feature": self.feature,
            "cut": self.cut,
            "children": self.children,
            "depth": self.depth,
            "unit": self.unit,
        }


def _depths(children: Array) -> Array:
    """Return the cuts from the root to every node; parents stand before their children."""
    depth = np.zeros(len(children))
    for node, (left, right) in enumerate(children):
        if left >= 0:
            depth[left] = depth[right] = depth[node] + 1.0
    return depth


def _more_cuts(samples: Array) -> Array:
    """Return the cuts that would part one of so many samples on average, float64.

    Source: Liu, Ting and Zhou 2008, equation 1: 2 (H(n-1) - (n-1)/n), H by the logarithm.
    """
    n = np.asarray(samples, np.float64)
    many = np.maximum(n, 3.0)
    usual = 2.0 * (np.log(many - 1.0) + _EULER) - 2.0 * (many - 1.0) / many
    return np.where(n <= 1.0, 0.0, np.where(n <= 2.0, 1.0, usual))


BASELINE = BaselineKind(
    "isolation forest",
    "isolation forest",
    IsolationForest.fit,
    IsolationForest.restore,
    EXTRA,
    MODULE,
)
