"""What a synthetic stream shares with the data it was fitted to, measured from outside."""

import numpy as np


def kolmogorov_smirnov(a, b):
    """The largest distance of the distributions of each feature, (D,)."""
    found = []
    for x, y in zip(a.T, b.T, strict=True):
        values = np.union1d(x, y)
        shares = [np.searchsorted(np.sort(v), values, "right") / len(v) for v in (x, y)]
        found.append(np.abs(shares[0] - shares[1]).max())
    return np.array(found)


def correlations(sequences, lag):
    """Correlations (D, D) of features now with features later, pairs within sequences."""
    frames = np.concatenate(sequences).astype(float)
    mean, deviation = frames.mean(axis=0), frames.std(axis=0)
    before = np.concatenate([s[: len(s) - lag] for s in sequences]).astype(float)
    after = np.concatenate([s[lag:] for s in sequences]).astype(float)
    return ((before - mean) / deviation).T @ ((after - mean) / deviation) / len(before)


def compare(sequences, stream):
    """The distances of a stream (T, D) from the data: marginals, lag 0, lag 1."""
    return {
        "marginals": float(kolmogorov_smirnov(np.concatenate(sequences), stream).max()),
        "lag 0": float(np.abs(correlations(sequences, 0) - correlations([stream], 0)).max()),
        "lag 1": float(np.abs(correlations(sequences, 1) - correlations([stream], 1)).max()),
    }
