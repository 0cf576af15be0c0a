"""Reset policies in a bundle: exported, weighed, and written into it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from untrained import SPEC, replace_training, untrained_bundle

from rnn_edge.drift.resets import IntegerResets
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import BundleError, DataError, MissingDependencyError, SpecError
from rnn_edge.pipeline import Bundle, build_bundle, reset_trade, training
from rnn_edge.pipeline.build import LEARNED
from rnn_edge.pipeline.reset_trade import (
    choose_policy,
    compare_reset_policies,
    section_of,
    usual_policies,
)
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import IntegerReference
from rnn_edge.spec import load_spec
from rnn_edge.spec.policy import parse_policy
from rnn_edge.types.frames import FrameSequence, FrameSet
from rnn_edge.types.resets import NEVER, ResetPolicy

QUIET = '[reset]\npolicy = "quiet"\nlevel = 0.75\nframes = 2\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return untrained_bundle(tmp_path_factory.mktemp("resets"))


def build_until_export(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "tiny.toml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        replace_training(patch.setattr)
        return build_bundle(
            load_spec(folder / "tiny.toml"), folder / "bundle", progress=silent, until="export"
        )


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A bundle that ends with its exported files, which is a matter of seconds."""
    return build_until_export(tmp_path_factory.mktemp("exported"), SPEC)


@pytest.fixture
def refuse_training(monkeypatch):
    for name in ("make_teacher", "make_student", "make_quantized"):
        monkeypatch.setattr(training, name, lambda *_: pytest.fail("something is trained"))


@pytest.fixture
def copy(exported, tmp_path, refuse_training):
    """A copy of it, whose learned stages must not be made again."""
    return Bundle.open(Path(shutil.copytree(exported.path, tmp_path / "bundle")))


def silent(*_):
    """Progress that nobody hears."""


def data_source(bundle):
    return (bundle.exports / "c" / "tiny_data.c").read_text()


def test_a_spec_with_a_policy_ends_up_in_the_exported_c(tmp_path):
    bundle = build_until_export(tmp_path, SPEC + QUIET)
    policy = ResetPolicy("quiet", 2, 0.75, "magnitude")
    assert bundle.spec().reset.resolved("anomaly") == policy
    level = policy.threshold(bundle.model().inputs, bundle.model().input_exponent)
    assert f"rnn_edge_reset_quiet_magnitude, 3, 2, {level}, 0," in data_source(bundle)


def test_the_policy_of_a_bundle_steps_in_an_image_as_in_numpy(copy):
    bundle = choose_policy(copy, parse_policy("quiet:level=0.75,frames=2"), silent)
    model, policy = bundle.model(), bundle.spec().reset.resolved("anomaly")
    real = np.random.default_rng(1).normal(0.0, 1.0, (400, model.inputs))
    x = quantize_input(real.astype(np.float32), model.input_exponent)
    reference, outputs, count = IntegerReference(model), [], 0
    resets = IntegerResets(policy, 1, model.inputs, model.input_exponent)
    for frame in x:
        count += int(resets.prepare(reference.state, frame[None])[0])
        outputs.append(reference.step(frame[None])[0])
    assert count > 5
    source = EngineSource(None, model, bundle.exports, bundle.path.parent / "work")
    try:
        engine = all_engines()["c-gcc-O1"].open(source)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    with engine:
        np.testing.assert_array_equal(engine.run_deployed(x).outputs, outputs)


def test_a_chosen_policy_is_in_the_exported_c_and_back_again(copy, exported):
    bundle = choose_policy(copy, parse_policy("every:frames=500"), silent)
    assert Bundle.open(bundle.path).manifest == bundle.manifest
    assert "rnn_edge_reset_every, 1, 500, 0, 0," in data_source(bundle)
    assert bundle.manifest["until"] == "export"
    again = choose_policy(bundle, section_of(NEVER), silent)
    assert again.manifest["files"] == exported.manifest["files"]


