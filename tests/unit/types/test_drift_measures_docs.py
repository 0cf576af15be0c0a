"""docs/drift_gate.md lists every measure, and its spec is valid."""

import re
from pathlib import Path

from rnn_edge.spec import load_spec
from rnn_edge.spec.drift import DEFAULT_BUDGET, DEFAULT_BUDGET_VS_BASELINE
from rnn_edge.types.drift_measures import MEASURES, Comparison, Worse

PAGE = (Path(__file__).parents[3] / "docs" / "drift_gate.md").read_text()
DIRECTIONS = {Worse.HIGHER: "higher", Worse.LOWER: "lower", Worse.GROWTH: "growth"}
COMPARISONS = {Comparison.RATIO: "ratio", Comparison.DIFFERENCE: "difference", Comparison.NONE: "-"}


def table():
    """Return the table of measures; what the page has to hold between its marks."""
    lines = [
        "| measure | what it is | unit | worse if | against a baseline |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{each.name}` | {each.meaning} | {each.unit or '-'} | {DIRECTIONS[each.worse]} | "
        f"{COMPARISONS[each.comparison]} |"
        for each in MEASURES.values()
    ]
    return "\n".join(lines)


def test_every_measure_is_listed():
    found = PAGE.split("<!-- measures: begin -->")[1].split("<!-- measures: end -->")[0]
    assert found.strip() == table()


def test_the_defaults_are_those_of_the_page():
    text = " ".join(PAGE.split())
    for limits in (DEFAULT_BUDGET, DEFAULT_BUDGET_VS_BASELINE):
        for name, limit in limits.items():
            shown = f"{limit:.2f}" if limit == 1.1 else limit
            shown = f'"{shown}"' if isinstance(limit, str) else shown
            assert f"`{name}` {shown}" in text, name


def test_the_example_is_a_valid_spec(tmp_path):
    name, text = re.search(r"<!-- file: ([\w.]+) -->\n```toml\n(.*?)```", PAGE, re.S).groups()
    (tmp_path / name).write_text(text)
    drift = load_spec(tmp_path / name).drift
    assert drift.limits() == {
        "hidden_rms": 0.004,
        "detection_agreement": 0.9995,
        "missed_events": 0.0,
        "state.h0.max": 0.2,
        "trend": "plateau",
    }
    assert drift.limits_vs_baseline()["hidden_rms"] == 1.05
