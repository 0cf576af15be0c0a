"""Plug-ins are found by what their modules define, one or several."""

import importlib
from dataclasses import dataclass

import pytest

from rnn_edge.errors import RnnEdgeError
from rnn_edge.registry import discover, lookup


@dataclass(frozen=True)
class Plugin:
    name: str


HEAD = "from test_plugin_discovery import Plugin\n"
ONE = HEAD + 'PLUGIN = Plugin("one")\n'
SEVERAL = HEAD + 'def plugins():\n    return (Plugin("b"), Plugin("a"))\n'


@pytest.fixture
def package(tmp_path, monkeypatch, request):
    """Return a function that makes a package of modules, name to text."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"plugins_{sum(request.node.name.encode())}"

    def make(**modules):
        (tmp_path / name).mkdir()
        for module, text in {"__init__": "", **modules}.items():
            (tmp_path / name / f"{module}.py").write_text(text)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    return make


def found(package, several="plugins"):
    # By the name of this module as the made modules import it, whatever imported it here.
    kind = importlib.import_module("test_plugin_discovery").Plugin
    return discover(package, "PLUGIN", kind, several)


def test_modules_of_one_and_of_several_are_found_in_order_of_names(package):
    made = package(single=ONE, more=SEVERAL, none="PLUGIN = 3\n")
    assert list(found(made)) == ["a", "b", "one"]


def test_a_function_counts_only_where_it_is_asked_for(package):
    assert list(found(package(single=ONE, more=SEVERAL), several="")) == ["one"]


@pytest.mark.parametrize("text", [ONE, HEAD + 'def plugins():\n    return (Plugin("one"),)\n'])
def test_two_of_one_name_are_a_mistake(package, text):
    with pytest.raises(RuntimeError, match="are called one"):
        found(package(single=ONE, second=text))


def test_an_unknown_name_lists_the_known_ones(package):
    with pytest.raises(RnnEdgeError, match="Unknown thing: 'x'; known are a, b"):
        lookup(found(package(more=SEVERAL)), "x", "thing")
