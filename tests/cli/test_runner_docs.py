"""docs/runners.md: its commands run, and its tables are those of the registry."""

import re
import shlex
from pathlib import Path

import pytest

from rnn_edge.runners.base import all_runners
from rnn_edge.runners.udev import RULES_FILE, rule
from rnn_edge.spec import all_devices

TEXT = (Path(__file__).parents[2] / "docs" / "runners.md").read_text()
RUNNERS = all_runners()


def rows(head):
    """The rows of the table that begins with these cells."""
    after = TEXT.split(f"| {head} |")[1].splitlines()[2:]
    found = []
    for line in after:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def test_examples_run(rnn_edge):
    (body,) = re.findall(r"<!-- example: look -->\n```console\n(.*?)```", TEXT, re.S)
    assert TEXT.count("```console") == 1
    for line in body.strip().splitlines():
        prompt, program, *arguments = shlex.split(line)
        assert (prompt, program) == ("$", "rnn-edge")
        result = rnn_edge(*arguments)
        assert result.code == 0, result.err
        assert result.out


def test_every_runner_has_its_row():
    table = rows("runner | takes | calls | `--port` | `--probe` | how to get it")
    assert [row[0] for row in table] == [f"`{name}`" for name in RUNNERS]
    ports = {"": "-", "serial": "serial port", "host": "user@host", "folder": "-"}
    forms = {"program": "a program", "project": "a project"}
    for row, (_, runner) in zip(table, RUNNERS.items(), strict=True):
        assert row[1].startswith(forms.get(runner.image, runner.image))
        for program in runner.programs():
            assert f"`{program}" in row[2]
        assert row[3] == ports[runner.port]
        assert (row[4] == "-") == (not runner.takes_probe)
        plain = re.sub("[`<>]", "", row[5])
        assert plain == (runner.hint or "it is here")


def test_every_key_is_explained():
    table = {row[0].strip("`"): row[1] for row in rows("runner | keys")}
    expected = {name: (*r.needs, *r.may) for name, r in RUNNERS.items() if r.needs or r.may}
    assert sorted(table) == sorted(expected)
    for name, keys in expected.items():
        for key in keys:
            assert f"`{key}`" in table[name]
    given = {
        value for d in all_devices().values() for t in d.options.values() for value in t.values()
    }
    for example in ("arduino:mbed_nano:nano33ble", "0483:df11", "nrf52840dk/nrf52840", "pico2"):
        assert example in given
        assert example in TEXT


def test_the_rule_is_the_one_that_is_told():
    assert rule("0483") in TEXT
    assert RULES_FILE in TEXT
    vendors = {vendor for runner in RUNNERS.values() for vendor in runner.udev}
    assert vendors == set(
        re.findall(r"`([0-9a-f]{4})`", TEXT.split("Vendors: ")[1].split("\n\n")[0])
    )


@pytest.mark.parametrize("option", ["--interrupt", "--baud", "--keep"])
def test_options_of_the_simulated_board_are_explained(option):
    from rnn_edge.runners import labwired_board

    assert f'"{option}"' in Path(labwired_board.__file__).read_text()
    assert f"`{option} " in TEXT
