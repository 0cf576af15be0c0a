"""Section [reset] and policies on a command line."""

import re
import tomllib
from pathlib import Path

import pytest

from rnn_edge.errors import SpecError
from rnn_edge.spec import load_spec, resolved_toml
from rnn_edge.spec.policy import parse_policy, with_reset
from rnn_edge.spec.reset import ResetSection
from rnn_edge.types.resets import MAX_FRAMES, NEVER, ResetPolicy

DOCS = Path(__file__).parents[3] / "docs" / "reset.md"


def test_a_spec_without_the_section_never_resets():
    spec = load_spec("demo")
    assert spec.reset == ResetSection()
    assert spec.reset.resolved("kws") == NEVER
    assert tomllib.loads(resolved_toml(spec))["reset"] == {"policy": "never"}


@pytest.mark.parametrize(
    ("text", "task", "policy"),
    [
        ("never", "kws", NEVER),
        ("every:frames=500", "kws", ResetPolicy("every", 500)),
        (f"every:frames={MAX_FRAMES}", "anomaly", ResetPolicy("every", MAX_FRAMES)),
        ("quiet:level=-0.5,frames=20", "kws", ResetPolicy("quiet", 20, -0.5, "mean")),
        ("quiet: frames = 3, level = 0", "anomaly", ResetPolicy("quiet", 3, 0.0, "magnitude")),
        ("decay:shift=8", "anomaly", ResetPolicy("decay", shift=8)),
    ],
)
def test_a_policy_as_text(text, task, policy):
    resolved = parse_policy(text).resolved(task)
    assert resolved == policy
    assert parse_policy(resolved.words()).resolved(task) == policy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("often", 'policy = "often"; expected "never", "every", "quiet" or "decay"'),
        ("every", 'frames is missing; expected with policy = "every"'),
        ("every:frames=0", "frames = 0; expected a whole number from 1 to 2147483647"),
        ("every:frames=1.5", "frames = 1.5; expected a whole number from 1 to 2147483647"),
        ("every:frames", "'frames'; expected such as"),
        ("every:frames=3,frames=4", "frames is there twice"),
        ("every:frame=3", 'frame = 3; unknown key, did you mean "frames"?'),
        ("quiet:frames=3", 'level is missing; expected with policy = "quiet"'),
        ("quiet:frames=3,level=a", 'level = "a"; expected a number from -100 to 100'),
        ("decay:shift=16", "shift = 16; expected a whole number from 1 to 15"),
        (
            "decay:shift=3,level=1",
            'level = 1.0; expected with policy = "quiet" only, this one is "decay"',
        ),
        ("never:frames=3", 'frames = 3; expected with policy = "every" or "quiet" only'),
    ],
)
def test_a_wrong_policy_is_refused(text, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        parse_policy(text)


def test_keys_of_another_policy_are_refused_in_a_spec():
    overrides = ["reset.policy=every", "reset.frames=5", "reset.shift=3"]
    expected = 'reset: shift = 3; expected with policy = "decay" only, this one is "every"'
    with pytest.raises(SpecError, match=re.escape(expected)):
        load_spec("demo", overrides)


def test_a_level_below_zero_is_for_means_only():
    overrides = ["reset.policy=quiet", "reset.frames=5", "reset.level=-0.5"]
    assert load_spec("demo", overrides).reset.level == -0.5
    with pytest.raises(SpecError, match=r"reset\.level = -0\.5; expected from 0 to 100"):
        load_spec("demo_anomaly", overrides)


def test_a_spec_with_another_policy_is_the_same_otherwise(tmp_path):
    spec = load_spec("demo", ["reset.policy=quiet", "reset.frames=5", "reset.level=-0.5"])
    (tmp_path / "spec.toml").write_text(resolved_toml(spec))
    other = with_reset(tmp_path / "spec.toml", parse_policy("decay:shift=3"))
    assert other.reset == ResetSection(policy="decay", shift=3)
    assert other.model_copy(update={"reset": spec.reset}) == spec


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "every"},
        {"kind": "every", "frames": MAX_FRAMES + 1},
        {"kind": "never", "frames": 1},
        {"kind": "decay", "shift": 16},
        {"kind": "quiet", "frames": 3, "shift": 1},
    ],
)
def test_a_policy_that_cannot_be_is_our_own_mistake(values):
    with pytest.raises(ValueError, match=values["kind"]):
        ResetPolicy(**values)


def test_the_examples_of_the_page_are_valid():
    examples = re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(examples) == 3
    for text in examples:
        ResetSection.model_validate(tomllib.loads(text)["reset"])
