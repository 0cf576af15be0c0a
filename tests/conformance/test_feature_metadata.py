"""Every file says how its frames are made: the description that it was exported with."""

import dataclasses
import json
import re

import pytest
from conformance_cases import export_source

from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters.base import all_exporters
from rnn_edge.exporters.c_features import LINE_WIDTH, feature_lines

FEATURES = {
    "kind": "channels",
    "channels": ["valve */ open", "/* temperature", "Ärger", 'say "x"'],
    "hop_samples": 3,
    "has_deviation": False,
    "sample_rate_hz": 2.5,
    "mean": [k / 7 for k in range(40)],
    "rules": {"input": f"round((feature - mean) / scale); {'a word or two, ' * 20}"},
}
FORMATS = list(all_exporters())


def exported(name, folder, features):
    models = dataclasses.replace(export_source("lstm"), features=features)
    try:
        files = all_exporters()[name].export(models, folder).files
    except MissingDependencyError as error:
        pytest.skip(str(error))
    return folder / files[0]


def read_features(path):
    content = path.read_bytes()
    if path.suffix == ".tflite":
        schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        return json.loads(bytes(model.buffers[model.metadata[0].buffer].data))["features"]
    onnx = pytest.importorskip("onnx")
    found = {p.key: p.value for p in onnx.load_from_string(content).metadata_props}
    return json.loads(found["features"])


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "c"])
def test_the_file_gives_the_description_back(tmp_path, name):
    assert read_features(exported(name, tmp_path, FEATURES)) == FEATURES


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "c"])
def test_a_file_of_unknown_frames_says_null(tmp_path, name):
    assert read_features(exported(name, tmp_path, None)) is None


def test_the_c_header_holds_it_in_its_comment(tmp_path):
    text = exported("c", tmp_path, FEATURES).read_text()
    comment = text[: text.index("#ifndef")]
    assert comment.count("*/") == comment.count("/*") == 1
    assert comment.isascii()
    body = re.sub(r"\n \*\s+", " ", comment)
    for key, value in FEATURES.items():
        if isinstance(value, list):
            expected = f"{key}: {', '.join(map(json.dumps, value))}"
        elif isinstance(value, dict):
            expected = f"{key}.input: {json.dumps(value['input'])}"
        else:
            expected = f"{key}: {json.dumps(value)}"
        assert expected.replace("*/", r"*\/").replace("/*", r"/\u002a") in body
    assert "A frame x comes from" not in exported("c", tmp_path, None).read_text()


def test_lines_are_of_bounded_width_and_items_stay_whole():
    lines = feature_lines(FEATURES)
    assert max(map(len, lines)) <= LINE_WIDTH
    assert len(lines) > len(FEATURES)
    assert json.loads(r'"*\/ /\u002a"') == "*/ /*"
