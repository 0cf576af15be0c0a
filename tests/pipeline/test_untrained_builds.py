"""The whole pipeline on random weights: everything but the training itself."""

import dataclasses
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import untrained as untrained_module
from untrained import SPEC, replace_training

from rnn_edge.cells import lower_model
from rnn_edge.engines.base import EngineKind, all_engines
from rnn_edge.engines.integer_reference import ENGINE as REFERENCE
from rnn_edge.errors import (
    BundleError,
    DataError,
    EnvironmentFailureError,
    MissingDependencyError,
    ModelError,
    ParityError,
)
from rnn_edge.evaluation import integer_runner
from rnn_edge.pipeline import (
    ORDER,
    Bundle,
    build_bundle,
    evaluate_bundle,
    material,
    measure,
    proof,
    requirements,
    training,
)
from rnn_edge.pipeline import build as pipeline_build
from rnn_edge.pipeline.files import tree_digests
from rnn_edge.spec import load_spec
from rnn_edge.types import FloatModel
from rnn_edge.types.archive import load_archive
from rnn_edge.types.frames import FrameSequence, FrameSet

PROGRAM = Path(__file__).parents[1] / "support" / "untrained_build.py"


class Heard:
    """Progress: which stages began and which were kept."""

    def __init__(self):
        self.began, self.kept = [], []

    def __call__(self, stage, step, total, metrics):
        if stage in ORDER and step == 0 and total == 1:
            self.began.append(stage)
        if metrics.get("kept"):
            self.kept.append(stage)


TRACES = {}


def integer_trace_once(model, x, real=proof.integer_trace):
    """The integer reference over the same stream of 12,000 steps takes seconds every time."""
    key = (model.digest(), x.tobytes())
    if key not in TRACES:
        TRACES[key] = real(model, x)
    return TRACES[key]


@pytest.fixture(autouse=True)
def untrained(monkeypatch):
    replace_training(monkeypatch.setattr)
    for module in (proof, measure):
        monkeypatch.setattr(module, "integer_trace", integer_trace_once)


def spec_of(folder, text=SPEC, overrides=()):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.toml").write_text(text)
    return load_spec(folder / "tiny.toml", list(overrides))


def build(out, *overrides, until=None):
    heard = Heard()
    spec = spec_of(out.parent / "spec", overrides=overrides)
    return build_bundle(spec, out, progress=heard, until=until), heard


def published(folder):
    """Return the digest of every file of a bundle that users see."""
    return {n: d for n, d in tree_digests(folder).items() if not n.startswith(".stages/")}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        replace_training(patch.setattr)
        build(out)
    return out


@pytest.fixture
def copy(built, tmp_path):
    """A copy of the built bundle, with its stages."""
    return Path(shutil.copytree(built, tmp_path / "bundle"))


def test_a_build_has_everything_and_nothing_else(built):
    bundle = Bundle.open(built)
    names = set(bundle.manifest["files"])
    assert names == set(published(built)) - {"manifest.json"}
    assert names >= {
        *("spec.toml", "front_end.npz", "data.json", "teacher.npz", "student.npz"),
        *("student_without_teacher.npz", "float_model.npz", "model.npz"),
        *("model_after_training.npz", "quantization.json", "proof.json"),
        *("report.json", "report.html", "MODEL_CARD.md"),
    }
    assert any(name.endswith(".tflite") for name in names)
    assert any(name.endswith(".c") for name in names)
    assert set(bundle.manifest["stages"]) == set(ORDER)
    assert bundle.model().name == bundle.float_model().name == "tiny"
    assert bundle.spec().model.hidden == 4
    text = (built / "manifest.json").read_text() + (built / "report.json").read_text()
    assert str(built.parent) not in text
    assert not list((built / ".stages").glob("unfinished-*"))


@pytest.mark.slow
def test_two_builds_in_different_folders_are_the_same_to_the_byte(built, tmp_path):
    build(tmp_path / "elsewhere" / "other")
    assert published(tmp_path / "elsewhere" / "other") == published(built)


def test_a_second_build_keeps_every_stage(copy):
    before = published(copy)
    _, heard = build(copy)
    assert heard.kept == list(ORDER)
    assert published(copy) == before


