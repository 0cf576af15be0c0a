"""Logs through a finished bundle: what they say, what has drifted, and what is kept private."""

import gzip
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from untrained import SPEC, replace_training

from rnn_edge.cli.main import run
from rnn_edge.engines.base import EngineKind, all_engines
from rnn_edge.engines.c_host import host_compiler
from rnn_edge.engines.integer_reference import ENGINE as REFERENCE
from rnn_edge.errors import DataError, MissingDependencyError, ParityError
from rnn_edge.input_drift import InputReference
from rnn_edge.logs import LogReader, LogWriter
from rnn_edge.pipeline import (
    Bundle,
    LogRequest,
    build_bundle,
    input_reference,
    log_replay,
    log_run,
    replay_log,
)
from rnn_edge.pipeline.input_reference import INPUT_REFERENCE
from rnn_edge.pipeline.timeline import POINTS, Timeline
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import IntegerReference
from rnn_edge.spec import load_spec
from rnn_edge.types.frames import FrameSet

DOCS = Path(__file__).parents[2] / "docs" / "logs.md"
FRAMES = 3000


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logged")
    spec = SPEC.replace('"tiny"', '"pump"').replace("recording_s = 60.0", "recording_s = 1200.0")
    (folder / "pump.toml").write_text(spec)
    with pytest.MonkeyPatch.context() as patch:
        replace_training(patch.setattr)
        return build_bundle(
            load_spec(folder / "pump.toml", []),
            folder / "out" / "pump",
            progress=lambda *_: None,
            until="export",
        )


@pytest.fixture(scope="module")
def frames(bundle):
    """Frames as in the calibration, int16 (T, D): the pieces of its recordings in another order."""
    (stage,) = (bundle.path / ".stages").glob("data-*")
    part = FrameSet.load(stage / "frames.npz").part("train")
    pieces = [p for s in part for p in np.split(s.frames, range(50, len(s.frames), 50))]
    order = np.random.default_rng(0).integers(0, len(pieces), FRAMES)
    return quantize_input(np.concatenate([pieces[k] for k in order])[:FRAMES])


@pytest.fixture
def write(bundle, tmp_path):
    """Write a log of the bundle's model as a device would, and change its lines on the way."""

    def call(x, name="log.jsonl", change=lambda rows: rows, header=None, resets=(0,)):
        model = bundle.model()
        reference = IntegerReference(model)
        inputs = input_reference(bundle)
        first = LogWriter.header_of(model, inputs.frame_rate_hz, inputs.names).to_json()
        rows = []
        for k, frame in enumerate(x):
            if k in resets:
                reference.reset()
            y = reference.step(frame[None])[0]
            row = {"step": k, "x": frame.tolist(), "y": y.tolist(), "user": f"anna-{k % 3}"}
            rows.append({**row, "reset": True} if k in resets else row)
        lines = [{**first, **(header or {})}, *change(rows)]
        data = b"".join(
            line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines
        )
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return call


def use(monkeypatch, engines):
    for module in (log_replay, log_run):
        monkeypatch.setattr(module, "all_engines", lambda: engines)


def replayed(bundle, path, *engines, **options):
    request = LogRequest(path, engines or ("int8",), **options)
    return replay_log(bundle, request, lambda *_: None)


def test_a_build_keeps_the_distribution_of_its_frames(bundle, tmp_path):
    kept = InputReference.load(bundle.file(INPUT_REFERENCE))
    assert INPUT_REFERENCE in bundle.manifest["files"]
    (stage,) = (bundle.path / ".stages").glob("data-*")
    part = FrameSet.load(stage / "frames.npz").part("train")
    assert kept.frames == sum(len(s.frames) for s in part)
    assert len(kept.origin) == 64
    # A bundle of an earlier version: measured from its stages, else told with what to do.
    old = Path(shutil.copytree(bundle.path, tmp_path / "old"))
    manifest = json.loads((old / "manifest.json").read_text())
    del manifest["files"][INPUT_REFERENCE]
    (old / "manifest.json").write_text(json.dumps(manifest))
    (old / INPUT_REFERENCE).unlink()
    found = input_reference(Bundle.open(old))
    assert np.array_equal(found.values, kept.values)
    assert np.array_equal(found.times, kept.times)
    shutil.rmtree(old / ".stages")
    with pytest.raises(DataError, match=r"has no input_reference\.npz") as caught:
        input_reference(Bundle.open(old))
    assert caught.value.hint.startswith("rnn-edge build")


