"""Builds with the fused int8 LSTM: asked for, measured, reported; refused before any training."""

import json

import numpy as np
import pytest
from untrained import SPEC, replace_training

from rnn_edge.engines.base import EngineSource
from rnn_edge.errors import SpecError
from rnn_edge.pipeline import Bundle, ReplayRequest, build_bundle, refuse_differences, replay_bundle
from rnn_edge.pipeline.w8a8 import measure_fused
from rnn_edge.spec import load_spec

ALSO = 'export.also=["tflite-w8a8"]'


@pytest.fixture(autouse=True)
def untrained(monkeypatch):
    replace_training(monkeypatch.setattr)


def spec_of(folder, *overrides):
    (folder / "tiny.toml").write_text(SPEC)
    return load_spec(folder / "tiny.toml", list(overrides))


def build(folder, *overrides, until=None):
    return build_bundle(
        spec_of(folder, *overrides), folder / "out", progress=lambda *_: None, until=until
    )


@pytest.mark.parametrize("cell", ['"gru"', '["lstm", "gru"]'])
def test_a_model_that_is_not_lstm_throughout_is_refused_before_anything_is_made(tmp_path, cell):
    with pytest.raises(SpecError) as caught:
        build(tmp_path, f"model.cell={cell}", ALSO)
    assert caught.value.message == (
        f'Spec tiny: export.also[0] = "tflite-w8a8", model.cell = {cell}; expected lstm in every '
        "layer, which is all that the format holds."
    )
    assert not (tmp_path / "out").exists()


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path):
    expected = r'^Spec tiny: export\.also\[1\] = "w8a8"; expected .* c, onnx.*, tflite-w8a8\.'
    with pytest.raises(SpecError, match=expected):
        build(tmp_path, 'export.also=["tflite", "w8a8"]')
    assert not (tmp_path / "out").exists()


def test_it_is_written_on_request_only_and_says_how_frames_are_made(tmp_path):
    pytest.importorskip("ai_edge_litert")
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    plain = build(tmp_path, until="export")
    files = {path.name for path in plain.exports.iterdir()}
    assert {"model.tflite", "model_stateful.tflite"} <= files
    assert "model_w8a8.tflite" not in files
    asked = build(tmp_path, ALSO, until="export")
    assert {path.name for path in asked.exports.iterdir()} == files | {"model_w8a8.tflite"}
    for name in ("model.tflite", "model_stateful.tflite", "model_w8a8.tflite"):
        model = schema.ModelT.InitFromPackedBuf((asked.exports / name).read_bytes(), 0)
        found = json.loads(bytes(model.buffers[model.metadata[0].buffer].data))["features"]
        assert found["kind"] == "channels"
        assert len(found["mean"]) == len(found["channels"]) == asked.model().inputs
    assert "has_deviation: false" in (asked.exports / "c" / "tiny.h").read_text()


@pytest.mark.slow
def test_the_report_holds_what_the_measurement_gives_again(tmp_path):
    pytest.importorskip("ai_edge_litert")
    bundle = build(tmp_path, ALSO)
    report = json.loads(bundle.file("report.json").read_text())
    fused = report["fused"]
    assert fused["steps"] >= 10_000
    names = [row["name"] for row in fused["drift"]]
    assert names[:2] == ["w8a16", "litert-w8a8"]
    # Random weights, calibrated on 100 steps: the anomalies of the test part are out of its range.
    assert 0 < fused["drift"][0]["hidden_rms"] < fused["drift"][1]["hidden_rms"] < 0.3
    assert fused["keeps_state"]["litert-w8a8"]
    ran = set(fused["keeps_state"]) | {row["engine"] for row in fused["not_run"]}
    assert ran == {"litert-w8a8", "tflm-w8a8"}
    if "tflm-w8a8" in fused["keeps_state"]:
        assert {row["tensor"] for row in fused["disagreement"]} == {"y", "h0", "c0"}
        assert all(row["max_lsb"] > 0 for row in fused["disagreement"])
    assert 'id="w8a8"' in bundle.file("report.html").read_text()

    # A distance is no failure in a replay either.
    request = ReplayRequest(("litert-w8a8", "litert-stateful"), steps=1000)
    matrix = replay_bundle(bundle, request, lambda *_: None)
    refuse_differences(matrix.parity, matrix.agreement)
    assert {row.engine for row in matrix.parity} == {"litert-stateful"}
    assert {row.tolerance for row in matrix.agreement} == {None}
    assert max(row.maximum for row in matrix.agreement) > 1e-3


def test_a_runtime_that_is_not_to_be_had_is_told_and_not_compared(tmp_path, monkeypatch):
    pytest.importorskip("ai_edge_litert")
    from rnn_edge.engines import runtime_state
    from rnn_edge.errors import MissingDependencyError

    def refuse(environment, runtime):
        raise MissingDependencyError(f"no {runtime}")

    monkeypatch.setattr(runtime_state, "start_worker", refuse)
    bundle = Bundle.open(build(tmp_path, ALSO, until="export").path)
    source = EngineSource(bundle.float_model(), bundle.model(), bundle.exports, tmp_path)
    x = np.random.default_rng(0).normal(0, 1, (40, bundle.model().inputs)).astype(np.float32)
    found = measure_fused(source, x)
    if found["not_run"]:
        assert found["not_run"] == [{"engine": "tflm-w8a8", "reason": "no tflm-w8a8"}]
        assert found["disagreement"] == []
