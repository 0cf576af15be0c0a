"""Whole builds on real recordings, shorter than the shipped specs; accuracy is not the point."""

import json

import pytest

from rnn_edge.pipeline import build_bundle
from rnn_edge.spec import load_spec

SHORT = {
    "kws": [
        "augment.copies=1",
        "teacher.hidden=32",
        "teacher.layers=1",
        "teacher.steps=60",
        "student.steps=400",
        "student.evaluate_every=400",
        "qat.steps=60",
    ],
    "anomaly": ["teacher.steps=100", "student.steps=200", "qat.steps=60"],
}

pytestmark = pytest.mark.slow


def build(name, data, tmp_path):
    task = name.split("_")[0]
    spec = load_spec(name, [*SHORT[task], f'data.path="{data}"'])
    bundle = build_bundle(spec, tmp_path / name, progress=lambda *_: None)
    return json.loads(bundle.file("report.json").read_text())


def is_exact(report):
    rows = report["parity"]
    return {row["engine"] for row in rows} == {"c", "litert"} and not any(
        row["differing"] for row in rows
    )


def test_keywords(recordings, tmp_path):
    report = build("kws_gru", recordings / "kws-sc.tar", tmp_path)
    assert is_exact(report)
    assert all(row["steps"] >= 10_000 for row in report["parity"])
    assert not report["data"]["is_synthetic"]
    found = {m["name"]: m["metrics"] for m in report["models"]}
    # Guessing gives 1/12.
    assert found["int8"]["reset"]["accuracy"] > 0.5
    assert found["int8"]["unreset"]["accuracy"] > 0.4
    assert found["int8"]["reset"]["clips"] == 764


def test_a_water_circuit(recordings, tmp_path):
    report = build("anomaly_lstm", recordings / "anomaly-skab.tar.xz", tmp_path)
    assert is_exact(report)
    found = {m["name"]: m["metrics"] for m in report["models"]}
    # Labels are anomalous 54 % of the time: a score without information has that precision.
    assert found["int8"]["auc_pr"] > 0.6
    assert len(report["scores"]) >= 23
