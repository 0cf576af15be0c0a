"""What a Raspberry Pi gets from the package index, without a Pi; docs/pi.md has the table."""

import platform
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from wheel_resolver import Target, own_requirements, resolve

from rnn_edge.cli import checks
from rnn_edge.errors import MissingDependencyError
from rnn_edge.extras import interpreter_for, require

DOCS = Path(__file__).resolve().parents[2] / "docs" / "pi.md"
TABLE = re.compile(r"<!-- table: wheels -->\n\|.*\n\|[-|]+\n((?:\|.*\n)+)")
GLIBC = {(3, 11): 36, (3, 13): 41}
"""Of the Debian that Raspberry Pi OS with this Python is made of: 12 and 13."""
INTERPRETERS = {"ai-edge-litert", "tflite-runtime"}
FRAMEWORKS = {"tensorflow", "keras", "torch", "jax"}


def rows():
    """Return the table: target, and what lacks or comes."""
    (body,) = TABLE.findall(DOCS.read_text())
    found = []
    for line in body.strip().splitlines():
        machine, python, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        version = tuple(map(int, python.split(".")))
        found.append((Target(machine, version, GLIBC[version]), *cells))
    return found


def listed(cell):
    return set() if cell in ("complete", "nothing") else {name.strip() for name in cell.split(",")}


def test_the_table_has_every_machine_and_python():
    found = {(target.machine, target.python) for target, *_ in rows()}
    machines = ("armv6l", "armv7l", "aarch64")
    assert found == {(machine, python) for machine in machines for python in GLIBC}


@pytest.mark.slow
@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0].machine}-{row[0].python}")
def test_the_table_is_what_the_index_has(row):
    target, base, brought, onnx, cross = row
    plain = resolve(target)
    assert plain.missing == listed(base)
    assert not plain.chosen.keys() & (FRAMEWORKS | INTERPRETERS)
    pi = resolve(target, ["pi"])
    # It adds an interpreter that is to be had, or nothing at all.
    assert pi.missing == plain.missing
    interpreters = pi.chosen.keys() & INTERPRETERS
    assert interpreters == (set() if brought == "none: the C" else {brought})
    assert not pi.chosen.keys() & FRAMEWORKS
    if "tflite-runtime" in interpreters and "numpy" in pi.chosen:
        assert pi.chosen["numpy"] < Version("2")
    assert resolve(target, ["onnx"]).missing == listed(onnx)
    assert resolve(target, ["cross"]).missing == listed(cross)


@pytest.mark.slow
@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0].machine}-{row[0].python}")
@pytest.mark.parametrize("extra", ["litert", "tflite", "pi"])
def test_no_extra_for_a_pi_asks_for_what_has_no_wheel(row, extra):
    target, base, *_ = row
    assert resolve(target, [extra]).missing == listed(base)


def test_numpy_1_comes_with_tflite_runtime_and_only_with_it():
    for target, *_ in rows():
        for extra in ("pi", "tflite"):
            asked = {}
            for text in own_requirements([extra]):
                requirement = Requirement(text)
                marker = requirement.marker
                if marker is None or marker.evaluate(target.environment()):
                    asked.setdefault(requirement.name, []).append(str(requirement.specifier))
            is_old = any("<2" in text for text in asked["numpy"])
            assert is_old == ("tflite-runtime" in asked), (target, extra)


def brought_there(target):
    """Return the interpreter that the markers of the extra "pi" ask for on a machine."""
    asked = {
        requirement.name
        for requirement in map(Requirement, own_requirements(["pi"]))
        if requirement.marker is None or requirement.marker.evaluate(target.environment())
    }
    return asked & INTERPRETERS


def test_what_doctor_goes_by_is_the_table_and_what_is_installed():
    for target, _, brought, *_ in rows():
        found = interpreter_for(target.machine, target.python)
        assert (found or "none: the C") == brought, target
        assert brought_there(target) == ({found} if found else set()), target


@pytest.mark.parametrize(
    ("machine", "is_32_bit", "python", "is_found", "expected"),
    [
        ("aarch64", False, (3, 13), True, "brings ai-edge-litert for aarch64 with Python 3.13"),
        ("aarch64", True, (3, 11), True, "brings tflite-runtime for armv7l with Python 3.11"),
        ("aarch64", True, (3, 13), False, "tflite-runtime for armv7l with Python 3.13"),
        ("armv7l", True, (3, 13), False, "no wheel of ai-edge-litert or tflite-runtime for armv7l"),
        ("armv6l", True, (3, 11), False, "for armv6l with Python 3.11"),
        ("x86_64", False, (3, 11), True, "brings ai-edge-litert for x86_64"),
    ],
)
def test_doctor_says_which_interpreter_has_a_wheel(
    monkeypatch, machine, is_32_bit, python, is_found, expected
):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1 if is_32_bit else 2**63 - 1)
    monkeypatch.setattr(sys, "version_info", (*python, 0, "final", 0))
    monkeypatch.setattr(checks, "installed_version", lambda name: "")
    found = {check.name: check for check in checks.check_interpreters()}
    check = found["interpreter wheel"]
    assert check.is_found == is_found
    assert expected in check.detail
    for name in ("interpreter wheel", "ai-edge-litert", "tflite-runtime"):
        is_told = found[name].remedy == "none is needed: the exported C is the engine here"
        assert is_told != is_found, name


@pytest.mark.parametrize(
    ("machine", "extra", "expected"),
    [
        ("armv7l", "litert", "no wheel of it for armv7l: the exported C is the engine there"),
        ("armv6l", "tflite", "no wheel of it for armv6l: the exported C is the engine there"),
        ("aarch64", "litert", "pip install 'rnn-edge[litert]'"),
        ("armv7l", "serial", "pip install 'rnn-edge[serial]'"),
    ],
)
def test_an_interpreter_without_a_wheel_is_told_so(monkeypatch, machine, extra, expected):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(MissingDependencyError) as caught:
        require("module_that_is_nowhere", extra, "a test")
    assert expected in caught.value.hint