@pytest.mark.slow
def test_a_chosen_policy_leaves_what_was_learned(built, tmp_path, refuse_training):
    copy = Bundle.open(Path(shutil.copytree(built.path, tmp_path / "bundle")))
    told = []
    bundle = choose_policy(
        copy, parse_policy("every:frames=500"), lambda *now: told.append((now[0], now[3]))
    )
    opened = Bundle.open(bundle.path)  # with every digest
    assert opened.manifest == bundle.manifest
    assert opened.spec().reset.resolved("anomaly") == ResetPolicy("every", 500)
    assert opened.spec() == built.spec().model_copy(update={"reset": opened.spec().reset})
    assert "rnn_edge_reset_every, 1, 500, 0, 0," in data_source(opened)
    assert opened.model().digest() == built.model().digest()
    assert opened.manifest["until"] == "report"
    assert {n for n, metrics in told if metrics.get("kept") == 1.0} == set(LEARNED)
    for name in LEARNED:
        assert opened.manifest["stages"][name] == built.manifest["stages"][name]
    for name in ("model.npz", "float_model.npz", "student.npz", "exports/tiny.tflite"):
        assert opened.manifest["files"].get(name) == built.manifest["files"].get(name)


def test_a_chosen_policy_needs_the_stages(copy):
    before = copy.manifest
    shutil.rmtree(next((copy.path / ".stages").glob("student-*")))
    with pytest.raises(BundleError, match="has lost what stage student made") as caught:
        choose_policy(copy, parse_policy("every:frames=500"), silent)
    assert "--set reset.policy=every --set reset.frames=500" in caught.value.hint
    assert Bundle.open(copy.path).manifest == before


def test_a_chosen_policy_trains_nothing_where_inputs_have_changed(copy):
    stage = next((copy.path / ".stages").glob("student-*")) / "stage.json"
    record = json.loads(stage.read_text())
    record["inputs"]["inputs"]["seed"] = 99
    stage.write_text(json.dumps(record))
    before = copy.manifest
    with pytest.raises(BundleError, match="stage student was made from other inputs"):
        choose_policy(copy, parse_policy("every:frames=500"), silent)
    assert Bundle.open(copy.path).manifest == before


def test_a_policy_that_does_not_fit_the_task_is_refused(copy):
    with pytest.raises(SpecError, match=r"reset\.level = -0\.5; expected from 0 to 100"):
        choose_policy(copy, parse_policy("quiet:level=-0.5,frames=5"), silent)


def test_policies_are_weighed_on_the_test_part(built):
    told = []
    found = compare_reset_policies(built, tell=lambda *now: told.append(now)).to_json()
    assert found["metric"] == "unreset F1"
    assert found["sequences"] == 2
    assert found["frames"] == 240
    assert found["current"] == "never"
    assert found["rows"][0]["words"] == "never"
    assert found["rows"][0]["difference"] == 0.0
    kinds = [row["policy"] for row in found["rows"]]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "never": 1, "every": 4, "quiet": 4, "decay": 4,
    }  # fmt: skip
    by_words = {row["words"]: row for row in found["rows"]}
    # Two recordings in one stream: one reset before frame 100, one before frame 200.
    assert by_words["every:frames=100"]["resets_per_1000"] == pytest.approx(1000 * 2 / 240)
    assert by_words["every:frames=3000"]["hidden_rms"] == found["rows"][0]["hidden_rms"]
    # Two recordings are too few for an interval, and so for a suggestion that costs anything.
    assert all(row["interval"] is None for row in found["rows"])
    assert told[-1][0] == told[-1][1]
    json.dumps(found)


def test_policies_may_be_named_and_the_stream_be_short(built):
    policies = [ResetPolicy("decay", shift=4)]
    found = compare_reset_policies(built, steps=1, policies=policies)
    assert [row.policy for row in found.trade.rows] == [NEVER, *policies]
    assert found.to_json()["sequences"] == 1
    assert found.trade.frames == 120


def test_the_policy_of_the_spec_is_weighed_too(built, monkeypatch):
    spec = built.spec().model_copy(update={"reset": parse_policy("every:frames=7")})
    monkeypatch.setattr(Bundle, "spec", lambda self: spec)
    found = compare_reset_policies(built).to_json()
    assert found["current"] == "every:frames=7"
    assert "every:frames=7" in [row["words"] for row in found["rows"]]