def test_a_bundle_of_an_earlier_version_gets_it_and_keeps_its_stages(bundle, tmp_path, monkeypatch):
    replace_training(monkeypatch.setattr)
    old = Path(shutil.copytree(bundle.path, tmp_path / "old"))
    spec = bundle.spec()
    for damage in (b"", b"damaged", None):
        manifest = json.loads((old / "manifest.json").read_text())
        del manifest["files"][INPUT_REFERENCE]
        (old / "manifest.json").write_text(json.dumps(manifest))
        (old / INPUT_REFERENCE).unlink()
        if damage is None:
            (old / ".stages" / INPUT_REFERENCE).unlink()
        else:
            (old / ".stages" / INPUT_REFERENCE).write_bytes(damage)
        heard = []
        build_bundle(
            spec,
            old,
            progress=lambda name, k, n, metrics, heard=heard: heard.append(metrics),
            until="export",
            again=True,
        )
        kept = [metrics["kept"] for metrics in heard if "kept" in metrics]
        assert kept == [1.0] * 6
        assert (old / INPUT_REFERENCE).read_bytes() == bundle.file(INPUT_REFERENCE).read_bytes()


def test_what_a_device_logged_is_what_the_reference_gives(bundle, write, frames):
    path = write(frames, resets=(0, 700, 2500))
    found = replayed(bundle, path, "int8", "litert-ref", "float")
    found.refuse_differences(refuse_drift=True)
    result = found.to_json()
    assert result["logged"]["known_state"]["frames"] == FRAMES
    assert result["logged"]["known_state"]["differing"] == 0
    assert result["logged"]["unknown_state"]["frames"] == 0
    assert (result["log"]["resets"], result["log"]["is_same_model"]) == (3, True)
    assert {(r["engine"], r["steps"], r["differing"]) for r in result["parity"]} == {
        ("int8", FRAMES, 0),
        ("litert-ref", FRAMES, 0),
    }
    assert {(r["engine"], r["steps"]) for r in result["float_engines"]} == {("float", FRAMES)}
    drift = result["input_drift"]
    assert drift["is_judged"]
    assert drift["drifted"] == []
    json.dumps(result, allow_nan=False)


def test_frames_in_real_units_and_compressed_are_the_same_frames(bundle, write, frames):
    def real(rows):
        return [
            {**{k: v for k, v in row.items() if k != "x"}, "xf": [v / 4096 for v in row["x"]]}
            if row["step"] % 2
            else row
            for row in rows
        ]

    path = write(frames[:300], "log.jsonl.gz", real)
    found = replayed(bundle, path)
    assert found.logged.frames == 300
    assert found.logged.is_equal


def test_numbers_far_beyond_the_range_saturate(bundle, write, frames):
    def huge(rows):
        for row in rows:
            row["xf"] = [
                1e300 if row["step"] % 2 else -1e300,
                *(v / 4096 for v in row.pop("x")[1:]),
            ]
            del row["y"]
        return rows

    found = replayed(bundle, write(frames[:40], change=huge))
    first = input_reference(bundle).names[0]
    row = next(r for r in found.facts["input_drift"]["features"] if r["name"] == first)
    assert (row["saturated"], row["outside"]) == (1.0, 1.0)


def test_one_wrong_output_is_found_at_its_step_and_line(bundle, write, frames):
    def wrong(rows):
        rows[123]["y"][1] += 4
        return [{**row, "step": row["step"] + 1000} for row in rows]

    found = replayed(bundle, write(frames[:200], change=wrong))
    assert (found.logged.differing, found.logged.max_lsb) == (1, 4)
    with pytest.raises(ParityError, match=r"first at step 1123 \(line 125\)"):
        found.refuse_differences()


