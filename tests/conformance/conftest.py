"""Opens engines; a new engine or exporter is tested the moment it exists."""

from pathlib import Path

import pytest
from conformance_cases import models_of

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters.base import all_exporters

# They start a process each time, and the first time they install packages from the network.
IN_WORKERS = ("tflite-runtime", "tflm", "tflite-runtime-stateful", "tflm-stateful")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        is_here = Path(__file__).parent in item.path.parents
        if (
            is_here
            and hasattr(item, "callspec")
            and item.callspec.params.get("engine") in IN_WORKERS
        ):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def open_engine(tmp_path_factory):
    """Return a function that opens an engine of a case, or skips where a package is missing."""
    folders, exported = {}, set()

    def open_one(engine, case):
        kind = all_engines()[engine]
        models = models_of(case)
        if case not in folders:
            folders[case] = tmp_path_factory.mktemp("exports")
        folder = folders[case]
        try:
            if kind.exporter and (case, kind.exporter) not in exported:
                all_exporters()[kind.exporter].export(models, folder)
                exported.add((case, kind.exporter))
            return kind.open(
                EngineSource(models.float_model, models.model, folder, folder / "work")
            )
        except MissingDependencyError as error:
            pytest.skip(str(error))

    return open_one
