"""A budget fails what is outside for certain, and says what it cannot tell."""

import json
import math

import numpy as np
import pytest
from drift_results import alarms, result, stream, tensor

from rnn_edge.errors import BudgetError, DataError, SpecError
from rnn_edge.pipeline.budget import Baseline, BudgetVerdict
from rnn_edge.pipeline.judgement import judge
from rnn_edge.spec.drift import OFF, DriftSection
from rnn_edge.types.drift import Estimate, TrendVerdict
from rnn_edge.types.drift_measures import MEASURES, Comparison, find_measure, read_measure

NONE = {"hidden_rms": OFF, "frame_agreement": OFF, "detection_agreement": OFF}


def section(budget=(), versus=(), **others):
    """Return a section with nothing but the given limits."""
    return DriftSection(
        budget={**NONE, "trend": OFF, **dict(budget)},
        budget_vs_baseline={**NONE, **dict(versus)},
        **others,
    )


def judged(drift, budget=(), versus=(), baseline=None, **others):
    base = None if baseline is None else Baseline("old", baseline.to_json())
    return judge(drift.to_json(), section(budget, versus, **others), base)


def verdict(drift, budget=(), versus=(), baseline=None):
    (row,) = judged(drift, budget, versus, baseline).rows
    return row.verdict


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0.0042, "within"), (0.0041, "unsure"), (0.0038, "unsure"), (0.0037, "outside")],
)
def test_more_is_worse(limit, expected):
    assert verdict(result(), {"hidden_rms": limit}) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0.9985, "within"), (0.9987, "unsure"), (0.9995, "unsure"), (0.9996, "outside")],
)
def test_less_is_worse(limit, expected):
    assert verdict(result(), {"frame_agreement": limit}) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (TrendVerdict.PLATEAU, BudgetVerdict.WITHIN),
        (TrendVerdict.GROWTH, BudgetVerdict.OUTSIDE),
        (TrendVerdict.UNDECIDED, BudgetVerdict.UNSURE),
    ],
)
def test_a_trend_fails_only_where_growth_is_certain(found, expected):
    drift = result(stream(tensors=(tensor("y"), tensor("h0"), tensor("h1", verdict=found))))
    assert verdict(drift, {"trend": "plateau"}) is expected
    assert verdict(drift, {"state.h1.trend": "plateau"}) is expected
    assert verdict(drift, {"state.h0.trend": "plateau"}) is BudgetVerdict.WITHIN
    assert verdict(drift, {"y.trend": "plateau"}) is BudgetVerdict.WITHIN


def test_counts_and_largest_errors_have_no_interval():
    drift = result(stream(missed=2))
    assert verdict(drift, {"missed_events": 2}) is BudgetVerdict.WITHIN
    assert verdict(drift, {"missed_events": 1}) is BudgetVerdict.OUTSIDE
    assert verdict(drift, {"hidden_max": 0.04}) is BudgetVerdict.WITHIN
    assert verdict(drift, {"hidden_max": 0.0399}) is BudgetVerdict.OUTSIDE


def test_every_measure_is_read_from_its_own_figure():
    rows = (
        tensor("y", 0.02, slope=0.05),
        tensor("h0", 0.004, slope=0.03),
        tensor("c0", 0.008, slope=0.04, maximum=0.5),
    )
    found = result(stream(tensors=rows, missed=3, alarms=alarms())).to_json()
    expected = {
        "hidden_rms": 0.004,
        "hidden_max": 0.04,
        "state.c0.rms": 0.008,
        "state.c0.max": 0.5,
        "state.c0.relative": 0.016,
        "state.h0.max": 0.04,
        "y.rms": 0.02,
        "y.max": 0.2,
        "y.relative": 0.04,
        "frame_agreement": 0.999,
        "frame_flips": 1,
        "detection_agreement": 1.0,
        "missed_events": 3,
        "extra_events": 0,
        "score_rms": 0.002,
        "score_max": 0.01,
        "score_relative": 0.003,
        "score_at_threshold": 0.004,
        "false_alarm_change": 0.01,
        "false_event_change": 0.125,
        "slope": 0.04,
        "state.h0.slope": 0.03,
        "y.slope": 0.05,
    }
    for name, value in expected.items():
        assert read_measure(name, found["streams"][0], found).value == pytest.approx(value), name
    relative = read_measure("y.relative", found["streams"][0], found)
    assert (relative.low, relative.high) == (pytest.approx(0.038), pytest.approx(0.042))


