"""Loads TensorFlow, without what it writes to stderr on its own."""

from __future__ import annotations

import os
import tempfile

from rnn_edge.extras import require

STDERR = 2


def load_framework() -> None:
    """Import TensorFlow before a stage needs it.

    Training runs on the CPU: the same seed then gives the same weights on every machine of a kind.

    Raises:
        MissingDependencyError: If it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    kept = os.dup(STDERR)
    # Its C++ part reports missing graphics cards there before any setting can keep it from that.
    with tempfile.TemporaryFile() as unwanted:
        os.dup2(unwanted.fileno(), STDERR)
        try:
            framework = require("tensorflow", "train", "training")
            # The first operation makes the runtime look for devices, and report on them.
            framework.zeros([1]) + 1.0
        finally:
            os.dup2(kept, STDERR)
            os.close(kept)
