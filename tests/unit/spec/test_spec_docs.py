"""docs/specs.md says what the code says."""

import tomllib
from pathlib import Path

import pytest

from rnn_edge.spec import load_spec
from rnn_edge.spec.load import shipped
from rnn_edge.spec.reference import BEGIN, END, reference_tables, write_reference

DOCS = Path(__file__).parents[3] / "docs" / "specs.md"


def test_the_tables_are_those_of_the_sections():
    found = DOCS.read_text().split(BEGIN)[1].split(END)[0].strip()
    assert found == reference_tables(), "run `make docs`"


def test_every_key_has_a_meaning():
    rows = [line for line in reference_tables().splitlines() if line.startswith("| `")]
    assert rows
    assert [row for row in rows if row.endswith("|  |")] == []


def test_writing_keeps_the_rest(tmp_path):
    file = tmp_path / "specs.md"
    file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_reference(file)
    assert file.read_text() == f"before\n{BEGIN}\n{reference_tables()}\n{END}\nafter\n"


def test_the_example_is_a_valid_spec(tmp_path):
    text = DOCS.read_text().split("```toml\n")[1].split("```")[0]
    tomllib.loads(text)
    (tmp_path / "door.toml").write_text(text)
    assert load_spec(tmp_path / "door.toml").model.name == "door"


@pytest.mark.parametrize("name", shipped("models"))
def test_shipped_specs_are_listed(name):
    assert f"`{name}`" in DOCS.read_text()
