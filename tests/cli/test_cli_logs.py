"""Options about logs are refused where they would do nothing."""

import pytest


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("{}\n")
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--stream", "kws_stream"], "--stream: a log is replayed as it is"),
        (["--no-reset"], "--reset and --no-reset: a log is replayed as it is"),
        (["--drop", "user"], "--drop and --hash need a place"),
        (["--clean", "out.jsonl"], "--clean: name what to take out"),
        (["--clean", "o", "--drop", "u", "--hash-key-file", "k"], "is about --hash"),
        (["--clean", "o", "--drop", "user", "--steps", "5"], "leave --steps out"),
        (["--clean", "k", "--hash", "u", "--hash-key-file", "k"], "write over the key"),
        (["--debounce", "4/3"], "expected K/N with K from 1 to N"),
        (["--debounce", "three"], "expected K/N"),
        (["--window", "1"], "expected a whole number from 2 to 1000000"),
        (["--on-bad-line", "ignore"], "'ignore' is not one of"),
    ],
)
def test_wrong_command_lines_are_refused(rnn_edge, log, options, message):
    result = rnn_edge("replay", "out/none", "--data", log, *options)
    assert result.code == 2
    assert message in " ".join(result.err.split())


@pytest.mark.parametrize(
    "options",
    [
        ["--window", "100"],
        ["--debounce", "3/5"],
        ["--on-bad-line", "skip"],
        ["--fail-on-input-drift"],
        ["--clean", "out.jsonl"],
        ["--drop", "user"],
        ["--hash", "user"],
        ["--hash-key-file", "key"],
    ],
)
def test_options_about_logs_need_one(rnn_edge, tmp_path, options):
    for data in ([], ["--data", tmp_path]):
        result = rnn_edge("replay", "out/none", *data, *options)
        assert result.code == 2
        assert f"{options[0]} is about logs; name one with --data." in result.err


def test_a_log_that_is_not_there_is_told(rnn_edge, tmp_path):
    result = rnn_edge("replay", "out/none", "--data", tmp_path / "x.jsonl", "--window", "9")
    assert result.code == 1
    assert "Bundle out/none does not exist" in result.err
