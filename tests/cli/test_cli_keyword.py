"""`rnn-edge new kws --keyword`: a model for a phrase that nobody has recorded."""

import json

import pytest

from rnn_edge.errors import SpecError
from rnn_edge.pipeline import Bundle
from rnn_edge.spec import load_spec

SMALL = (
    "data.train_clips=16", "data.validation_clips=6", "data.test_clips=6", "data.near_phrases=8",
    "augment.copies=1", "model.hidden=8", "model.local_units=[2]", "teacher.hidden=8",
    "teacher.steps=4", "student.steps=6", "student.evaluate_every=3", "student.lanes=8",
    "qat.steps=2", "qat.lanes=8",
    'replay.engines=["float", "int8", "c"]',
)  # fmt: skip


def test_a_keyword_gives_a_spec_of_its_own(rnn_edge, tmp_path):
    pytest.importorskip("espeakng_loader")
    result = rnn_edge("new", "kws", tmp_path, "--keyword", " Hey  Pico", "--keyword", "alexa")
    assert result.code == 0, result.err
    assert sorted(p.name for p in tmp_path.iterdir()) == [".gitignore", "README.md", "spec.toml"]
    spec = load_spec(tmp_path / "spec.toml")
    assert spec.data.kind == "synthetic-phrases"
    assert spec.data.keywords == ("hey pico", "alexa")
    assert spec.features.arithmetic == "integer"
    assert "synthetic speech" in (tmp_path / "README.md").read_text()


def test_the_teacher_that_hears_an_embedding_is_two_lines_away(rnn_edge, tmp_path):
    pytest.importorskip("espeakng_loader")
    assert rnn_edge("new", "kws", tmp_path, "--keyword", "alexa").code == 0
    path = tmp_path / "spec.toml"
    assert load_spec(path).teacher.kind == "gru"
    text = path.read_text()
    for line in ('kind = "embedding"', "embedding_weight = 1.0"):
        assert f"# {line}" in text
        text = text.replace(f"# {line}", line)
    path.write_text(text)
    spec = load_spec(path)
    assert (spec.teacher.kind, spec.student.embedding_weight) == ("embedding", 1.0)


def test_a_keyword_without_a_folder_goes_here(rnn_edge, tmp_path, monkeypatch):
    pytest.importorskip("espeakng_loader")
    monkeypatch.chdir(tmp_path)
    assert rnn_edge("new", "kws", "--keyword", "hey pico", "-q").out == "spec.toml\n"
    assert (tmp_path / "spec.toml").is_file()
    again = rnn_edge("new", "kws", "--keyword", "hey pico")
    assert again.code == 1
    assert "exists" in again.err


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ([""], "is empty; expected a word"),
        (["xqzt"], "would spell its letters"),
        (["!"], "cannot be spoken"),
        (["alexa", "Alexa"], "is there twice"),
        (["right", "write"], "sound alike"),
        (["word " * 20], "has 20 words"),
        (["x" * 41], "has 1 word and 41 letters"),
        (["Unknown"], "is the name of a class"),
    ],
)
def test_what_is_no_keyword_is_refused_and_nothing_is_written(
    rnn_edge, tmp_path, keywords, message
):
    pytest.importorskip("espeakng_loader")
    options = [part for keyword in keywords for part in ("--keyword", keyword)]
    result = rnn_edge("new", "kws", tmp_path / "k", *options)
    assert result.code == 1
    assert message in result.err
    assert not (tmp_path / "k").exists()


def test_an_empty_keyword_in_a_spec_is_told_what_is_expected(rnn_edge, tmp_path):
    assert rnn_edge("new", "kws", tmp_path, "--keyword", "alexa").code == 0
    with pytest.raises(SpecError, match=r'keywords: "" is empty; expected a word or a short'):
        load_spec(tmp_path / "spec.toml", ['data.keywords=[""]'])


def test_keywords_are_for_the_task_of_keywords(rnn_edge, tmp_path):
    result = rnn_edge("new", "anomaly", tmp_path, "--keyword", "hey pico")
    assert result.code == 2
    assert 'keywords are for "kws"' in result.err


def test_recordings_may_be_named_in_the_spec_and_on_the_command_line(tmp_path):
    pytest.importorskip("espeakng_loader")
    text = '[data]\nkind = "synthetic-phrases"\nrecordings = "mine"\nrecordings_clips = 50\n'
    model = '[model]\nname = "k"\ntask = "kws"\nhidden = 8\n'
    (tmp_path / "spec.toml").write_text(model + text)
    spec = load_spec(tmp_path / "spec.toml")
    assert spec.data.place == str(tmp_path / "mine")
    assert spec.data.recordings_clips == 50
    from rnn_edge.cli.building import resolve

    other = resolve(tmp_path / "spec.toml", tmp_path / "theirs", [], None)
    assert other.data.place == str(tmp_path / "theirs")


@pytest.mark.slow
def test_a_keyword_is_built_in_an_empty_folder(rnn_edge, tmp_path, monkeypatch):
    pytest.importorskip("espeakng_loader")
    pytest.importorskip("tensorflow", reason="building needs TensorFlow")
    monkeypatch.chdir(tmp_path)
    assert rnn_edge("new", "kws", "--keyword", "hey pico").code == 0
    options = [part for each in SMALL for part in ("--set", each)]
    result = rnn_edge("build", "spec.toml", *options, "-q")
    assert result.code == 0, result.err
    bundle = Bundle.open(tmp_path / "out" / "keywords")
    assert bundle.model().labels == ("hey pico", "unknown", "silence")
    data = json.loads((bundle.path / "data.json").read_text())
    assert data["is_synthetic"]
    said = "What is said of this model was found on synthetic speech alone."
    assert said in data["notes"][0]
    assert said in (bundle.path / "report.html").read_text()
    # The front end is there as C too, so that firmware can hear.
    assert any(bundle.exports.rglob("keywords_frontend.c"))
    # The bundle does not need the synthesizer, nor anything that it was made of, again.
    assert rnn_edge("build", bundle.path, "-q").code == 0
