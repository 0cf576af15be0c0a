"""What files hold reaches a terminal as text, not as orders to it."""

import pytest

from rnn_edge.cli.output import Output, printable, write_error
from rnn_edge.errors import DataError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[2Jgone\x07\x00", "\\x1b[2Jgone\\x07\\x00"),
        ("a\rb\x9b31m", "a\\rb\\x9b31m"),
        ("right \u202e to left", "right \\u202e to left"),
        ("one\nHint: two\tä € 日", "one\nHint: two\tä € 日"),
    ],
)
def test_what_a_terminal_acts_on_is_spelled_out(text, expected):
    assert printable(text) == expected


def test_errors_notes_and_results_are_printable(capsys):
    output = Output(is_json=False, is_quiet=False, is_verbose=False)
    write_error(DataError("no column '\x1b]0;title\x07'", "see\x1b"), is_json=False)
    output.note("line \x1b")
    output.result({}, ["\x1bc"])
    written = capsys.readouterr()
    assert written.err == "Error: no column '\\x1b]0;title\\x07'\nHint: see\\x1b\nline \\x1b\n"
    assert written.out == "\\x1bc\n"
