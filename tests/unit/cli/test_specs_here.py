"""Which spec a build takes where none is named."""

import pytest

from rnn_edge.cli.specs import spec_here
from rnn_edge.errors import SpecError


def place(folder, *files):
    for name in files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")


def test_nothing_is_found_in_an_empty_folder(tmp_path):
    assert spec_here(tmp_path) is None


def test_a_folders_own_spec_comes_first(tmp_path):
    place(tmp_path, "spec.toml", "bell/spec.toml", "pump/spec.toml")
    assert spec_here(tmp_path) == tmp_path / "spec.toml"


def test_the_only_one_of_its_folders_is_taken_and_bundles_do_not_count(tmp_path):
    place(tmp_path, "bell/spec.toml", "made/spec.toml", "made/manifest.json", "x/other.toml")
    assert spec_here(tmp_path) == tmp_path / "bell" / "spec.toml"


def test_a_bundle_itself_is_not_built_again_by_chance(tmp_path):
    place(tmp_path, "spec.toml", "manifest.json")
    assert spec_here(tmp_path) is None


def test_several_are_named(tmp_path):
    place(tmp_path, "bell/spec.toml", "pump/spec.toml")
    with pytest.raises(SpecError, match=r"2 are here: .*bell/spec\.toml, .*pump/spec\.toml") as why:
        spec_here(tmp_path)
    assert "rnn-edge build demo" in why.value.hint
