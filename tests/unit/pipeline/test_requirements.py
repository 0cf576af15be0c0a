"""What a build asks for before its first stage."""

import json

import pytest

from rnn_edge.engines import base
from rnn_edge.errors import MissingDependencyError, RnnEdgeError
from rnn_edge.pipeline import requirements
from rnn_edge.resources import data_folder
from rnn_edge.spec import load_spec


def spec_of(engines):
    text = f"replay.engines={json.dumps(engines)}"
    return load_spec(data_folder("models") / "demo_anomaly.toml", [text])


def test_the_kinds_of_engines_are_looked_up_once(monkeypatch):
    looks = []

    def looked():
        looks.append(1)
        return base.all_engines()

    monkeypatch.setattr(requirements, "all_engines", looked)
    requirements.require_everything(spec_of(["float", "int8", "c", "litert"]), ("prove",))
    assert len(looks) == 1


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(RnnEdgeError, match="Unknown engine: 'flaot'; known are"):
        requirements.require_everything(spec_of(["float", "flaot"]), ())


@pytest.mark.parametrize("engine", ["c", "c-float"])
def test_a_compiler_is_asked_for_where_an_engine_needs_one(monkeypatch, engine):
    monkeypatch.setenv("CC", "no-such-cc")
    requirements.require_everything(spec_of(["float", engine]), ("export",))
    with pytest.raises(MissingDependencyError, match=f"the engine '{engine}' needs one"):
        requirements.require_everything(spec_of(["float", engine]), ("prove",))
