"""`rnn-edge check` on a bundle whose drift is measured: budget, baseline and the files of CI."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from drift_results import result, stream
from faulty_drift import bundles_with_and_without_fault

from rnn_edge.cli.main import run
from rnn_edge.errors import BudgetError, DataError, SpecError
from rnn_edge.pipeline import gate
from rnn_edge.pipeline.baseline import load_baseline, open_baseline
from rnn_edge.pipeline.gate import GateRequest, check_bundle
from rnn_edge.types.drift import FORMAT

ROOT = Path(__file__).parents[2]
STEPS = 4000
STREAM_FILE = str(ROOT / "calibration" / "anomaly_stream.toml")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """A bundle, and one of the same model with a fault in its quantization."""
    return bundles_with_and_without_fault(tmp_path_factory.mktemp("gated"))


@pytest.fixture
def good(bundles):
    return bundles[0]


@pytest.fixture
def bad(bundles):
    return bundles[1]


def checked(bundle, **options):
    request = GateRequest(**{"has_state": False, "steps": STEPS, **options})
    return check_bundle(bundle, request, lambda *_: None)


def command(capsys, *arguments):
    capsys.readouterr()
    code = run(["check", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_sound_bundle_passes_and_one_with_a_fault_does_not(good, bad):
    found = checked(good)
    assert found.is_passed, found.to_json()["drift"]["rows"]
    found.refuse_failures()
    found = checked(bad)
    assert not found.is_passed
    with pytest.raises(BudgetError, match=r"^Drift budget: hidden_rms on anomaly_stream is 0\."):
        found.refuse_failures()


@pytest.mark.slow
def test_a_bundle_is_its_own_equal(good, tmp_path):
    found = checked(good, baseline=good.path)
    assert found.is_passed
    rows = {row.measure: row for row in found.drift.rows if row.comparison != "none"}
    ratio = rows["hidden_rms"].judged
    # The same errors in the same stretches: nothing is left to chance.
    assert (ratio.low, ratio.value, ratio.high) == (1.0, 1.0, 1.0)
    agreement = rows["frame_agreement"].judged
    # No frame decided otherwise is not yet none at all.
    assert (agreement.value, agreement.low) == (0.0, -agreement.high)
    assert 0.0 < agreement.high < 0.002
    # What a file says of it is the same.
    (tmp_path / "before.json").write_text(json.dumps(found.to_json()))
    again = checked(good, baseline=tmp_path / "before.json")
    assert [row.judged for row in again.drift.rows] == [row.judged for row in found.drift.rows]


@pytest.mark.slow
def test_a_fault_is_seen_against_a_baseline_alone(good, bad):
    loose = ("drift.budget.hidden_rms=off", "drift.budget.trend=off")
    assert checked(bad, overrides=(*loose, "drift.budget.state.h0.rms=1")).is_passed
    found = checked(bad, overrides=loose, baseline=good.path)
    (failed,) = (row for row in found.drift.failed if row.measure == "hidden_rms")
    assert failed.comparison == "ratio"
    assert failed.judged.low > 1.1
    assert failed.baseline.value < failed.value.value
    # The other way round it is an improvement.
    assert checked(good, overrides=loose, baseline=bad.path).is_passed


def test_details_are_taken_only_where_a_limit_needs_them(good):
    assert not checked(good).to_json()["drift"]["result"]["streams"][0]["details"]
    limits = {"gain": 1e9, "state.h0.gain": 1e9, "local_error": 1e9, "dead_units": 1e9}
    limits["saturated_share"] = 1
    found = checked(good, overrides=tuple(f"drift.budget.{k}={v}" for k, v in limits.items()))
    rows = {row.measure: row for row in found.drift.rows}
    assert {rows[name].verdict.value for name in limits} == {"within"}
    gain = rows["hidden_rms"].value.value / rows["local_error"].value.value
    assert rows["gain"].value.value == pytest.approx(gain)


def test_false_alarms_are_counted_on_normal_recordings(good):
    limit = "drift.budget.false_alarm_change=0.05"
    found = checked(good, streams=("anomaly_normal",), overrides=(limit,))
    (row,) = (row for row in found.drift.rows if row.measure == "false_alarm_change")
    alarms = found.to_json()["drift"]["result"]["streams"][0]["alarms"]
    assert alarms["reference_false"] > 0
    change = alarms["engine_false"] / alarms["reference_false"] - 1.0
    assert row.value.value == pytest.approx(abs(change))
    assert row.verdict.value in ("within", "unsure")


def test_a_budget_holds_for_each_stream_and_several_can_be_named(good):
    names = (
        "anomaly_stream",
        str(Path(gate.__file__).parents[3] / "calibration/anomaly_stream.toml"),
    )
    found = checked(good, streams=names)
    assert tuple(dict.fromkeys(row.stream for row in found.drift.rows)) == names
    assert len(found.drift.rows) == 8


def test_an_engine_can_be_chosen(good):
    found = checked(good, overrides=('drift.engines=["float", "int8"]',)).to_json()
    assert (found["drift"]["result"]["reference"], found["drift"]["result"]["engine"]) == (
        "float",
        "int8",
    )
    assert found["source"] == found["drift"]["result"]["source"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("drift.threshold=0.9", "Option --set: 'drift.threshold=0.9' is not about the budget"),
        ("model.hidden=3", "Option --set: 'model.hidden=3' is not about the budget"),
        ("drift.budget.speed=1", "Unknown measure: 'speed'; known are hidden_rms, "),
        ("drift.budget.hidden_rms=x", 'hidden_rms = "x"; expected a number from 0'),
        ("drift.steps=1", "drift.steps = 1; expected a whole number from 1000"),
    ],
)
def test_a_wrong_budget_is_refused_before_anything_runs(good, monkeypatch, override, message):
    monkeypatch.setattr(gate, "check_states", None)
    monkeypatch.setattr(gate, "measure_drift", None)
    with pytest.raises(SpecError, match=re.escape(message)):
        checked(good, has_state=True, overrides=(override,), steps=None)


def test_an_interruption_is_no_verdict(good, monkeypatch, capsys, tmp_path):
    def stopped(bundle, request, tell, run):
        return replace_steps(measure(bundle, request, tell, run))

    def replace_steps(found):
        half = tuple(replace(s, planned_steps=2 * s.steps) for s in found.streams)
        return replace(found, streams=half)

    measure = gate.measure_drift
    monkeypatch.setattr(gate, "measure_drift", stopped)
    code, out, err = command(
        capsys, good.path, "--no-state", "--steps", STEPS, "--junit", tmp_path / "j.xml"
    )
    assert code == 130
    assert "stopped before its end: anomaly_stream" in out.splitlines()
    assert "stream anomaly_stream was stopped before its end" in err
    assert b"The replay was stopped before the end." in (tmp_path / "j.xml").read_bytes()


def test_a_stream_that_was_never_begun_fails(good, monkeypatch):
    def run_first(jobs, tell):
        return run_here(jobs[:1], tell)

    run_here = gate.run_here
    monkeypatch.setattr(gate, "run_here", run_first)
    found = checked(good, streams=("anomaly_stream", STREAM_FILE))
    assert found.drift.unfinished == (STREAM_FILE,)
    assert not found.is_passed


def test_both_halves_are_said_and_either_can_be_left_out(good, bad, capsys):
    code, out, _ = command(capsys, good.path, "--engines", "int8", "--steps", STEPS)
    assert code == 0
    assert "state carried" in out
    assert "hidden_rms" in out
    code, out, _ = command(capsys, bad.path, "--engines", "int8", "--no-drift")
    assert (code, "hidden_rms" in out) == (0, False)
    code, out, err = command(capsys, bad.path, "--no-state", "--steps", STEPS)
    assert (code, "state carried" in out) == (1, False)
    assert err.splitlines()[-2].startswith("Error: Drift budget: hidden_rms on anomaly_stream")
    assert "docs/drift_gate.md" in err.splitlines()[-1]


def test_lines_are_aligned_and_name_the_baseline(good, bad, capsys):
    code, out, _ = command(
        capsys, bad.path, "--no-state", "--steps", STEPS, "--baseline", good.path, "-q"
    )
    assert code == 1
    lines = out.splitlines()
    assert lines[0] == (
        "tiny on synthetic (simulated machine): drift of c against c-float, never reset, on "
        "anomaly_stream (4,000 frames)"
    )
    assert lines[1] == f"baseline: {good.path}"
    head = lines[2]
    assert head.split("  ")[0] == "measure"
    assert lines[-1] == "verdict: failed; 2 of 7 limits not kept"
    for line in lines[3:-1]:
        assert line[head.index("verdict") :] in ("within", "outside", "unsure"), line


def test_the_files_of_ci_are_written_whatever_the_verdict(good, bad, capsys, tmp_path, monkeypatch):
    junit, summary = tmp_path / "junit.xml", tmp_path / "summary.md"
    where = ("--junit", junit, "--summary", summary, "--no-state", "--steps", STEPS, "-q")
    assert command(capsys, good.path, *where)[0] == 0
    root = ElementTree.parse(junit).getroot()
    assert (root.get("tests"), root.get("failures")) == ("5", "0")
    assert "✅ **Passed.**" in summary.read_text()
    # What stood there is replaced,
    assert command(capsys, bad.path, *where)[0] == 1
    assert int(ElementTree.parse(junit).getroot().get("failures")) >= 1
    assert summary.read_text().count("## rnn-edge check") == 1
    # but other commands have written to the summary of a step.
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert command(capsys, bad.path, *where)[0] == 1
    assert summary.read_text().count("❌ **Failed**") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "summary.md"]


def test_a_check_that_breaks_off_says_so_in_the_files(good, capsys, tmp_path):
    junit, summary = tmp_path / "junit.xml", tmp_path / "summary.md"
    code, _, err = command(
        capsys, good.path, "--no-state", "--streams", "nowhere", "--junit", junit,
        "--summary", summary,
    )  # fmt: skip
    assert code == 1
    assert "nowhere" in err
    assert "nowhere" in ElementTree.parse(junit).getroot().find(".//error").get("message")
    assert "❌ **Broken off.**" in summary.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--no-drift", "--no-state"], "--no-state and --no-drift leave nothing to check."),
        (["--no-drift", "--steps", "2000"], "--no-drift leaves --steps without effect."),
        (["--no-drift", "--baseline", "x"], "--no-drift leaves --baseline without effect."),
        (["--no-drift", "--set", "drift.strict=true"], "--no-drift leaves --set without effect."),
        (["--no-state", "--engines", "c"], "--no-state leaves --engines without effect."),
        (["--streams", " , "], "expected at least one stream"),
        (["--steps", "10"], "expected a whole number from 1000"),
    ],
)
def test_options_that_would_do_nothing_are_refused(good, capsys, arguments, message):
    code, out, err = command(capsys, good.path, *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_files_that_cannot_be_written_are_refused_first(good, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "measure_drift", None)
    for option in ("--junit", "--summary"):
        code, _, err = command(capsys, good.path, option, tmp_path / "none" / "file")
        assert (code, f"Folder {tmp_path / 'none'} does not exist" in err) == (1, True)
        code, _, err = command(capsys, good.path, option, tmp_path)
        assert (code, f"{tmp_path} is a folder" in err) == (1, True)


def test_a_summary_can_go_to_a_device(good, capsys):
    code, _, _ = command(
        capsys, good.path, "--no-state", "--steps", STEPS, "--summary", "/dev/null"
    )
    assert code == 0
    assert Path("/dev/null").is_char_device()


def written(folder, content):
    file = folder / "drift.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_a_baseline_is_read_from_what_either_command_writes(tmp_path):
    plain = json.loads(json.dumps(result().to_json()))
    assert load_baseline(written(tmp_path, plain)).result == plain
    assert open_baseline(tmp_path).result == plain
    assert load_baseline(written(tmp_path, {"drift": {"result": plain}})).result == plain


def damaged(change):
    held = json.loads(json.dumps(result(stream()).to_json()))
    change(held)
    return held


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", "cannot be read"),
        ([1], "holds no drift: format None"),
        ({"drift": None}, "holds no drift: format None"),
        ({"format": "rnn-edge drift 9"}, f"'rnn-edge drift 9'; expected '{FORMAT}'"),
        (damaged(lambda d: d.pop("streams")), "is damaged: key 'streams' is missing"),
        (damaged(lambda d: d["streams"][0].pop("hidden_rms")), "key 'hidden_rms' is missing"),
        (damaged(lambda d: d["streams"][0].update(steps="x")), "is damaged: "),
        (damaged(lambda d: d["streams"][0]["tensors"][1].update(trend=3)), "is damaged: "),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_drift_is_refused(tmp_path, content, message):
    with pytest.raises(DataError, match=re.escape(message)):
        load_baseline(written(tmp_path, content))


def test_a_baseline_of_another_task_is_refused(good, capsys, tmp_path):
    other = written(tmp_path, {**result(stream()).to_json(), "task": "kws"})
    code, _, err = command(capsys, good.path, "--no-state", "--baseline", other)
    assert code == 1
    assert "is of a model of task 'kws'; expected 'anomaly'" in err


def test_a_baseline_that_is_nothing_is_refused(good, capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    for path, message in (
        (tmp_path / "gone", "does not exist; expected a bundle or a drift"),
        (tmp_path / "empty", "is not a bundle"),
    ):
        code, _, err = command(capsys, good.path, "--no-state", "--baseline", path)
        assert (code, message in err) == (1, True), err


def test_a_changed_bundle_is_no_baseline(good, bad, capsys, tmp_path):
    other = Path(shutil.copytree(good.path, tmp_path / "other"))
    (other / "model.npz").write_bytes(b"x")
    code, _, err = command(capsys, bad.path, "--no-state", "--baseline", other)
    assert (code, "model.npz was changed" in err) == (1, True)
