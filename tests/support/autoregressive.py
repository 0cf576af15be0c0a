"""Series whose correlation is known."""

import numpy as np


def autoregressive(phi, steps, features, seed):
    """Return x (T, D) with x[t] = phi x[t - 1] + noise of variance 1."""
    noise = np.random.default_rng(seed).normal(size=(steps, features))
    x = np.empty_like(noise)
    x[0] = noise[0] / np.sqrt(1 - phi**2)
    for t in range(1, steps):
        x[t] = phi * x[t - 1] + noise[t]
    return x
