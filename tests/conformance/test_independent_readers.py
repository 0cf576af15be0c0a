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
    """The files of every format and case, or skip where the schema is missing."""
    found = {}
    for name, case in MODELS:
        folder = tmp_path_factory.mktemp("exported")
        try:
            artifact = all_exporters()[name].export(export_source(case), folder)
        except MissingDependencyError as error:
            pytest.skip(str(error))
        found[name, case] = [folder / file for file in artifact.files]
    return found


@pytest.fixture(scope="module")
def parsed(files):
    """What Netron's parser says of every file."""
    netron = find_spec("netron")
    node = shutil.which("node")
    if netron is None or node is None:
        pytest.skip("Netron's parser needs the package netron (extra dev) and node")
    paths = [path for listed in files.values() for path in listed]
    command = [node, str(READER), str(Path(netron.origin).parent), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said = dict(zip(paths, json.loads(done.stdout), strict=True))
    return {key: [said[path] for path in listed] for key, listed in files.items()}


def interface(name, case):
    """What goes in and out by name."""
    shape = CASES[case]
    states = [f"{s}{k}" for k, kind in enumerate(shape.kinds) for s in "hc"[: 1 + (kind == "lstm")]]
    label = ["label"] if shape.head == "argmax" else []
    if name in OWN_STATE:
        return ["x"], ["y", *label]
    return ["x", *(f"{s}_in" for s in states)], ["y", *(f"{s}_out" for s in states), *label]


def whole(name):
    """Whether a format is one file with the model's own interface."""
    return name in ("tflite", "tflite-float", *OWN_STATE)


@pytest.mark.parametrize(("name", "case"), MODELS)
def test_the_analyzer_of_litert_takes_the_file(files, name, case):
    wrapper = pytest.importorskip("ai_edge_litert._pywrap_analyzer_wrapper")
    for path in files[name, case]:
        said = wrapper.ModelAnalyzer(str(path), True, False)
        assert "not a valid Flatbuffer" not in said
        signature = said.split("Signature#0 key: 'serving_default'")[1].split("Signature#")[0]
        entering, leaving = signature.split("- Outputs:")
        names = [set(re.findall(r"'(\w+)' :", part)) for part in (entering, leaving)]
        assert all(names)
        if whole(name):
            assert names == [set(part) for part in interface(name, case)]


def test_the_analyzer_refuses_half_a_file(files, tmp_path):
    wrapper = pytest.importorskip("ai_edge_litert._pywrap_analyzer_wrapper")
    content = next(iter(files.values()))[0].read_bytes()
    (tmp_path / "half.tflite").write_bytes(content[: len(content) // 2])
    said = wrapper.ModelAnalyzer(str(tmp_path / "half.tflite"), True, False)
    assert "not a valid Flatbuffer" in said


@pytest.mark.parametrize(("name", "case"), MODELS)
def test_netron_shows_names_operators_and_metadata(parsed, name, case):
    for found in parsed[name, case]:
        assert found["format"] == "TensorFlow Lite v3"
        assert found["metadata"] == ["rnn_edge"]
        main = found["graphs"][0]
        types = {node["type"] for node in main["nodes"]}
        assert types
        assert not any(kind.isdigit() or kind == "Custom" for kind in types)
        assert ("UnidirectionalSequenceLSTM" in types) == (name == "tflite-w8a8")
        assert ("AssignVariable" in types) == (name == "tflite-stateful")
        if whole(name):
            inputs, outputs = interface(name, case)
            assert (set(main["inputs"]), set(main["outputs"])) == (set(inputs), set(outputs))


def test_netron_shows_the_subgraphs_of_a_stateful_file(parsed):
    (found,) = parsed["tflite-stateful", "gru-lstm"]
    graphs = {g["name"]: g for g in found["graphs"]}
    assert list(graphs) == ["main", "reset", "get_state", "set_state"]
    assert graphs["reset"]["inputs"] == graphs["reset"]["outputs"] == []
    assert graphs["get_state"]["outputs"] == ["h0_out", "h1_out", "c1_out"]
    assert graphs["set_state"]["inputs"] == ["h0_in", "h1_in", "c1_in"]
    for graph in graphs.values():
        assert any(node["type"] == "VarHandle" for node in graph["nodes"])