@pytest.mark.parametrize(
    ("override", "made"),
    [
        ("replay.engines=['int8','float']", ["prove", "report"]),
        ("detector.quantile=0.9", ["report"]),
        ("model.offsets=[1,2]", ["teacher", "student", "baseline"]),
        ("quantize.headroom_bits=2", ["quantize", "export", "prove", "report"]),
        ("student.steps=7", ["student", "baseline"]),
        ("qat.steps=7", ["quantize"]),
        ('data.licence="CC0"', ["report"]),
    ],
)
def test_only_stages_that_depend_on_a_change_are_made_again(copy, override, made):
    # The stand-ins give the same weights whatever the steps, so that what follows is kept.
    _, heard = build(copy, override)
    assert [s for s in ORDER if s not in heard.kept] == made
    Bundle.open(copy)


@pytest.mark.slow
def test_a_teacher_of_before_is_not_trained_again_for_another_detector(copy):
    # Earlier versions recorded the detector with the teacher, which does not depend on it.
    (record,) = copy.glob(".stages/teacher-*/stage.json")
    content = json.loads(record.read_text())
    content["inputs"]["inputs"]["detector"] = {"quantile": 0.99}
    record.write_text(json.dumps(content))
    heard, spec = Heard(), spec_of(copy.parent / "spec", overrides=["detector.quantile=0.9"])
    build_bundle(spec, copy, progress=heard, again=True)
    assert [s for s in ORDER if s not in heard.kept] == ["report"]


def test_the_card_says_what_the_spec_states(copy):
    card = copy / "MODEL_CARD.md"
    assert "simulator of rnn-edge" in card.read_text()
    assert "none needed: no recording is part of it" in card.read_text()
    build(copy, 'data.licence="CC0"', 'data.source="a mill"')
    assert "Licence of the data: CC0\n- Read from" in card.read_text()
    assert "Source: a mill\n" in card.read_text()
    found = json.loads((copy / "report.json").read_text())["card"]
    assert found["digests"]["int8 model"] == Bundle.open(copy).model().digest()


def test_a_damaged_stage_is_made_again(copy):
    before = published(copy)
    stage = next((copy / ".stages").glob("student-*"))
    (stage / "student.npz").write_bytes(b"damaged")
    _, heard = build(copy)
    assert set(ORDER) - set(heard.kept) == {"student"}
    assert published(copy) == before


def test_a_changed_bundle_is_mended_from_its_stages(copy):
    before = published(copy)
    (copy / "model.npz").write_bytes(b"damaged")
    (copy / "report.html").unlink()
    with pytest.raises(BundleError):
        Bundle.open(copy)
    _, heard = build(copy)
    assert heard.kept == list(ORDER)
    assert published(copy) == before


def test_a_build_can_stop_and_go_on(built, tmp_path):
    out = tmp_path / "bundle"
    for until in ("data", "student", "export"):
        bundle, heard = build(out, until=until)
        assert bundle.manifest["until"] == until
        assert heard.began == list(ORDER[: ORDER.index(until) + 1])
        assert set(Bundle.open(out).manifest["stages"]) == set(heard.began)
    with pytest.raises(BundleError, match=r"has no report\.json; it was built until stage 'expo"):
        Bundle.open(out).file("report.json")
    _, heard = build(out)
    assert heard.kept == list(ORDER[: ORDER.index("export") + 1])
    assert published(out) == published(built)


def test_stopping_early_in_a_finished_bundle_takes_nothing_away(copy):
    before = published(copy)
    bundle, heard = build(copy, until="student")
    assert heard.began == ["data", "teacher", "student"]
    assert bundle.manifest["until"] == "report"
    assert published(copy) == before


def test_stopping_early_with_another_spec_does_not_take_the_later_files_away(copy):
    before = published(copy)
    with pytest.raises(BundleError, match="would take away baseline, quantize, export") as caught:
        build(copy, "qat.steps=7", until="student")
    assert "--out" in caught.value.hint
    assert "holds all stages up to report; stopping at student" in caught.value.message
    assert published(copy) == before


def test_stopping_early_with_new_code_keeps_what_follows_from_the_same_student(copy, monkeypatch):
    monkeypatch.setattr(pipeline_build, "code_digest", lambda packages: f"new {packages}")
    bundle, heard = build(copy, until="student")
    assert heard.kept == []
    assert bundle.manifest["until"] == "report"
    assert Bundle.open(copy).model().name == "tiny"


