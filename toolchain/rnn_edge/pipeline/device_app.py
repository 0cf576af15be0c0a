"""The application of a bundle: how its device hears, decides, logs and saves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rnn_edge.errors import BundleError, ModelError
from rnn_edge.evaluation import Detector
from rnn_edge.exporters.front_library import FOLDER, SENSOR_LIBRARY, SOUND_LIBRARY
from rnn_edge.features.description import describe
from rnn_edge.features.fixed_point import IntegerLogMelConfig, IntegerWindowConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.firmware.app_config import (
    ROWS,
    SOUND,
    AppConfig,
    SampleInput,
    require_watchdog,
)
from rnn_edge.pipeline.bundle import Bundle, bundle_detector
from rnn_edge.pipeline.c_memory import macs_of
from rnn_edge.pipeline.detections import KeptLimits, bundle_limits, keyword_decisions
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.reference.decisions import AlarmNumbers, Numbers, alarm_numbers
from rnn_edge.spec import DeviceSpec, ModelSpec
from rnn_edge.types import QuantizedModel

_INT8 = "int8"
MOST_PRODUCTS_PER_CYCLE = 2
"""Of a weight and a value, by any processor that firmware is built for."""
HOPS_OF_A_RING = 2
"""Of sound: one that comes at once, from a buffer that was filled, while another is heard."""
ROWS_OF_A_RING = 16
"""Of sensors."""
ERASE_MS: Mapping[str, int] = {"flash_stm32f4": 2000, "flash_nrf52": 85, "flash_rp2040": 400}
"""What the longest erase of a save takes, by the part of the board that does it.

