import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from rnn_edge.exporters import tflite
from rnn_edge.exporters.base import ExportSource
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference

TINY = {"hidden": 5, "inputs": 3, "seed": 0, "forget_bias": 1.0}


def subject(cell="lstm", layers=2, steps=60):
    from converter_subjects import random_subject

    return random_subject(cell, layers, *TINY.values(), calibration_steps=100, steps=steps)


def exported(model, folder):
    tflite.EXPORTER.export(ExportSource(model.float_model, model.model), folder)
    return (folder / tflite.FILE).read_bytes()


def reference_states(model):
    """Hidden states of the float model and of the integer reference, in real units."""
    x = model.stream
    wanted = FloatReference(model.float_model).run(x[None]).states
    integers = quantize_input(x, model.model.input_exponent)
    found = IntegerReference(model.model).run(integers[None]).states
    exponents = model.model.state_exponents
    return (
        {name: value[0] for name, value in wanted.items() if name[0] == "h"},
        {n: v[0] * np.float32(2.0 ** exponents[n]) for n, v in found.items() if n[0] == "h"},
    )


# --- processes that fail


def test_a_process_that_ends_well_has_no_reason(benchmarks):
    from converter import run_program

    assert run_program(["-c", "print('fine')"], 60.0)[0] == ""


def test_a_crash_is_told_by_its_signal_and_place(benchmarks):
    from converter import run_program

    program = "import os, signal\ndef dive():\n os.kill(os.getpid(), signal.SIGSEGV)\ndive()"
    assert run_program(["-c", program], 60.0)[0] == "SIGSEGV in <string>:3 dive"


def test_a_killed_process_is_told_by_its_signal(benchmarks):
    from converter import run_program

    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run_program(["-c", program], 60.0)[0] == "SIGKILL"


def test_a_failure_is_told_by_its_last_exception(benchmarks):
    from converter import run_program

    program = "try:\n 1 / 0\nexcept ZeroDivisionError as e:\n raise ValueError('no such op') from e"
    assert run_program(["-c", program], 60.0)[0] == "exit code 1, ValueError: no such op"


def test_a_process_without_end_is_stopped(benchmarks):
    from converter import run_program

    said, seconds = run_program(["-c", "import time; time.sleep(60)"], 0.2)
    assert said == "did not end within 0.2 s"
    assert seconds < 30.0


# --- drift


def test_drift_is_the_relative_error_of_the_trailing_steps(benchmarks):
    from converter import TRAILING_STEPS, relative_drift

    expected = {name: np.full((3000, 4), 0.5, np.float32) for name in ("h0", "h1")}
    actual = {name: value.copy() for name, value in expected.items()}
    actual["h0"][:1500] += 0.3
    actual["h1"][2500:, :1] -= 0.4
    assert relative_drift(expected, actual, 1000) == pytest.approx(0.3 / 0.5 / 2**0.5, rel=1e-6)
    assert relative_drift(expected, actual, 50) == pytest.approx(0.3 / 0.5 / 2**0.5, rel=1e-6)
    assert relative_drift(expected, actual, 1500 + TRAILING_STEPS) == 0.0
    # One unit of eight, over half of the trailing steps.
    assert relative_drift(expected, actual, 3000) == pytest.approx(0.4 / 0.5 / 4, rel=1e-6)


def test_known_drift_is_judged_at_its_own_number_of_steps(benchmarks):
    from converter import _verdict

    model = replace(subject(), known_drift=0.005)
    assert _verdict(model, {"after": {"100000": 0.005}})["is_met"] is True
    assert _verdict(model, {"after": {"100000": 0.0051}})["is_met"] is False
    assert _verdict(model, {"after": {"1000": 0.001}}) == {}
    assert _verdict(model, {"message": "SIGSEGV"}) == {}
    assert _verdict(subject(), {"after": {"100000": 0.001}}) == {}


# --- files


def test_our_file_is_read_and_replayed_to_the_bit(benchmarks, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="replaying needs ai-edge-litert")
    from converter import relative_drift, state_scales
    from converter_files import read_content
    from converter_replay import replay

    model = subject()
    content = exported(model, tmp_path)
    file = read_content(content)
    assert file.flex == {}
    assert file.builtin["FULLY_CONNECTED"] == 2 * 2 + 1
    assert set(file.outputs) == {"y", "h0_out", "c0_out", "h1_out", "c1_out"}
    assert all(scale["is_equal"] for scale in state_scales(file).values())
    wanted, found = reference_states(model)
    for feedback in ("raw", "host"):
        states = replay(content, model.stream, feedback)
        assert set(states) == {"h0", "h1"}
        for name, values in states.items():
            assert (values == found[name]).all()
    assert 0.0 < relative_drift(wanted, states, 60) < 0.02