def test_stopping_early_with_another_student_does_not_take_the_later_files_away(copy, monkeypatch):
    before = published(copy)
    make_student = training.make_student

    def make_another(*arguments):
        make_student(*arguments)
        path = arguments[-2] / training.STUDENT
        dataclasses.replace(FloatModel.load(path), name="another").save(path)

    monkeypatch.setattr(training, "make_student", make_another)
    monkeypatch.setattr(pipeline_build, "code_digest", lambda packages: f"new {packages}")
    with pytest.raises(BundleError, match="would take away"):
        build(copy, until="student")
    assert published(copy) == before


def test_a_bundle_built_again_keeps_what_it_learned_with_other_versions(copy, monkeypatch):
    old = Bundle.open(copy)
    versions = {"rnn-edge": "9.9", "numpy": "9.9"}
    monkeypatch.setattr(pipeline_build, "package_versions", lambda: versions)
    heard = Heard()
    bundle = build_bundle(old.spec(), copy, progress=heard, until="export", again=True)
    assert heard.kept == ["data", "teacher", "student", "baseline", "quantize"]
    assert bundle.model().digest() == old.model().digest()
    assert bundle.manifest["versions"] == versions
    assert bundle.manifest["made_with"]["student"] == old.manifest["versions"]
    # What was exported is the same to the byte, so that its proof and report still hold.
    assert set(bundle.manifest["made_with"]) == {*heard.kept, "prove", "report"}
    # From a spec it is all made anew.
    _, heard = build(copy)
    assert heard.kept == ["export"]


@pytest.mark.parametrize("name", ["spec.toml", "manifest.json"])
@pytest.mark.parametrize("text", ["by hand", '{"format": "of an app", "stages": {}}'])
def test_a_folder_with_files_of_others_is_left_alone(tmp_path, name, text):
    out = tmp_path / "mine"
    out.mkdir()
    (out / name).write_text(text)
    with pytest.raises(BundleError, match=f"not a bundle and not empty: it has {name}"):
        build(out)
    assert [p.name for p in out.iterdir()] == [name]
    assert (out / name).read_text() == text


def test_everything_that_is_missing_is_said_before_the_first_stage(tmp_path, monkeypatch):
    gone = {"onnxruntime", "matplotlib"}
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in gone else found(name)
    )
    with pytest.raises(MissingDependencyError, match="onnxruntime") as caught:
        build(tmp_path / "out")
    assert "matplotlib (for the plots of the report)" in caught.value.message
    assert caught.value.hint == "pip install 'rnn-edge[onnx,report]'"
    assert not (tmp_path / "out").exists()


def test_a_build_that_fails_at_once_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(material, "read_dataset", fail_at_once)
    with pytest.raises(DataError, match="at once"):
        build(tmp_path / "new" / "out")
    assert not (tmp_path / "new" / "out").exists()


def fail_at_once(spec, place):
    raise DataError("Failed at once.")


def test_an_unknown_stage_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'deploy' is not a stage"):
        build(tmp_path / "out", until="deploy")


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def test_a_model_whose_saturation_is_certain_makes_no_bundle(tmp_path, monkeypatch):
    real = untrained_module.random_model

    def biased(*given):
        model = real(*given)
        (layer,) = model.layers
        b_x = np.array(layer.b_x)
        b_x[2] = 1000.0
        return dataclasses.replace(model, layers=(dataclasses.replace(layer, b_x=b_x),))

    monkeypatch.setattr(untrained_module, "random_model", biased)
    with pytest.raises(ModelError, match=r"l0_gx, element 2: at least .+ for every input"):
        build(tmp_path / "bundle", until="quantize")
    with pytest.raises(BundleError, match="not finished"):
        Bundle.open(tmp_path / "bundle")


