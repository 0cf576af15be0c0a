"""The examples of docs/packages.md run as they stand, on a bundle of random weights."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest
from untrained import SPEC, untrained_bundle

from rnn_edge.firmware.package_kinds import all_package_kinds
from rnn_edge.firmware.packages import MANIFEST
from rnn_edge.runners.base import all_runners
from rnn_edge.spec import all_devices

DOCS = Path(__file__).parents[2] / "docs" / "packages.md"
BLOCK = re.compile(r"<!-- example: package -->\n```console\n(.*?)```", re.S)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A bundle of the model that the page speaks of, as far as a package needs it."""
    spec = SPEC.replace('"tiny"', '"pump"')
    return untrained_bundle(tmp_path_factory.mktemp("bundle"), spec).path


@pytest.mark.slow
def test_examples_run(bundle, tmp_path, monkeypatch, rnn_edge):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pump").symlink_to(bundle)
    monkeypatch.chdir(tmp_path)
    (body,) = BLOCK.findall(DOCS.read_text())
    assert DOCS.read_text().count("```console") == 1
    lines = [shlex.split(line) for line in body.strip().splitlines()]
    kinds = []
    for _, program, *arguments in lines:
        assert program == "rnn-edge"
        result = rnn_edge(*arguments)
        assert result.code == 0, result.err
        assert result.out
        out = Path(arguments[arguments.index("--out") + 1])
        facts = json.loads((out / MANIFEST).read_text())
        assert f"OK: pump, {facts['frames']} frames" in (out / "README.md").read_text()
        if "--json" in arguments:
            assert result.json == {"package": str(out), **facts}
        kinds.append(facts["kind"])
    assert sorted(kinds) == list(all_package_kinds())


def test_boards_of_ecosystems_are_those_of_the_table():
    rows = re.findall(r"^\| `([\w.-]+)`[^|]*\| `([\w-]+)` \|([^|]*)\|$", DOCS.read_text(), re.M)
    projects = {name: (kind, how) for name, kind, how in rows}
    runners = all_runners()
    found = {}
    for name, device in all_devices().items():
        for runner in device.runners:
            if runners[runner].ecosystem and name not in found:
                found[name] = runners[runner].ecosystem
                (word, *_) = device.options[runner].values()
                assert f"`{word}`" in projects[name][1]
    assert {name: kind for name, (kind, _) in projects.items()} == found


def test_help_lists_the_kinds(rnn_edge):
    result = rnn_edge("package", "--help")
    assert result.code == 0
    for kind in all_package_kinds().values():
        assert re.search(rf"^  {kind.name}\s+{kind.summary}$", result.out, re.M)


def test_bad_command_lines(bundle, tmp_path, rnn_edge):
    out = tmp_path / "p"
    result = rnn_edge("package", bundle, "--for", "mbed", "--out", out)
    assert result.code == 2
    assert "Unknown kind of package: 'mbed'; known are arduino, esp-idf" in result.err
    result = rnn_edge("package", tmp_path / "none", "--for", "arduino", "--out", out)
    assert (result.code, "does not exist" in result.err) == (1, True)
    assert rnn_edge("package", bundle, "--out", out).code == 2
    assert rnn_edge("package", bundle, "--for", "arduino").code == 2
    result = rnn_edge("package", bundle, "--for", "arduino", "--out", out, "--frames", "0")
    assert (result.code, "from 1 to 1000" in result.err) == (2, True)
    result = rnn_edge("package", bundle, "--for", "arduino", "--out", bundle, "--json")
    assert result.code == 1
    assert "other files" in result.json["error"]["message"]
    assert not out.exists()


def test_kinds_are_completed():
    from rnn_edge.cli.commands.package import COMMAND

    (option,) = [p for p in COMMAND.params if p.name == "kind"]
    found = option.shell_complete(click.Context(COMMAND), "p")
    assert [item.value for item in found] == ["pico-sdk", "platformio"]
