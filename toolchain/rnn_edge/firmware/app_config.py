"""What the application of a device is made of besides its model: ``rnn_edge_app_config.h``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rnn_edge import __version__
from rnn_edge.errors import ModelError
from rnn_edge.reference.decisions import (
    AlarmNumbers,
    ChannelNumbers,
    KeywordLimits,
    KeywordNumbers,
    Numbers,
    WhiteningNumbers,
)

APP_CONFIG = "rnn_edge_app_config.h"
LONGEST_TEXT = 48
"""Bytes of a device's name that it can tell."""

FRAME_BYTES_ON_THE_LINE = 16
"""Of a frame of the link, besides its payload."""


SOUND, ROWS = 1, 2
"""Kinds of raw samples: int16, one value each; int32, one value of each channel."""
_TYPES = {SOUND: "int16_t", ROWS: "int32_t"}


@dataclass(frozen=True)
class SampleInput:
    """Raw samples that an application makes its frames of.

    Attributes:
        name: The model's name; the exported front end is called after it.
        kind: `SOUND` or `ROWS`.
        values: Of a sample: 1 of sound, one of each channel of sensors.
        rate_hz: Samples per second.
        ring: Samples that may wait for the front end.
        key: What tells the front end from others, 32 bits.
    """

    name: str
    kind: int
    values: int
    rate_hz: float
    ring: int
    key: int


@dataclass(frozen=True)
class AppConfig:
    """What an application does with its model.

    Attributes:
        device: The device's name, which it tells a host.
        rule: How it decides; None where it steps frames and decides nothing.
        ring_frames: Frames that may wait for the model.
        log_records: Steps that the log remembers; 0 for none.
        event_records: Detections that the device remembers.
        retain_every: Frames from save to save in RAM; 0 for never.
        flash_every: The same in flash.
        watchdog_ms: Time that a turn may take; 0 for no watchdog.
        samples: What its front end makes frames of; None where it takes finished frames only.
    """

    device: str = ""
    rule: Numbers | None = None
    ring_frames: int = 16
    log_records: int = 16
    event_records: int = 16
    retain_every: int = 50
    flash_every: int = 0
    watchdog_ms: int = 4000
    samples: SampleInput | None = None


def app_config_header(config: AppConfig) -> str:
    """Return the header of an application.

    Raises:
        ModelError: If the device's name is none that it could tell.
    """
    name = config.device
    if len(name) > LONGEST_TEXT or not name.isascii() or not name.isprintable() or '"' in name:
        raise ModelError(
            f"Device {name!r} cannot be told by a device; expected at most {LONGEST_TEXT} "
            "printable ASCII characters without quotes."
        )
    values = {
        "VERSION": f'"{__version__}"',
        "DEVICE": f'"{name}"',
        "RING_FRAMES": f"{config.ring_frames}U",
        "LOG_RECORDS": str(config.log_records),
        "EVENT_RECORDS": str(config.event_records),
        "RETAIN_EVERY": f"{config.retain_every}U",
        "FLASH_EVERY": f"{config.flash_every}U",
        "WATCHDOG_MS": f"{config.watchdog_ms}U",
        **_rule(config.rule),
        **_samples(config.samples),
    }
    lines = [f"#define RNN_EDGE_APP_{key} {value}" for key, value in values.items()]
    return "\n".join(
        [
            "/* What the application does with the model. */",
            "#ifndef RNN_EDGE_APP_CONFIG_H",
            "#define RNN_EDGE_APP_CONFIG_H",
            *lines,
            "#endif",
            "",
        ]
    )


def _rule(rule: Numbers | None) -> Mapping[str, str]:
    if rule is None:
        return _NO_RULE
    common = {
        "RULE_KEY": f"0x{rule.key:08x}U",
        "SCORE_EXPONENT": f"({rule.score_exponent})",
    }
    if isinstance(rule, KeywordNumbers):
        return {
            "RULE": "1",
            **common,
            "THRESHOLD_SCORE": f"{rule.threshold_score}U",
            "IS_LOGITS": str(int(rule.is_logits)),
            "WINDOW_FRAMES": f"{rule.window_frames}U",
            "KEYWORDS": "{" + ", ".join(_keyword(each) for each in rule.keywords) + "}",
        }
    return {
        "RULE": "2",
        **common,
        "THRESHOLD": f"{rule.threshold}U",
        "RELEASE": f"{rule.release}U",
        "THRESHOLD_SCORE": f"{rule.threshold}U",
        **_alarm(rule),
    }


_NO_RULE: Mapping[str, str] = MappingProxyType(
    {"RULE": "0", "RULE_KEY": "0U", "SCORE_EXPONENT": "0", "THRESHOLD_SCORE": "0U"}
)


