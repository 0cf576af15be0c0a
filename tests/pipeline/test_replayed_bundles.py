"""The parity matrix of a finished bundle."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from untrained import untrained_bundle

from rnn_edge.cli.main import run
from rnn_edge.engines.base import EngineKind, all_engines
from rnn_edge.engines.integer_reference import ENGINE as REFERENCE
from rnn_edge.errors import DataError, ParityError, RnnEdgeError, SpecError
from rnn_edge.pipeline import (
    ReplayRequest,
    refuse_differences,
    replay,
    replay_bundle,
)
from rnn_edge.pipeline.proof import replay_stream
from rnn_edge.replay import sequence_stream
from rnn_edge.spec import load_stream
from rnn_edge.spec.load import shipped
from rnn_edge.streams import ModelPair, open_stream, read_whole

STREAMS = [name for name in shipped("calibration") if name.startswith("anomaly_")]
QUICK_SEARCH = (
    'task = "anomaly"\nkind = "adversarial"\nwindow = 20\npopulation = 8\ngenerations = 3\n'
)


class Tampered:
    """The integer reference with one bit flipped at a step, or a state that does not last."""

    def __init__(self, source, fault):
        self._engine, self._fault = REFERENCE.open(source), fault

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._engine.close()

    def reset(self):
        self._engine.reset()

    def run(self, x):
        if self._fault == "forgets":
            self._engine.reset()
        trace = self._engine.run(x)
        outputs = trace.outputs.copy()
        if self._fault == "flips":
            outputs[123, 1] ^= 4
        return type(trace)(outputs, trace.states)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return untrained_bundle(tmp_path_factory.mktemp("replayed"))


@pytest.fixture
def use(monkeypatch):
    def add(fault, *, is_emulated=False):
        kind = EngineKind(
            "broken", "", True, "", "", lambda source: Tampered(source, fault), is_emulated
        )
        known = {**all_engines(), "broken": kind}
        monkeypatch.setattr(replay, "all_engines", lambda: known)
        # Where the command line looks for the name.
        monkeypatch.setattr("rnn_edge.engines.base.all_engines", lambda: known)

    return add


def matrix_of(bundle, *engines, told=None, **options):
    tell = (lambda *_: None) if told is None else lambda name, k, n: told.append((name, k, n))
    return replay_bundle(bundle, ReplayRequest(engines, **options), tell)


def test_engines_that_agree_give_a_matrix_of_zeros(bundle):
    told = []
    matrix = matrix_of(bundle, "int8", "litert-ref", "float", told=told, steps=300)
    refuse_differences(matrix.parity, matrix.agreement)
    assert [(r.engine, r.tensor, r.steps, r.differing) for r in matrix.parity] == [
        (engine, tensor, 300, 0)
        for engine in ("int8", "litert-ref")
        for tensor in ("y", "h0", "c0")
    ]
    assert {r.engine for r in matrix.agreement} == {"float"}
    assert [name for name, _, _ in told] == ["litert-ref", "float", "int8"]
    result = matrix.to_json()
    assert result["steps"] == 300
    assert result["stream"] == "anomaly_stream"
    assert "synthetic" in result["source"]
    assert result["model_digest"] == bundle.model().digest()


def test_one_flipped_bit_is_found_where_it_is(bundle, use):
    use("flips")
    matrix = matrix_of(bundle, "broken", steps=200)
    rows = {r.tensor: (r.differing, r.max_lsb, r.first_step) for r in matrix.parity}
    assert rows == {"y": (1, 4, 123), "h0": (0, 0, None), "c0": (0, 0, None)}
    with pytest.raises(ParityError, match="broken y: 1 values differ by up to 4 LSB"):
        refuse_differences(matrix.parity, matrix.agreement)


def test_the_command_fails_on_it_with_one_object(bundle, use, capsys):
    use("flips")
    code = run(["replay", str(bundle.path), "--engines", "broken", "--steps", "200", "--json"])
    captured = capsys.readouterr()
    assert code == 1
    assert json.loads(captured.out)["parity"][0]["differing"] == 1
    assert "Error: Engines do not agree with the reference: broken y" in captured.err


def test_resets_come_at_the_starts_of_sequences(bundle, use):
    # An engine that loses its state before every call is right only if it is reset there anyway.
    use("forgets")
    stream = _stream(bundle, 200)
    second = int(stream.starts[1])
    matrix = matrix_of(bundle, "broken", steps=second + 20, is_reset=True)
    assert all(row.differing == 0 for row in matrix.parity)
    once = replay._run(REFERENCE, _source(bundle), stream, True).states["h0"]
    never = replay._run(REFERENCE, _source(bundle), stream, False).states["h0"]
    assert np.array_equal(once[:second], never[:second])
    assert not np.array_equal(once[second], never[second])


def _source(bundle):
    return replay.EngineSource(bundle.float_model(), bundle.model(), bundle.exports, Path())


def _stream(bundle, steps):
    part = replay.bundle_frames(bundle, None)[0].part("test")
    return sequence_stream([s.frames for s in part], steps, 7)


def test_emulated_engines_replay_fewer_steps(bundle, use):
    use("none", is_emulated=True)
    matrix = matrix_of(bundle, "int8", "broken", steps=300, emulated_steps=40)
    assert {r.engine: r.steps for r in matrix.parity} == {"int8": 300, "broken": 40}
    assert matrix.to_json()["emulated"] == ["broken"]


def test_material_is_the_builds_or_can_be_made_again(bundle, tmp_path):
    moved = Path(shutil.copytree(bundle.path, tmp_path / "moved"))
    shutil.rmtree(moved / ".stages")
    again = matrix_of(type(bundle).open(moved), "int8", steps=50)
    kept = matrix_of(bundle, "int8", steps=50)
    assert again == kept
    assert np.array_equal(
        replay.bundle_frames(bundle, None)[0].sequences[0].frames,
        replay.bundle_frames(type(bundle).open(moved), None)[0].sequences[0].frames,
    )


def test_wrong_requests_are_refused(bundle, tmp_path):
    with pytest.raises(RnnEdgeError, match="Unknown engine: 'gpu'"):
        matrix_of(bundle, "gpu")
    with pytest.raises(SpecError, match='task = "kws"; expected "anomaly"'):
        matrix_of(bundle, "int8", stream="kws_stream")


def test_a_bundle_of_recordings_asks_for_them_when_they_are_gone(bundle, monkeypatch, tmp_path):
    class Recorded:
        kind, path = "sensor-table", None

    spec = bundle.spec().model_copy(update={"data": Recorded()})
    moved = Path(shutil.copytree(bundle.path, tmp_path / "moved"))
    shutil.rmtree(moved / ".stages")
    opened = type(bundle).open(moved)
    monkeypatch.setattr(type(opened), "spec", lambda _: spec)
    with pytest.raises(DataError, match="does not hold the recordings"):
        matrix_of(opened, "int8")


@pytest.mark.slow
def test_the_c_of_other_compilers_takes_part(bundle):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    engines = ("c-gcc-O0", "c-gcc-sanitized")
    matrix = matrix_of(bundle, *engines, steps=200)
    refuse_differences(matrix.parity, matrix.agreement)
    assert [(r.engine, r.tensor, r.steps, r.differing) for r in matrix.parity] == [
        (engine, tensor, 200, 0) for engine in engines for tensor in ("y", "h0", "c0")
    ]


@pytest.mark.parametrize("name", STREAMS)
def test_every_kind_of_stream_is_replayed(bundle, name, tmp_path):
    if name == "anomaly_adversarial":
        (tmp_path / "quick.toml").write_text(QUICK_SEARCH)
        name = str(tmp_path / "quick.toml")
    matrix = matrix_of(bundle, "int8", stream=name, steps=300)
    facts = matrix.to_json()
    assert (facts["stream"], facts["steps"]) == (name, 300)
    assert {row.steps for row in matrix.parity} == {300}
    models = ModelPair(bundle.float_model(), bundle.model())
    frames = replay.bundle_frames(bundle, None)[0]
    spec = load_stream(name, "anomaly")
    whole = read_whole(open_stream(spec, frames, steps=300, models=models))
    stream, _ = replay.open_stream(bundle, None, name, 300)
    assert np.array_equal(stream.frames, whole.frames)
    assert np.array_equal(stream.starts, whole.starts)


def test_a_build_is_proven_on_whole_recordings_or_on_any_other_kind(bundle, tmp_path):
    models = bundle.float_model(), bundle.model()
    frames = replay.bundle_frames(bundle, None)[0]
    spec = load_stream("anomaly_stream", "anomaly")
    whole = replay_stream(frames, spec, *models)
    longest = max(len(s.frames) for s in frames.part("test"))
    assert 12_000 <= len(whole) < 12_000 + longest
    assert np.array_equal(whole, _stream(bundle, 12_000).frames)
    (tmp_path / "quick.toml").write_text(QUICK_SEARCH)
    worst = replay_stream(frames, load_stream(str(tmp_path / "quick.toml"), "anomaly"), *models)
    assert len(worst) == 20_000


def test_the_command_takes_the_file_of_a_stream(bundle, tmp_path, capsys):
    file = tmp_path / "loud.toml"
    file.write_text('task = "anomaly"\nkind = "saturation"\nstretch = 50\n')
    arguments = ["replay", str(bundle.path), "--engines", "int8", "--steps", "200", "--json"]
    assert run([*arguments, "--stream", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 200
    file.write_text('task = "anomaly"\nkind = "saturation"\nstrech = 50\n')
    assert run([*arguments, "--stream", str(file)]) != 0
    assert 'strech = 50; unknown key, did you mean "stretch"?' in capsys.readouterr().err


def test_a_stream_that_memory_cannot_hold_is_refused(bundle, tmp_path):
    file = tmp_path / "day.toml"
    file.write_text('task = "anomaly"\nsteps = 20_000_000\n')
    with pytest.raises(DataError, match="20,000,000 frames; a replay holds them in memory"):
        replay.open_stream(bundle, None, str(file), None)
    assert len(replay.open_stream(bundle, None, str(file), 50)[0].frames) == 50


def test_the_command_of_the_page_on_streams_runs(bundle, capsys):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    text = (Path(__file__).parents[2] / "docs" / "streams.md").read_text()
    (line,) = re.findall(r"^\$ rnn-edge (.*)$", text, re.MULTILINE)
    assert run(line.replace("out/pump", str(bundle.path)).split()) == 0
    told = capsys.readouterr().out
    assert "stream anomaly_saturation" in told
    assert "2,000" in told
