"""The verdict on a log says of how many of its frames it is."""

from rnn_edge.cli.logs import log_lines

NOTHING = {
    "frames": 0,
    "differing_frames": 0,
    "max_lsb": 0,
    "first": None,
    "decisions": 0,
    "agreeing": 0,
    "first_disagreement": None,
    "scores": 0,
    "max_score": 0.0,
}
LOG = {
    "frames": 400,
    "seconds": 8.0,
    "resets": 1,
    "restarts": 0,
    "gaps": {"count": 0, "missing": 0, "first": []},
    "duplicates": 0,
    "out_of_order": 0,
    "bad_lines": {"count": 0, "first": []},
    "is_same_model": True,
    "has_frames": True,
}
UNJUDGED = {"is_judged": False, "reason": "No reference.", "hint": "", "drifted": []}


def feature(name):
    figures = ("psi", "psi_by_chance", "distance", "p", "independent", "worst", "outside")
    return {"name": name, "windows": 4, "first_alarm_step": None, **dict.fromkeys(figures, 0.1)}


def said(known, unknown=0, drift=UNJUDGED, differing=0):
    place = {"step": 3, "line": 5}
    logged = {
        "known_state": {**NOTHING, "frames": known, "differing_frames": differing, "first": place},
        "unknown_state": {**NOTHING, "frames": unknown},
    }
    return log_lines(
        {
            "bundle": "pump",
            "source": "log pump.jsonl",
            "log": LOG,
            "logged": logged,
            "input_drift": drift,
            "cleaned": None,
            "parity": [],
            "float_engines": [],
            "emulated": {},
        }
    )


def test_a_log_whose_state_is_known_throughout_is_judged_whole():
    assert said(400)[-1] == "verdict: what was logged is what the integer reference gives"


def test_a_log_with_gaps_is_judged_in_part():
    assert said(9, 391)[-1] == (
        "verdict: what was logged is what the integer reference gives on 9 of 400 frames; on the "
        "others its state is unknown"
    )


def test_a_difference_where_the_state_is_known_is_one_of_the_log():
    assert said(9, 391, differing=1)[-1] == (
        "verdict: what was logged differs from the integer reference"
    )


def test_features_that_drifted_are_named():
    drift = {
        "is_judged": True,
        "calibration_frames": 1000,
        "windows": 4,
        "rules": {"window": 100, "needed": 3, "among": 5, "on": 0.25, "level": 0.01},
        "features": [feature(name) for name in ("pressure", "current", "voltage")],
        "drifted": ["pressure", "voltage"],
        "weak": [],
        "largest_score": 0.0,
        "score": 0.0,
    }
    assert "found in 2 of 3 features (pressure, voltage);" in said(400, drift=drift)[-2]
