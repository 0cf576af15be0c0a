"""The state probe over the engines of a finished bundle, and the command that runs it."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import forgetful
import pytest
from untrained import untrained_bundle

from rnn_edge.cache import CACHE_VARIABLE
from rnn_edge.cli.main import run
from rnn_edge.engines import environment
from rnn_edge.engines.base import EngineKind, all_engines, engines_here
from rnn_edge.errors import (
    BundleError,
    EngineError,
    MissingDependencyError,
    MissingExportError,
    RnnEdgeError,
)
from rnn_edge.pipeline import check, check_states
from rnn_edge.replay import Verdict

BROKEN = {
    "reallocated": lambda source: forgetful.variables_engine(
        forgetful.ReallocatedInterpreter, source
    ),
    "initialised": forgetful.initialised_each_step,
    "partly": lambda source: forgetful.LosesSome(source, {"c0"}),
    "stuck": lambda source: forgetful.variables_engine(forgetful.StuckVariables, source),
    "unheard": lambda source: forgetful.variables_engine(forgetful.UnheardState, source),
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return untrained_bundle(tmp_path_factory.mktemp("checked"))


@pytest.fixture
def use(monkeypatch):
    """Replace the known engines: `name=open`, or None for the real one."""

    def choose(**opens):
        real = all_engines()
        known = {
            name: real[name] if function is None else EngineKind(name, "", True, "", "", function)
            for name, function in opens.items()
        }
        monkeypatch.setattr(check, "all_engines", lambda: known)

    return choose


def checked(bundle, engines=None, data=None):
    return check_states(bundle, engines, data, lambda *_: None)


def test_engines_that_carry_their_state_pass(bundle):
    told = []
    names = ["int8", "c", "litert", "litert-stateful", "onnx-int8", "float"]
    try:
        found = check_states(bundle, names, None, lambda *what: told.append(what))
    except MissingDependencyError as error:
        pytest.skip(str(error))
    assert [row.engine for row in found.rows] == names
    assert all(row.is_sound and row.restores for row in found.rows)
    assert told == [(name, k, len(names)) for k, name in enumerate(names)]
    found.refuse_lost_states()
    result = found.to_json()
    assert result["is_passed"] is True
    assert result["model_digest"] == bundle.model().digest()
    assert result["state"]["stream"] == "anomaly_stream"
    first, second = result["state"]["frames"]
    assert second == first + 1 < check.SCANNED_FRAMES


@pytest.mark.parametrize(
    ("name", "verdict", "message"),
    [
        ("reallocated", Verdict.FROM_ZERO, "reallocated starts from zero at each step"),
        ("initialised", Verdict.FROM_ZERO, "initialised starts from zero at each step"),
        ("partly", Verdict.DIFFERS, "partly does not step as the reference does, as if c0 alone"),
        ("stuck", Verdict.CARRIED, "stuck keeps its state over a reset"),
        ("unheard", Verdict.CARRIED, "unheard does not go on from a saved state"),
    ],
)
def test_a_broken_runtime_does_not_pass(bundle, use, name, verdict, message):
    pytest.importorskip("ai_edge_litert")
    use(int8=None, **{name: BROKEN[name]})
    try:
        found = checked(bundle)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    assert [row.verdict for row in found.rows] == [Verdict.CARRIED, verdict]
    assert [row.engine for row in found.unsound] == [name]
    assert found.to_json()["is_passed"] is False
    with pytest.raises(EngineError, match=f"^State probe: {message}") as caught:
        found.refuse_lost_states()
    assert "int8" not in caught.value.message


def test_an_engine_that_fails_is_a_finding_and_the_others_are_checked(bundle, use):
    def fails(source):
        raise EngineError("It crashed.", "look there")

    use(failing=fails, int8=None)
    found = checked(bundle)
    assert [(row.engine, row.verdict) for row in found.rows] == [
        ("failing", None),
        ("int8", Verdict.CARRIED),
    ]
    with pytest.raises(EngineError, match=r"^State probe: failing failed\.") as caught:
        found.refuse_lost_states()
    # Said once: the message beside the engine, the hint where the command ends.
    assert caught.value.hint == "look there"
    row = found.to_json()["state"]["engines"][0]
    assert (row["detail"], row["hint"]) == ("It crashed.", "look there")


def test_what_to_do_about_several_failures_is_said_once_each(bundle, use):
    def damaged(source):
        raise EngineError("It is damaged.", "make it anew")

    def unexplained(source):
        raise EngineError("It crashed.")

    use(one=damaged, two=damaged)
    with pytest.raises(EngineError) as caught:
        checked(bundle).refuse_lost_states()
    assert caught.value.hint == "make it anew"
    use(one=damaged, two=unexplained)
    with pytest.raises(EngineError) as caught:
        checked(bundle).refuse_lost_states()
    assert caught.value.hint.startswith("make it anew; do not run streams on these")


def test_what_is_not_here_is_left_out_unless_it_is_asked_for(bundle, use):
    def missing(source):
        raise MissingDependencyError("Package x is not installed.", "pip install x")

    def unwritten(source):
        raise MissingExportError("Export y is not there.", "export it")

    use(missing=missing, unwritten=unwritten, int8=None)
    found = checked(bundle)
    assert [row.engine for row in found.rows] == ["int8"]
    assert [(each.engine, each.reason, each.hint) for each in found.left_out] == [
        ("missing", "Package x is not installed.", "pip install x"),
        ("unwritten", "Export y is not there.", "export it"),
    ]
    found.refuse_lost_states()
    for name, kind in (("missing", MissingDependencyError), ("unwritten", MissingExportError)):
        with pytest.raises(kind):
            checked(bundle, [name])


def test_nothing_is_installed_unless_it_is_asked_for(bundle, use, monkeypatch, tmp_path):
    made = []
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(environment, "_make", lambda wanted, folder: made.append(wanted.name))
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    use(tflm=None)
    found = checked(bundle)
    assert (found.rows, made) == ((), [])
    (left,) = found.left_out
    assert left.reason == "Environment for the engine 'tflm' is not made yet."
    assert list(tmp_path.iterdir()) == []
    # By its name it is made; that nothing is there afterwards is this test's doing.
    (row,) = checked(bundle, ["tflm"]).rows
    assert (row.verdict, made) == (None, ["tflm"])


def test_a_wrong_engine_or_bundle_is_refused(bundle, tmp_path):
    with pytest.raises(RnnEdgeError, match="Unknown engine: 'gpu'; known are c, "):
        checked(bundle, ["int8", "gpu"])
    moved = Path(shutil.copytree(bundle.path, tmp_path / "moved"))
    (moved / "exports" / "model.tflite").write_bytes(b"x")
    with pytest.raises(BundleError, match="was changed"):
        type(bundle).open(moved)


def test_engines_in_an_arithmetic_of_their_own_have_room(bundle, use, monkeypatch):
    real = all_engines()["float"]
    monkeypatch.setattr(check, "all_engines", lambda: {"float": replace(real, is_approximate=True)})
    seen = []
    probe = check.probe
    monkeypatch.setattr(
        check, "probe", lambda *found, **how: seen.append(found[2]) or probe(*found, **how)
    )
    assert checked(bundle).rows[0].is_sound
    monkeypatch.setattr(check, "all_engines", lambda: {"float": real})
    assert checked(bundle).rows[0].is_sound
    loose, tight = seen
    assert loose.tolerance > tight.tolerance > 0


def command(capsys, *arguments):
    capsys.readouterr()
    code = run(["check", "--no-drift", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.slow
def test_the_command_says_one_line_per_engine(bundle, capsys):
    code, out, err = command(capsys, bundle.path, "--engines", "int8, c,int8")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("tiny on synthetic (simulated machine), frames ")
    assert [line.split() for line in lines[2:-1]] == [
        [name, "state", "carried", "yes", "yes"] for name in ("int8", "c")
    ]
    assert lines[-1] == "verdict: passed"
    assert "check c" in err


def test_the_command_fails_where_state_is_lost(bundle, use, capsys):
    pytest.importorskip("ai_edge_litert")

    def missing(source):
        raise MissingDependencyError("Package x is not installed.", "pip install x")

    use(missing=missing, partly=BROKEN["partly"], reallocated=BROKEN["reallocated"])
    code, out, err = command(capsys, bundle.path, "-q")
    assert code == 1
    assert [" ".join(line.split()) for line in out.splitlines()[2:]] == [
        "partly differs otherwise yes no as if c0 alone started from zero",
        "reallocated starts from zero at each step yes no",
        "missing left out: Package x is not installed. pip install x",
        "verdict: failed",
    ]
    assert err.startswith("Error: State probe: partly does not step as the reference does")
    assert "reallocated starts from zero at each step." in err
    code, out, _ = command(capsys, bundle.path, "--json")
    assert code == 1
    found = json.loads(out)
    assert (found["is_passed"], found["drift"]) == (False, None)
    assert found["state"]["engines"][1] == {
        "engine": "reallocated",
        "verdict": "starts from zero at each step",
        "resets": True,
        "restores": False,
        "detail": "",
        "is_sound": False,
        "hint": "",
    }
    assert found["state"]["left_out"][0]["engine"] == "missing"


@pytest.mark.parametrize(
    ("arguments", "is_said"), [([], True), (["-q"], False), (["--engines", "int8"], False)]
)
def test_how_many_engines_are_tried_is_said_beforehand(bundle, use, capsys, arguments, is_said):
    use(int8=None)
    code, out, err = command(capsys, bundle.path, *arguments)
    assert code == 0
    line = f"Trying all {len(engines_here())} engines; --engines A,B,... takes fewer."
    assert (line in err.splitlines()) is is_said
    assert "Trying" not in out


def test_an_engine_without_its_export_names_the_bundle(bundle, capsys):
    code, _, err = command(capsys, bundle.path, "--engines", "litert-w8a8")
    assert code == 1
    assert f"Hint: rnn-edge export {bundle.path} --format tflite-w8a8" in err.splitlines()


def test_the_command_refuses_an_empty_list(bundle, capsys):
    code, out, err = command(capsys, bundle.path, "--engines", " , ")
    assert (code, out) == (2, "")
    assert "expected at least one engine" in err