def altered_scales(content, tensor, factor):
    """Return the file with another scale of one tensor."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    parameters = model.subgraphs[0].tensors[tensor].quantization
    parameters.scale = np.asarray(parameters.scale, np.float32) * np.float32(factor)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_states_of_two_scales_are_told_and_need_the_host(benchmarks, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="replaying needs ai-edge-litert")
    from converter import relative_drift, state_scales
    from converter_files import read_content
    from converter_replay import replay

    model = subject("gru", 1)
    content = exported(model, tmp_path)
    entering = read_content(content).inputs["h0_in"].index
    # What goes in is read as twice what it stands for, unless the host takes care.
    doubled = altered_scales(content, entering, 2.0)
    scales = state_scales(read_content(doubled))["h0"]
    assert scales["ratio"] == 0.5
    assert not scales["is_equal"]
    wanted, _ = reference_states(model)
    raw = relative_drift(wanted, replay(doubled, model.stream, "raw"), 60)
    host = relative_drift(wanted, replay(doubled, model.stream, "host"), 60)
    assert host < 0.3 * raw


def test_operators_of_tensorflow_are_told_apart(benchmarks, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="reading a file needs its schema")
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema
    from converter_files import read_content

    content = exported(subject(), tmp_path)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    code = model.operatorCodes[model.subgraphs[0].operators[0].opcodeIndex]
    before = read_content(content).builtin["FULLY_CONNECTED"]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = "FlexMatMul"
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    found = read_content(bytes(builder.Output()))
    assert found.flex == {"FlexMatMul": before}
    assert "FULLY_CONNECTED" not in found.builtin


# --- models and streams


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_initial_weights_are_those_that_keras_begins_with(benchmarks, cell):
    from initial_models import initial_model

    model = initial_model(cell, 2, 16, 10, seed=3, forget_bias=2.0)
    for layer, width in zip(model.layers, (10, 16), strict=True):
        np.testing.assert_allclose(layer.w_h.T @ layer.w_h, np.eye(16), atol=1e-5)
        limit = (6.0 / (width + len(layer.w_x))) ** 0.5
        assert 0.9 * limit < np.abs(layer.w_x).max() <= np.float32(limit)
        forget = np.zeros(len(layer.b_x))
        if cell == "lstm":
            forget[16:32] = 2.0
        assert (layer.b_x == forget).all()
        assert not layer.b_h.any()


def test_streams_move_slowly_and_fill_the_range(benchmarks):
    from initial_models import CORRELATION, slow_noise

    frames = slow_noise(4000, 8, seed=1)
    assert frames.std() == pytest.approx(1.0, abs=0.05)
    assert (frames[1:] * frames[:-1]).mean() == pytest.approx(CORRELATION, abs=0.05)
    assert (frames == slow_noise(4000, 8, seed=1)).all()


# --- all of it


@pytest.mark.slow
def test_the_whole_comparison_runs(benchmarks):
    pytest.importorskip("tensorflow", reason="its converter is what is compared")
    size = ["--cells", "gru", "lstm", "--layers", "2", "--hidden", "5", "--inputs", "3"]
    length = ["--steps", "50", "120", "--json"]
    ways = ["layer-float", "layer-int8", "cell-float", "cell-int8"]
    done = subprocess.run(
        [sys.executable, benchmarks / "converter.py", *size, *length, "--ways", *ways],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [model["model"] for model in found["models"]] == ["GRU 5, 2 layers", "LSTM 5, 2 layers"]
    for model in found["models"]:
        rows = {row["way"]: row for row in model["rows"]}
        assert list(rows) == ["ours", *ways]
        # The float ways have nothing to drift by: they show that weights and states are in place.
        for way in ("layer-float", "cell-float"):
            assert rows[way]["drift"]["float"]["after"]["120"] < 1e-5
        ours = rows["ours"]["drift"]["raw"]["after"]
        assert 0.0 < ours["50"] < 0.05
        # Whether the layer crashes is the converter's matter; either way it is a row.
        assert bool(rows["layer-int8"]["message"]) is not rows["layer-int8"]["converts"]
        cell = rows["cell-int8"]
        assert cell["flex"] == {}
        assert cell["drift"]["raw"]["after"]["120"] > ours["120"]
