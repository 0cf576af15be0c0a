"""Tests that run against a device: ``pytest tests/hardware --device NAME [--port PORT]``.

The board has to run the firmware of the tests' own bundle; ``--flash`` puts it there first. Without
--device they are skipped.
"""

import pytest
from device_bundles import device_bundle

from rnn_edge.engines.board import Place
from rnn_edge.pipeline.flash import FlashRequest, flash_bundle
from rnn_edge.spec import find_device


def pytest_addoption(parser):
    group = parser.getgroup("hardware", "a device to test")
    group.addoption("--device", help="a name of devices/")
    group.addoption("--port", help="where the board is")
    group.addoption("--simulate", action="store_true", help="simulate the board")
    group.addoption("--runner", help="what flashes it")


@pytest.fixture(scope="session")
def place(request):
    """The device that the command line names; tests are skipped without one."""
    name = request.config.getoption("--device", None)
    if name is None:
        pytest.skip("no device is named: pytest tests/hardware --device NAME [--port PORT]")
    found = Place(
        find_device(name),
        request.config.getoption("--port"),
        request.config.getoption("--simulate"),
    )
    found.require()
    return found


@pytest.fixture(scope="session")
def tested_bundle(tmp_path_factory):
    """The bundle that the device is given."""
    return device_bundle(tmp_path_factory.mktemp("hardware") / "bundle", hidden=12)


@pytest.fixture(scope="session")
def flashed(request, place, tested_bundle):
    """The device, flashed with the bundle and proven once."""
    runner = request.config.getoption("--runner")
    wanted = FlashRequest(place, runner=runner)
    return flash_bundle(tested_bundle, wanted, lambda what, k, n: None, lambda line: None)
