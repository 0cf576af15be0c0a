"""docs/streams.md: its files are valid, its example runs, and it names what is shipped."""

import re
from pathlib import Path

import pytest
from random_models import Shape, source

from rnn_edge.spec import load_stream
from rnn_edge.spec.load import shipped
from rnn_edge.spec.stream import STREAM_KINDS

TEXT = (Path(__file__).parents[3] / "docs" / "streams.md").read_text()
FILES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("text", FILES)
def test_every_file_is_valid(text, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    load_stream(str(file), "kws" if 'task = "kws"' in text else "anomaly")


def test_every_kind_has_a_heading_and_a_file():
    headings = " ".join(re.findall(r"^### (.*)$", TEXT, re.MULTILINE))
    assert all(kind in headings for kind in STREAM_KINDS)
    # Steps and sines share one.
    assert len(FILES) == len(STREAM_KINDS) - 1


@pytest.mark.parametrize("name", shipped("calibration"))
def test_shipped_streams_are_listed(name):
    assert f"`{name}`" in TEXT


def test_the_python_example_runs(make_frames, tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    models = source(Shape(("gru",), (4,), inputs=3))
    models.float_model.save(tmp_path / "float_model.npz")
    models.model.save(tmp_path / "model.npz")
    make_frames().save(tmp_path / "frames.npz")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "example"}
    exec(compile(code, "streams.md", "exec"), names)
    assert names["seen"] == names["stream"].steps == 30_000
    gain = names["stream"].found.gain
    assert capsys.readouterr().out.splitlines() == [
        names["stream"].description,
        f"{gain:.1f} times the drift of the worst recorded window",
    ]
