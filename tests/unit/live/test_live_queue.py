"""The queue between source and stream: bounded, and honest about what it drops."""

import threading
import time

import numpy as np

from rnn_edge.live.feed import Feed
from rnn_edge.live.queue import SampleQueue
from rnn_edge.live.source import Piece, RecordedSource


def piece(position, count=10):
    return Piece(np.zeros(count, np.int16), position, 0.0)


def test_what_has_no_room_is_dropped_and_counted():
    queue = SampleQueue(25)
    for k in range(5):
        assert queue.offer(piece(10 * k))
    assert queue.dropped == 30
    assert queue.waiting == 20
    assert [queue.take(0.0).position for _ in range(2)] == [0, 10]
    assert queue.take(0.0) is None


def test_whoever_can_wait_waits():
    queue, stop = SampleQueue(10), threading.Event()
    assert queue.put(piece(0), stop)
    done = []
    thread = threading.Thread(target=lambda: done.append(queue.put(piece(10), stop)))
    thread.start()
    time.sleep(0.05)
    assert done == []
    assert queue.take(0.0).position == 0
    thread.join(5.0)
    assert done == [True]
    assert queue.dropped == 0
    stop.set()
    assert not queue.put(piece(20), stop)


def test_one_piece_always_has_room():
    queue = SampleQueue(1)
    assert queue.offer(piece(0, 100))
    assert queue.dropped == 0


class Broken(RecordedSource):
    name = "broken"

    def one_pass(self, skip):
        yield np.zeros(3, np.int16), 0, False
        raise OSError(5, "gone")

    def length(self):
        return 3


class Ticks(RecordedSource):
    """Ten samples a second in pieces of two."""

    def one_pass(self, skip):
        for k in range(0, 10, 2):
            yield np.zeros(2, np.int16), k, False

    def length(self):
        return 10


def test_a_source_that_fails_says_so_behind_what_it_delivered():
    queue = SampleQueue(100)
    feed = Feed(Broken(1.0, is_paced=False, repeat=1), queue)
    feed.start()
    assert queue.take(5.0).position == 0
    assert queue.take(5.0) is None
    assert queue.is_over
    assert isinstance(queue.failure, OSError)
    feed.stop()


def test_a_paced_source_takes_its_time_and_loses_what_nobody_takes():
    queue = SampleQueue(4)
    began = time.monotonic()
    feed = Feed(Ticks(20.0, is_paced=True, repeat=1), queue)
    feed.start()
    while not queue.is_over and time.monotonic() < began + 60.0:
        time.sleep(0.01)
        if queue.dropped:
            break
    assert time.monotonic() - began >= 0.25
    assert queue.dropped
    feed.stop()
    assert queue.waiting == 4
