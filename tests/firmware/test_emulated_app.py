"""The application on emulated processors: frames through its ring, its detections, a restart."""

import time

import numpy as np
import pytest
from app_programs import LABELS, MODEL, RECIPE, RULE, expected_of, frames_of
from c_models import build, export

from rnn_edge.errors import MissingDependencyError
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.device_program import device_program
from rnn_edge.links.application import Found, Mode, Origin, Started
from rnn_edge.links.client import LinkClient
from rnn_edge.links.process import ProcessStream
from rnn_edge.programs import program
from rnn_edge.reference.decisions import alarm_numbers
from rnn_edge.runners.base import Job, all_runners
from rnn_edge.spec import all_devices

DEVICES = ("qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55", "qemu-rv32")
COUNT = 260
FORECASTER = build(type(RECIPE)(**{**vars(RECIPE), "inputs": 3, "outputs": 3, "name": "watched"}))
EXPONENTS = (FORECASTER.input_exponent, FORECASTER.output_exponent)


def alarm(threshold):
    variance = np.array([2.0, 6.0, 9.0]) * 2.0 ** (2 * max(EXPONENTS) + 24)
    return alarm_numbers(variance, EXPONENTS, 6.0, threshold, 5, 100.0, 0.9)


def usual_score():
    scores = expected_of(frames_of(COUNT, seed=4), FORECASTER, alarm(50.0)).scores
    return float(np.quantile(scores[20:], 0.6)) * 2.0 ** alarm(50.0).score_exponent


ALARM = alarm(usual_score())
REBUILDER = build(
    type(RECIPE)(**{**vars(RECIPE), "inputs": 3, "outputs": 9, "name": "rebuilt", "seed": 52})
)
REBUILT = (REBUILDER.input_exponent, REBUILDER.output_exponent)


def covariance(threshold):
    """Of the frame that is there, of the one two before it, and of the one that comes next."""
    rng = np.random.default_rng(8)
    sizes = 2.0 ** (max(REBUILT) + 12 + rng.uniform(0, 1.5, 9))
    mixing = np.tril(rng.normal(0, 0.4, (9, 9)), -1) + np.eye(9)
    whitening = np.tril(np.linalg.inv(sizes[:, None] * mixing))
    return alarm_numbers(
        sizes**2,
        REBUILT,
        6.0,
        threshold,
        5,
        100.0,
        0.9,
        offsets=(0, -2, 1),
        whitening=whitening,
        least_frames=2,
        release_frames=3,
    )


def covariance_score():
    scores = expected_of(frames_of(COUNT, seed=4), REBUILDER, covariance(50.0)).scores
    return float(np.quantile(scores[20:], 0.6)) * 2.0 ** covariance(50.0).score_exponent


COVARIANCE = covariance(covariance_score())
CASES = {
    "keywords": (MODEL, RULE),
    "alarm": (FORECASTER, ALARM),
    "covariance": (REBUILDER, COVARIANCE),
}


def wait_until_stepped(client, count):
    deadline = time.monotonic() + 120
    while (found := client.status()).frames < count:
        assert time.monotonic() < deadline
    return found


@pytest.mark.slow
# Every device with one rule; the others on one without products of 64 bits, one that saturates in
# an instruction, and another family.
@pytest.mark.parametrize(
    ("name", "case"),
    [
        *((name, "keywords") for name in DEVICES),
        *(
            (name, case)
            for name in ("qemu-m0", "qemu-m4", "qemu-rv32")
            for case in ("alarm", "covariance")
        ),
    ],
)
def test_a_device_decides_with_the_bits_of_the_reference(name, case, tmp_path):
    device = all_devices()[name]
    model, rule = CASES[case]
    app = AppConfig(name, rule, log_records=16, event_records=64, retain_every=1)
    sources = sorted(export(model, tmp_path).iterdir())
    try:
        image = device_program(device, model, sources, tmp_path / "work", app).path
        command = all_runners()["qemu"].link(Job(device, image))
        command = [program(command[0], "the test"), *command[1:]]
    except MissingDependencyError as error:
        pytest.skip(str(error))
    x = frames_of(COUNT, seed=4)
    expected = expected_of(x, model, rule)
    assert len(expected.changes) >= 4
    half = COUNT // 2 - 3
    with LinkClient(ProcessStream(command, "Emulator"), 5.0) as client:
        client.open()
        about = client.about()
        assert (about.device, about.rule_key, about.origin) == (name, rule.key, Origin.ZERO)
        records, events, begin = [], [], 0
        for end in (half, COUNT):
            client.set_mode(Mode.FED)
            for at in range(begin, end, 12):
                part = x[at : min(end, at + 12)]
                client.feed(part)
                wait_until_stepped(client, at + len(part) - begin)
                records += client.log(at - begin)
            events += [(begin + e.step, e.has_begun, e.label, e.score) for e in client.event_log()]
            if end < COUNT:
                saved = client.state()
                client.restart()
                client.open()
                about = client.about()
                assert about.started in (Started.SOFTWARE, Started.PIN, Started.UNKNOWN)
                assert Found.HAS_RAM in about.found
                assert about.origin is Origin.RAM
                assert client.state() == saved
            begin = end
        np.testing.assert_array_equal([r.y for r in records], expected.outputs)
        np.testing.assert_array_equal([r.label for r in records], expected.labels)
        np.testing.assert_array_equal([r.score for r in records], expected.scores)
        assert events == [(c.step, c.has_begun, c.label, c.score) for c in expected.changes]
        assert client.status().dropped == 0
    assert len(LABELS) == MODEL.outputs
