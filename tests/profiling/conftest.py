"""What tests of measuring share: the program that measures, and a server to run it on."""

import shutil

import pytest
from c_models import build, export
from ssh_server import start_server, stop_server

from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.link_engine import exported_sources
from rnn_edge.profiling.program import build_for_host


@pytest.fixture(scope="module")
def binary(request, tmp_path_factory):
    """The program that measures the module's `MODEL`, for this host."""
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    folder, model = tmp_path_factory.mktemp("model"), build(request.module.MODEL)
    export(model, folder)
    sources = exported_sources(EngineSource(None, model, folder, folder))
    return build_for_host(model, sources, folder / "work")


@pytest.fixture
def server(tmp_path):
    """A real SSH server that ends with the test."""
    running = start_server(tmp_path)
    yield running
    stop_server(running)
