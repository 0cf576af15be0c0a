"""The package for Linux: its example runs, and its files are those of its manifest."""

import json
import os
import platform
import re
from pathlib import Path

import pytest
from c_models import succeed, tool

from rnn_edge.cli.main import run
from rnn_edge.errors import RnnEdgeError
from rnn_edge.firmware.linux import LIBRARY_TARGETS
from rnn_edge.firmware.packages import MANIFEST
from rnn_edge.pipeline.package import PackageRequest, package_bundle, package_kinds

DOCS = Path(__file__).parents[2] / "docs" / "packages.md"
README_COMMANDS = re.compile(r"```console\n(.*?)```", re.S)


@pytest.fixture(scope="module")
def package(packaged_bundle, tmp_path_factory):
    pytest.importorskip("ziglang", reason="zig is not installed")
    out = tmp_path_factory.mktemp("linux") / "tiny"
    return package_bundle(packaged_bundle, PackageRequest("linux", out, frames=9, version="1.2.3"))


@pytest.mark.slow
def test_a_package_has_a_library_and_a_program_for_every_machine(package):
    files = set(package.facts["files"])
    for target in LIBRARY_TARGETS:
        program = package.path / target.name / "tiny-link"
        assert {f"{target.name}/libtiny.so", f"{target.name}/tiny-link"} <= files
        assert os.access(program, os.X_OK)
        assert not os.access(package.path / target.name / "libtiny.so", os.X_OK)
        header = succeed(tool("readelf"), "-hl", program).decode()
        assert "INTERP" not in header
    assert {"include/tiny.h", "example/main.c", "README.md", "LICENSE"} <= files
    assert package.facts["kind"] == "linux"
    assert package.facts["frames"] == 9
    assert json.loads((package.path / MANIFEST).read_text()) == package.facts


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the example is for x86-64")
def test_the_example_of_the_readme_runs(package):
    readme = (package.path / "README.md").read_text()
    (commands,) = README_COMMANDS.findall(readme)
    tool("cc")
    said = succeed("sh", "-ec", commands, cwd=package.path).decode()
    (package.path / "selftest").unlink()
    assert said == "OK: tiny, 9 frames, every output has the reference's bits\n"
    assert said.strip() in readme


@pytest.mark.slow
def test_the_command_of_the_page_makes_the_same_bytes_again(
    package, packaged_bundle, tmp_path, monkeypatch
):
    (command,) = re.findall(r"`rnn-edge (package [^`]*--for linux[^`]*)`", DOCS.read_text())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pump").symlink_to(packaged_bundle.path.resolve())
    monkeypatch.chdir(tmp_path)
    arguments = command.split()
    assert run([*arguments, "--frames", "9", "--package-version", "1.2.3", "--quiet"]) == 0
    out = tmp_path / arguments[arguments.index("--out") + 1]
    assert json.loads((out / MANIFEST).read_text()) == package.facts


def test_linux_is_among_the_kinds(packaged_bundle, tmp_path):
    assert "linux" in package_kinds()
    with pytest.raises(RnnEdgeError, match=r"'windows'; known are arduino, .*linux"):
        package_bundle(packaged_bundle, PackageRequest("windows", tmp_path / "x"))
