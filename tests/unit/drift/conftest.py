import signal

import pytest


@pytest.fixture
def interruptible():
    """Take SIGINT as a terminal's process does: what runs the tests may have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