def test_the_report_says_what_was_measured(built):
    report = json.loads((built / "report.json").read_text())
    assert report["format"] == "rnn-edge report 1"
    assert (report["task"], report["cell"], report["hidden"]) == ("anomaly", "lstm", 4)
    assert report["model_digest"] == Bundle.open(built).model().digest()
    assert [m["name"] for m in report["models"]] == [
        "teacher", "float", "float, no teacher", "float, fine-tuned",
        "int8 after training", "int8",
    ]  # fmt: skip
    for model in report["models"]:
        metrics = model["metrics"]
        for key in ("precision", "recall", "f1", "false_alarm_rate", "auc_pr", "event_f1"):
            assert 0.0 <= metrics[key] <= 1.0
        assert metrics["events"] == 2
        assert metrics["threshold"] > 0.0
        assert metrics["forecast_rmse"] > 0.0
    for drift in report["drift"]:
        assert drift["steps"] >= 10_000
        assert [row["tensor"] for row in drift["rows"]] == ["y", "h0", "c0"]
        assert all(0.0 < row["rms"] <= row["maximum"] for row in drift["rows"])
    ranges = report["quantization"]["ranges"]
    assert {row["tensor"] for row in ranges["tensors"]} == set(
        lower_model(Bundle.open(built).model()).tensors
    )
    assert all(row["values"] > 0 for row in ranges["tensors"])
    replayed = {row["tensor"]: row for row in report["replayed_ranges"]}
    assert set(replayed) == {row["tensor"] for row in ranges["tensors"]}
    assert replayed["h0_out"]["values"] == report["drift"][0]["steps"] * report["hidden"]
    assert [row["matrix"] for row in ranges["matrices"]] == ["layer0.x", "layer0.h", "head"]
    assert all(row["c_sums"] == "int32" for row in ranges["matrices"])
    assert len(report["scores"]) == 2
    assert all(len(s["float"]) == len(s["int8"]) == len(s["anomalous"]) for s in report["scores"])
    assert {e["file"] for e in report["exports"]} == {
        name.removeprefix("exports/")
        for name in Bundle.open(built).manifest["files"]
        if name.startswith("exports/")
    }
    assert all(is_number(e["bytes"]) and e["bytes"] > 0 for e in report["exports"])
    assert report["not_run"][0].startswith("hardware: ")
    assert " c, " in report["not_run"][1]
    assert "int8" not in report["not_run"][1].replace("onnx-int8", "")
    page = (built / "report.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    for part in ("tiny", "int8 after training", "synthetic"):
        assert part in page


class Tampered:
    """An integer engine that is right until it is not."""

    def __init__(self, source, fault):
        self._engine, self._fault, self._steps = REFERENCE.open(source), fault, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._engine.close()

    def run(self, x):
        if self._fault == "forgets":
            half = len(x) // 2
            first = self._engine.run(x[:half])
            self._engine.reset()
            second = self._engine.run(x[half:])
            join = np.concatenate
            return type(first)(
                join([first.outputs, second.outputs]),
                {n: join([v, second.states[n]]) for n, v in first.states.items()},
            )
        trace = self._engine.run(x)
        outputs = trace.outputs.copy()
        if self._fault == "flips":
            outputs[9_876, 1] ^= 1
        return type(trace)(outputs, trace.states)


def add_engine(monkeypatch, kind):
    for module in (proof, requirements):
        monkeypatch.setattr(module, "all_engines", lambda: {**all_engines(), kind.name: kind})


def use_engine(monkeypatch, fault):
    kind = EngineKind("broken", "", True, "", "", lambda source: Tampered(source, fault))
    add_engine(monkeypatch, kind)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("flips", r"broken y: 1 values differ by up to 1 LSB, first at step 9876"),
        ("forgets", r"broken y: .*, first at step \d{4,}; broken h0: .*; broken c0: "),
    ],
)
def test_an_engine_that_differs_stops_the_build(copy, monkeypatch, fault, message):
    use_engine(monkeypatch, fault)
    with pytest.raises(ParityError, match=message):
        build(copy, "replay.engines=['int8','broken']")
    # The proof is not among the stages, and the next build makes it.
    assert not list((copy / ".stages").glob("unfinished-*"))
    use_engine(monkeypatch, "none")
    bundle, heard = build(copy, "replay.engines=['int8','broken']")
    assert set(ORDER) - set(heard.kept) == {"prove", "report"}
    rows = json.loads(bundle.file("proof.json").read_text())["parity"]
    assert [(r["tensor"], r["differing"], r["first_step"]) for r in rows] == [
        ("y", 0, None), ("h0", 0, None), ("c0", 0, None),
    ]  # fmt: skip
    assert all(r["steps"] >= 10_000 for r in rows)


def test_a_float_engine_that_differs_stops_the_build(copy, monkeypatch):
    class Off:
        def __init__(self, source):
            self._model = source.float_model

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def run(self, x):
            trace = proof.float_trace(self._model, x)
            states = {n: v + np.float32(value) for n, v in trace.states.items()}
            return type(trace)(trace.outputs, states)

    kind = EngineKind("off", "", False, "", "", Off)
    add_engine(monkeypatch, kind)
    for value in (0.01, np.nan):  # noqa: B007 - read by the engine
        with pytest.raises(ParityError, match=r"off h0: off by up to (0\.01|nan); expected"):
            build(copy, "replay.engines=['float','off']")