def test_a_change_of_false_alarms_counts_in_both_directions():
    more = result(stream(alarms=alarms(Estimate(0.03, 0.01, 0.05))))
    fewer = result(stream(alarms=alarms(Estimate(-0.03, -0.05, -0.01))))
    for drift in (more, fewer):
        assert verdict(drift, {"false_alarm_change": 0.05}) is BudgetVerdict.WITHIN
        assert verdict(drift, {"false_alarm_change": 0.04}) is BudgetVerdict.UNSURE
        assert verdict(drift, {"false_alarm_change": 0.009}) is BudgetVerdict.OUTSIDE
    assert verdict(more, {"false_event_change": 0.125}) is BudgetVerdict.WITHIN
    assert verdict(more, {"false_event_change": 0.12}) is BudgetVerdict.OUTSIDE
    around = result(stream(alarms=alarms(Estimate(0.001, -0.002, 0.004))))
    json_ = around.to_json()
    found = read_measure("false_alarm_change", json_["streams"][0], json_)
    assert (found.value, found.low, found.high) == (0.001, 0.0, 0.004)


def test_without_labels_or_a_ratio_a_change_of_false_alarms_is_not_measured():
    for drift in (result(), result(stream(alarms=alarms(change=None)))):
        assert verdict(drift, {"false_alarm_change": 0.05}) is BudgetVerdict.NOT_MEASURED


DETAILS = {
    "local": [
        {"tensor": "h0", "rms": 0.001},
        {"tensor": "h1", "rms": 0.007},
        {"tensor": "c0", "rms": 1.0},
    ],
    "saturation": [
        {"tensor": "tanh", "share": 0.9, "is_harmless": True},
        {"tensor": "y", "share": 0.01, "is_harmless": False},
        {"tensor": "h0", "share": 0.02, "is_harmless": False},
    ],
    "dead": [
        {"state": "h0", "share_half": 0.1, "never_moved": [3, 5]},
        {"state": "c0", "share_half": 0.3, "never_moved": [1]},
    ],
}


def test_details_of_single_steps_are_measures_too():
    analysis = {"stability": {"lyapunov": {"exponent": -0.2, "low": -0.3, "high": -0.1}}}
    found = result(stream(details=DETAILS), analysis=analysis).to_json()
    read = {
        name: read_measure(name, found["streams"][0], found)
        for name in (
            "local_error", "gain", "state.h0.gain", "saturated_share", "dead_units",
            "dead_updates", "lyapunov",
        )
    }  # fmt: skip
    # Root mean square of 1 and 7 is 5; cells are no hidden states.
    assert read["local_error"].value == pytest.approx(0.005)
    assert read["gain"].value == pytest.approx(0.8)
    assert (read["gain"].low, read["gain"].high) == (pytest.approx(0.76), pytest.approx(0.84))
    assert read["state.h0.gain"].value == pytest.approx(4.0)
    assert read["saturated_share"].value == 0.02
    assert read["dead_units"].value == 3
    assert read["dead_updates"].value == 0.3
    assert read["lyapunov"] == Estimate(-0.2, -0.3, -0.1)


def test_what_a_model_forgets_at_once_has_an_exponent_below_any_limit():
    gone = {"exponent": None, "low": None, "high": None, "is_contracting": True}
    found = result(analysis={"stability": {"lyapunov": gone}}).to_json()
    assert read_measure("lyapunov", found["streams"][0], found).high == pytest.approx(
        -18.4, abs=0.1
    )
    assert read_measure("lyapunov", found["streams"][0], result().to_json()) is None


def test_details_that_were_not_taken_are_not_measured():
    found = result().to_json()
    for name in ("local_error", "gain", "saturated_share", "dead_units", "dead_updates"):
        assert read_measure(name, found["streams"][0], found) is None


def test_every_measure_is_documented_and_found_by_its_key():
    for name, measure in MEASURES.items():
        key = name.replace("NAME", "h0")
        assert find_measure(key)[0] is measure
        assert measure.meaning.endswith(".")
    with pytest.raises(SpecError, match=r"^Unknown measure: 'state.NAME.rms'; known are hidden"):
        find_measure("state.NAME.rms")
    for name in ("state.x0.rms", "state.h0", "state.h0.agreement", "h0.rms", ""):
        with pytest.raises(SpecError, match="Unknown measure"):
            find_measure(name)


