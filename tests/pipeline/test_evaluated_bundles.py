"""Bundles tried on recordings as people have them: classes, labels and cells missing."""

import json
from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest
from untrained import SPEC, replace_training

from rnn_edge.cli.summary import evaluation_lines
from rnn_edge.errors import BundleError, DataError, SpecError
from rnn_edge.evaluation import integer_runner
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.features.windows import WindowConfig
from rnn_edge.pipeline import build, build_bundle, evaluate_bundle
from rnn_edge.pipeline.bundle import BASELINES, bundle_detector
from rnn_edge.pipeline.commission_bundle import commission_bundle
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.pipeline.proof import replay_stream
from rnn_edge.pipeline.recordings import read_dataset_of, read_recordings
from rnn_edge.spec import load_spec
from rnn_edge.types.frames import FrameSequence

CHANNELS = ("vibration_x", "vibration_y", "speed", "current", "temperature", "pressure")
SOUND = FrontEnd(LogMelConfig(), ("pcm",), 16_000.0)
LABELS = ("yes", "no", "up", "down", "unknown", "silence")
PUMP = WindowConfig(1, 1, has_deviation=False)
TABLE = SPEC.split("[data]")[0] + (
    '[data]\nkind = "sensor-table"\ntime_column = "time"\ntime_format = "number"\n'
    'label_columns = ["anomaly"]\nsplit_by = "time"\ntrain_share = 0.4\nvalidation_share = 0.3\n'
    "[features]" + SPEC.split("[features]")[1]
)


