"""Drift of a finished bundle: the figures, jobs that travel, and what can go wrong."""

import json
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from untrained import untrained_bundle

from rnn_edge.cli.drift_lines import drift_lines
from rnn_edge.cli.main import run
from rnn_edge.drift.closed_loop import replay_pair
from rnn_edge.errors import DataError, EngineError, RnnEdgeError
from rnn_edge.pipeline import drift_analysis, drift_job
from rnn_edge.pipeline.drift import DriftRequest, measure_drift, run_here
from rnn_edge.pipeline.drift_fleet import runner_for
from rnn_edge.pipeline.drift_job import run_job
from rnn_edge.pipeline.proof import float_trace, integer_trace
from rnn_edge.pipeline.replay import bundle_frames, open_stream
from rnn_edge.replay import measure_drift as measure_traces

PROGRAM = Path(sys.executable).with_name("rnn-edge")
NUMPY = ("float", "int8")


def silent(*_):
    """Tell nobody."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return untrained_bundle(tmp_path_factory.mktemp("drifting"))


@pytest.fixture(scope="module")
def result(bundle):
    return measure_drift(bundle, DriftRequest(engines=NUMPY, steps=2000), silent)


def test_the_figures_are_those_of_whole_traces(bundle, result):
    stream, _ = open_stream(bundle, None, None, 2000)
    model = bundle.model()
    expected = measure_traces(
        float_trace(bundle.float_model(), stream.frames),
        integer_trace(model, stream.frames),
        model.state_exponents,
        model.output_exponent,
    )
    assert result.total.steps == 2000
    assert result.total.hidden_rms.value == pytest.approx(expected.hidden_rms)
    for row in expected.rows:
        found = result.total.tensor(row.tensor)
        assert found.rms.value == pytest.approx(row.rms)
        assert found.maximum == pytest.approx(row.maximum)


def test_the_generated_c_drifts_as_the_reference_does(bundle, result):
    of_c = measure_drift(bundle, DriftRequest(engines=("c-float", "c"), steps=2000), silent)
    assert of_c.total.hidden_rms.value == pytest.approx(result.total.hidden_rms.value, rel=1e-3)
    assert of_c.total.details["steps"] == 2000


def test_the_same_engine_does_not_drift(bundle):
    found = measure_drift(bundle, DriftRequest(engines=("int8", "c"), steps=1000), silent)
    assert found.total.hidden_rms.value == found.total.hidden_rms.high == 0.0
    assert found.total.decisions.flips == found.total.detections.flips == 0
    assert dict(found.total.details) == {}


def test_copies_are_other_streams_and_are_put_together(bundle):
    found = measure_drift(bundle, DriftRequest(engines=NUMPY, steps=600, copies=3), silent)
    assert found.total.streams == 3
    assert found.total.steps == 1800
    squares = [each.hidden_rms.value**2 for each in found.streams]
    assert len(set(squares)) == 3
    assert found.total.hidden_rms.value == pytest.approx(np.sqrt(np.mean(squares)))
    assert found.total.details["steps"] == 1800


def test_a_result_is_plain_json_and_the_same_every_time(bundle, result):
    again = measure_drift(bundle, DriftRequest(engines=NUMPY, steps=2000), silent)
    texts = [json.dumps(each.to_json(), allow_nan=False) for each in (result, again)]
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_a_job_runs_where_nothing_of_the_bundle_is(bundle, result):
    jobs = []

    def keep(given, tell):
        jobs.extend(given)
        return run_here(given, tell)

    measure_drift(bundle, DriftRequest(engines=("float", "c"), steps=2000), silent, keep)
    copied = pickle.loads(pickle.dumps(jobs[0]))
    found = pickle.loads(pickle.dumps(run_job(copied))).result()
    assert found.hidden_rms.value == pytest.approx(result.total.hidden_rms.value)


@pytest.mark.slow
def test_streams_over_processes_give_what_they_give_here(bundle):
    request = DriftRequest(engines=NUMPY, steps=600, copies=3)
    here = measure_drift(bundle, request, silent).to_json()
    assert measure_drift(bundle, request, silent, runner_for(2, None)).to_json() == here


@pytest.mark.parametrize("analysis", ["stability", "attribution", "resets", "parity"])
def test_an_analysis_is_part_of_the_result(bundle, analysis):
    request = DriftRequest(engines=NUMPY, steps=2000, analyses=(analysis,))
    found = measure_drift(bundle, request, silent)
    assert analysis in found.analysis
    json.dumps(found.to_json(), allow_nan=False)


def test_an_interruption_leaves_a_result_of_what_was_done(bundle, monkeypatch):
    def interrupted(stream, *arguments):
        *others, tell = arguments

        def stop(done, total):
            tell(done, total)
            if done >= 4096:
                raise KeyboardInterrupt

        return replay_pair(stream, *others, stop)

    monkeypatch.setattr(drift_job, "replay_pair", interrupted)
    request = DriftRequest(engines=NUMPY, steps=9000, copies=2, analyses=("stability",))
    found = measure_drift(bundle, request, silent)
    assert found.total.is_partial
    assert (found.total.steps, found.total.planned_steps, found.total.streams) == (4096, 18000, 1)
    assert dict(found.analysis) == {}
    assert any("stopped before" in line for line in drift_lines(found.to_json()))


@pytest.mark.slow
def test_an_interrupted_analysis_does_not_take_the_replay_with_it(
    bundle, monkeypatch, capsys, tmp_path
):
    def stop(of, tell):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        drift_analysis, "ANALYSES", {**drift_analysis.ANALYSES, "attribution": stop}
    )
    code, said = call(
        capsys, "drift", bundle.path, "--engines", "float,int8", "--steps", 1000, "-q",
        "--analyse", "stability,attribution,resets", "--out", tmp_path,
    )  # fmt: skip
    assert code == 130
    assert "stopped before the end of: attribution, resets" in said.out
    assert said.out.splitlines()[-1].startswith("verdict: ")
    found = json.loads((tmp_path / "drift.json").read_text())
    assert found["total"]["steps"] == 1000
    assert set(found["analysis"]) == {"stability", "time_constants"}
    assert found["unfinished_analyses"] == ["attribution", "resets"]
    assert "These analyses were stopped" in (tmp_path / "drift.html").read_text()


def test_an_interruption_before_the_first_sums_is_one(bundle, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("rnn_edge.drift.closed_loop._add", stop)
    with pytest.raises(KeyboardInterrupt):
        measure_drift(bundle, DriftRequest(engines=NUMPY, steps=600), silent)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (DriftRequest(engines=("float", "int9")), "int9"),
        (DriftRequest(engines=NUMPY, streams=("nowhere",)), "nowhere"),
        (DriftRequest(engines=NUMPY, steps=100), "at least 256"),
        (DriftRequest(engines=NUMPY, steps=1000, analyses=("magic",)), "stability"),
        (DriftRequest(engines=NUMPY, steps=700, analyses=("parity", "stability")), "768 or more"),
        (DriftRequest(engines=NUMPY, data=Path("/nowhere")), "nowhere"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(bundle, request_, words):
    with pytest.raises(RnnEdgeError, match=words):
        measure_drift(bundle, request_, silent)


def test_an_engine_that_gives_no_numbers_is_named(bundle, monkeypatch):
    frames, _ = bundle_frames(bundle, None)
    broken = list(frames.part("test"))
    values = broken[0].frames.copy()
    values[3, 0] = np.nan
    spoiled = type(broken[0])(broken[0].sequence_id, values, -1, None, "test")
    sequences = (spoiled, *broken[1:])
    monkeypatch.setattr(
        "rnn_edge.pipeline.drift.bundle_frames",
        lambda *_: (type(frames)(frames.labels, frames.frame_rate_hz, sequences), "spoiled"),
    )
    with pytest.raises((EngineError, DataError), match="finite"):
        measure_drift(bundle, DriftRequest(engines=NUMPY, steps=2000), silent)


def call(capsys, *arguments):
    capsys.readouterr()
    code = run([str(each) for each in arguments])
    return code, capsys.readouterr()


def test_the_command_prints_the_figures_and_a_verdict(bundle, capsys):
    code, said = call(
        capsys, "drift", bundle.path, "--engines", "float,int8", "--steps", 2000, "-q"
    )
    assert code == 0
    assert said.err == ""
    assert said.out.splitlines()[-1].startswith("verdict: ")
    assert "local" in said.out
    code, said = call(
        capsys, "drift", bundle.path, "--engines", "float,int8", "--steps", 2000, "--json", "-q"
    )
    assert json.loads(said.out)["total"]["steps"] == 2000


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--engines", "float"), 2, "a reference and another engine"),
        (("--engines", "float,nope"), 2, "Unknown engine: 'nope'"),
        (("--engines", "c,c"), 2, "another engine"),
        (("--analyse", "magic"), 2, "known are"),
        (("--compare", "elsewhere"), 2, "--out"),
        (("--steps", "10"), 2, "256"),
        (("--workers", "2", "--scheduler", "tcp://x:1"), 2, "exclude"),
        (("--streams", ","), 2, "at least one"),
    ],
)
def test_a_wrong_command_line_gets_one_message(bundle, capsys, arguments, code, words):
    found, said = call(capsys, "drift", bundle.path, "--steps", 300, *arguments)
    assert found == code
    assert words in said.err
    assert "Traceback" not in said.err


def test_pages_are_written_whole_and_compared(bundle, capsys, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    common = ("drift", bundle.path, "--engines", "float,int8", "-q", "--steps")
    assert call(capsys, *common, 2000, "--out", first)[0] == 0
    assert {path.name for path in first.iterdir()} == {"drift.json", "drift.html"}
    assert call(capsys, *common, 1000, "--out", second, "--compare", first)[0] == 0
    assert "comparison.html" in {path.name for path in second.iterdir()}
    (tmp_path / "wrong.json").write_text('{"format": "other"}')
    code, said = call(capsys, *common, 500, "--out", second, "--compare", tmp_path / "wrong.json")
    assert code == 1
    assert "rnn-edge drift 1" in said.err


def test_what_a_page_needs_is_asked_for_before_the_replay(bundle, capsys, tmp_path, monkeypatch):
    first = tmp_path / "first"
    common = ("drift", bundle.path, "--engines", "float,int8", "-q", "--steps", 300)
    assert call(capsys, *common, "--out", first)[0] == 0
    held = json.loads((first / "drift.json").read_text())
    held["streams"][0]["tensors"][0]["rms"]["value"] = float("nan")
    (first / "drift.json").write_text(json.dumps(held))

    def measured(*_):
        pytest.fail("the replay began")

    monkeypatch.setattr("rnn_edge.pipeline.drift.run_here", measured)
    monkeypatch.setattr("rnn_edge.pipeline.drift_fleet.run_here", measured, raising=False)
    code, said = call(capsys, *common, "--out", tmp_path / "second", "--compare", first)
    assert code == 1
    assert f"File {first / 'drift.json'}: Drift result A: key" in said.err
    monkeypatch.setattr("rnn_edge.extras.importlib.util.find_spec", lambda name: None)
    code, said = call(capsys, *common, "--out", tmp_path / "second")
    assert code == 1
    assert "matplotlib (for the plots of the pages) is not installed" in said.err
    code, said = call(capsys, *common, "--analyse", "parity", "--engines", "float,litert")
    assert code == 1
    assert "(for the engine litert)" in said.err


def test_a_comparison_that_was_stopped_compares_nothing(bundle, capsys, tmp_path, monkeypatch):
    told = []

    def stopped(asked, *_):
        told.append(asked.path)
        monkeypatch.undo()
        return measured

    measured = measure_drift(bundle, DriftRequest(engines=NUMPY, steps=300), silent)
    measured = replace(measured, total=replace(measured.total, planned_steps=400))
    monkeypatch.setattr("rnn_edge.cli.drift_pages.measure_drift", stopped)
    out = tmp_path / "out"
    arguments = ("--steps", 300, "--engines", "float,int8", "--out", out)
    code, said = call(capsys, "drift", bundle.path, *arguments, "--compare", bundle.path)
    assert code == 130
    assert "Interrupted." in said.err
    assert (len(told), list(out.iterdir())) == (1, [])


def test_what_cannot_be_compared_is_refused_before_the_replay(bundle, capsys, tmp_path):
    common = ("drift", bundle.path, "--engines", "float,int8", "-q", "--steps", 500)
    assert call(capsys, *common, "--out", tmp_path / "a")[0] == 0
    file = tmp_path / "a" / "drift.json"
    found = json.loads(file.read_text())
    out = ("--out", tmp_path / "b", "--compare", file)
    code, said = call(capsys, *common, "--streams", "anomaly_sines", *out)
    assert code == 1
    assert "has the streams anomaly_stream; expected one of anomaly_sines" in said.err
    file.write_text(json.dumps(found | {"task": "kws"}))
    code, said = call(capsys, *common, *out)
    assert code == 1
    assert "of a model of task 'kws'; expected 'anomaly'" in said.err
    file.write_text(json.dumps(found))
    code, said = call(capsys, *common, *out)
    assert code == 0
    assert "compared with tiny: the hidden state drifts 1 times as far" in said.out


def test_a_reset_policy_that_is_left_out_is_told(result):
    found = result.to_json()
    assert found["reset_policy"] == "never"
    assert not any("reset policy" in line for line in drift_lines(found))
    said = drift_lines(found | {"reset_policy": "every:frames=500"})
    assert any("own reset policy, every:frames=500, is left out" in line for line in said)


def test_a_stream_that_draws_nothing_has_no_copies(bundle):
    request = DriftRequest(engines=NUMPY, streams=("anomaly_silence",), steps=500, copies=2)
    with pytest.raises(RnnEdgeError, match="every seed gives the same frames"):
        measure_drift(bundle, request, silent)


@pytest.mark.slow
def test_ctrl_c_shows_what_was_done_until_then(bundle):
    process = subprocess.Popen(
        [PROGRAM, "drift", bundle.path, "--engines", "float,int8", "--steps", "50000000", "-v"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stderr:
            if "drift" in line and "8192/" in line:
                break
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "stopped before the planned 50,000,000" in out
    assert out.splitlines()[-1].startswith("verdict: ")
