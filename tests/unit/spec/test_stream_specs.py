"""Streams in files of their own: kinds, their keys, and what is said of mistakes."""

import pytest

from rnn_edge.errors import SpecError
from rnn_edge.spec import RecordedStream, load_spec, load_stream
from rnn_edge.spec.load import shipped
from rnn_edge.spec.stream import STREAM_KINDS


@pytest.fixture
def refusal(tmp_path):
    def refuse(text):
        file = tmp_path / "mine.toml"
        file.write_text(f'task = "kws"\n{text}\n')
        with pytest.raises(SpecError) as caught:
            load_stream(str(file), "kws")
        assert str(file) in caught.value.message
        return caught.value.message

    return refuse


def test_a_file_without_a_kind_is_recorded():
    spec = load_stream("kws_stream", "kws")
    assert isinstance(spec, RecordedStream)
    assert (spec.kind, spec.split, spec.steps, spec.seed) == ("recorded", "test", 20_000, 7)
    # Stages of builds that were made before there were kinds are still those of today.
    assert "kind" not in spec.as_inputs(is_short=True)


def test_every_kind_is_shipped():
    found = {load_stream(name, name.split("_")[0]).kind for name in shipped("calibration")}
    assert found == set(STREAM_KINDS)
    assert load_stream("kws_million", "kws").steps == 1_000_000
    assert load_stream("anomaly_million", "anomaly").steps == 1_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('kind = "quiet"', 'kind = "quiet"; expected "recorded", "synthetic", "silence"'),
        ("kind = 3", 'kind = 3; expected "recorded"'),
        ("order = 2", "order = 2; unknown key, known are task, split, steps, seed, kind."),
        (
            'kind = "synthetic"\norders = 2',
            'orders = 2; unknown key, did you mean "order"? Known are task',
        ),
        ('kind = "synthetic"\norder = 9', "order = 9; expected a whole number from 1 to 8."),
        ('kind = "silence"\nstretch = 9', "stretch = 9; unknown key, known are"),
        (
            'kind = "saturation"\npatterns = ["up"]',
            'patterns[0] = "up"; expected "high", "low", "alternating" or "random".',
        ),
        ('kind = "saturation"\npatterns = []', "patterns = []; expected a list of"),
        ('kind = "sines"\nlevels = 4', "levels = 4; unknown key"),
        (
            'kind = "steps"\nshortest_period = 9\nlongest_period = 8',
            "shortest_period = 9 is over longest_period = 8.",
        ),
        (
            'kind = "adversarial"\nwindow = 1',
            "window = 1; expected a whole number from 2 to 5000.",
        ),
        ("steps = 9_999", "steps = 9999; expected a whole number from 10000 to 100000000."),
        ("steps = 100_000_001", "steps = 100000001; expected a whole number from 10000"),
    ],
)
def test_mistakes_are_told_in_the_words_of_every_spec(refusal, text, expected):
    assert expected in refusal(text)


def test_all_mistakes_are_told_at_once(refusal):
    text = refusal('kind = "adversarial"\nwindow = 1\nbetween = -1')
    assert text.splitlines()[0].endswith("has 2 mistakes:")


def test_a_build_refuses_a_stream_that_it_cannot_hold(tmp_path):
    file = tmp_path / "day.toml"
    file.write_text('task = "kws"\nsteps = 10_000_001\n')
    assert load_stream(str(file), "kws").steps == 10_000_001
    with pytest.raises(SpecError, match="10,000,001 frames; expected at most 10,000,000"):
        load_spec("demo", [f"replay.stream={file}"])