def test_what_was_not_measured_fails():
    found = judged(result(), {"state.c0.rms": 0.1})
    assert found.rows[0].verdict is BudgetVerdict.NOT_MEASURED
    with pytest.raises(BudgetError, match=r"state\.c0\.rms on kws_stream was not measured"):
        found.refuse_failures()
    hollow = result(stream(hidden=Estimate(math.nan, math.nan, math.nan)))
    assert verdict(hollow, {"hidden_rms": 1.0}) is BudgetVerdict.NOT_MEASURED
    # A file has null for what is no number.
    held = json.loads(json.dumps(result().to_json()))
    held["streams"][0]["hidden_rms"]["high"] = None
    held["streams"][0]["detections"]["score_rms"] = None
    found = judge(held, section({"hidden_rms": 1.0, "score_rms": 1.0}))
    assert {row.verdict for row in found.rows} == {BudgetVerdict.NOT_MEASURED}


@pytest.mark.parametrize(("is_strict", "is_passed"), [(False, True), (True, False)])
def test_unsure_fails_only_where_the_spec_is_strict(is_strict, is_passed):
    found = judged(result(), {"hidden_rms": 0.004}, strict=is_strict)
    assert found.is_passed is is_passed
    assert found.to_json()["rows"][0]["is_failure"] is not is_passed
    if is_passed:
        found.refuse_failures()
    else:
        with pytest.raises(BudgetError, match=r"hidden_rms on kws_stream is 0\.004 \(0\.0038 to"):
            found.refuse_failures()


def test_a_budget_holds_for_every_stream():
    bad = stream("silence", hidden=Estimate(0.02, 0.019, 0.021))
    found = judged(result(stream(), bad), {"hidden_rms": 0.006})
    assert [(row.stream, row.verdict.value) for row in found.rows] == [
        ("kws_stream", "within"),
        ("silence", "outside"),
    ]
    with pytest.raises(BudgetError) as caught:
        found.refuse_failures()
    assert caught.value.message == (
        "Drift budget: hidden_rms on silence is 0.02 (0.019 to 0.021); expected at most 0.006."
    )


def test_a_stream_that_was_stopped_does_not_pass():
    found = judged(result(stream(steps=500, planned=1000)), {"hidden_rms": 1.0})
    assert not found.is_passed
    assert found.failed == ()
    with pytest.raises(BudgetError, match="stream kws_stream was stopped before its end") as told:
        found.refuse_failures()
    assert told.value.hint == "run the check again, with fewer --steps if it takes too long"


def at(value, width=0.0):
    return result(stream(hidden=Estimate(value, value * (1 - width), value * (1 + width))))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0044, "within"), (0.004, "within"), (0.0045, "outside")],
)
def test_more_than_the_baseline(value, expected):
    assert verdict(at(value), versus={"hidden_rms": 1.1}, baseline=at(0.004)) == expected


def test_noise_of_both_sides_counts_in_a_ratio():
    found = judged(at(0.0045, 0.03), versus={"hidden_rms": 1.1}, baseline=at(0.004, 0.04))
    (row,) = found.rows
    assert row.verdict is BudgetVerdict.UNSURE
    assert row.judged.value == pytest.approx(1.125)
    # Deviations of 3 and 4 percent make 5 together.
    assert math.log(row.judged.high / 1.125) == pytest.approx(0.05, abs=0.002)
    assert math.log(1.125 / row.judged.low) == pytest.approx(0.05, abs=0.002)
    assert row.comparison is Comparison.RATIO
    # The same without noise is outside.
    assert verdict(at(0.0045), versus={"hidden_rms": 1.1}, baseline=at(0.004)) == "outside"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda old: None, "within"),
        (lambda old: old.update(source="elsewhere"), "unsure"),
        (lambda old: old["streams"][0].update(description="another part"), "unsure"),
        (lambda old: old["streams"][0].pop("stretches"), "unsure"),
    ],
)
def test_only_the_same_frames_are_compared_in_pairs(change, expected):
    new, old = (at(value, 0.2).to_json() for value in (0.0042, 0.004))
    hard = np.geomspace(1.0, 10.0, 16)
    for drift, size in ((new, 0.0042), (old, 0.004)):
        drift["streams"][0]["stretches"] = {"hidden": (hard * size**2 / hard.mean()).tolist()}
    change(old)
    found = judge(new, section(versus={"hidden_rms": 1.1}), Baseline("old", old))
    assert found.rows[0].judged.value == pytest.approx(1.05)
    assert found.rows[0].verdict == expected