def write_table(folder, rows, seed, channels=("a", "b"), fault=True):
    folder.mkdir(parents=True, exist_ok=True)
    t = np.arange(rows)
    generator = np.random.default_rng(seed)
    values = np.sin(t[:, None] / np.array([7.0, 11.0])) + generator.normal(0, 0.05, (rows, 2))
    flags = (t > rows * 0.85) & (t < rows * 0.95) & fault
    values[flags] += 4.0
    lines = [f"time,{','.join(channels)},anomaly"]
    lines += [f"{k},{values[k, 0]:.4f},{values[k, 1]:.4f},{int(flags[k])}" for k in t]
    (folder / f"run{seed}.csv").write_text("\n".join(lines) + "\n")


TABLE = SPEC.split("[data]")[0] + (
    '[data]\nkind = "sensor-table"\ntime_column = "time"\ntime_format = "number"\n'
    'label_columns = ["anomaly"]\nsplit_by = "time"\ntrain_share = 0.4\nvalidation_share = 0.3\n'
    "[features]" + SPEC.split("[features]")[1]
)


def table_spec(folder, data):
    spec = spec_of(folder, TABLE)
    section = spec.data.model_copy(update={"path": None if data is None else str(data)})
    return spec.model_copy(update={"data": section})


def test_a_bundle_is_evaluated_on_a_table_of_other_recordings(tmp_path):
    write_table(tmp_path / "data", 300, 1)
    out = tmp_path / "bundle"
    bundle = build_bundle(table_spec(tmp_path, tmp_path / "data"), out, progress=Heard())
    # A bundle does not say where its data lies: it can be moved, and be built again.
    assert str(tmp_path / "data") not in (out / "spec.toml").read_text()
    heard = Heard()
    build_bundle(bundle.spec(), out, progress=heard)
    assert heard.kept == list(ORDER)

    write_table(tmp_path / "other", 400, 2)
    found = evaluate_bundle(bundle, tmp_path / "other", ["float", "int8"])
    assert found["task"] == "anomaly"
    assert list(found["engines"]) == ["float", "int8"]
    for metrics in found["engines"].values():
        assert metrics["events"] == 1
        assert metrics["samples"] == 120
    report = json.loads((out / "report.json").read_text())
    own = evaluate_bundle(bundle, tmp_path / "data", ["float", "int8"])
    judged = {m["name"]: m["metrics"] for m in report["models"]}
    assert own["engines"]["int8"] == judged["int8"]
    # Random weights were not fine-tuned, so that both float models are the same one.
    assert own["engines"]["float"] == judged["float, fine-tuned"]

    write_table(tmp_path / "third", 300, 3, ("a", "c"))
    with pytest.raises(DataError, match=r"no column 'b'; its columns are time, a, c, anomaly"):
        evaluate_bundle(bundle, tmp_path / "third", ["int8"])


def test_the_compiled_model_evaluates_like_the_reference(tmp_path):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    write_table(tmp_path / "data", 200, 1)
    spec = table_spec(tmp_path, tmp_path / "data")
    bundle = build_bundle(spec, tmp_path / "bundle", progress=Heard())
    found = evaluate_bundle(bundle, tmp_path / "data", ["int8", "c"])["engines"]
    assert found["c"] == found["int8"]
    assert integer_runner(bundle.model())(np.zeros((1, 2, 2), np.float32)).shape == (1, 2, 2)


def test_a_validation_recording_too_short_to_settle_is_no_obstacle(tmp_path):
    text = TABLE.replace('split_by = "time"\n', 'split_by = "recording"\nmin_rows = 5\n').replace(
        "train_share = 0.4\nvalidation_share = 0.3\n",
        'train_files = ["run1.csv"]\nvalidation_files = ["run2.csv", "run3.csv"]\n'
        'test_files = ["run4.csv"]\n',
    )
    for seed, rows in ((1, 200), (2, 9), (3, 150), (4, 150)):
        write_table(tmp_path / "data", rows, seed, fault=seed == 4)
    spec = spec_of(tmp_path, text)
    data = spec.data.model_copy(update={"path": str(tmp_path / "data")})
    out = tmp_path / "bundle"
    build_bundle(spec.model_copy(update={"data": data}), out, progress=Heard())
    report = json.loads((out / "report.json").read_text())
    assert report["models"][0]["name"] == "teacher"


