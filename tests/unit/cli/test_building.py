"""What a build says of the place that it builds into."""

import pytest

from rnn_edge import pipeline
from rnn_edge.cli.building import build_target
from rnn_edge.cli.output import Output

SPEC = """
[model]
name = "bell"
task = "anomaly"
hidden = 4
[data]
kind = "synthetic-machine"
[features]
kind = "channels"
"""


class Opened:
    """A bundle of which only the spec is asked for."""

    def __init__(self, folder):
        self._folder = folder

    @classmethod
    def open(cls, folder):
        return cls(folder)

    def file(self, name):
        return self._folder / name


@pytest.mark.parametrize(("out", "is_told"), [(None, False), ("bell", False), ("new", True)])
def test_a_bundle_that_is_built_elsewhere_is_told_to_be_trained_anew(
    tmp_path, monkeypatch, capsys, out, is_told
):
    (tmp_path / "bell").mkdir()
    (tmp_path / "bell" / "spec.toml").write_text(SPEC)
    built = []
    monkeypatch.setattr(pipeline, "Bundle", Opened)
    monkeypatch.setattr(pipeline, "build_bundle", lambda *a, **k: built.append((a[1], k["again"])))
    build_target(
        tmp_path / "bell",
        data=None,
        out=None if out is None else tmp_path / out,
        overrides=(),
        seed=None,
        until="export",
        output=Output(is_json=False, is_quiet=False, is_verbose=False),
    )
    assert built == [(tmp_path / (out or "bell"), not is_told)]
    told = "new becomes a bundle of its own: everything is made anew there"
    assert (told in capsys.readouterr().err) is is_told
