"""What tests of several folders share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def recordings():
    """The folder of real recordings; tests that need them are skipped where it is absent."""
    folder = Path(os.environ.get("RNN_EDGE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set RNN_EDGE_DATA to their folder")
    return folder
