"""Metadata of packages, by the rules of their ecosystems."""

import json
import re

import yaml

from rnn_edge.pipeline.files import tree_digests


def test_arduino_properties(packages):
    lines = (packages["arduino"] / "library.properties").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines)
    assert len(values) == len(lines)
    # Source: Arduino library specification, "Library metadata".
    needed = "name version author maintainer sentence paragraph category url architectures"
    assert set(needed.split()) <= set(values)
    assert all(values.values())
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.\-]{0,62}", values["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", values["version"])
    assert values["category"] == "Data Processing"
    assert "avr" not in values["architectures"].split(",")
    assert values["includes"] == "tiny.h"
    assert (packages["arduino"] / "src" / values["includes"]).is_file()
    sketches = list((packages["arduino"] / "examples").rglob("*.ino"))
    assert [path.stem for path in sketches] == [path.parent.name for path in sketches]


def test_platformio_library(packages):
    values = json.loads((packages["platformio"] / "library.json").read_text())
    # Source: PlatformIO documentation, "library.json".
    allowed = "name version description keywords homepage repository authors license frameworks"
    allowed += " platforms headers examples dependencies export scripts build"
    assert set(values) <= set(allowed.split())
    assert {"name", "version"} <= set(values)
    assert not re.search(r"[:;/,@<>]", values["name"])
    assert len(values["name"]) <= 50
    assert len(values["version"]) <= 20
    assert len(values["description"]) <= 255
    assert set(values["build"]) <= {"srcDir", "includeDir", "flags", "srcFilter"}
    assert (packages["platformio"] / values["build"]["srcDir"] / values["headers"]).is_file()
    example = values["examples"][0]
    folder = packages["platformio"] / example["base"]
    assert set(tree_digests(folder)) == set(example["files"])
    settings = (folder / "platformio.ini").read_text()
    place = re.search(r"tiny=symlink://(\S+)", settings)[1]
    assert (folder / place / "library.json").is_file()


def test_zephyr_module(packages):
    folder = packages["zephyr"]
    module = yaml.safe_load((folder / "zephyr" / "module.yml").read_text())
    assert module["name"] == "rnn_edge_tiny"
    assert (folder / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    kconfig = (folder / module["build"]["kconfig"]).read_text()
    symbols = {f"CONFIG_{name}" for name in re.findall(r"^config (\w+)$", kconfig, re.M)}
    assert symbols == {"CONFIG_RNN_EDGE_TINY"}
    (samples,) = module["samples"]
    sample = folder / samples / "selftest"
    assert "CONFIG_RNN_EDGE_TINY=y\n" in (sample / "prj.conf").read_text()
    assert "if(CONFIG_RNN_EDGE_TINY)" in (folder / "CMakeLists.txt").read_text()
    described = yaml.safe_load((sample / "sample.yaml").read_text())
    (test,) = described["tests"].values()
    (expected,) = test["harness_config"]["regex"]
    assert re.match(expected, "OK: tiny, 9 frames")


def test_esp_idf_component(packages, packaged_bundle):
    values = yaml.safe_load((packages["esp-idf"] / "idf_component.yml").read_text())
    assert set(values) == {"version", "description", "license", "dependencies"}
    assert values["version"] == "1.2.3"
    assert values["license"] == "Apache-2.0"
    assert set(values["dependencies"]) == {"idf"}
    assert packaged_bundle.model().digest() in values["description"]
