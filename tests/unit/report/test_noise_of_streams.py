"""Sound that was generated is not called recorded."""

import pytest

from rnn_edge.cli.streaming_summary import streaming_lines
from rnn_edge.report import formatting
from rnn_edge.report.reader import Node
from rnn_edge.report.streaming_sections import material


@pytest.mark.parametrize(
    ("seconds", "line", "cell"),
    [
        (438.0, "7.3 min of noise", formatting.duration(438.0)),
        (0.0, "generated noise (none is recorded)", "none recorded: generated"),
    ],
)
def test_noise_is_recorded_or_generated(seconds, line, cell):
    data = {
        "part": "test",
        "source": "words",
        "noise": None,
        "distinct_seconds": {"noise": seconds, "speech": 528.0},
        "mixtures": {"minutes": 30.0},
    }
    result = {"data": data, "wanted_false_accepts_per_hour": None, "engines": {}}
    told = streaming_lines(result)[0]
    assert told == (
        f"test part of words, made into continuous sound of {line} and 8.8 min of other words that "
        "differ"
    )
    section = material.render(Node(result))
    assert cell in str(section.body)