def test_missing_data_is_named(tmp_path):
    with pytest.raises(DataError, match=r"Data .*absent does not exist"):
        build_bundle(table_spec(tmp_path, tmp_path / "absent"), tmp_path / "o", progress=Heard())
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (
            "train_share = 1.0\nvalidation_share = 0.0\n",
            r"validation part is empty \(1 train, 0 validation, 0 test\); .*the best weights",
        ),
        (
            "train_share = 0.6\nvalidation_share = 0.4\n",
            r"test part is empty \(1 train, 1 validation, 0 test\); .*the replay stream",
        ),
    ],
)
def test_a_missing_part_is_refused_before_anything_is_trained(tmp_path, shares, message):
    write_table(tmp_path / "data", 200, 1, fault=False)
    text = TABLE.replace("train_share = 0.4\nvalidation_share = 0.3\n", shares)
    spec = spec_of(tmp_path, text)
    data = spec.data.model_copy(update={"path": str(tmp_path / "data")})
    heard = Heard()
    with pytest.raises(DataError, match=message):
        build_bundle(spec.model_copy(update={"data": data}), tmp_path / "o", progress=heard)
    assert heard.began == ["data"]


@pytest.mark.parametrize("place", ["file/out", "/proc/out", "file"])
def test_a_place_that_takes_no_folder_is_named(tmp_path, place):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EnvironmentFailureError, match="Making folder"):
        build_bundle(spec_of(tmp_path / "s"), tmp_path / place, progress=Heard())
    assert (tmp_path / "file").read_text() == "mine"


def program(folder, pause, limit, *arguments):
    command = [sys.executable, str(PROGRAM), str(pause), str(limit), "build", "spec/tiny.toml"]
    return subprocess.Popen(
        [*command, "--out", "out", *arguments], cwd=folder, stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def largest_stage_file(built):
    return max(p.stat().st_size for p in (built / ".stages").rglob("*") if p.is_file())


@pytest.mark.slow
@pytest.mark.parametrize("limit", [600, 3_000, 20_000])
def test_a_full_disk_is_one_clear_message_and_a_later_build_works(built, tmp_path, limit):
    assert largest_stage_file(built) > limit
    spec_of(tmp_path / "spec")
    process = program(tmp_path, 0, limit)
    _, err = process.communicate(timeout=300)
    lines = [line for line in err.splitlines() if line.startswith(("Error", "Hint", "Exception"))]
    assert process.returncode == 1, err
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert len([line for line in lines if "File too large" in line]) == 1, err
    assert "ulimit" in err
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert not list((tmp_path / "out").rglob("unfinished-*"))
    build(tmp_path / "out")
    assert published(tmp_path / "out") == published(built)


@pytest.mark.slow
def test_a_build_killed_in_every_stage_ends_as_if_nothing_had_happened(built, tmp_path):
    spec_of(tmp_path / "spec")
    out = tmp_path / "out"
    for k, stage in enumerate(ORDER):
        process = program(tmp_path, 0.5, 0, "-v")
        for line in process.stderr:
            if line.split()[0] == stage:
                # Now and then somewhat later, in the middle of the stage's work.
                time.sleep(0.05 * (k % 3))
                break
        process.kill()
        process.communicate()
        assert process.returncode == -9
        with pytest.raises(BundleError, match="is not finished"):
            Bundle.open(out)
    heard = Heard()
    build_bundle(spec_of(tmp_path / "spec"), out, progress=heard)
    # The killed builds were not for nothing.
    assert set(heard.kept) >= set(ORDER[:5])
    assert published(out) == published(built)
    assert not list(out.rglob("unfinished-*"))


def test_the_stand_in_of_a_teacher_of_keywords_says_one_thing_of_each_clip(tmp_path):
    stand_ins = {}
    replace_training(lambda owner, name, value: stand_ins.update({name: value}))
    spec = SimpleNamespace(model=SimpleNamespace(task="kws"))
    clips = [
        FrameSequence(f"{split}{k}", np.zeros((7, 5), np.float32), k, None, split)
        for split in ("train", "test")
        for k in range(3)
    ]
    frames = FrameSet(("yes", "no", "unknown"), 50.0, tuple(clips))
    stand_ins["make_teacher"](spec, frames, tmp_path, tmp_path, lambda *rest: None)
    outputs = load_archive(tmp_path / training.TEACHER_ON_TEST, "rnn-edge outputs 1")[1]
    assert {name: each.shape for name, each in outputs.items()} == {"test": (3, 3)}