def test_a_wrong_engine_is_found_at_the_step_of_the_log(bundle, write, frames, monkeypatch):
    class Wrong:
        def __init__(self, source):
            self._engine, self._steps = REFERENCE.open(source), 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._engine.close()

        def reset(self):
            self._engine.reset()

        def run(self, x):
            trace = self._engine.run(x)
            outputs = trace.outputs.copy()
            at = 1500 - self._steps
            if 0 <= at < len(outputs):
                outputs[at, 0] ^= 2
            self._steps += len(x)
            return type(trace)(outputs, trace.states)

    known = {**all_engines(), "wrong": EngineKind("wrong", "", True, "", "", Wrong)}
    use(monkeypatch, known)
    path = write(frames[:1600], change=lambda rows: [{**r, "step": r["step"] + 50} for r in rows])
    found = replayed(bundle, path, "wrong")
    row = next(row for row in found.parity if row.tensor == "y")
    assert (row.steps, row.differing, row.max_lsb, row.first_step) == (1600, 1, 2, 1550)
    with pytest.raises(ParityError, match="wrong y: 1 values differ"):
        found.refuse_differences()


def test_emulated_engines_step_the_first_frames(bundle, write, frames, monkeypatch):
    slow = EngineKind("slow", "", True, "", "", REFERENCE.open, is_emulated=True)
    use(monkeypatch, {**all_engines(), "slow": slow})
    path = write(frames[:90], resets=(0, 40))
    found = replayed(bundle, path, "slow", emulated_steps=60)
    assert {row.steps for row in found.parity} == {60}
    found.refuse_differences()


def test_after_a_gap_the_state_is_unknown_until_the_next_reset(bundle, write, frames):
    def lossy(rows):
        # Missing: 100 to 109; twice: 20; late: 30 behind 32.
        kept = [*rows[:21], rows[20], *rows[21:30], rows[31], rows[32], rows[30], *rows[33:100]]
        return [*kept, *rows[110:]]

    found = replayed(bundle, write(frames[:300], change=lossy, resets=(0, 200)))
    found.refuse_differences()
    log = found.facts["log"]
    assert (log["duplicates"], log["out_of_order"]) == (1, 1)
    assert log["gaps"]["first"] == [{"after": 29, "missing": 1}, {"after": 99, "missing": 10}]
    known, unknown = (found.facts["logged"][f"{k}_state"] for k in ("known", "unknown"))
    assert known["frames"] == 30 + 100
    assert known["differing"] == 0
    assert unknown["frames"] == 200 - 30 - 1 - 10
    assert unknown["differing"] > 0
    assert unknown["first"]["step"] >= 31


def test_a_log_without_its_first_reset_is_compared_but_not_judged(bundle, write, frames):
    found = replayed(bundle, write(frames[:200], change=lambda rows: rows[50:]))
    found.refuse_differences()
    assert found.facts["logged"]["known_state"]["frames"] == 0
    assert found.facts["logged"]["unknown_state"]["differing"] > 0