def built(folder, text, data=None):
    """Return a bundle of random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.toml").write_text(text)
    spec = load_spec(folder / "tiny.toml", [f"data.path={data}"] if data else [])
    with pytest.MonkeyPatch.context() as patch:
        replace_training(patch.setattr)
        # What is proved of the bundle is not asked here.
        patch.setattr(build, "replay_stream", lambda *_: replay_stream(*_)[:500])
        return build_bundle(spec, folder / "bundle", progress=lambda *_: None)


def write(folder, header="time,a,b,anomaly", rows=300, change=None, step=1.0):
    """Write a table of as many columns as the header has; ``change`` edits its lines."""
    folder.mkdir(parents=True)
    count = header.count(",") - header.count("anomaly")
    lines = [
        ",".join(
            [f"{k * step:g}", *(f"{np.sin(k / (7 + c)):.4f}" for c in range(count))]
            + ([str(int(k > rows - 20))] if "anomaly" in header else [])
        )
        for k in range(rows)
    ]
    (folder / "run.csv").write_text("\n".join([header, *(change or list)(lines)]) + "\n")
    return folder


@pytest.fixture(scope="module")
def pump(tmp_path_factory):
    """A bundle of two channels at 1 Hz, built with tables."""
    folder = tmp_path_factory.mktemp("pump")
    return built(folder, TABLE, write(folder / "data"))


def test_whole_tables_are_scored_and_counted(pump, tmp_path):
    data = write(tmp_path / "other", rows=200)
    found = evaluate_bundle(pump, data, ["int8"], whole=True)
    assert found["data"]["part"] == "all"
    assert found["data"]["rows"] == found["engines"]["int8"]["samples"] == 200
    assert found["data"]["notes"] == []
    part = evaluate_bundle(pump, data, ["int8"])["data"]
    assert (part["part"], part["rows"]) == ("test", 60)


def test_baselines_stand_beside_the_model_with_a_verdict(pump, tmp_path):
    data = write(tmp_path / "other", rows=200)
    found = evaluate_bundle(pump, data, ["float", "int8"], whole=True)["baselines"]
    assert found["beside"] == "int8"
    names = {row["name"] for row in found["rows"]}
    assert {"z-score", "ewma", "pca t2+q", "last value"} <= names
    assert all(row["metrics"]["samples"] == 200 for row in found["rows"])
    assert found["advice"]
    assert BASELINES in pump.manifest["files"]
    report = json.loads(pump.file("report.json").read_text())
    assert {row["name"] for row in report["baselines"]["rows"]} == names
    assert report["baselines"]["advice"] in unescape(pump.file("report.html").read_text())


def test_commissioned_machines_are_not_scored_on_what_they_were_commissioned_with(pump, tmp_path):
    data = write(tmp_path / "other", rows=200)
    found = evaluate_bundle(pump, data, ["int8"], whole=True, commission=120)
    assert found["engines"]["int8"]["samples"] == 80
    assert found["engines"]["int8"]["threshold"] == 1.0
    assert all(row["metrics"]["samples"] == 80 for row in found["baselines"]["rows"])
    with_all = evaluate_bundle(pump, data, ["int8"], whole=True, commission=0)
    assert with_all["engines"]["int8"]["samples"] == 200


def holes(lines):
    lines[40] = "40,,0.5,0"
    return lines


def gap(lines):
    return [*lines[:40], *lines[43:]]


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        ({"change": holes}, "missing_values", "drop"),
        ({"change": holes}, "missing_values", "interpolate"),
        ({"change": gap}, "gaps", "interpolate"),
        ({"change": gap}, "gaps", "split"),
        ({"header": "time,a,b"}, "label_columns", "[]"),
    ],
    ids=["holes dropped", "holes filled", "gap filled", "gap cut", "no labels"],
)
def test_a_policy_that_stops_an_evaluation_can_be_set_for_it(pump, tmp_path, options, key, value):
    data = write(tmp_path / "other", **options)
    with pytest.raises(DataError) as caught:
        evaluate_bundle(pump, data, ["int8"], whole=True)
    setting = f"data.{key}={value}"
    assert setting in caught.value.hint
    found = evaluate_bundle(pump, data, ["int8"], whole=True, overrides=[setting])
    assert found["engines"]["int8"]["samples"] >= 290


@pytest.mark.parametrize("key", ["channels=['a']", "sample_rate_hz=2.0", "kind=x", "path=x"])
def test_what_the_model_sees_cannot_be_set(pump, tmp_path, key):
    with pytest.raises(SpecError, match="expected a key that leaves the model's inputs"):
        evaluate_bundle(
            pump, write(tmp_path / "o"), ["int8"], whole=True, overrides=[f"data.{key}"]
        )


def test_a_split_has_no_meaning_where_all_is_scored(pump, tmp_path):
    data, override = write(tmp_path / "o"), ["data.train_share=0.5"]
    assert evaluate_bundle(pump, data, ["int8"], overrides=override)["data"]["rows"] == 60
    with pytest.raises(SpecError, match=r"data\.train_share; expected a key"):
        evaluate_bundle(pump, data, ["int8"], whole=True, overrides=override)


def test_a_missing_channel_is_named_and_more_of_them_are_no_obstacle(pump, tmp_path):
    data = write(tmp_path / "less", "time,a,c,anomaly")
    with pytest.raises(DataError, match=r"no column 'b'; .* expected the channels a, b"):
        evaluate_bundle(pump, data, ["int8"], whole=True)
    found = evaluate_bundle(pump, write(tmp_path / "more", "time,a,x,b,anomaly"), ["int8"])
    assert found["data"]["notes"] == ["Column(s) left out: x."]


@pytest.mark.parametrize("whole", [False, True])
def test_a_missing_channel_is_not_answered_with_a_split(pump, tmp_path, whole):
    with pytest.raises(DataError) as caught:
        evaluate_bundle(pump, write(tmp_path / "less", "time,a,c,anomaly"), ["int8"], whole=whole)
    assert caught.value.hint.startswith("the bundle wants 2 channels of these names")
    assert "--all" not in caught.value.hint


def text(lines):
    lines[40] = "40,foo,0.5,0"
    return lines


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("run.csv", text, ""),
        ("run.txt", None, "set files to the pattern of the tables"),
        ("run.csv", holes, "add --set data.missing_values=interpolate or --set"),
    ],
    ids=["text in a cell", "no such file", "holes"],
)
def test_what_no_split_explains_is_not_answered_with_all(pump, tmp_path, name, change, expected):
    data = write(tmp_path / "other", change=change)
    (data / "run.csv").rename(data / name)
    with pytest.raises(DataError) as caught:
        evaluate_bundle(pump, data, ["int8"])
    assert caught.value.hint.startswith(expected)
    assert bool(caught.value.hint) == bool(expected)
    assert "--all" not in caught.value.hint


def test_a_bundle_without_baselines_says_what_adds_them(pump, tmp_path):
    files = {name: digest for name, digest in pump.manifest["files"].items() if name != BASELINES}
    old = replace(pump, manifest={**pump.manifest, "files": files})
    found = evaluate_bundle(old, write(tmp_path / "other"), ["int8"], whole=True)
    advice = f"no baselines to compare the model with; rnn-edge build {pump.path} adds them."
    assert advice in found["baselines"]["advice"]
    assert evaluation_lines(found)[-1].startswith("verdict: The bundle holds no baselines")


def test_recordings_at_another_rate_are_refused(pump, tmp_path):
    with pytest.raises(DataError, match="has 2 rows per second; expected 1"):
        evaluate_bundle(pump, write(tmp_path / "fast", step=0.5), ["int8"], whole=True)


def test_without_a_test_part_all_of_it_is_suggested(pump, tmp_path):
    with pytest.raises(DataError) as caught:
        evaluate_bundle(pump, write(tmp_path / "short", rows=90), ["int8"])
    assert "--all" in caught.value.hint


def test_a_bundle_of_recordings_asks_for_them(pump):
    with pytest.raises(DataError, match="was built with recordings, which it does not hold"):
        evaluate_bundle(pump, None, ["int8"])


def test_a_synthetic_bundle_is_evaluated_on_its_own_test_part_again(tmp_path):
    bundle = built(tmp_path, SPEC)
    found = evaluate_bundle(bundle, None, ["int8"])
    assert found["data"]["is_synthetic"]
    assert found["data"]["recordings"] == 2


def test_tables_are_read_for_a_model_of_synthetic_sensors(tmp_path):
    spec = load_spec("demo_anomaly")
    front_end = FrontEnd(PUMP, CHANNELS, 10.0)
    data = write(tmp_path / "o", ",".join(["time", *reversed(CHANNELS), "anomaly"]), step=0.1)
    dataset = read_recordings(spec, front_end, CHANNELS, data, whole=True)
    assert dataset.channels == CHANNELS
    assert dataset.sample_rate_hz == 10.0
    assert dataset.recordings[0].anomalous.sum() == 19
    with pytest.raises(DataError, match="no column 'vibration_x'"):
        read_recordings(spec, front_end, CHANNELS, write(tmp_path / "p"), whole=True)


def test_words_are_read_for_a_model_of_synthetic_words(tmp_path):
    soundfile = pytest.importorskip("soundfile", reason="sound needs soundfile")
    for word in ("no", "banana"):
        (tmp_path / word).mkdir()
        soundfile.write(tmp_path / word / "a_nohash_0.wav", np.zeros(1600, np.int16), 16_000)
    dataset = read_recordings(load_spec("demo"), SOUND, LABELS, tmp_path, whole=True)
    assert dataset.classes == LABELS
    assert [clip.label for clip in dataset.clips] == ["no", "unknown"]
    assert dataset.notes[-1] == "No clips of yes, up, down, silence: not judged."
    with pytest.raises(DataError) as caught:
        read_recordings(load_spec("demo"), SOUND, LABELS, tmp_path)
    assert "--all" in caught.value.hint


def test_streams_of_other_words_are_not_answered_with_other_keywords(tmp_path):
    pytest.importorskip("soundfile", reason="sound needs soundfile")
    (tmp_path / "banana").mkdir()
    (tmp_path / "banana" / "a_nohash_0.wav").write_bytes(b"")
    with pytest.raises(DataError, match="Class 'yes' has no recordings") as caught:
        read_dataset_of(load_spec("demo"), SOUND, LABELS, tmp_path)
    assert caught.value.hint.startswith("name data with recordings of every keyword")


def test_a_model_that_hears_is_not_commissioned():
    bundle = SimpleNamespace(path="word", spec=lambda: load_spec("demo"))
    with pytest.raises(BundleError, match="only anomaly models are commissioned"):
        evaluate_bundle(bundle, None, ["int8"], commission=100)


def test_damaged_sound_can_be_skipped(tmp_path):
    pytest.importorskip("soundfile", reason="sound needs soundfile")
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "bad.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError) as caught:
        read_recordings(load_spec("kws_gru"), SOUND, LABELS, tmp_path, whole=True)
    assert caught.value.hint == "add --set data.on_bad_file=skip"


def test_a_bundle_set_to_a_machine_has_its_numbers_and_the_same_network(pump, tmp_path):
    data = write(tmp_path / "machine", rows=400)
    made, used = commission_bundle(pump, data, tmp_path / "own", 250)
    assert used["samples"] == 250
    opened = type(pump).open(tmp_path / "own")
    assert opened.model().digest() == pump.model().digest()
    samples = (
        read_recordings(pump.spec(), FrontEnd.load(pump.file(FRONT_END)), (), data, whole=True)
        .recordings[0]
        .values[:250]
    )
    features = FrontEnd.load(opened.file(FRONT_END))
    np.testing.assert_allclose(features.normaliser.mean, samples.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(features.normaliser.scale, samples.std(axis=0), rtol=1e-5)
    detector = bundle_detector(opened, "int8")
    assert detector.threshold == used["thresholds"]["int8"]
    one = FrameSequence("own", features.frames(samples), -1, None, "test")
    scores = detector.scores(integer_runner(opened.model()), [one])[0]
    settled = scores[detector.config.warmup_frames + 1 :]
    wanted = np.quantile(settled, detector.config.quantile) * detector.config.margin
    assert detector.threshold == pytest.approx(wanted)
    # The exported files say how frames are made, and the C gives the same bits as before.
    assert made.manifest["commissioned"]["samples"] == 250
    assert "## Commissioned" in opened.file("MODEL_CARD.md").read_text()
    names = {n for n in pump.manifest["files"] if n.startswith("exports/c/")}
    assert names == {n for n in opened.manifest["files"] if n.startswith("exports/c/")}
    found = evaluate_bundle(opened, data, ["int8", "c"], whole=True)["engines"]
    assert found["c"] == found["int8"]
    assert found["int8"]["threshold"] == detector.threshold


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"header": "time,a,c,anomaly"}, "separate them with ',', as in the bundle's spec"),
        ({"change": holes}, "which spec.toml in it describes"),
    ],
    ids=["another column", "holes"],
)
def test_commissioning_is_not_advised_options_it_does_not_have(pump, tmp_path, options, expected):
    data = write(tmp_path / "other", **options)
    with pytest.raises(DataError) as caught:
        commission_bundle(pump, data, tmp_path / "own")
    assert expected in caught.value.hint
    assert "--set" not in caught.value.hint


def test_a_machine_is_not_commissioned_with_its_faults(pump, tmp_path):
    data = write(tmp_path / "machine", rows=400)
    with pytest.raises(DataError, match="row 381 is labelled anomalous"):
        commission_bundle(pump, data, tmp_path / "own")
    assert not (tmp_path / "own").exists()