def _samples(samples: SampleInput | None) -> Mapping[str, str]:
    if samples is None:
        return {}
    front = f"{samples.name}_frontend"
    return {
        "SAMPLES": str(samples.kind),
        "SAMPLE": _TYPES[samples.kind],
        "SAMPLE_VALUES": f"{samples.values}U",
        "SAMPLE_RATE_MHZ": f"{round(1000 * samples.rate_hz)}U",
        "RING_SAMPLES": f"{samples.ring}U",
        "FRONT_KEY": f"0x{samples.key:08x}U",
        "FRONT_HEADER": f'"{front}.h"',
        "FRONT": front,
        "FRONT_INIT": f"{front}_init",
        "FRONT_GAP": f"{front}_gap",
        "FRONT_FEED": f"{front}_feed",
        "FRONT_SAVED_BYTES": f"{front.upper()}_SAVED_BYTES",
        "FRONT_SAVE": f"{front}_save",
        "FRONT_RESTORE": f"{front}_restore",
        **({"FRONT_MASKS": f"{front}_masks"} if samples.kind == ROWS else {}),
    }


def _keyword(limits: KeywordLimits | None) -> str:
    if limits is None:
        # Never at its threshold, and never muted.
        return "{0U, 0U, 0U, 0U, 1U}"
    values = (
        limits.threshold,
        limits.release,
        limits.frames,
        limits.refractory_frames,
        limits.least_frames,
    )
    return "{" + ", ".join(f"{value}U" for value in values) + "}"


def _alarm(rule: AlarmNumbers) -> Mapping[str, str]:
    whitening = rule.whitening
    return {
        "OFFSET_COUNT": str(len(rule.offsets)),
        "OFFSETS": _list(_offsets(rule.offsets)),
        "CHANNEL_COUNT": str(rule.channel_count),
        "FORECAST_ROWS": str(sum(offset for offset in rule.offsets if offset > 0)),
        "FRAME_ROWS": str(max(0, -min(rule.offsets))),
        "FRAME_SHIFT": str(rule.frame_shift),
        "FORECAST_SHIFT": str(rule.forecast_shift),
        "SHARE_LIMIT": f"{rule.share_limit}U",
        "TAKE": str(rule.take),
        "WARMUP_FRAMES": f"{rule.warmup_frames}U",
        "LEAST_FRAMES": f"{rule.least_frames}U",
        "RELEASE_FRAMES": f"{rule.release_frames}U",
        "CHANNELS": _list(map(_channel, rule.channels)),
        "IS_COVARIANCE": str(int(whitening is not None)),
        **({} if whitening is None else _whitening(whitening)),
    }


def _offsets(offsets: Sequence[int]) -> Iterator[str]:
    """Yield each offset with the first row of its forecasts: as many as it is frames ahead."""
    first = 0
    for offset in offsets:
        yield f"{{{offset}, {first}U}}"
        first += max(0, offset)


def _whitening(whitening: WhiteningNumbers) -> Mapping[str, str]:
    return {
        "RESIDUAL_SHIFTS": _list(whitening.shifts),
        "MOST_RESIDUAL_SHIFT": str(max(whitening.shifts)),
        "ROWS": _list(map(_channel, whitening.rows)),
        # Row behind row.
        "WHITENING": _list(weight for row in whitening.weights for weight in row),
        "MOST_ROW_WEIGHT": str(whitening.most_row_weight),
    }


def _list(values: Iterable[object]) -> str:
    return "{" + ", ".join(map(str, values)) + "}"


def _channel(channel: ChannelNumbers) -> str:
    return f"{{{channel.most}U, {channel.factor}U, {channel.coarser}, {channel.shift}}}"


def steps_of_a_turn(inputs: int, payload_bytes: int = 512, receive_bytes: int = 64) -> int:
    """Return the most steps between two feedings of the watchdog.

    A turn takes so many bytes of the link: the end of the largest request, and small ones behind
    it; and one frame of the ring.

    Args:
        inputs: Values of a frame.
        payload_bytes: ``RNN_EDGE_LINK_PAYLOAD``.
        receive_bytes: ``RNN_EDGE_APP_RECEIVE_BYTES``.
    """
    frame = 2 * inputs
    return (payload_bytes - 1) // frame + receive_bytes // (FRAME_BYTES_ON_THE_LINE + frame) + 1


def require_watchdog(
    config: AppConfig, inputs: int, step_ms: float, *, payload_bytes: int = 512
) -> None:
    """Refuse an application whose watchdog would bite while it does what it is asked.

    Args:
        config: The application.
        inputs: Values of a frame of its model.
        step_ms: The slowest step, as measured or predicted.
        payload_bytes: ``RNN_EDGE_LINK_PAYLOAD``.

    Raises:
        ModelError: If the steps of a turn take longer than the watchdog waits.
    """
    steps = steps_of_a_turn(inputs, payload_bytes)
    if config.watchdog_ms and steps * step_ms > config.watchdog_ms:
        raise ModelError(
            f"A step takes {step_ms:.3g} ms and a turn of the main loop up to {steps} of them; "
            f"the watchdog waits {config.watchdog_ms} ms.",
            "set a larger firmware.watchdog_ms, 0 for no watchdog, or fewer hidden units",
        )
