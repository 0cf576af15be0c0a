"""Bundles with random weights: all that a device is made of and watched with, nothing trained."""

import numpy as np
from random_models import Shape, float_model

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.pipeline.bundle import publish
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.quantize import calibrate, quantize_model
from rnn_edge.spec import load_spec, resolved_toml

INPUTS = 20


def device_bundle(out, hidden=12, kind="gru", seed=0):
    """Publish a keyword bundle whose outputs are large enough to detect something now and then."""
    parts = out.parent / f"{out.name}-parts"
    parts.mkdir(parents=True)
    out.mkdir(parents=True)
    shape = Shape((kind,), (hidden,), inputs=INPUTS, outputs=7, seed=seed, gain=2.0)
    floats = float_model(shape)
    x = np.random.default_rng(1).normal(0, 1, (1, 50, INPUTS)).astype(np.float32)
    model = quantize_model(floats, calibrate(floats, x))
    floats.save(parts / "float_model.npz")
    model.save(parts / "model.npz")
    spec = load_spec(
        "kws_gru",
        [
            'model.name="sample"',
            f"model.hidden={hidden}",
            f'model.cell="{kind}"',
            "drift.smoothing_frames=4",
            "drift.threshold=0.3",
        ],
    )
    (parts / "spec.toml").write_text(resolved_toml(spec))
    FrontEnd(LogMelConfig(bands=INPUTS), ("pcm",), 16_000.0).save(parts / FRONT_END)
    (parts / "exports").mkdir()
    EXPORTER.export(ExportSource(floats, model), parts / "exports")
    files = {p.relative_to(parts).as_posix(): p for p in parts.rglob("*") if p.is_file()}
    return publish(out, files, {"until": "report"})
