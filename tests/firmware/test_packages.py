"""Packages: what is in them, how they are written, and what is refused."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from package_builds import (
    KINDS,
    ROOT,
)

from rnn_edge.errors import (
    BundleError,
    DataError,
    EnvironmentFailureError,
    ModelError,
    RnnEdgeError,
)
from rnn_edge.firmware import packages as contents
from rnn_edge.firmware.packages import MANIFEST, PackageSource, package_files
from rnn_edge.pipeline.files import file_digest, tree_digests
from rnn_edge.pipeline.package import PackageRequest, package_bundle


def test_there_are_the_kinds_that_the_docs_name():
    text = (ROOT / "docs" / "packages.md").read_text()
    assert {"arduino", "platformio", "zephyr", "esp-idf", "pico-sdk"} <= set(KINDS)
    for name in KINDS:
        assert f"| `{name}` |" in text


@pytest.mark.parametrize("name", KINDS)
def test_exported_c_is_unchanged(name, packages, packaged_bundle):
    exported = tree_digests(packaged_bundle.exports / "c")
    # Each ecosystem has a build file of its own.
    del exported["CMakeLists.txt"]
    assert tree_digests(packages[name] / KINDS[name].sources) == exported


@pytest.mark.parametrize("name", KINDS)
def test_manifest_names_the_model_and_every_file(name, packages, packaged_bundle):
    facts = json.loads((packages[name] / MANIFEST).read_text())
    assert facts["model_digest"] == packaged_bundle.model().digest()
    assert (facts["kind"], facts["version"], facts["frames"]) == (name, "1.2.3", 9)
    digests = tree_digests(packages[name])
    del digests[MANIFEST]
    assert facts["files"] == digests


@pytest.mark.parametrize("name", KINDS)
def test_licence_and_digest_are_inside_and_nothing_is_left_open(name, packages, packaged_bundle):
    assert (packages[name] / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    readme = (packages[name] / "README.md").read_text()
    assert packaged_bundle.model().digest() in readme
    assert re.search(r"\nNot built with [^.]*\bnot\s+run on a board|Not run on a board\.", readme)
    for path in packages[name].rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not re.search(r"@\w+@", text), path
            assert str(packaged_bundle.path) not in text
            assert max(map(len, text.splitlines())) < 260, path


def test_same_bundle_gives_the_same_bytes(packaged_bundle, packages, tmp_path):
    request = PackageRequest("zephyr", tmp_path / "other", frames=9, version="1.2.3")
    again = package_bundle(packaged_bundle, request).path
    assert tree_digests(again) == tree_digests(packages["zephyr"])


def test_an_unchanged_package_is_replaced_whole(packaged_bundle, tmp_path):
    out = tmp_path / "p"
    package_bundle(packaged_bundle, PackageRequest("zephyr", out))
    package_bundle(packaged_bundle, PackageRequest("arduino", out, frames=3))
    assert not (out / "Kconfig").exists()
    assert json.loads((out / MANIFEST).read_text())["frames"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("change", ["added", "edited", "linked", "foreign", "file"])
def test_a_folder_with_other_files_is_refused_and_left_alone(change, packaged_bundle, tmp_path):
    out = tmp_path / "p"
    if change == "file":
        out.write_text("mine")
    elif change == "foreign":
        out.mkdir()
        (out / "notes.txt").write_text("mine")
    else:
        package_bundle(packaged_bundle, PackageRequest("arduino", out))
        if change == "added":
            (out / "notes.txt").write_text("mine")
        elif change == "linked":
            (out / "notes.txt").symlink_to(tmp_path)
        else:
            (out / "examples" / "selftest" / "selftest.ino").write_text("mine")
    before = tree_digests(out) if out.is_dir() else file_digest(out)
    with pytest.raises(BundleError, match=r"selftest\.ino|notes\.txt|a file of this name"):
        package_bundle(packaged_bundle, PackageRequest("arduino", out))
    assert (tree_digests(out) if out.is_dir() else file_digest(out)) == before
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_failed_write_leaves_the_earlier_package(packaged_bundle, tmp_path, monkeypatch):
    out = tmp_path / "p"
    package_bundle(packaged_bundle, PackageRequest("arduino", out))
    before = tree_digests(out)
    original = Path.write_bytes

    def full(path, content):
        if path.name == MANIFEST:
            raise OSError(28, "No space left on device", str(path))
        return original(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EnvironmentFailureError, match="No space left"):
        package_bundle(packaged_bundle, PackageRequest("zephyr", out))
    assert tree_digests(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("refusal", [OSError(13, "Permission denied"), KeyboardInterrupt()])
def test_an_exchange_that_ends_half_way_is_undone(refusal, packaged_bundle, tmp_path, monkeypatch):
    out = tmp_path / "p"
    package_bundle(packaged_bundle, PackageRequest("arduino", out))
    before = tree_digests(out)
    original = Path.replace

    def stopped(path, target):
        if path.name == "new":
            raise refusal
        return original(path, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises((EnvironmentFailureError, KeyboardInterrupt)):
        package_bundle(packaged_bundle, PackageRequest("zephyr", out))
    assert tree_digests(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_an_unknown_kind_lists_the_known_ones(packaged_bundle, tmp_path):
    with pytest.raises(RnnEdgeError, match="'mbed'; known are arduino, esp-idf, linux, pico-sdk"):
        package_bundle(packaged_bundle, PackageRequest("mbed", tmp_path / "p"))


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "01.0.0", "1.0.0-rc1", "1" * 20 + ".0.0", ""])
def test_a_version_that_is_none_is_refused(version, packaged_bundle, tmp_path):
    with pytest.raises(RnnEdgeError, match="expected three numbers such as"):
        package_bundle(packaged_bundle, PackageRequest("arduino", tmp_path / "p", version=version))
    assert not (tmp_path / "p").exists()


def test_a_name_that_is_a_header_of_the_ecosystem_is_refused(packaged_bundle):
    model = replace(packaged_bundle.model(), name="Arduino")
    zeros = np.zeros((1, 6), np.int16)
    source = PackageSource(model, {}, {}, zeros, zeros, "stream", "0.1.0")
    with pytest.raises(ModelError, match=r"arduino\.h is a header there"):
        package_files(KINDS["arduino"], source)
    assert package_files(KINDS["zephyr"], source)


def test_a_placeholder_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(EnvironmentFailureError, match="placeholders nam; expected of name, upper"):
        contents.filled(b"a @nam@ and @name@", {"name": "x", "upper": "X"}, tmp_path)


def test_a_bundle_without_c_is_refused(packaged_bundle, tmp_path):
    shutil.copytree(packaged_bundle.path, tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    kept = {k: v for k, v in manifest["files"].items() if not k.endswith("rnn_edge_reset.h")}
    older = type(packaged_bundle)(tmp_path / "bundle", {**manifest, "files": kept})
    with pytest.raises(BundleError, match="exported by a version before reset policies"):
        package_bundle(older, PackageRequest("arduino", tmp_path / "p"))
    kept = {k: v for k, v in kept.items() if not k.startswith("exports/")}
    unfinished = type(packaged_bundle)(tmp_path / "bundle", {**manifest, "files": kept})
    with pytest.raises(BundleError, match=r"has no exports/c/tiny\.h"):
        package_bundle(unfinished, PackageRequest("arduino", tmp_path / "p"))


def test_frames_of_other_recordings(packaged_bundle, tmp_path):
    request = PackageRequest("arduino", tmp_path / "p", data=tmp_path / "nowhere")
    with pytest.raises((DataError, RnnEdgeError)):
        package_bundle(packaged_bundle, request)
    assert not (tmp_path / "p").exists()
