"""Readers that are not ours take every TFLite file: the analyzer of LiteRT, and Netron's parser."""

import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from conformance_cases import CASES, export_source

from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters.base import all_exporters

READER = Path(__file__).parents[1] / "support" / "netron_reader.mjs"
FORMATS = [name for name in all_exporters() if name.startswith("tflite")]
MODELS = [
    (name, case)
    for name in FORMATS
    for case in ("lstm-lstm", "gru-lstm", "argmax")
    if not all_exporters()[name].cells or set(CASES[case].kinds) <= set(all_exporters()[name].cells)
]
OWN_STATE = ("tflite-stateful", "tflite-w8a8")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Every file by format and case, or skip where the schema is missing."""
    found = {}
    for name, case in MODELS:
        folder = tmp_path_factory.mktemp("exported")
        try:
            (file,) = all_exporters()[name].export(export_source(case), folder).files
        except MissingDependencyError as error:
            pytest.skip(str(error))
        found[name, case] = folder / file
    return found


@pytest.fixture(scope="module")
def parsed(files):
    """What Netron's parser says of every file."""
    netron = find_spec("netron")
    node = shutil.which("node")
    if netron is None or node is None:
        pytest.skip("Netron's parser needs the package netron (extra dev) and node")
    command = [node, str(READER), str(Path(netron.origin).parent), *map(str, files.values())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(files, json.loads(done.stdout), strict=True))


def interface(name, case):
    """What goes in and out by name."""
    shape = CASES[case]
    states = [f"{s}{k}" for k, kind in enumerate(shape.kinds) for s in "hc"[: 1 + (kind == "lstm")]]
    label = ["label"] if shape.head == "argmax" else []
    if name in OWN_STATE:
        return ["x"], ["y", *label]
    return ["x", *(f"{s}_in" for s in states)], ["y", *(f"{s}_out" for s in states), *label]


@pytest.mark.parametrize(("name", "case"), MODELS)
def test_the_analyzer_of_litert_takes_the_file(files, name, case):
    wrapper = pytest.importorskip("ai_edge_litert._pywrap_analyzer_wrapper")
    said = wrapper.ModelAnalyzer(str(files[name, case]), True, False)
    assert "not a valid Flatbuffer" not in said
    inputs, outputs = interface(name, case)
    signature = said.split("Signature#0 key: 'serving_default'")[1].split("Signature#")[0]
    entering, leaving = signature.split("- Outputs:")
    assert set(re.findall(r"'(\w+)' :", entering)) == set(inputs)
    assert set(re.findall(r"'(\w+)' :", leaving)) == set(outputs)


def test_the_analyzer_refuses_half_a_file(files, tmp_path):
    wrapper = pytest.importorskip("ai_edge_litert._pywrap_analyzer_wrapper")
    content = next(iter(files.values())).read_bytes()
    (tmp_path / "half.tflite").write_bytes(content[: len(content) // 2])
    said = wrapper.ModelAnalyzer(str(tmp_path / "half.tflite"), True, False)
    assert "not a valid Flatbuffer" in said


@pytest.mark.parametrize(("name", "case"), MODELS)
def test_netron_shows_names_operators_and_metadata(parsed, name, case):
    found = parsed[name, case]
    assert found["format"] == "TensorFlow Lite v3"
    assert found["metadata"] == ["rnn_edge"]
    main = found["graphs"][0]
    inputs, outputs = interface(name, case)
    assert (set(main["inputs"]), set(main["outputs"])) == (set(inputs), set(outputs))
    types = {node["type"] for node in main["nodes"]}
    assert not any(kind.isdigit() or kind == "Custom" for kind in types)
    assert "FullyConnected" in types
    assert ("UnidirectionalSequenceLSTM" in types) == (name == "tflite-w8a8")
    assert ("AssignVariable" in types) == (name == "tflite-stateful")


def test_netron_shows_the_subgraphs_of_a_stateful_file(parsed):
    graphs = {g["name"]: g for g in parsed["tflite-stateful", "gru-lstm"]["graphs"]}
    assert list(graphs) == ["main", "reset", "get_state", "set_state"]
    assert graphs["reset"]["inputs"] == graphs["reset"]["outputs"] == []
    assert graphs["get_state"]["outputs"] == ["h0_out", "h1_out", "c1_out"]
    assert graphs["set_state"]["inputs"] == ["h0_in", "h1_in", "c1_in"]
    for graph in graphs.values():
        assert any(node["type"] == "VarHandle" for node in graph["nodes"])