def test_recordings_without_labels_cannot_judge(built, monkeypatch):
    real = reset_trade.bundle_frames

    def unlabelled(bundle, data):
        frames, source = real(bundle, data)
        plain = [
            FrameSequence(s.sequence_id, s.frames, s.label, None, s.split) for s in frames.sequences
        ]
        return FrameSet(frames.labels, frames.frame_rate_hz, tuple(plain)), source

    monkeypatch.setattr(reset_trade, "bundle_frames", unlabelled)
    with pytest.raises(DataError, match="nothing in the test part is labelled as anomalous"):
        compare_reset_policies(built)


def test_other_classes_are_refused(built, monkeypatch):
    frames = FrameSet(("on", "off"), 50.0, tuple(clips(4)))
    monkeypatch.setattr(reset_trade, "bundle_frames", lambda bundle, data: (frames, "elsewhere"))
    spec = built.spec()
    other = spec.model_copy(update={"model": spec.model.model_copy(update={"task": "kws"})})
    monkeypatch.setattr(Bundle, "spec", lambda self: other)
    with pytest.raises(DataError, match="the data has the classes on, off; the bundle"):
        compare_reset_policies(built)


def test_without_a_test_part_nothing_is_weighed(built, monkeypatch):
    frames = FrameSet(("on", "off"), 50.0, ())
    monkeypatch.setattr(reset_trade, "bundle_frames", lambda bundle, data: (frames, "elsewhere"))
    with pytest.raises(DataError, match="has no test part; they are weighed on it"):
        compare_reset_policies(built)


def clips(count, length=49, label=lambda k: k % 2):
    generator = np.random.default_rng(3)
    x = generator.normal(0, 1, (count, length, 2)).astype(np.float32)
    return [FrameSequence(f"clip {k}", x[k], label(k), None, "test") for k in range(count)]


def test_clips_are_judged_at_their_last_frames():
    parts = [clips(3), clips(2, length=20)]
    metric = reset_trade._ClipAccuracy(parts)
    ends = metric.ends((2, 147))
    assert [row.nonzero()[0].tolist() for row in ends] == [[48, 97, 146], [19, 39]]
    outputs = np.zeros((2, 147, 2), np.float32)
    outputs[0, [48, 146], 0] = 1.0  # both right
    outputs[0, 97, 0] = 1.0  # wrong: the label is 1
    outputs[1, [19, 39], 1] = 1.0  # the first is wrong
    judged = metric.judge(outputs)
    assert judged.verdicts.tolist() == [True, False, True, False, True]
    assert judged.value == 0.6
    outputs[0, 97] = (0.0, 1.0)
    change = metric.compare(metric.judge(outputs), judged)
    assert change.difference == pytest.approx(0.2)
    assert change.p_value == 1.0


def test_sequences_keep_their_order_and_fill_streams_evenly():
    sequences = clips(700)
    lanes = reset_trade._lanes(sequences)
    assert [s for lane in lanes for s in lane] == sequences
    sizes = [sum(len(s.frames) for s in lane) for lane in lanes]
    assert len(lanes) == round(700 * 49 / reset_trade.LANE_FRAMES) == 9
    assert max(sizes) - min(sizes) <= 2 * 49
    assert len(reset_trade._lanes(sequences[:1])) == 1
    assert len(reset_trade._lanes(clips(60, length=8000))) == reset_trade.MOST_LANES


def test_levels_come_from_the_validation_part():
    sequences = [
        FrameSequence("v", np.full((10, 2), -0.5, np.float32), 0, None, "validation"),
        FrameSequence("t", np.full((10, 2), 3.0, np.float32), 0, None, "test"),
    ]
    found = usual_policies(FrameSet(("a", "b"), 50.0, tuple(sequences)), "kws")
    quiet = [p for p in found if p.kind == "quiet"]
    assert {p.level for p in quiet} == {-0.5}
    assert {p.measure for p in quiet} == {"mean"}
    assert len(quiet) == 2
    sensors = usual_policies(FrameSet(("a", "b"), 50.0, tuple(sequences)), "anomaly")
    assert {(p.level, p.measure) for p in sensors if p.kind == "quiet"} == {(0.5, "magnitude")}