def test_another_model_is_replayed_if_its_inputs_fit(bundle, write, frames):
    other = {"model": "old", "model_digest": "0" * 64}

    def fewer_outputs(rows):
        return [{**row, "y": row["y"][:1]} for row in rows]

    found = replayed(bundle, write(frames[:60], change=fewer_outputs, header=other))
    found.refuse_differences()
    assert not found.is_same_model
    assert found.facts["logged"]["known_state"]["frames"] == 0
    for header, message in (
        ({"input_exponent": -10}, "input_exponent -10; expected -12"),
        ({"frame_rate_hz": 99.0}, "99 frames per second; expected"),
        ({"features": ["a", "b"]}, "2 features; expected"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            replayed(bundle, write(frames[:60], header={**other, **header}))
        assert "of another model" in caught.value.message
        with pytest.raises(DataError, match=message):
            replayed(bundle, write(frames[:60], header=header))

    def narrow(rows):
        return [{**row, "x": row["x"][:2]} for row in rows]

    with pytest.raises(DataError, match="output_exponent 3; expected"):
        replayed(bundle, write(frames[:60], header={"output_exponent": 3}))
    without = {**other, "features": []}
    with pytest.raises(DataError, match="of another model, and no input of pump: 2 features"):
        replayed(bundle, write(frames[:60], change=narrow, header=without))


def test_shifted_inputs_are_found_and_are_no_failure(bundle, write, frames):
    x = frames.copy()
    x[1000:, 1] = np.clip(x[1000:, 1].astype(int) + 9000, -32768, 32767)
    found = replayed(bundle, write(x), window=250)
    found.refuse_differences()
    drift = found.facts["input_drift"]
    name = input_reference(bundle).names[1]
    assert drift["drifted"] == [name] == drift["alarms"]
    assert drift["features"][0]["first_alarm_step"] == 1749
    assert drift["largest_score"] >= drift["rules"]["on"]
    assert drift["timeline"]["steps"] == list(range(0, FRAMES, 250))
    with pytest.raises(DataError, match=f"Inputs have drifted .* 1 of .* features, {name}"):
        found.refuse_differences(refuse_drift=True)


def test_a_log_that_holds_little_of_slow_features_says_so(bundle, write, frames, capsys):
    path = write(frames[:40])
    assert run(["replay", str(bundle.path), "--data", str(path), "--engines", "int8"]) == 0
    told = capsys.readouterr().out
    weak = replayed(bundle, path).facts["input_drift"]["weak"]
    assert f"{len(weak)} of them change so slowly that this log holds few" in told
    assert told.endswith("verdict: what was logged is what the integer reference gives\n")
    assert replayed(bundle, write(frames)).facts["input_drift"]["weak"] != weak != []


def test_bad_lines_end_the_replay_or_are_listed(bundle, write, frames):
    def damaged(rows):
        return [*rows[:5], b"no json\n", *rows[5:9], {**rows[9], "x": [1]}, *rows[10:], b'{"step":']

    path = write(frames[:40], change=damaged)
    with pytest.raises(DataError, match=r"line 7: no JSON .*; expected a JSON object") as caught:
        replayed(bundle, path)
    assert "--on-bad-line skip" in caught.value.hint
    found = replayed(bundle, path, on_bad_line="skip")
    bad = found.facts["log"]["bad_lines"]
    assert bad["count"] == 3
    assert [row["line"] for row in bad["first"]] == [7, 12, 43]
    assert found.facts["log"]["gaps"]["missing"] == 1
    assert found.logged.frames == 9


def test_a_restart_whose_first_line_is_broken_does_not_lose_the_rest(bundle, write, frames):
    def cut_off(rows):
        # Power fails within a line; the first one after it follows on the same line.
        broken = json.dumps(rows[99])[:30] + json.dumps({**rows[100], "step": 0}) + "\n"
        later = [{**row, "step": row["step"] - 100} for row in rows[101:]]
        return [*rows[:99], broken.encode(), *later]

    path = write(frames[:300], change=cut_off, resets=(0, 100, 250))
    found = replayed(bundle, path, on_bad_line="skip")
    found.refuse_differences()
    log = found.facts["log"]
    assert (log["frames"], log["restarts"], log["out_of_order"]) == (298, 1, 0)
    assert found.facts["logged"]["known_state"]["frames"] == 99 + 50
    assert found.facts["logged"]["unknown_state"]["frames"] == 149


def test_a_log_without_frames_is_told(bundle, write, frames):
    with pytest.raises(DataError, match="has no frame; expected a line for every frame"):
        replayed(bundle, write(frames[:0]))
    path = write(frames[:0], change=lambda _: [b"a\n", b"b\n"])
    with pytest.raises(DataError, match="has no frame that can be read; 2 lines cannot"):
        replayed(bundle, path, on_bad_line="skip")


def test_the_first_frames_are_enough_if_so_asked(bundle, write, frames):
    path = write(frames[:100], change=lambda rows: [*rows, b"not read\n"])
    assert replayed(bundle, path, steps=30).to_json()["steps"] == 30


def test_reports_hold_no_value_of_a_field(bundle, write, frames, tmp_path, capsys):
    def secrets(rows):
        for row in rows:
            row.update(label="topsecret", place={"lat": 52.123456}, score=0.987654)
        rows[3]["time_ms"] = "topsecret"
        rows[5]["x"][0] = 99_999
        return rows

    path = write(frames[:120], change=secrets, header={"owner": "topsecret"})
    for extra in ([], ["--json"], ["-v"]):
        out = tmp_path / f"clean{len(extra)}.jsonl"
        arguments = ["--on-bad-line", "skip", "--clean", out, "--drop", "place", "--hash", "user"]
        arguments += ["--drop", "owner", "--drop", "label", "--drop", "time_ms", *extra]
        code = run(["replay", str(bundle.path), "--data", *map(str, (path, *arguments))])
        told = "".join(capsys.readouterr())
        assert code == 0
        for value in ("topsecret", "52.12", "anna", "0.9876", "99999", "99,999"):
            assert value not in told
        left = out.read_text()
        for value in ("topsecret", "52.12", "anna"):
            assert value not in left
        assert "0.987654" in left


def test_cleaned_logs_replay_as_before_or_are_counted(bundle, write, frames, tmp_path, capsys):
    path = write(frames[:120], resets=(0, 60))
    out, counts = tmp_path / "out.jsonl.gz", tmp_path / "counts.jsonl"
    assert run(["replay", str(bundle.path), "--data", str(path), "--engines", "int8", "--clean",
                str(out), "--hash", "user", "--drop", "usr"]) == 0  # fmt: skip
    told = capsys.readouterr().out
    assert "user hashed in 120 lines; the key of the hashes is random, not kept" in told
    assert "warning: usr is nowhere in the log" in told
    assert replayed(bundle, out).logged.frames == 120
    assert run(["replay", str(bundle.path), "--data", str(out), "--engines", "int8,c", "--clean",
                str(counts), "--drop", "x", "--drop", "y"]) == 0  # fmt: skip
    capsys.readouterr()
    assert run(["replay", str(bundle.path), "--data", str(counts), "--engines", "int8,c"]) == 0
    told = capsys.readouterr().out
    assert "resets 2" in told
    assert "verdict: nothing to replay: the frames were taken out of this log" in told
    assert "input drift: not judged. the frames were taken out" in told
    arguments = ["replay", str(bundle.path), "--data", str(counts), "--fail-on-input-drift"]
    assert run(arguments) == 1
    assert "Input drift is not judged" in capsys.readouterr().err


def test_the_command_tells_all_of_it(bundle, write, frames, capsys):
    def lossy(rows):
        rows[150]["y"][0] -= 7
        return [*rows[:100], b"?\n", *rows[101:130], *rows[140:]]

    path = write(frames[:400], change=lossy, resets=(0, 140))
    arguments = ["replay", str(bundle.path), "--data", str(path), "--engines", "int8,float"]
    assert run([*arguments, "--on-bad-line", "skip"]) == 1
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].startswith("pump on log log.jsonl: 389 frames, ")
    assert "gaps 2, 11 frames missing, duplicates 0, out of order 0, bad lines 1" in captured.out
    assert "line 102 left out: no JSON" in captured.out
    assert "gap after step 129: 10 missing" in captured.out
    assert "logged outputs: 360 frames, 1 differ by up to 7 LSB, first at step 150" in captured.out
    assert "logged outputs where the state is unknown: 29 frames" in captured.out
    assert lines[-2].startswith("input drift: ")
    assert lines[-1] == "verdict: what was logged differs from the integer reference"
    assert "Error: Log does not agree with the reference: 1 of 360 logged outputs" in captured.err
    assert run([*arguments, "--on-bad-line", "skip", "--json", "-q"]) == 1
    assert json.loads(capsys.readouterr().out)["log"]["gaps"]["missing"] == 11
    assert run(arguments) == 1
    assert "line 102: no JSON" in capsys.readouterr().err


def test_a_curve_of_any_length_has_few_points():
    line = Timeline()
    for k in range(10 * POINTS + 3):
        line.add(k * 7, float(k == 3000))
    told = line.to_json()
    assert line.largest == 1.0
    assert len(told["steps"]) <= POINTS
    assert told["steps"] == [k * 7 * told["windows_per_point"] for k in range(len(told["steps"]))]
    assert told["scores"].index(1.0) == 3000 // told["windows_per_point"]
    assert sum(told["scores"]) == 1.0


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)


