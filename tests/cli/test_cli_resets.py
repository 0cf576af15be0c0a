"""`rnn-edge resets`: the table, the suggestion, and a policy that is written into a bundle."""

import shutil
from pathlib import Path

import pytest
from untrained import SPEC, replace_training, untrained_bundle

from rnn_edge.pipeline import Bundle, build_bundle
from rnn_edge.spec import load_spec


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return untrained_bundle(tmp_path_factory.mktemp("resets"))


@pytest.fixture
def exported(tmp_path, monkeypatch):
    """A bundle that ends with its exported files."""
    replace_training(monkeypatch.setattr)
    (tmp_path / "tiny.toml").write_text(SPEC)
    return build_bundle(
        load_spec(tmp_path / "tiny.toml"),
        tmp_path / "bundle",
        progress=lambda *_: None,
        until="export",
    )


def test_a_table_and_a_suggestion(rnn_edge, built):
    result = rnn_edge("resets", built.path, "--policy", "every:frames=20", "-q")
    assert result.code == 0, result.err
    head, columns, never, every, last = result.out.splitlines()
    assert head.startswith("tiny on ")
    assert "2 sequences, 240 frames in 1 stream; the spec says never" in head
    assert columns.split()[:2] == ["policy", "drift"]
    assert "unreset F1" in columns
    assert never.split()[0] == "never"
    assert every.split()[0] == "every:frames=20"
    # One stream of 240 frames is reset before the frames 20, 40, ... 220.
    assert f"{1000 * 11 / 240:.2f}" in every
    assert last.startswith("Suggested: ")
    assert result.err == ""


def test_the_same_as_json(rnn_edge, built):
    result = rnn_edge("resets", built.path, "--policy", "decay:shift=3", "--steps", 10, "--json")
    found = result.json
    assert [row["words"] for row in found["rows"]] == ["never", "decay:shift=3"]
    assert found["sequences"] == 1
    assert found["suggested"] in ("never", "decay:shift=3")
    assert "resets" in result.err


def test_a_chosen_policy_is_written(rnn_edge, exported):
    found = rnn_edge("resets", exported.path, "--choose", "every:frames=33", "--json").json
    assert found["chosen"] == {"policy": "every", "frames": 33}
    bundle = Bundle.open(exported.path)
    assert bundle.spec().reset.frames == 33
    assert "rnn_edge_reset_every, 1, 33," in (bundle.exports / "c" / "tiny_data.c").read_text()
    result = rnn_edge("resets", exported.path, "--choose", "never", "-q")
    assert result.out == f"{exported.path}: reset policy never is in spec.toml and in exports/c\n"


@pytest.mark.slow
def test_the_suggested_policy_is_written(rnn_edge, built, tmp_path, monkeypatch):
    replace_training(monkeypatch.setattr)
    copy = Path(shutil.copytree(built.path, tmp_path / "bundle"))
    found = rnn_edge("resets", copy, "--choose", "suggested", "--json").json
    assert Bundle.open(copy).spec().reset.policy == found["chosen"]["policy"]
    words = Bundle.open(copy).spec().reset.resolved("anomaly").words()
    assert words == found["suggested"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--policy", "often"], 1, 'policy = "often"; expected "never", "every", "quiet"'),
        (["--choose", "every"], 1, 'frames is missing; expected with policy = "every"'),
        (["--choose", "quiet:level=-1,frames=2"], 1, "expected from 0 to 100 with model.task"),
        (["--steps", "0"], 2, "expected a whole number from 1 to 10000000"),
        (["--choose", "never", "--steps", "5"], 2, "--choose never weighs nothing"),
        (["--data", "nowhere"], 1, "nowhere"),
    ],
)
def test_what_is_wrong_is_told(rnn_edge, built, arguments, code, message):
    before = built.manifest
    result = rnn_edge("resets", built.path, *arguments)
    assert result.code == code
    assert message in result.err
    assert Bundle.open(built.path).manifest == before


def test_a_bundle_that_is_not_there_is_told(rnn_edge, tmp_path):
    result = rnn_edge("resets", tmp_path / "none")
    assert result.code == 1
    assert "does not exist; expected the folder of a finished build" in result.err
