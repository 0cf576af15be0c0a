"""Which bundle a command takes where none is named."""

import pytest

from rnn_edge.cli.bundles import bundle_here, open_bundle
from rnn_edge.errors import BundleError

SPEC = """
[model]
name = "bell"
task = "anomaly"
hidden = 4
[data]
kind = "synthetic-machine"
[features]
kind = "channels"
"""


def place(folder, *files):
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(SPEC if name.endswith("toml") else "{}")


def test_a_folder_that_is_one_is_taken(tmp_path):
    place(tmp_path, "manifest.json", "spec.toml", "out/pump/manifest.json")
    assert bundle_here(tmp_path) == tmp_path


def test_it_is_that_of_the_only_spec(tmp_path):
    place(tmp_path, "d/spec.toml", "out/pump/manifest.json")
    assert bundle_here(tmp_path) == tmp_path / "out" / "bell"


def test_several_specs_do_not_hide_the_only_bundle(tmp_path):
    place(tmp_path, "a/spec.toml", "b/spec.toml", "out/pump/manifest.json")
    assert bundle_here(tmp_path) == tmp_path / "out" / "pump"


def test_of_several_bundles_one_has_to_be_named(tmp_path):
    place(tmp_path, "a/spec.toml", "b/spec.toml", "out/p/manifest.json", "out/q/manifest.json")
    with pytest.raises(BundleError, match=r"2 are here: .*out/p, .*out/q; ") as why:
        bundle_here(tmp_path)
    assert "name it, e.g. " in why.value.hint


def test_where_there_is_none_that_is_said(tmp_path):
    place(tmp_path, "a/spec.toml", "b/spec.toml")
    with pytest.raises(BundleError, match="none is named, and none is in"):
        bundle_here(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": 999}'])
def test_a_manifest_without_its_keys_is_told_apart_from_one_that_cannot_be_read(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match="is none of a bundle: it is no table with the keys"):
        open_bundle(tmp_path)
