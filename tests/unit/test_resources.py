import pytest

from rnn_edge import resources
from rnn_edge.errors import EnvironmentFailureError


@pytest.mark.parametrize("name", resources.FOLDERS)
def test_checkout_has_every_folder(name):
    assert resources.data_folder(name).is_dir()


def test_folders_inside_the_package_come_first(tmp_path, monkeypatch):
    package = tmp_path / "lib" / "rnn_edge"
    monkeypatch.setattr(resources, "_PACKAGE", package)
    (tmp_path / "devices").mkdir()
    assert resources.data_folder("devices") == tmp_path / "devices"
    (package / "_data" / "devices").mkdir(parents=True)
    assert resources.data_folder("devices") == package / "_data" / "devices"


def test_an_installation_without_a_folder_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "lib" / "rnn_edge")
    with pytest.raises(EnvironmentFailureError, match="'models' not found"):
        resources.data_folder("models")


def test_an_unknown_folder_is_our_own_bug():
    with pytest.raises(ValueError, match="'recipes'"):
        resources.data_folder("recipes")
