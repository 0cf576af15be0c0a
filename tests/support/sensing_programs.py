"""A model whose device makes its frames of raw rows: its front end, its export, its alarms."""

import numpy as np
from app_programs import Expected
from c_models import Recipe, build
from test_c_sensor import front_end, rows_of

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.features.description import describe
from rnn_edge.features.fixed_point import IntegerWindows
from rnn_edge.features.fixed_point.sensor_flags import FAULT, SKIPPED
from rnn_edge.firmware.app_config import ROWS, AppConfig, SampleInput
from rnn_edge.reference import IntegerReference
from rnn_edge.reference.decisions import IntegerRule, alarm_numbers

FRONT = front_end((5, 3, True))
WIDTH, CHANNELS = 6, 3
MODEL = build(Recipe(seed=71, units=(8,), inputs=WIDTH, outputs=WIDTH, name="senses"))
EXPONENTS = (MODEL.input_exponent, MODEL.output_exponent)
ROW_INPUT = SampleInput(MODEL.name, ROWS, CHANNELS, 50.0, 16, 9)


def rule_with(threshold):
    variance = np.full(WIDTH, 4.0) * 2.0 ** (2 * max(EXPONENTS) + 24)
    return alarm_numbers(variance, EXPONENTS, 6.0, threshold, 5, 100.0, 0.9)


def decided(rule, x, flags, gaps=()):
    """What has to be said of frames; behind a gap the state is zero and the alarm warms up."""
    y = np.concatenate(
        [IntegerReference(MODEL).run(part[None]).outputs[0] for part in np.split(x, gaps)]
    )
    left_out = np.tile((flags & SKIPPED) != 0, (1, 2))
    faulty = np.zeros_like(left_out)
    faulty[:, :CHANNELS] = (flags & FAULT) != 0
    decides, found = IntegerRule(rule), []
    for begin, end in zip((0, *gaps), (*gaps, len(x)), strict=True):
        if begin:
            decides.settle()
        part = slice(begin, end)
        found.append(decides.update(x[part], y[part], left_out[part], faulty[part]))
    labels = np.concatenate([each.detections for each in found])
    scores = np.concatenate([each.scores for each in found])
    return Expected(y, labels, scores, decides.changes)


def frames_of_rows(rows, pieces=()):
    """What the twin makes of rows with gaps between pieces: frames, flags, first frames."""
    stream, x, flags = IntegerWindows(FRONT.config, CHANNELS), [], []
    for number, piece in enumerate(np.split(rows, pieces)):
        if number:
            stream.reset()
        x.append(FRONT.quantize_input(stream.push(piece)).astype(np.int16))
        flags.append(stream.flags)
    gaps = tuple(np.cumsum([len(part) for part in x])[:-1].tolist())
    return np.concatenate(x), np.concatenate(flags), gaps


def rows(count, seed=2):
    return rows_of(FRONT.config, seed, count)


def _usual_score():
    rule = rule_with(50.0)
    scores = decided(rule, *frames_of_rows(rows(900))[:2]).scores
    return float(np.quantile(scores[20:], 0.6)) * 2.0**rule.score_exponent


RULE = rule_with(_usual_score())


def sensing(**changes):
    """What an application does that makes its frames of rows."""
    usual = {"ring_frames": 4, "log_records": 64, "event_records": 128, "retain_every": 1}
    return AppConfig("test board", RULE, **{**usual, "samples": ROW_INPUT, **changes})


def export(folder):
    EXPORTER.export(ExportSource(None, MODEL, describe(FRONT)), folder)
    return folder / "c"