Source: ST, DS10086, "Flash memory programming", a sector of 128 KiB; Nordic, "nRF52840 Product
Specification", "NVMC electrical specification", a page; Winbond, W25Q16JV, "AC electrical
characteristics", a sector of 4 KiB.
"""


def app_config(bundle: Bundle, device: str = "") -> AppConfig:
    """Return what the application of a bundle does.

    Args:
        bundle: The bundle.
        device: The device's name, which the application tells.

    Raises:
        BundleError: If the bundle lacks what its task decides with.
        ModelError: If the integers of a device do not hold its rule.
    """
    spec, model = bundle.spec(), bundle.model()
    detector = None
    if spec.model.task == "anomaly":
        detector = bundle_detector(bundle, _INT8)
    rule = rule_numbers(spec, model, detector, bundle_limits(bundle, model))
    return app_of_spec(spec, device, rule, _exported_samples(bundle, spec, model.name))


def app_of_spec(
    spec: ModelSpec, device: str, rule: Numbers | None, samples: SampleInput | None
) -> AppConfig:
    """Return what an application does as section [firmware] of a spec has it.

    Args:
        spec: The spec.
        device: The device's name, which the application tells.
        rule: How it decides; None where it decides nothing.
        samples: What its front end makes frames of; None where it takes finished frames only.
    """
    firmware = spec.firmware
    return AppConfig(
        device=device,
        rule=rule,
        ring_frames=firmware.ring_frames,
        log_records=firmware.log_records,
        event_records=firmware.event_records,
        retain_every=firmware.retain_every,
        flash_every=firmware.flash_every,
        watchdog_ms=firmware.watchdog_ms,
        samples=samples,
    )


def _exported_samples(bundle: Bundle, spec: ModelSpec, name: str) -> SampleInput | None:
    """Return what the front end of a bundle takes, after a look at the version of its C.

    Raises:
        BundleError: If its C is of a version whose front end an application cannot save.
    """
    if spec.features.arithmetic != "integer":
        return None
    samples = sample_input(spec, FrontEnd.load(bundle.file(FRONT_END)), name)
    if samples is not None:
        header = bundle.file(f"exports/{FOLDER}/{name}_frontend.h")
        if "_FRONTEND_SAVED_BYTES" not in header.read_text():
            raise BundleError(
                f"Bundle {bundle.path}: its front end was exported by a version before devices "
                "that make their frames themselves.",
                f"rnn-edge build {bundle.path / 'spec.toml'} --out {bundle.path}",
            )
    return samples


def sample_input(spec: ModelSpec, front_end: FrontEnd, name: str) -> SampleInput | None:
    """Return the raw samples that a device makes its frames of; None where it cannot.

    Args:
        spec: Of the bundle.
        front_end: The bundle's.
        name: The model's name.
    """
    config = front_end.config
    if not isinstance(config, IntegerLogMelConfig | IntegerWindowConfig):
        return None
    is_sound = isinstance(config, IntegerLogMelConfig)
    usual = HOPS_OF_A_RING * config.hop_samples if is_sound else ROWS_OF_A_RING
    said = json.dumps(describe(front_end), sort_keys=True).encode()
    return SampleInput(
        name=name,
        kind=SOUND if is_sound else ROWS,
        values=len(front_end.channels),
        rate_hz=front_end.sample_rate_hz,
        ring=spec.firmware.ring_samples or usual,
        key=int.from_bytes(hashlib.sha256(said).digest()[:4], "little"),
    )


def with_front_end(sources: Sequence[Path], app: AppConfig, name: str, exports: Path) -> list[Path]:
    """Return the exported C of a model, and of the front end that its application calls.

    Args:
        sources: Of the model, headers too.
        app: The application.
        name: The model's name.
        exports: The exporters' output folder.
    """
    if app.samples is None:
        return list(sources)
    there = {path.name for path in sources}
    library = SOUND_LIBRARY if app.samples.kind == SOUND else SENSOR_LIBRARY
    beside = [path for path in library.sources(name, exports) if path.name not in there]
    return [*sources, *beside]


def rule_numbers(
    spec: ModelSpec,
    model: QuantizedModel,
    detector: Detector | None,
    limits: KeptLimits | None = None,
) -> Numbers:
    """Return the numbers of a rule, the same that an evaluation decides with.

    Args:
        spec: Of the bundle.
        model: Its quantized model.
        detector: Of an anomaly model's forecasts; None for keywords.
        limits: Of keywords, as calibrated; None treats all alike.

    Raises:
        ModelError: If the integers of a device do not hold them.
    """
    if detector is None:
        return keyword_decisions(spec, model, limits)
    return detector_numbers(detector, (model.input_exponent, model.output_exponent))


def detector_numbers(detector: Detector, exponents: tuple[int, int]) -> AlarmNumbers:
    """Return the integers of a detector.

    Args:
        detector: As fitted.
        exponents: Scales of frames and of outputs are 2^these.

    Raises:
        ModelError: If the integers of a device do not hold them.
    """
    config = detector.config
    return alarm_numbers(
        detector.variance,
        exponents,
        config.smoothing_frames,
        detector.threshold,
        config.warmup_frames,
        config.score_limit,
        config.release,
        offsets=detector.offsets,
        whitening=detector.whitening,
        scale_alone=detector.scale_alone,
        least_frames=config.least_frames,
        release_frames=config.release_frames,
    )


def require_time(bundle: Bundle, device: DeviceSpec, step_s: float | None = None) -> None:
    """Refuse a watchdog that would bite while the application does what it is asked.

    Args:
        bundle: The bundle.
        device: Where it runs.
        step_s: The slowest step, as measured; None for the least that can be said before anything
            is compiled.

    Raises:
        RnnEdgeError: If the steps of one turn of the main loop, or an erase of the device's flash,
            take longer than it waits, or the bundle has no application.
    """
    _require_time_to_erase(bundle, device)
    model = bundle.model()
    if step_s is None:
        if device.clock_hz is None:
            return
        step_s = macs_of(model) / MOST_PRODUCTS_PER_CYCLE / device.clock_hz
    require_watchdog(app_config(bundle, device.name), model.inputs, 1e3 * step_s)


def _require_time_to_erase(bundle: Bundle, device: DeviceSpec) -> None:
    parts = () if device.board is None else device.board.parts
    erase_ms = max((ERASE_MS.get(part, 0) for part in parts), default=0)
    watchdog_ms = bundle.spec().firmware.watchdog_ms
    if 0 < watchdog_ms <= erase_ms:
        raise ModelError(
            f"To save its state {device.name} erases flash for up to {erase_ms:,} ms; the watchdog "
            f"waits {watchdog_ms} ms.",
            "set a larger firmware.watchdog_ms, or 0 for no watchdog",
        )
