"""A model that detects keywords, what its device has to say, and frames for it."""

from dataclasses import dataclass

import numpy as np
from c_models import Recipe, build

from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.reference import IntegerReference
from rnn_edge.reference.decisions import IntegerRule, keyword_numbers

RECIPE = Recipe(seed=51, kinds=("lstm", "gru"), units=(5, 4), inputs=3, outputs=4, name="heard")
MODEL = build(RECIPE)
LABELS = ("yes", "no", "unknown", "silence")
RULE = keyword_numbers(LABELS, "linear", MODEL.output_exponent, 6, 0.5, 0.8)
FEW = AppConfig("test board", RULE, ring_frames=8, log_records=32, event_records=8, retain_every=1)


@dataclass(frozen=True)
class Expected:
    """What a device has to say of frames."""

    outputs: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    changes: list


def expected_of(x, model=MODEL, rule=RULE):
    outputs = IntegerReference(model).run(x[None]).outputs[0]
    decided = IntegerRule(rule)
    found = decided.update(x, outputs)
    return Expected(outputs, found.detections, found.scores, decided.changes)


def frames_of(count, seed=1):
    """Frames that hold for a while, so that something is detected, and noise between them."""
    rng = np.random.default_rng(seed)
    held = np.repeat(rng.integers(-32768, 32768, (count // 12 + 1, 3)), 12, axis=0)[:count]
    x = held + rng.integers(-2000, 2000, (count, 3))
    return x.clip(-32768, 32767).astype(np.int16)
