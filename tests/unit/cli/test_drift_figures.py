"""Figures of a drift as text: none is written as 0 that is not."""

from drift_results import alarms, result, stream

from rnn_edge.cli.drift_lines import drift_lines


def lines(change=lambda each: each, rate=50.0, copies=1):
    found = result(stream()).to_json()
    found["frame_rate_hz"] = rate
    for part in (found["total"], *found["streams"]):
        change(part)
    found["streams"] *= copies
    return drift_lines(found)


def test_an_error_too_small_for_its_places_is_a_power_of_ten():
    def shrink(part):
        for row in (part, *part["tensors"]):
            key = "hidden_rms" if row is part else "rms"
            row[key] = {"value": 4.9e-8, "low": 4.7e-8, "high": 5.1e-8}

    said = lines(shrink)
    assert "hidden state off by 4.9e-08 rms (4.7e-08 to 5.1e-08)" in said[-1]
    assert any(line.startswith("h0 ") and "4.7e-08 to 5.1e-08" in line for line in said)


def test_an_error_of_none_is_0():
    def none(part):
        part["hidden_rms"] = {"value": 0.0, "low": 0.0, "high": 0.0}

    assert "off by 0.00000 rms (0.00000 to 0.00000)" in lines(none)[-1]


def test_streams_are_counted_where_their_steps_are_added():
    (alone,) = (line for line in lines() if "never reset:" in line)
    assert "steps, never reset:" in alone
    (together,) = (line for line in lines(copies=3) if "never reset:" in line)
    assert "steps in 3 streams, never reset:" in together


def test_one_frame_is_no_plural():
    (line,) = (line for line in lines(rate=1.0) if "never reset:" in line)
    assert line.endswith("at 1 frame per second")


def test_false_alarms_are_told_with_their_change():
    said = drift_lines(result(stream(alarms=alarms()), frame_rate_hz=50.0).to_json())
    (frames, events) = (line for line in said if line.startswith("false alarms"))
    assert frames == (
        "false alarms, of 10,000 normal frames: 2.0000% by the reference, 2.0200% by the engine: "
        "+1.00% (-0.20% to +2.20%)"
    )
    assert events.endswith("8 by the reference, 7 by the engine: -12.50%")
    (scores,) = (line for line in said if line.startswith("scores of alarms"))
    assert "0.30% rms" in scores
    assert "0.40% of the threshold 2.5 on the 77 frames near it" in scores


def test_a_first_false_alarm_of_the_engine_has_no_ratio():
    found = alarms(change=None, event_change=None, reference=0, engine=3)
    said = drift_lines(result(stream(alarms=found), frame_rate_hz=50.0).to_json())
    assert any("none by the reference, which leaves no ratio" in line for line in said)
