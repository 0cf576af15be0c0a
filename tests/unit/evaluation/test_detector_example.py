"""What docs/exports.md tells a device to compute is what the detector computes."""

import re
from pathlib import Path

import numpy as np

from rnn_edge.evaluation import Detector, DetectorConfig
from rnn_edge.types.frames import FrameSequence

DOCUMENT = Path(__file__).parents[3] / "docs" / "exports.md"


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
