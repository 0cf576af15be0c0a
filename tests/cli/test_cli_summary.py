"""Results as text, where a figure is not defined."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from rnn_edge.cli.matrix import matrix_lines
from rnn_edge.cli.progress import describe
from rnn_edge.cli.summary import (
    bundle_lines,
    evaluation_lines,
    headline,
    metric_lines,
    range_lines,
)
from rnn_edge.types.accumulators import AccumulatorBound
from rnn_edge.types.ranges import MatrixRange, ModelRanges, ReplayedRange, Span, TensorRange

DATA = {"source": "pump", "is_synthetic": False}
METRICS = {
    "is_labelled": True,
    "recordings": 7,
    "alarm_rate": 0.125,
    "f1": 0.5,
    "f1_interval": [0.25, 0.75],
    "auc_pr": 0.625,
    "events": 3,
    "events_found": 2,
    "false_alarm_runs": 4,
}


def test_what_the_c_of_a_pruned_model_leaves_out_stands_in_the_headline():
    report = {
        "name": "kws",
        "cell": "gru",
        "inputs": 40,
        "layers": 1,
        "hidden": 128,
        "outputs": 12,
        "weight_bytes": 72288,
        "macs": 66048,
        "memory": {"constants": 30744},
    }
    whole = (
        "kws: GRU, 40 inputs, 1 x 128 units, 12 outputs; 72,288 bytes of weights and biases, "
        "66,048 MAC a step"
    )
    assert headline(report) == headline({**report, "c_macs": 66048}) == [whole]
    pruned = "; in the C, without zeros: 30,744 bytes of constants and 19,600 MAC"
    assert headline({**report, "c_macs": 19600}) == [whole + pruned]


def test_anomaly_figures_stand_in_one_line():
    assert metric_lines("anomaly", {"int8": METRICS}, DATA)[1:] == [
        "  int8  F1 50.0 % (25.0 % to 75.0 %)  AUC-PR 62.5 %  events 2/3  false alarms 4"
    ]


def test_false_alarms_a_day_are_whole_numbers_as_on_the_page():
    often = {"false_alarms_per_day": 1980.7, "false_alarms_per_day_interval": [0.0, 2453.2]}
    lines = metric_lines("anomaly", {"int8": {**METRICS, **often}}, DATA)
    assert lines[1].endswith("false alarms 4, 1,981 a day (0 to 2,453)")


def test_a_single_recording_has_no_interval_of_f1_and_that_is_said():
    one = {**METRICS, "recordings": 1, "f1_interval": [0.5, 0.5]}
    assert metric_lines("anomaly", {"int8": one}, DATA) == [
        "test part of pump (1 recording, too few for an interval of F1):",
        "  int8  F1 50.0 %  AUC-PR 62.5 %  events 2/3  false alarms 4",
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
            ReplayedRange("c0_out", "add", -12, Span(0, 40960), 500, 3, ()).to_json(),
            ReplayedRange(
                "l0_c_fine", "quantize", -13, Span(0, 40960), 500, 3, ("tanh",)
            ).to_json(),
            ReplayedRange("h0_out", "multiply", -15, Span(0, 32768), 500, 3, ()).to_json(),
        ],
    )
    assert lines == [
        "ranges: of 5 tensors 1 can never saturate, 1 could, 3 did in calibration, "
        "2 of them harmlessly; sums of 1 of 2 matrices proved to fit int32",
        "warning: tensor l0_gx saturates: 1,234 of 8,000 values in calibration, "
        "from -16 to 20 where -16 to 16 is held",
        "warning: tensor c0_out saturates: 3 of 500 values in replay, "
        "from 0 to 10 where -8 to 8 is held",
    ]


@pytest.mark.parametrize(
    ("squashed", "words"),
    [
        ([], "0 did in calibration;"),
        ([("tanh",)], "1 did in calibration, harmlessly;"),
        ([("tanh",), ("tanh",)], "2 did in calibration, harmlessly;"),
        ([()], "1 did in calibration;"),
    ],
)
def test_saturation_that_loses_nothing_is_called_harmless(squashed, words):
    rows = [(f"l{k}_a", OUTSIDE, OUTSIDE, 77, by) for k, by in enumerate(squashed)]
    assert words in range_lines(quantization(*rows), [])[0]


def test_before_quantization_nothing_is_said_of_ranges():
    assert range_lines({}, []) == []


@pytest.mark.parametrize("folder", ["doorbell", "door bell"])
def test_the_next_command_can_be_pasted(rnn_edge, tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    spec = f"'{folder}/spec.toml'" if " " in folder else f"{folder}/spec.toml"
    assert rnn_edge("new", "kws", folder).out.splitlines()[-1] == f"Next: rnn-edge build {spec}"


def row(engine, differing=0, tensor="y", steps=300):
    first = 7 if differing else None
    return {
        "engine": engine, "tensor": tensor, "steps": steps, "differing": differing,
        "max_lsb": differing, "first_step": first,
    }  # fmt: skip


def matrix(parity=(), floats=(), emulated=()):
    facts = {"bundle": "b", "source": "s", "stream": "t", "is_reset": False, "steps": 300}
    return matrix_lines(
        {**facts, "parity": parity, "float_engines": floats, "emulated": list(emulated)}
    )


def test_a_matrix_ends_in_a_verdict():
    lines = matrix([row("int8"), row("c"), row("litert")])
    assert lines[-1] == (
        "verdict: c, litert equal the integer reference in every bit of outputs and states"
    )
    # The reference is not compared with itself.
    assert not [line for line in lines if line.startswith("int8")]
    assert matrix([row("c"), row("litert", differing=2)])[-1] == (
        "verdict: litert differs from the integer reference; 1 of 2 integer engines equal it"
    )
    assert matrix([row("int8")])[-1].startswith("verdict: nothing to compare")


@pytest.mark.parametrize(
    ("maximum", "tolerance", "expected"),
    [
        (1e-6, 1e-5, "onnx is as near to the float reference as rounding explains"),
        (1e-3, 1e-5, "onnx is further from the float reference than rounding explains"),
        (1e-3, None, "onnx has an arithmetic of its own and is held to no limit"),
    ],
)
def test_a_verdict_on_float_engines(maximum, tolerance, expected):
    found = {"engine": "onnx", "tensor": "y", "steps": 9, "maximum": maximum}
    assert expected in matrix(floats=[{**found, "tolerance": tolerance}])[-1]


def test_emulated_is_explained():
    lines = matrix([row("c"), row("device:qemu-m4", steps=100)], emulated=["device:qemu-m4"])
    assert lines[-2] == (
        "emulated: device:qemu-m4 ran on an emulated processor, over the first 100 of 300 steps "
        "(--emulated-steps says how many)"
    )


def test_validation_is_told_in_words():
    assert describe({"loss": 0.5, "score": 0.9, "fresh": 0.95, "carried": 0.85}) == (
        "loss 0.5  validation accuracy 0.9 (reset 0.95, unreset 0.85)"
    )
    assert describe({"score": -0.25}) == "validation error 0.25"


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("report", "(finished)"),
        ("student", '(trained, not yet quantized; "rnn-edge build out/x" goes on from there)'),
    ],
)
def test_how_far_a_bundle_has_come_is_told_in_words(until, expected):
    bundle = SimpleNamespace(path=Path("out/x"), manifest={"until": until, "files": {}})
    assert bundle_lines(bundle)[-1] == f"Bundle: out/x {expected}"


def evaluation(**data):
    rows = [
        {"label": "yes", "count": 4, "recall": 0.5, "recall_interval": [0.2, 0.8], "precision": 1},
        {"label": "no", "count": 0, "recall": 0, "recall_interval": [0, 1], "precision": 0},
    ]
    both = {"accuracy": 0.5, "accuracy_interval": [0.2, 0.8], "per_class": rows}
    facts = {"source": "words", "is_synthetic": False, "part": "all", "notes": ["a note"], **data}
    engines = {"int8": {"reset": both, "unreset": both}}
    return evaluation_lines({"task": "kws", "data": facts, "engines": engines})


def test_an_evaluation_counts_what_was_generated_and_names_empty_classes():
    lines = evaluation(clips=4, generated_clips={"silence": 2})
    assert lines[0] == "all of words:"
    assert "scored: 4 recorded clip(s), 2 generated of silence" in lines
    assert "  no           no clips" in lines
    assert lines[-1] == "note: a note"
