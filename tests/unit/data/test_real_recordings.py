import tomllib
from pathlib import Path

import numpy as np

from rnn_edge.data.base import load_dataset
from rnn_edge.data.options import SensorTableOptions
from rnn_edge.data.summary import inspect_dataset
from rnn_edge.spec.data import STATEMENTS


def test_speech_commands_pack(real_pack):
    path = real_pack("kws-sc.tar")
    dataset = load_dataset("speech-commands", path)
    summary = inspect_dataset(dataset).audio
    assert len(dataset.classes) == 12
    assert sum(summary.clips[word]["test"] for word in dataset.classes[:10]) == 636
    assert summary.clips["unknown"] == {"train": 1733, "validation": 52, "test": 64}
    assert summary.shared_speakers.count == 0
    assert summary.leaks.count == 0
    assert len(dataset.background) == 18


def test_skab_as_the_shipped_spec_reads_it(real_pack):
    spec = tomllib.loads(
        (Path(__file__).parents[3] / "models" / "anomaly_gru.toml").read_text("utf-8")
    )
    keys = {
        key: value
        for key, value in spec["data"].items()
        if key not in ("kind", "path", *STATEMENTS)
    }
    dataset = load_dataset(
        spec["data"]["kind"], real_pack("anomaly-skab.tar.xz"), SensorTableOptions(**keys)
    )
    summary = inspect_dataset(dataset).sensors
    assert len(dataset.channels) == 8
    assert summary.anomalous_share["train"] == 0.0
    assert summary.anomalous_share["validation"] == 0.0
    assert 0.4 < summary.anomalous_share["test"] < 0.65
    assert summary.leaks.count == 0
    assert all(np.isfinite(r.values).all() for r in dataset.recordings)
    tested = {r.recording_id.split("#")[0] for r in dataset.recordings if r.split == "test"}
    assert len(tested) == 23
    assert not any("anomaly-free" in name for name in tested)
