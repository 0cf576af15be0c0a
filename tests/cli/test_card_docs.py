"""The example of docs/model_card.md runs as it stands, and its spec is valid."""

import re
import shlex
from pathlib import Path

import pytest
from untrained import SPEC, replace_training

from rnn_edge.spec import load_spec
from rnn_edge.spec.data import STATEMENTS

DOCS = Path(__file__).parents[2] / "docs" / "model_card.md"
BLOCK = re.compile(r"<!-- example: build -->\n```console\n(.*?)```", re.S)
FILE = re.compile(r"<!-- file: ([\w.]+) -->\n```toml\n(.*?)```", re.S)


def test_the_spec_of_the_page_states_whose_the_data_is(tmp_path):
    ((name, text),) = FILE.findall(DOCS.read_text())
    (tmp_path / name).write_text(text)
    data = load_spec(tmp_path / name).data
    assert all(getattr(data, key) for key in STATEMENTS)


@pytest.mark.parametrize("name", ["kws_gru", "kws_lstm", "anomaly_gru", "anomaly_lstm"])
def test_shipped_specs_of_recordings_state_whose_they_are(name):
    data = load_spec(name).data
    assert all(getattr(data, key) for key in STATEMENTS)


@pytest.mark.slow
def test_the_example_runs(tmp_path, monkeypatch, rnn_edge):
    replace_training(monkeypatch.setattr)
    monkeypatch.chdir(tmp_path)
    Path("pump.toml").write_text(SPEC.replace('"tiny"', '"pump"'))
    assert rnn_edge("build", "pump.toml", "--out", "out/pump").code == 0
    (body,) = BLOCK.findall(DOCS.read_text())
    for line in body.strip().splitlines():
        _, program, *arguments = shlex.split(line)
        assert program == "rnn-edge"
        result = rnn_edge(*arguments)
        assert result.code == 0, result.err
    text = Path("out/pump/MODEL_CARD.md").read_text()
    assert "Licence of the data: CC0\n" in text
    assert "Source: a mill\n" in text
