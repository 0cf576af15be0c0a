"""A budget names known measures, and every limit fits its measure."""

import tomllib

import pytest

from rnn_edge.errors import SpecError
from rnn_edge.spec import load_spec, resolved_toml
from rnn_edge.spec.drift import DEFAULT_BUDGET, DEFAULT_BUDGET_VS_BASELINE

SPEC = """
[model]
name = "tiny"
task = "kws"
hidden = 8
[data]
kind = "synthetic-keywords"
"""


@pytest.fixture
def load(tmp_path):
    def write(text):
        (tmp_path / "spec.toml").write_text(SPEC + text)
        return load_spec(tmp_path / "spec.toml")

    return write


def refusal(load, text):
    with pytest.raises(SpecError) as caught:
        load(text)
    return caught.value.message


def test_a_spec_without_the_section_has_its_defaults(load):
    drift = load("").drift
    assert drift.budget == DEFAULT_BUDGET
    assert drift.budget_vs_baseline == DEFAULT_BUDGET_VS_BASELINE
    assert (drift.streams, drift.steps, drift.strict) == ((), 100_000, False)


def test_limits_of_states_need_no_quotes_and_the_others_keep_their_default(load):
    text = "[drift.budget]\nstate.h0.rms = 0.01\ny.rms = 1\nhidden_rms = 0.02\ntrend = 'off'\n"
    drift = load(text).drift
    assert drift.limits() == {
        "hidden_rms": 0.02,
        "frame_agreement": 0.997,
        "detection_agreement": 0.999,
        "state.h0.rms": 0.01,
        "y.rms": 1.0,
    }
    assert load("[drift.budget]\n'state.h0.rms' = 0.01\n").drift.budget["state.h0.rms"] == 0.01


def test_resolving_twice_gives_the_same_text(load, tmp_path):
    text = resolved_toml(load("[drift.budget]\nstate.h0.rms = 0.01\ntrend = 'off'\n"))
    (tmp_path / "again.toml").write_text(text)
    assert resolved_toml(load_spec(tmp_path / "again.toml")) == text
    assert tomllib.loads(text)["drift"]["budget"]["trend"] == "off"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budget.hidden = 1", "drift.budget: Unknown measure: 'hidden'; known are hidden_rms, "),
        ("budget.state.q0.rms = 1", "drift.budget: Unknown measure: 'state.q0.rms'; known are"),
        ("budget.hidden_rms = 'low'", 'hidden_rms = "low"; expected a number from 0 or "off".'),
        ("budget.hidden_rms = true", 'hidden_rms = true; expected a number from 0 or "off".'),
        ("budget.trend = 0.1", 'trend = 0.1; expected "plateau" or "off".'),
        ("budget.hidden_rms = inf", 'hidden_rms = inf; expected a number from 0 or "off".'),
        ("budget.hidden_rms = -1", "hidden_rms = -1; expected a number from 0 or"),
        (
            "budget.frame_agreement = 99.7",
            "= 99.7; expected a number from 0 to 1 or",
        ),
        ("budget.saturated_share = 2", "saturated_share = 2; expected a number from 0 to 1 or"),
        ("budget_vs_baseline.frame_agreement = 2", "= 2; expected a number from -1 to 1 or"),
        ("budget_vs_baseline.trend = 'plateau'", "trend has no number to compare with a base"),
        ("budget_vs_baseline.hidden_rms = -1", "hidden_rms = -1; expected a number from 0 or"),
        (
            "budget.state.c0.rms = 1",
            "drift.budget: state.c0.rms; the model has no state c0",
        ),
        ("budget_vs_baseline.state.h1.rms = 1", "the model has no state h1, known are h0."),
        ("engines = ['c']", 'drift.engines = ["c"]; expected a list of texts, 2.'),
        ("steps = 10", "drift.steps = 10; expected a whole number from 1000"),
        ("threshold = 2.0", "drift.threshold = 2.0; expected a number from 0 to 1"),
        ("streams = ['nowhere']", "drift.streams: File nowhere does not exist"),
        ("budgets.y.rms = 1", "[drift.budgets]; unknown key"),
    ],
)
def test_mistakes_are_named(load, text, message):
    assert message in refusal(load, f"[drift]\n{text}\n")


def test_all_wrong_limits_are_told_at_once(load):
    said = refusal(load, "[drift.budget]\nfirst = 1\ntrend = 2\n")
    assert "'first'" in said
    assert "trend = 2" in said


def test_a_negative_ratio_is_refused_but_a_negative_difference_demands_progress(load):
    text = "[drift.budget_vs_baseline]\nframe_agreement = -0.001\n"
    assert load(text).drift.limits_vs_baseline()["frame_agreement"] == -0.001
