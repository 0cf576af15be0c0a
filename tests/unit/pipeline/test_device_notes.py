"""What no firmware can do is told when a model is built, not when it is flashed."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_edge.cli.summary import bundle_lines, bundle_payload
from rnn_edge.errors import ModelError
from rnn_edge.pipeline.device_gate import refuse_before_training
from rnn_edge.pipeline.device_notes import device_notes
from rnn_edge.reference.decisions.whitening import MOST_RESIDUALS
from rnn_edge.spec import ModelSpec, find_device
from rnn_edge.types.frames import FrameSequence, FrameSet


def spec(score="covariance", arithmetic="integer", offsets=(0, -1, -2, -3, -4, -5, -6, -7)):
    return ModelSpec.model_validate(
        {
            "model": {"name": "wide", "task": "anomaly", "hidden": 2, "offsets": offsets},
            "data": {"kind": "synthetic-machine"},
            "features": {"kind": "channels", "arithmetic": arithmetic},
            "detector": {"score": score},
        }
    )


def bundle(outputs, files=("model.npz",), **chosen):
    return SimpleNamespace(
        path=Path("out/wide"),
        manifest={"until": "quantize", "files": dict.fromkeys(files, "")},
        spec=lambda: spec(**chosen),
        model=lambda: SimpleNamespace(outputs=outputs),
    )


def frames(channels):
    values = np.zeros((20, channels), np.float32)
    names = tuple(f"c{k}" for k in range(channels))
    return FrameSet(names, 1.0, (FrameSequence("a", values, -1, None, "train"),))


def test_a_covariance_that_no_device_whitens_is_refused_before_it_is_trained():
    device = find_device("qemu-m4")
    with pytest.raises(ModelError) as caught:
        refuse_before_training(spec(), frames(9), SimpleNamespace(), device)
    assert caught.value.message == "A covariance of 72 residuals; a device whitens at most 64."
    assert caught.value.hint == 'set detector.score = "variance", or fewer model.offsets'


def test_without_a_device_it_is_built_and_told():
    assert device_notes(bundle(MOST_RESIDUALS)) == ()
    assert device_notes(bundle(72, score="variance")) == ()
    expected = (
        "no firmware: A covariance of 72 residuals; a device whitens at most 64. This bundle "
        "decides on a host alone."
    )
    assert device_notes(bundle(72)) == (expected,)
    files = ("model.npz",)
    assert f"note: {expected}" in bundle_lines(bundle(72, files))
    assert bundle_payload(bundle(72, files))["device_notes"] == [expected]


def test_who_makes_the_frames_is_told():
    assert device_notes(bundle(8, arithmetic="float")) == (
        "firmware takes finished frames, not rows of sensors: "
        'features.arithmetic = "integer" gives it a front end',
    )


def test_before_it_is_quantized_nothing_is_told():
    assert device_notes(bundle(72, files=())) == ()
