"""An application behind the link, compiled for this host under the sanitizers."""

from pathlib import Path

import pytest
from app_programs import FEW, MODEL
from c_models import export, tool

from rnn_edge.firmware.link import build_link_program
from rnn_edge.types.resets import NEVER

SANITIZERS = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="session")
def build_app(tmp_path_factory):
    """Return a function that compiles an application."""

    def build_one(app, model=MODEL, flags=SANITIZERS, reset=NEVER) -> Path:
        folder = tmp_path_factory.mktemp("app")
        sources = sorted(export(model, folder, reset).iterdir())
        return build_link_program([tool("cc")], model, sources, folder / "work", flags, app)

    return build_one


@pytest.fixture(scope="session")
def app_program(build_app):
    """The program with the sizes of a microcontroller."""
    return build_app(FEW)