def test_a_baseline_without_error_allows_none():
    versus = {"hidden_rms": 1.1}
    assert verdict(at(0.0), versus=versus, baseline=at(0.0)) is BudgetVerdict.WITHIN
    assert verdict(at(1e-9), versus=versus, baseline=at(0.0)) is BudgetVerdict.OUTSIDE
    assert verdict(at(0.0), versus=versus, baseline=at(0.1)) is BudgetVerdict.WITHIN


def test_agreement_and_counts_are_compared_by_their_difference():
    def agreeing(share):
        return result(stream(agreement=Estimate(share, share, share)))

    versus = {"frame_agreement": 0.002}
    assert verdict(agreeing(0.9981), versus=versus, baseline=agreeing(1.0)) == "within"
    assert verdict(agreeing(0.9979), versus=versus, baseline=agreeing(1.0)) == "outside"
    assert verdict(agreeing(1.0), versus=versus, baseline=agreeing(0.9)) == "within"
    wide = result(stream(agreement=Estimate(0.9979, 0.997, 0.9985)))
    assert verdict(wide, versus=versus, baseline=agreeing(1.0)) == "unsure"
    more = {"missed_events": 0}
    assert verdict(result(stream(missed=2)), versus=more, baseline=result()) == "outside"
    assert verdict(result(), versus=more, baseline=result(stream(missed=2))) == "within"


def test_the_value_of_the_baseline_is_beside_each_measure():
    found = judged(at(0.004), {"hidden_rms": 0.006}, {"hidden_rms": 1.1}, at(0.003))
    assert [row.baseline.value for row in found.rows] == [0.003, 0.003]
    assert [row.comparison.value for row in found.rows] == ["none", "ratio"]
    with pytest.raises(BudgetError, match=r"hidden_rms on kws_stream is 1\.33333 times the base"):
        found.refuse_failures()


def test_what_is_not_compared_is_said():
    found = judged(result(), {"hidden_rms": 0.1}, {"hidden_rms": 1.1})
    assert len(found.rows) == 1
    assert found.notes == ("Without --baseline nothing is compared with one.",)
    assert judged(result(), {"hidden_rms": 0.1}).notes == ()
    found = judged(result(), versus={"hidden_rms": 1.1}, baseline=result(engine="int8"))
    assert found.notes == ("The baseline was measured with another engine: int8; now it is c.",)


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        (result(stream("other")), "Baseline old has no stream kws_stream; it has other."),
        (result(stream(steps=500)), "Baseline old: stream kws_stream has 500 steps; expected 1,0"),
    ],
)
def test_another_stream_is_no_baseline(baseline, message):
    with pytest.raises(DataError, match=f"^{message}"):
        judged(result(), versus={"hidden_rms": 1.1}, baseline=baseline)


def test_json_holds_what_was_judged():
    found = judged(at(0.004), {"hidden_rms": 0.006, "trend": "plateau"}, {}, at(0.003)).to_json()
    assert json.loads(json.dumps(found))["rows"] == [
        {
            "stream": "kws_stream",
            "measure": "hidden_rms",
            "unit": "real units",
            "comparison": "none",
            "value": {"value": 0.004, "low": 0.004, "high": 0.004},
            "baseline": {"value": 0.003, "low": 0.003, "high": 0.003},
            "judged": {"value": 0.004, "low": 0.004, "high": 0.004},
            "limit": 0.006,
            "is_least": False,
            "verdict": "within",
            "is_failure": False,
        },
        {
            "stream": "kws_stream",
            "measure": "trend",
            "unit": "",
            "comparison": "none",
            "value": "plateau",
            "baseline": "plateau",
            "judged": "plateau",
            "limit": "plateau",
            "is_least": False,
            "verdict": "within",
            "is_failure": False,
        },
    ]
    assert found["is_passed"] is True


def test_the_default_budget_is_the_documented_one():
    assert DriftSection().limits() == {
        "hidden_rms": 0.006,
        "frame_agreement": 0.997,
        "detection_agreement": 0.999,
        "trend": "plateau",
    }
    found = judge(result().to_json(), DriftSection())
    assert [row.verdict for row in found.rows] == [BudgetVerdict.WITHIN] * 4
