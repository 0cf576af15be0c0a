"""An interrupt within the sums of a chunk comes behind them, and to whom it would have come."""

import signal

import pytest

from rnn_edge.drift.interruption import undivided


@pytest.fixture(autouse=True)
def handler():
    """Set the handler of interrupts for a test; what runs the tests may pass them over."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda chosen: signal.signal(signal.SIGINT, chosen)
    signal.signal(signal.SIGINT, before)


def interrupted(done):
    with undivided():
        signal.raise_signal(signal.SIGINT)
        done.append("sums")
    done.append("behind")


def test_the_block_is_done_before_the_interrupt_comes():
    done = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(done)
    assert done == ["sums"]


def test_whoever_had_interrupts_gets_this_one(handler):
    seen = []
    handler(lambda number, frame: seen.append(number))
    done = []
    interrupted(done)
    assert (done, seen) == (["sums", "behind"], [signal.SIGINT])


def test_a_process_that_passes_interrupts_over_goes_on(handler):
    """A shell starts a command in the background that way: Ctrl-C is meant for another one."""
    handler(signal.SIG_IGN)
    done = []
    interrupted(done)
    assert done == ["sums", "behind"]


def test_a_block_within_a_block_does_not_end_the_outer_one():
    done = []
    with pytest.raises(KeyboardInterrupt), undivided():
        interrupted(done)
    assert done == ["sums", "behind"]
