"""A small model behind the link, compiled for this host under the sanitizers."""

import pytest
from c_models import Recipe, build, export, tool

from rnn_edge.firmware.link import build_link_program

SANITIZERS = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
RECIPE = Recipe(seed=5, kinds=("lstm", "gru"), units=(5, 4), inputs=3, outputs=2, name="linked")


@pytest.fixture(scope="session")
def linked_recipe():
    return RECIPE


@pytest.fixture(scope="session")
def linked_model():
    return build(RECIPE)


@pytest.fixture(scope="session")
def build_linked(tmp_path_factory):
    """Return a function that compiles a model behind the link."""

    def build_one(model, *flags, reset=None):
        folder = tmp_path_factory.mktemp("linked")
        exported = export(model, folder) if reset is None else export(model, folder, reset)
        sources = sorted(exported.iterdir())
        return build_link_program([tool("cc")], model, sources, folder / "work", flags)

    return build_one


@pytest.fixture(scope="session")
def linked_program(build_linked, linked_model):
    """The program with the sizes of a microcontroller."""
    return build_linked(linked_model, *SANITIZERS)
