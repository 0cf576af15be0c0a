"""Another model beside the one at work: compared on the same frames, then taken over or left."""

import numpy as np
import pytest
from live_bundles import SENSOR, make_bundle

from rnn_edge.errors import DataError, EngineError
from rnn_edge.live.canary import DEFAULT_BUDGET, Canary, parse_budget
from rnn_edge.live.opening import open_lane


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canaries")
    make_bundle(folder / "one")
    make_bundle(folder / "near", change=0.001)
    make_bundle(folder / "far", seed=77)
    make_bundle(folder / "wide", SENSOR.replace("hidden = 6", "hidden = 9"))
    make_bundle(folder / "rate", SENSOR.replace("[features]", "[features]\nwindow_samples = 2"))
    return folder


def lane_of(folder, name):
    from rnn_edge.pipeline.bundle import Bundle

    return open_lane(Bundle.open(folder / name), "c", folder)


def outcome(folder, name, frames=300, budget=None, warmup=20, count=2000):
    """Step both until there is a verdict; return it with the step, the reason and the measures."""
    active, other = lane_of(folder, "one"), lane_of(folder, name)
    canary = Canary(other, active, warmup, frames, budget or DEFAULT_BUDGET)
    x = np.random.default_rng(2).normal(0, 3000, (count, 2)).astype(np.int16)
    for k, frame in enumerate(x):
        verdict = canary.step(active, active.step(frame), k, frame)
        if verdict != "compare":
            return verdict, k, canary.reason(verdict), canary.measures()
    raise AssertionError("no verdict")


@pytest.mark.slow
def test_a_near_model_takes_over_when_all_frames_are_compared(folder):
    verdict, step, reason, measures = outcome(folder, "near")
    assert verdict == "switch"
    assert step == 20 + 300 - 1
    assert reason.startswith("within its budget over 300 frames: frame_agreement ")
    # Only the head is another one.
    assert measures["hidden_rms"] == 0.0


def test_a_model_that_decides_otherwise_is_rolled_back_as_soon_as_that_is_sure(folder):
    verdict, step, reason, _ = outcome(folder, "far")
    assert verdict == "roll back"
    assert step < 20 + 300 - 1
    assert "frame_agreement 0." in reason
    assert "the budget 0.95" in reason


@pytest.mark.slow
def test_states_are_compared_where_they_are_alike(folder):
    verdict, _, reason, measures = outcome(folder, "far", budget={"hidden_rms": 0.001})
    assert verdict == "roll back"
    assert measures["hidden_rms"] > 0.1
    assert "hidden_rms" in reason
    assert outcome(folder, "far", budget={"hidden_rms": 5.0})[0] == "switch"
    assert "hidden_rms" not in outcome(folder, "wide", budget={"frame_agreement": 0.0})[3]
    with pytest.raises(DataError, match=r"the states of pump are \{'h0': 9\}"):
        outcome(folder, "wide", budget={"hidden_rms": 1.0})


def test_without_frames_it_takes_over_after_the_warm_up(folder):
    verdict, step, reason, _ = outcome(folder, "far", frames=0)
    assert (verdict, step) == ("switch", 20)
    assert reason == "20 frames beside the model before it"


def test_a_model_that_fails_is_rolled_back(folder, monkeypatch):
    active, other = lane_of(folder, "one"), lane_of(folder, "near")

    def fail(x, *further):
        raise EngineError("It broke.")

    canary = Canary(other, active, 0, 10, DEFAULT_BUDGET)
    monkeypatch.setattr(other, "step", fail)
    x = np.zeros(2, np.int16)
    assert canary.step(active, active.step(x), 0, x) == "roll back"
    assert canary.reason("roll back") == "it failed: It broke."


@pytest.mark.slow
def test_a_model_of_other_frames_is_refused(folder):
    with pytest.raises(DataError, match="Model pump has other features than pump"):
        outcome(folder, "rate")


def test_a_budget_is_read_and_refused():
    assert parse_budget("frame_agreement=0.9, hidden_rms=0.2") == {
        "frame_agreement": 0.9,
        "hidden_rms": 0.2,
    }
    for text in ("frames=1", "frame_agreement=99", "frame_agreement", "hidden_rms=-1", ""):
        with pytest.raises(DataError, match=r"expected frame_agreement=0\.\.1"):
            parse_budget(text)