def console(name):
    text = DOCS.read_text()
    (body,) = re.findall(rf"<!-- example: {name} -->\n```console\n(.*?)```", text, re.DOTALL)
    return [shlex.split(line.removeprefix("$ rnn-edge ")) for line in body.strip().splitlines()]


@pytest.fixture
def documented(bundle, frames, tmp_path, monkeypatch):
    """A folder with the bundle and the frames that the page speaks of."""
    shutil.copytree(bundle.path, tmp_path / "out" / "pump")
    np.save(tmp_path / "frames.npy", frames[:800])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_of_the_page_run(bundle, documented, capsys):
    write_log, watch = blocks("python")
    scope = {}
    exec(compile(write_log, str(DOCS), "exec"), scope)
    exec(compile(watch, str(DOCS), "exec"), scope)
    assert capsys.readouterr().out.count("()") == 4
    model = bundle.model()
    (shown,) = re.findall(r"<!-- log: shown.jsonl -->\n```text\n(.*?)```", DOCS.read_text(), re.S)
    shown = shown.replace("DIGEST", model.digest()).replace("OUTPUT", str(model.output_exponent))
    rate = input_reference(bundle).frame_rate_hz
    shown = shown.replace('"frame_rate_hz":0.5', f'"frame_rate_hz":{rate}')
    (documented / "shown.jsonl").write_text(with_width(shown, model.inputs))
    for name in ("replay", "clean"):
        for arguments in console(name):
            assert run(arguments) == 0, arguments
            assert capsys.readouterr().out
    with LogReader(documented / "shared.jsonl.gz") as log:
        assert len(log.header.further["device"]) == 64
        assert all("operator" not in row.record for row in log)


