"""The application of a bundle: its rule, what it lacks, and a watchdog that would bite."""

import dataclasses

import numpy as np
import pytest
from c_models import Recipe, build

from rnn_edge.errors import BundleError, ModelError
from rnn_edge.evaluation import Detector
from rnn_edge.evaluation.anomaly import DetectorConfig
from rnn_edge.firmware.app_config import AppConfig, app_config_header
from rnn_edge.pipeline import device_app
from rnn_edge.pipeline.device_app import app_config, require_time
from rnn_edge.reference.decisions import AlarmNumbers, KeywordLimits, KeywordNumbers
from rnn_edge.spec import all_devices
from rnn_edge.spec.spec import ModelSpec

KEYWORDS = ModelSpec.model_validate(
    {
        "model": {"name": "sample", "task": "kws", "hidden": 7},
        "data": {"kind": "synthetic-keywords"},
        "drift": {"smoothing_frames": 9, "threshold": 0.25},
        "firmware": {"release": 0.5, "ring_frames": 3, "log_records": 0, "watchdog_ms": 1},
    }
)
ALARMS = ModelSpec.model_validate(
    {
        "model": {"name": "sample", "task": "anomaly", "hidden": 7},
        "data": {"kind": "synthetic-machine"},
    }
)
MODEL = build(Recipe(inputs=5, outputs=5))


@dataclasses.dataclass
class Finished:
    """A bundle as far as an application needs it."""

    wanted: ModelSpec
    folder: object

    @property
    def path(self):
        return self.folder

    @property
    def manifest(self):
        return {"files": {path.name: "" for path in self.folder.iterdir()}}

    def spec(self):
        return self.wanted

    def model(self):
        return MODEL

    def file(self, name):
        if not (self.folder / name).is_file():
            raise BundleError(f"Bundle has no {name}.")
        return self.folder / name


def test_keywords_are_decided_on_as_the_spec_says(tmp_path):
    found = app_config(Finished(KEYWORDS, tmp_path), "board")
    assert isinstance(found.rule, KeywordNumbers)
    detected = {each for each in found.rule.keywords if each is not None}
    assert detected == {KeywordLimits(9, 9 * 2**13, 9 * 2**12)}
    assert (found.device, found.ring_frames, found.log_records) == ("board", 3, 0)
    assert (found.retain_every, found.flash_every, found.watchdog_ms) == (50, 0, 1)


def test_alarms_are_raised_by_the_detector_of_the_integers(tmp_path):
    bundle = Finished(ALARMS, tmp_path)
    with pytest.raises(BundleError, match=r"no detector_int8\.npz"):
        app_config(bundle)
    variance = 2.0 ** (2 * MODEL.output_exponent) * np.array([900.0, 30.0, 5.0, 2e3, 1e4])
    Detector(DetectorConfig(), variance, 2.5).save(tmp_path / "detector_int8.npz")
    rule = app_config(bundle).rule
    assert isinstance(rule, AlarmNumbers)
    assert rule.threshold == int(2.5 * 2.0**rule.fraction_bits)
    assert rule.release == int(2.0 * 2.0**rule.fraction_bits)
    assert rule.warmup_frames == 10


def test_a_detector_of_a_covariance_is_that_of_the_device(tmp_path):
    scale = 2.0**MODEL.output_exponent
    config = DetectorConfig(score="covariance", least_frames=3, release_frames=7)
    whitening = np.tril(np.full((5, 5), -0.01)) + np.eye(5) * 0.05
    detector = Detector(config, np.full(5, 900.0) * scale**2, 2.5, (0,), whitening / scale)
    detector.save(tmp_path / "detector_int8.npz")
    bundle = Finished(ALARMS, tmp_path)
    rule = app_config(bundle).rule
    assert (rule.offsets, rule.channel_count) == ((0,), 5)
    assert (rule.least_frames, rule.release_frames) == (3, 7)
    assert rule.release == int(2.0 * 2.0**rule.fraction_bits)
    assert rule.whitening is not None
    kept = Detector.load(tmp_path / "detector_int8.npz")
    exponents = (MODEL.input_exponent, MODEL.output_exponent)
    assert device_app.detector_numbers(kept, exponents) == rule
    header = app_config_header(AppConfig(rule=rule))
    weights = ", ".join(str(each) for row in rule.whitening.weights for each in row)
    assert f"#define RNN_EDGE_APP_WHITENING {{{weights}}}" in header
    assert "#define RNN_EDGE_APP_OFFSETS {{0, 0U}}" in header


def test_a_watchdog_that_would_bite_is_refused(tmp_path, monkeypatch):
    bundle = Finished(KEYWORDS, tmp_path)
    device = all_devices()["nucleo-h743zi"]
    require_time(bundle, device)
    # What is measured counts, and before that what no processor is faster than.
    with pytest.raises(ModelError, match=r"the watchdog waits 1 ms"):
        require_time(bundle, device, 100e-6)
    monkeypatch.setattr(device_app, "MOST_PRODUCTS_PER_CYCLE", 1e-3)
    with pytest.raises(ModelError, match=r"the watchdog waits 1 ms") as caught:
        require_time(bundle, device)
    assert "firmware.watchdog_ms" in caught.value.hint
    require_time(bundle, device.model_copy(update={"clock_hz": None}))


def test_a_watchdog_that_would_bite_while_flash_is_erased_is_refused(tmp_path):
    def waiting(ms):
        firmware = KEYWORDS.firmware.model_copy(update={"watchdog_ms": ms})
        return Finished(KEYWORDS.model_copy(update={"firmware": firmware}), tmp_path)

    devices = all_devices()
    for name, erase_ms in (("nucleo-f401re", 2000), ("nrf52840-dk", 85), ("rpi-pico", 400)):
        with pytest.raises(ModelError, match=f"{name} erases flash for up to {erase_ms:,} ms"):
            require_time(waiting(erase_ms), devices[name])
        require_time(waiting(erase_ms + 1), devices[name])
        require_time(waiting(0), devices[name])


def test_every_flash_that_is_erased_has_its_time():
    parts = {
        part for device in all_devices().values() if device.board for part in device.board.parts
    }
    flashes = {part for part in parts if part.startswith("flash_")}
    assert flashes - {"flash_none"} == set(device_app.ERASE_MS)
