"""A model whose device hears: its front end, its export, and what it has to say of sound."""

import numpy as np
from app_programs import expected_of
from c_models import Recipe, build

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.features.description import describe
from rnn_edge.features.fixed_point import IntegerLogMelConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.firmware.app_config import SOUND, AppConfig, SampleInput
from rnn_edge.firmware.program import SAMPLES
from rnn_edge.reference.decisions import keyword_numbers
from rnn_edge.resources import data_folder

BANDS = 12
MODEL = build(Recipe(seed=60, units=(9,), inputs=BANDS, outputs=4, name="hears"))
RULE = keyword_numbers(
    ("yes", "no", "unknown", "silence"), "linear", MODEL.output_exponent, 6, 0.5, 0.8
)
PLAIN = IntegerLogMelConfig(8000, 120, 80, 128, BANDS, 100.0, 4000.0)
LEVELS = IntegerLogMelConfig(
    8000, 120, 80, 128, BANDS, 100.0, 4000.0, noise_suppression=True, gain_normalisation=True
)
CODE = [data_folder("firmware_templates") / name for name in SAMPLES if name.endswith(".c")]


def front_end(config=PLAIN):
    rng = np.random.default_rng(5)
    mean, scale = rng.normal(-8, 1, config.bands), rng.uniform(0.5, 2, config.bands)
    normaliser = Normaliser(mean.astype(np.float32), scale.astype(np.float32))
    return FrontEnd(config, ("pcm",), float(config.sample_rate_hz), normaliser)


def samples_of(config=PLAIN, ring=160, key=7):
    return SampleInput(MODEL.name, SOUND, 1, float(config.sample_rate_hz), ring, key)


def hearing(config=PLAIN, **changes):
    """What an application does that hears."""
    usual = {"ring_frames": 4, "log_records": 64, "event_records": 64, "retain_every": 1}
    usual["samples"] = samples_of(config)
    return AppConfig("test board", RULE, **{**usual, **changes})


def export(folder, config=PLAIN):
    EXPORTER.export(ExportSource(None, MODEL, describe(front_end(config))), folder)
    return folder / "c"


def sound(count, seed=3):
    """Tones that change, noise from nothing to clipping, and silence."""
    rng = np.random.default_rng(seed)
    parts = -(-count // 400)
    level = np.repeat(10.0 ** rng.uniform(0, 4.7, parts), 400)[:count]
    tone = np.sin(np.cumsum(np.repeat(rng.uniform(0.05, 3, parts), 400)[:count]))
    samples = level * (tone + 0.3 * rng.normal(0, 1, count))
    samples[count // 3 : count // 3 + 500] = 0
    return np.clip(samples, -32768, 32767).astype(np.int16)


def frames_of_sound(pcm, config=PLAIN):
    """What the twin of the front end makes of sound: int16 (T, D)."""
    found = front_end(config)
    return found.quantize_input(found.stream().push(pcm)).astype(np.int16)


def expected_of_frames(x):
    return expected_of(x, MODEL, RULE)
