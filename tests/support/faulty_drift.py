"""A small bundle, and the same one with a fault in it that makes its state drift."""

from dataclasses import replace

import numpy as np
import pytest
from untrained import SPEC, replace_training

from rnn_edge.pipeline import build_bundle, training
from rnn_edge.pipeline.bundle import STAGES, detector_file, publish
from rnn_edge.pipeline.material import FRAMES
from rnn_edge.pipeline.measure import fit_detectors
from rnn_edge.pipeline.stages import StageStore
from rnn_edge.quantize import calibrate, quantize_model
from rnn_edge.replay import concatenate
from rnn_edge.spec import load_spec
from rnn_edge.types import FloatModel
from rnn_edge.types.frames import FrameSet

SOUND, FAULTY = "bundle", "faulty"

CALMED = 0.25
"""By what recurrent weights of the random model are multiplied, so that it forgets its errors."""


def bundles_with_and_without_fault(folder):
    """Make both bundles in a folder and return them, the sound one first.

    The fault: recurrent weights are quantized at half their size. Every engine computes them
    alike, so that only a comparison with the float model can tell. What is left out of the build,
    proof and report, takes nine tenths of its time.
    """
    (folder / "tiny.toml").write_text(SPEC.replace('cell = "lstm"', 'cell = "gru"'))
    spec = load_spec(folder / "tiny.toml", [])
    return tuple(
        _built(spec, folder / name, factor) for name, factor in ((SOUND, 1.0), (FAULTY, 0.5))
    )


def _built(spec, out, factor):
    with pytest.MonkeyPatch.context() as patch:
        replace_training(patch.setattr)
        make_quantized = training.make_quantized

        def make_wrong(spec, frames, data, teacher, student, folder, progress):
            make_quantized(spec, frames, data, teacher, student, folder, progress)
            model = _scaled(FloatModel.load(student / training.STUDENT), CALMED)
            model.save(folder / training.FLOAT_MODEL)
            wrong = _scaled(model, factor)
            sequences = [sequence.frames for sequence in frames.part("train")]
            streams = concatenate(sequences, 100, 0)[None, :100]
            quantized = quantize_model(wrong, calibrate(wrong, streams), 1.0)
            quantized.save(folder / training.MODEL)

        patch.setattr(training, "make_quantized", make_wrong)
        bundle = build_bundle(spec, out, progress=lambda *_: None, until="export")
    stages = StageStore(out / STAGES)
    folders = {
        name: stages.find(name, bundle.manifest["stages"][name]).folder
        for name in ("data", "quantize")
    }
    frames = FrameSet.load(folders["data"] / FRAMES)
    files = {name: out / name for name in bundle.manifest["files"]}
    for name, detector in fit_detectors(spec, frames, folders["quantize"]).items():
        files[detector_file(name)] = out.parent / f"{out.name}-{detector_file(name)}"
        detector.save(files[detector_file(name)])
    facts = {k: v for k, v in bundle.manifest.items() if k not in ("format", "files")}
    return publish(out, files, facts)


def _scaled(model, factor):
    layers = tuple(replace(layer, w_h=np.asarray(layer.w_h) * factor) for layer in model.layers)
    return replace(model, layers=layers)
