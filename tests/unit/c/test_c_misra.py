"""The kernel library under cppcheck and its MISRA addon: what it finds is what the list says."""

import re
import subprocess
from pathlib import Path

import pytest
from c_models import tool

from rnn_edge.resources import data_folder

pytestmark = pytest.mark.slow

COMMON = data_folder("firmware_templates") / "common"
DOCS = Path(__file__).parents[3] / "docs" / "misra.md"
FINDING = re.compile(r"^(\w+\.[ch]):\d+:(?:misra-c2012-)?([\w.]+):", re.MULTILINE)


def documented():
    """Return the rules of the table, and the version of cppcheck that it is about."""
    text = DOCS.read_text(encoding="utf-8")
    rules = re.findall(r"^\| ([\w.]+) \|", text, re.MULTILINE)
    return {rule for rule in rules if rule != "rule"}, re.search(r"Cppcheck (\d+\.\d+)", text)[1]


def findings(folder):
    """Return (file, rule) of everything that cppcheck finds in the sources of a folder."""
    command = re.search(r"^cppcheck .*$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)[0].split()
    sources = sorted(path.name for path in folder.glob("*.c"))
    assert command[-1] == "*.c"
    done = subprocess.run(
        [tool("cppcheck"), *(word.strip("'") for word in command[1:-1]), *sources],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(FINDING.findall(done.stderr))


@pytest.fixture
def listed():
    rules, version = documented()
    found = subprocess.run(
        [tool("cppcheck"), "--version"], capture_output=True, text=True, check=True
    )
    if found.stdout.split() != ["Cppcheck", version]:
        pytest.skip(
            f"{found.stdout.strip()} is here; other versions than {version} judge otherwise"
        )
    return rules


def test_every_deviation_is_listed_and_every_listed_one_is_there(listed):
    found = findings(COMMON)
    assert {rule for _, rule in found} == listed, sorted(found)


def test_what_is_not_listed_is_found(listed, tmp_path):
    assert "17.7" not in listed
    (tmp_path / "wrong.c").write_text(
        "#include <stdint.h>\nstatic int32_t next(int32_t x) {\n    return x;\n}\n"
        "void call(void);\nvoid call(void) {\n    next(1);\n}\n"
    )
    assert ("wrong.c", "17.7") in findings(tmp_path)
