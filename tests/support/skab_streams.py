"""Real recordings of sensors in int16, and outputs of linear models for any offsets of them.

A model of anomalies forecasts or rebuilds frames from what it has seen; least squares over the last
frames, through few numbers where they are rebuilt, does so too, without a training of minutes.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.data.base import load_dataset
from rnn_edge.data.options import SensorTableOptions
from rnn_edge.spec.data import STATEMENTS
from rnn_edge.types.frames import FrameSequence

SPEC = Path(__file__).parents[2] / "models" / "anomaly_gru.toml"
EXPONENT = -12
HISTORY = 8


@dataclass(frozen=True)
class Stream:
    """One recording.

    Attributes:
        split: "train", "validation" or "test".
        x: int16 (T, D), in deviations of the training part.
        history: float (T, HISTORY * D), the last frames of each.
        exponent: Frames are at 2^this.
    """

    split: str
    x: np.ndarray
    history: np.ndarray
    exponent: int = EXPONENT

    @property
    def real(self):
        return self.x * 2.0**self.exponent


def skab_streams(pack):
    """Return the recordings of the water circulation, as the shipped spec reads them."""
    spec = tomllib.loads(SPEC.read_text("utf-8"))
    keys = {
        key: value
        for key, value in spec["data"].items()
        if key not in ("kind", "path", *STATEMENTS)
    }
    dataset = load_dataset(spec["data"]["kind"], pack, SensorTableOptions(**keys))
    normal = np.concatenate([r.values for r in dataset.recordings if r.split == "train"])
    mean, deviation = normal.mean(axis=0), normal.std(axis=0)
    streams = []
    for recording in dataset.recordings:
        units = np.rint((recording.values - mean) / deviation * 2.0**-EXPONENT)
        x = units.clip(-32768, 32767).astype(np.int16)
        streams.append(Stream(recording.split, x, _history(x)))
    return streams


def _history(x):
    real = x * 2.0**EXPONENT
    padded = np.concatenate([np.repeat(real[:1], HISTORY - 1, axis=0), real])
    return np.concatenate([padded[k : k + len(x)] for k in range(HISTORY)], axis=1)


def linear_outputs(streams, offsets, exponent=EXPONENT, rank=6):
    """Return the outputs int16 (T, R) of a linear model for every stream."""
    parts = [_targets(s, offsets) for s in streams if s.split == "train"]
    history, targets = (np.concatenate(each) for each in zip(*parts, strict=True))
    ridge = 1e-3 * len(history) * np.eye(history.shape[1])
    weights = np.linalg.solve(history.T @ history + ridge, history.T @ targets)
    if min(offsets) <= 0:
        _, _, directions = np.linalg.svd(history @ weights, full_matrices=False)
        weights = weights @ directions[:rank].T @ directions[:rank]
    return [
        np.rint(s.history @ weights * 2.0**-exponent).clip(-32768, 32767).astype(np.int16)
        for s in streams
    ]


def _targets(stream, offsets):
    real, back, ahead = stream.real, max(0, -min(offsets)), max(0, *offsets)
    rows = np.arange(back, len(real) - ahead)
    return stream.history[rows], np.concatenate([real[rows + o] for o in offsets], axis=1)


def sequences(streams, split):
    """Return the frames of one part as what a detector is fitted on, and which they are."""
    chosen = [k for k, s in enumerate(streams) if s.split == split]
    return chosen, [FrameSequence(str(k), streams[k].real, -1, None, split) for k in chosen]
