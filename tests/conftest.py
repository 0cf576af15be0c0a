"""What tests of several folders share."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# How long an example takes, and how long it is to make one, the machine decides that is shared.
settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")


@pytest.fixture(scope="session", autouse=True)
def shared_builds(tmp_path_factory):
    """A folder in which all processes of a run keep the bundles that several modules want."""
    base = tmp_path_factory.getbasetemp()
    # The processes of pytest-xdist have folders of their own beside each other.
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = root / "shared-builds"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNN_EDGE_TESTS_SHARED", str(folder))
        yield


@pytest.fixture(scope="session")
def recordings():
    """The folder of real recordings; tests that need them are skipped where it is absent."""
    folder = Path(os.environ.get("RNN_EDGE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set RNN_EDGE_DATA to their folder")
    return folder
