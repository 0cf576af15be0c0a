"""Public sets of sensor recordings as machines: what is known to be normal, and what is scored.

Each set is a folder or a tar archive in the layout of its publisher. Nothing of the scored part is
used for training, normalising or thresholds, its labels least of all.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from rnn_edge.data.tree import FileTree, open_tree
from rnn_edge.types import Array

NAB_PROBATION = 0.15
"""Share of a series that the benchmark's own scoring leaves out for learning."""
SKAB_NORMAL = 400
"""Rows that the leaderboard's programs fit on; they score all rows after them."""
FAN_NORMAL = 1200
"""Of the 2,000 samples of each speed in the normal configuration."""
FAN_NORMAL_CONFIG, FAN_FAULT_CONFIG = 3, 2
ECG_NORMAL = 0.2


@dataclass(frozen=True, eq=False)
class Machine:
    """One recording.

    Attributes:
        name: Within the set.
        normal: float64 (N, D) pieces that are known to be normal.
        test: float64 (M, D), what is scored.
        anomalous: bool (M,).
    """

    name: str
    normal: tuple[Array, ...]
    test: Array
    anomalous: Array


@dataclass(frozen=True)
class PublicSet:
    """A set and how it is used here.

    Attributes:
        title: In the table.
        spec: Of the model, in the folder of models.
        archive: Its usual name.
        is_commissioned: Whether every recording is of a machine of its own, whose normaliser and
            threshold come from its own normal part.
        machines: Reads them.
        words: What is normal, and what is scored.
    """

    title: str
    spec: str
    archive: str
    is_commissioned: bool
    machines: Callable[[FileTree], Iterator[Machine]]
    words: str


def read_machines(chosen: PublicSet, place: Path) -> list[Machine]:
    """Return the machines of a set, in the order of their names."""
    return sorted(chosen.machines(open_tree(place)), key=lambda machine: machine.name)


def _skab(tree: FileTree) -> Iterator[Machine]:
    for name, rows in _tables(tree, "*.csv", ";"):
        if "anomaly" not in rows[0]:
            continue
        values = _columns(rows, [n for n in rows[0] if n not in ("datetime", *_SKAB_LABELS)])
        labels = _columns(rows, ["anomaly"])[:, 0] > 0
        head, rest = values[:SKAB_NORMAL], values[SKAB_NORMAL:]
        yield Machine(name, (head,), rest, labels[SKAB_NORMAL:])


_SKAB_LABELS = ("anomaly", "changepoint")


def _nab(tree: FileTree) -> Iterator[Machine]:
    windows = json.loads(_only(tree, "combined_windows.json"))
    for name, rows in _tables(tree, "*.csv", ","):
        key = next((k for k in windows if name.endswith(k)), None)
        if key is None:
            continue
        values = _columns(rows, ["value"])
        times = np.array([np.datetime64(row["timestamp"]) for row in rows])
        labels = np.zeros(len(values), bool)
        for start, end in windows[key]:
            labels |= (times >= np.datetime64(start)) & (times <= np.datetime64(end))
        count = int(NAB_PROBATION * len(values))
        yield Machine(key, (values[:count],), values[count:], labels[count:])


def _telemetry(tree: FileTree) -> Iterator[Machine]:
    content = _only(tree, "labeled_anomalies.csv").decode()
    segments: dict[str, set[tuple[int, int]]] = {}
    for row in csv.DictReader(io.StringIO(content)):
        found = {(int(a), int(b)) for a, b in json.loads(row["anomaly_sequences"])}
        segments.setdefault(row["chan_id"], set()).update(found)
    arrays = {
        name: np.load(io.BytesIO(data), allow_pickle=False)
        for name, data in tree.read([n for n in tree.names if n.endswith(".npy")])
    }
    for name, test in arrays.items():
        path = PurePosixPath(name)
        if path.parent.name != "test" or path.stem not in segments:
            continue
        train = arrays[str(path.parent.parent / "train" / path.name)]
        labels = np.zeros(len(test), bool)
        for start, end in segments[path.stem]:
            labels[start:end] = True
        telemetry = [np.asarray(part[:, :1], np.float64) for part in (train, test)]
        yield Machine(path.stem, (telemetry[0],), telemetry[1], labels)


