"""What the command line says of causes."""

from rnn_edge.cli.drift_causes import cause_lines

LYAPUNOV = {"exponent": -0.05, "low": -0.06, "high": -0.04, "rate": 0.951, "half_life": 13.9}
PREDICTION = {"hidden_predicted": 0.00152, "hidden_measured": 0.00131}


def text(**analysis):
    return "\n".join(cause_lines(analysis))


def test_nothing_is_said_of_what_was_not_analysed():
    assert cause_lines({}) == []


def test_stability_says_how_fast_errors_are_forgotten_and_what_they_predict():
    said = text(
        stability={
            "lyapunov": LYAPUNOV,
            "prediction": PREDICTION,
            "measured": 0.0014,
            "unexplained": 1.1,
        }
    )
    assert "0.951 of an error" in said
    assert "half of it after 14" in said
    assert "0.00152" in said
    assert "0.00131" in said


def test_a_model_that_forgets_at_once_has_no_exponent():
    gone = LYAPUNOV | {"exponent": None, "rate": 0.0, "half_life": None}
    assert "at once" in text(
        stability={
            "lyapunov": gone,
            "prediction": PREDICTION,
            "measured": 0.0014,
            "unexplained": 1.1,
        }
    )


def test_units_with_too_long_a_memory_are_named_and_counted():
    warning = {"state": "c0", "unit": 3, "reason": "tau 900 steps, dead zone 0.4"}
    said = text(time_constants={"warnings": [warning] * 8})
    assert said.count("c0, unit 3: tau 900 steps") == 6
    assert "and 2 more" in said
    assert "no unit remembers longer" in text(time_constants={"warnings": []})


def test_changes_are_told_with_effect_price_and_setting():
    change = {
        "title": "cell scale 2^-11 instead of 2^-10",
        "setting": "",
        "is_measured": True,
        "saved": 0.38,
        "price": "headroom 1.2 bits instead of 2.2",
    }
    said = text(recommendations={"changes": [change], "remark": "Most is the cell's rounding."})
    assert "cell scale 2^-11 instead of 2^-10: drift -38%; headroom 1.2 bits" in said
    assert "no setting does this yet" in said
    assert said.strip().endswith("Most is the cell's rounding.")
    limit = text(
        recommendations={
            "changes": [change | {"is_measured": False, "setting": "qat.pull"}],
            "remark": "",
        }
    )
    assert "-38% at most" in limit
    assert "(qat.pull)" in limit
    assert text(recommendations={"changes": [], "remark": "None."}).strip() == (
        "what to change: None."
    )


def test_parity_names_what_differs():
    row = {
        "engine": "c",
        "tensor": "h0",
        "steps": 2000,
        "differing": 0,
        "max_lsb": 0,
        "first_step": None,
        "allowed_lsb": 0,
    }
    assert "c give the reference's bits over 2,000 steps" in text(parity=[row])
    said = text(parity=[row | {"differing": 7, "max_lsb": 2, "first_step": 12}])
    assert "c differs in 7 values of h0, first at step 12" in said


def test_a_drift_that_rounding_does_not_explain_is_warned_of():
    found = {"lyapunov": LYAPUNOV, "prediction": PREDICTION, "measured": 0.02, "unexplained": 13.2}
    assert "13.2 times as far as its local errors explain" in text(stability=found)


def test_causes_name_what_rounding_cannot_explain():
    row = {"name": "weights l0.h.z", "alone": 0.01, "share": 0.9, "without": 0.001, "saved": 0.9}
    suspicion = {"quantizer": "weights l0.h.z", "reason": "they are those of gate r"}
    said = text(attribution={"hidden": 0.01, "rows": [row], "suspicions": [suspicion]})
    assert "90.0%" in said
    assert "not rounding: weights l0.h.z: they are those of gate r" in said
