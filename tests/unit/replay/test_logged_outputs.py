"""What was logged against what the reference gives, counted over chunks."""

import numpy as np

from rnn_edge.replay.logged import LoggedOutputs, Place, add_rows
from rnn_edge.types.replay import ParityRow


def test_differences_are_counted_and_the_first_is_kept():
    logged = LoggedOutputs()
    expected = np.array([32767, -32768, 5], np.int16)
    logged.compare([32767, -32768, 5], expected, Place(3, 5))
    assert logged.is_equal
    logged.compare([-32768, -32768, 4], expected, Place(4, 6))
    logged.compare([32767, -32768, 9], expected, Place(5, 7))
    assert not logged.is_equal
    assert (logged.frames, logged.differing_frames, logged.differing) == (3, 2, 3)
    assert (logged.max_lsb, logged.first) == (65535, Place(4, 6))


def test_decisions_count_and_scores_do_not():
    logged = LoggedOutputs()
    logged.score(0.5)
    logged.score(0.25)
    logged.decide(True, Place(0, 2))
    assert logged.is_equal
    logged.decide(False, Place(1, 3))
    logged.decide(False, Place(2, 4))
    assert not logged.is_equal
    assert logged.to_json() == {
        "frames": 0,
        "differing_frames": 0,
        "differing": 0,
        "max_lsb": 0,
        "first": None,
        "decisions": 3,
        "agreeing": 1,
        "first_disagreement": {"step": 1, "line": 3},
        "scores": 2,
        "max_score": 0.5,
    }


def test_rows_of_chunks_add_up():
    kept = {}
    for first, differing, largest, steps in (
        (None, 0, 0, [7, 8]),
        (1, 3, 9, [20, 30]),
        (0, 1, 2, [40]),
    ):
        row = ParityRow("c", "y", len(steps), differing, largest, first, 1)
        add_rows(kept, [row], steps)
    assert kept == {("c", "y"): ParityRow("c", "y", 5, 4, 9, 30, 1)}
