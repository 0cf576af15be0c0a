"""What a counter says of the frames that are not there."""

from rnn_edge.logs import StepBook


def places(*steps):
    book = StepBook()
    found = [book.place(abs(int(step)), is_reset=isinstance(step, float)) for step in steps]
    return found, book.to_json()


def test_every_irregularity_is_counted_once():
    # A float is a frame that says reset.
    found, told = places(5.0, 6, 6, 7, 10, 9, 11, 0.0, 1, 4.0, 4, 20)
    assert found == [
        *("next", "next", "duplicate", "next", "after a gap", "late", "next", "restart", "next"),
        *("after a gap", "duplicate", "after a gap"),
    ]
    assert told == {
        "frames": 9,
        "resets": 3,
        "restarts": 1,
        "duplicates": 2,
        "out_of_order": 1,
        "gaps": {
            "count": 3,
            "missing": 2 + 2 + 15,
            "longest": 15,
            "first": [
                {"after": 7, "missing": 2},
                {"after": 1, "missing": 2},
                {"after": 4, "missing": 15},
            ],
        },
    }


def test_only_the_first_gaps_are_listed():
    _, told = places(*range(0, 100, 2))
    assert told["gaps"]["count"] == 49
    assert len(told["gaps"]["first"]) == 10


def test_a_counter_goes_back_behind_a_broken_line():
    book = StepBook()
    book.place(50, is_reset=True)
    assert book.place(3, is_reset=False) == "late"
    assert book.place(3, is_reset=False, is_broken=True) == "restart"
    assert book.place(4, is_reset=False) == "next"