def _fan(tree: FileTree) -> Iterator[Machine]:
    for _, rows in _tables(tree, "*.csv", ","):
        values = _columns(rows, ["x", "y", "z"])
        config, speed = _columns(rows, ["wconfid", "pctid"]).T
        for each in np.unique(speed):
            normal, fault = (
                values[(speed == each) & (config == c)]
                for c in (FAN_NORMAL_CONFIG, FAN_FAULT_CONFIG)
            )
            head, rest = normal[:FAN_NORMAL], normal[FAN_NORMAL:]
            labels = np.arange(len(rest) + len(fault)) >= len(rest)
            yield Machine(f"speed {each:g}", (head,), np.concatenate([rest, fault]), labels)


def _ecg(tree: FileTree) -> Iterator[Machine]:
    for name, rows in _tables(tree, "*.csv", ","):
        both = _columns(rows, ["value", "label"])
        values, labels = both[:, :1], both[:, 1] > 0
        count = int(ECG_NORMAL * len(values))
        edges = np.flatnonzero(np.diff(labels[:count].astype(np.int8), prepend=1, append=1))
        pieces = tuple(
            values[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 256
        )
        yield Machine(name, pieces, values[count:], labels[count:])


SETS = {
    "skab-gru": PublicSet(
        "SKAB, GRU", "anomaly_skab_gru", "anomaly-skab.tar.xz", True, _skab,
        "the first 400 rows of each experiment; all rows after them, as the leaderboard does",
    ),
    "skab-lstm": PublicSet(
        "SKAB, LSTM", "anomaly_skab_lstm", "anomaly-skab.tar.xz", True, _skab,
        "as above",
    ),
    "smap-msl": PublicSet(
        "SMAP/MSL", "anomaly_telemetry", "anomaly-smap-msl.tar.xz", True, _telemetry,
        "the training file of each channel, column 0 alone; its test file",
    ),
    "nab": PublicSet(
        "NAB", "anomaly_series", "anomaly-nab.tar.xz", True, _nab,
        "the first 15 % of each series (probation); the rest, windows of combined_windows.json",
    ),
    "fan": PublicSet(
        "fan", "anomaly_fan", "anomaly-fan.tar.xz", False, _fan,
        "the first 1,200 samples of each speed, balanced; the other 800, and 2,000 unbalanced",
    ),
    "ecg": PublicSet(
        "ECG", "anomaly_ecg", "anomaly-ecg.tar.xz", False, _ecg,
        "the normal beats of the first 20 % of each record; the other 80 %",
    ),
}  # fmt: skip


def write_normal(machines: list[Machine], channels: tuple[str, ...], folder: Path) -> None:
    """Write the normal parts as tables that a spec reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for machine in machines:
        stem = machine.name.removesuffix(".csv").replace("/", "_").replace(" ", "_")
        for k, piece in enumerate(machine.normal):
            columns = {name: piece[:, d] for d, name in enumerate(channels)}
            np.savez(folder / f"{stem}-{k:03d}.npz", **columns)


def _tables(
    tree: FileTree, ending: str, delimiter: str
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    names = [name for name in tree.names if name.endswith(ending.removeprefix("*"))]
    for name, content in tree.read(names):
        if name.endswith("labeled_anomalies.csv"):
            continue
        yield name, list(csv.DictReader(io.StringIO(content.decode()), delimiter=delimiter))


def _columns(rows: list[dict[str, str]], names: list[str]) -> Array:
    return np.array([[float(row[name]) for name in names] for row in rows])


def _only(tree: FileTree, name: str) -> bytes:
    (path,) = [each for each in tree.names if each.endswith(name)]
    return next(content for _, content in tree.read([path]))
