"""Results as text, where a figure is not defined."""

import pytest

from rnn_edge.cli.summary import metric_lines, range_lines
from rnn_edge.types.accumulators import AccumulatorBound
from rnn_edge.types.ranges import MatrixRange, ModelRanges, ReplayedRange, Span, TensorRange

DATA = {"source": "pump", "is_synthetic": False}
METRICS = {
    "is_labelled": True,
    "alarm_rate": 0.125,
    "f1": 0.5,
    "f1_interval": [0.25, 0.75],
    "auc_pr": 0.625,
    "events": 3,
    "events_found": 2,
    "false_alarm_runs": 4,
}


def test_anomaly_figures_stand_in_one_line():
    assert metric_lines("anomaly", {"int8": METRICS}, DATA)[1:] == [
        "  int8  F1 50.0 % (25.0 % to 75.0 %)  AUC-PR 62.5 %  events 2/3  false alarms 4"
    ]


def test_nothing_to_find_is_said_instead_of_an_f1_of_zero():
    nothing = {"f1": 0.0, "f1_interval": [0.0, 0.0], "auc_pr": None, "events": 0}
    lines = metric_lines("anomaly", {"int8": {**METRICS, **nothing}}, DATA)
    assert lines[1:] == ["  int8  no labelled anomaly to find  false alarms 4"]


def test_without_labels_alarms_are_counted():
    unlabelled = {**METRICS, "is_labelled": False, "f1": None, "auc_pr": None, "events": 0}
    lines = metric_lines("anomaly", {"int8": unlabelled}, DATA)
    assert lines[1:] == ["  int8  nothing is labelled  alarm in 12.5 % of the frames, 4 times"]


def quantization(*tensors):
    rows = tuple(
        TensorRange(name, "add", 1, -11, analytic, calibrated, 8000, saturated, squashed_by)
        for name, analytic, calibrated, saturated, squashed_by in tensors
    )
    matrices = [
        MatrixRange(AccumulatorBound(n, 3, 0, b), 20, 3, 9) for n, b in (("a", 7), ("b", 2**31))
    ]
    return {"ranges": ModelRanges(rows, tuple(matrices)).to_json()}


INSIDE, OUTSIDE = Span(-9, 9), Span(-32768, 40960)


def test_only_saturation_that_lost_values_is_warned_of():
    lines = range_lines(
        quantization(
            ("x", None, INSIDE, 0, ()),
            ("h0_in", INSIDE, INSIDE, 0, ()),
            ("l0_gx", OUTSIDE, OUTSIDE, 1234, ()),
            ("l0_a_n", OUTSIDE, OUTSIDE, 77, ("tanh",)),
            ("h0_out", OUTSIDE, Span(0, 32768), 2, ()),
        ),
        [
            ReplayedRange("c0_out", -12, Span(0, 40960), 500, 3, ()).to_json(),
            ReplayedRange("l0_c_fine", -13, Span(0, 40960), 500, 3, ("tanh",)).to_json(),
            ReplayedRange("h0_out", -15, Span(0, 32768), 500, 3, ()).to_json(),
        ],
    )
    assert lines == [
        "ranges: of 5 tensors 1 can never saturate, 1 could, 3 did in calibration; "
        "sums of 1 of 2 matrices proved to fit int32",
        "warning: tensor l0_gx saturates: 1,234 of 8,000 values in calibration, "
        "from -16 to 20 where -16 to 16 is held",
        "warning: tensor c0_out saturates: 3 of 500 values in replay, "
        "from 0 to 10 where -8 to 8 is held",
    ]


def test_before_quantization_nothing_is_said_of_ranges():
    assert range_lines({}, []) == []


@pytest.mark.parametrize("folder", ["doorbell", "door bell"])
def test_the_next_command_can_be_pasted(rnn_edge, tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    spec = f"'{folder}/spec.toml'" if " " in folder else f"{folder}/spec.toml"
    assert rnn_edge("new", "kws", folder).out.splitlines()[-1] == f"Next: rnn-edge build {spec}"