def with_width(text, inputs):
    """Give the frames of the page as many features as the model has."""
    return re.sub(
        r"\[([^]]*)\]",
        lambda found: "[" + ",".join((found[1].split(",") * inputs)[:inputs]) + "]",
        text,
    )


def test_the_c_of_the_page_writes_a_log(bundle, documented, frames):
    try:
        compiler = host_compiler()
    except MissingDependencyError as error:
        pytest.skip(str(error))
    rate = input_reference(bundle).frame_rate_hz
    (code,) = blocks("c")
    (documented / "log.c").write_text(code.replace(":0.5}", f":{rate}}}"))
    folder = bundle.path / "exports" / "c"
    sources = sorted(str(path) for path in folder.glob("*.c"))
    flags = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-I", str(folder)]
    subprocess.run([*compiler, *flags, "log.c", *sources, "-o", "logger"], check=True)
    done = subprocess.run(
        ["./logger"], input=frames[:500].tobytes(), capture_output=True, check=True
    )
    (documented / "c.jsonl").write_bytes(done.stdout)
    found = replayed(bundle, documented / "c.jsonl")
    assert found.is_same_model
    assert found.logged.frames == 500
    assert found.logged.is_equal


def test_every_option_of_the_page_is_one_of_the_command(capsys):
    assert run(["replay", "--help"]) == 0
    shown = capsys.readouterr().out
    for option in set(re.findall(r"`(--[a-z-]+)", DOCS.read_text())):
        assert option in shown
