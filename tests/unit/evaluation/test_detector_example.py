"""What docs/exports.md and docs/anomalies.md tell to compute is what the detector computes."""

import re
import tomllib
from pathlib import Path

import numpy as np

from rnn_edge.evaluation import Detector, DetectorConfig
from rnn_edge.evaluation.alarms import AlarmLogic
from rnn_edge.spec.detector import DetectorSection
from rnn_edge.spec.model import ModelSection
from rnn_edge.types.frames import FrameSequence

DOCS = Path(__file__).parents[3] / "docs"
DOCUMENT, ANOMALIES = DOCS / "exports.md", (DOCS / "anomalies.md").read_text()


def test_scores_frame_by_frame_are_those_of_the_detector(tmp_path, monkeypatch):
    generator = np.random.default_rng(3)
    frames = generator.normal(0, 1, (200, 3)).astype(np.float32)
    outputs = generator.normal(0, 1, (200, 3)).astype(np.float32)
    frames[120:140, 1] += 30.0
    recording = FrameSequence("a", frames, -1, None, "validation")
    normal = FrameSequence("b", frames[:100], -1, None, "validation")
    detector = Detector.fit(
        DetectorConfig(warmup_frames=5), lambda x: outputs[None, : x.shape[1]], [normal]
    )
    detector.save(tmp_path / "detector_int8.npz")
    np.save(tmp_path / "frames.npy", frames)
    np.save(tmp_path / "outputs.npy", outputs)
    monkeypatch.chdir(tmp_path)
    (example,) = (
        code
        for code in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
        if "Detector.load" in code
    )
    scope = {}
    exec(compile(example, str(DOCUMENT), "exec"), scope)
    (expected,) = detector.scores(lambda x: outputs[None, : x.shape[1]], [recording])
    np.testing.assert_allclose(scope["scores"], expected, rtol=1e-12)
    assert scope["alarms"][120:140].all()
    assert not scope["alarms"][:6].any()


def test_a_stream_in_pieces_alarms_as_the_page_says(tmp_path, monkeypatch):
    generator = np.random.default_rng(4)
    frames = generator.normal(0, 1, (300, 2)).astype(np.float32)
    outputs = generator.normal(0, 0.3, (300, 6)).astype(np.float32)
    frames[150:170, 1] += 9.0
    normal = FrameSequence("n", frames[:140], -1, None, "validation")
    config = DetectorConfig(score="covariance", least_frames=3, release_frames=2)
    detector = Detector.fit(config, lambda x: outputs[None, :140], [normal], (0, -1, 2))
    detector.save(tmp_path / "detector_int8.npz")
    np.save(tmp_path / "frames.npy", frames)
    np.save(tmp_path / "outputs.npy", outputs)
    monkeypatch.chdir(tmp_path)
    scope = {}
    (example,) = re.findall(r"```python\n(.*?)```", ANOMALIES, re.DOTALL)
    exec(compile(example, "anomalies.md", "exec"), scope)
    whole = FrameSequence("a", frames, -1, None, "test")
    (expected,) = detector.scores(lambda x: outputs[None], [whole])
    np.testing.assert_allclose(scope["scores"], expected, rtol=1e-9)
    assert scope["alarms"] == detector.alarms(expected).tolist()
    assert any(scope["alarms"][150:175])


def test_the_sections_of_the_page_are_those_of_a_spec():
    model, detector = map(tomllib.loads, re.findall(r"```toml\n(.*?)```", ANOMALIES, re.DOTALL))
    assert ModelSection(**_tuples(model["model"])).offsets == (0, -1, -2, -3)
    assert DetectorSection(**detector["detector"]).method == "peaks"


def _tuples(values):
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def test_the_table_of_alarms_is_what_the_logic_does():
    score, alarm = (
        [
            cell.strip()
            for cell in re.search(rf"^\| {name} \|(.*)\|\n", ANOMALIES, re.M)[1].split("|")
        ]
        for name in ("score", "alarm")
    )
    logic = AlarmLogic(1.0, release=0.5, least_frames=2, release_frames=2)
    found = logic.alarms(np.array([float(cell) for cell in score]))
    assert ["on" if flag else "-" for flag in found] == alarm
