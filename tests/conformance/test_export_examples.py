"""The examples of docs/exports.md, run as they stand, give what the references give."""

import re
from pathlib import Path

import numpy as np
import pytest
from conformance_cases import (
    FLOAT_TOLERANCE,
    export_source,
    float_trace,
    frames_of,
    integer_trace,
    real_units,
)

from rnn_edge.exporters.base import all_exporters

DOCUMENT = Path(__file__).parents[2] / "docs" / "exports.md"
CASE = "gru-lstm"


def run_example(package, exporter, folder, monkeypatch, case=CASE):
    pytest.importorskip(package)
    (file,) = all_exporters()[exporter].export(export_source(case), folder).files
    (example,) = (
        code
        for code in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
        if f'"{file}"' in code
    )
    assert package in example
    np.save(folder / "frames.npy", real_units(frames_of(case, "random")))
    monkeypatch.chdir(folder)
    scope = {}
    exec(compile(example, str(DOCUMENT), "exec"), scope)
    return np.stack(scope["outputs"])


def test_litert_example(tmp_path, monkeypatch):
    pytest.importorskip("ai_edge_litert")
    outputs = run_example("ai_edge_litert", "tflite", tmp_path, monkeypatch)
    np.testing.assert_array_equal(outputs, integer_trace(CASE, "random").outputs[0])


def test_stateful_example(tmp_path, monkeypatch):
    outputs = run_example("ai_edge_litert", "tflite-stateful", tmp_path, monkeypatch)
    np.testing.assert_array_equal(outputs, integer_trace(CASE, "random").outputs[0])


def test_fused_example(tmp_path, monkeypatch):
    outputs = run_example("ai_edge_litert", "tflite-w8a8", tmp_path, monkeypatch, "lstm")
    expected = float_trace("lstm", "random").outputs[0]
    rms = np.sqrt(np.mean((outputs - expected) ** 2))
    assert 0 < rms < 0.03 * np.sqrt(np.mean(expected**2))


def test_onnx_example(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    outputs = run_example("onnxruntime", "onnx", tmp_path, monkeypatch)
    expected = float_trace(CASE, "random").outputs[0]
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=FLOAT_TOLERANCE)


def test_integer_onnx_example(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    outputs = run_example("onnxruntime", "onnx-int8", tmp_path, monkeypatch)
    np.testing.assert_array_equal(outputs, integer_trace(CASE, "random").outputs[0])


def test_example_of_layers_and_head_apart(tmp_path, monkeypatch):
    pytest.importorskip("ai_edge_litert")
    all_exporters()["tflite-parts"].export(export_source(CASE), tmp_path)
    (example,) = (
        code
        for code in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
        if '"model_layers.tflite"' in code
    )
    np.save(tmp_path / "frames.npy", real_units(frames_of(CASE, "random")))
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(compile(example, str(DOCUMENT), "exec"), scope)
    np.testing.assert_array_equal(scope["y"], integer_trace(CASE, "random").outputs[0, -1])


def test_the_tables_name_the_files_that_exporters_write():
    text = DOCUMENT.read_text()
    for name, exporter in all_exporters().items():
        assert f"| `{name}` |" in text, exporter.summary
