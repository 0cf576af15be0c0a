"""A simulated pump with its motor: a data set that needs no download.

The machine is a set of algebraic laws and two first-order lags, sampled slowly, as a condition
monitor sees it. ``u`` is the load, 0..1; constants are those of a small four-pole 50 Hz motor.

- load: levels held for 20..60 s, reached with a lag of 3 s
- speed: ``n = 1500 (1 - 0.04 u)`` rpm, the slip of an induction motor in proportion to torque
- current: ``I = sqrt(2^2 + (6 u)^2)`` A, magnetising and load current in quadrature
- flow (not measured): ``q = 0.4 + 0.6 u``
- pressure: ``p = 4 (n/1500)^2 - 1.5 q^2`` bar, the affinity law and the pump's curve
- temperature: ``300 s * dT/dt = T_a + 40 (I/6.3)^2 - T`` °C, copper losses against cooling;
  the ambient ``T_a`` drifts over the hour
- vibration velocity: RMS over one sample of an imbalance ``0.8 (n/1500)^2`` mm/s, a second
  harmonic ``0.25 u`` and broadband noise ``0.3 (1 + 0.5 u)``; the window holds no whole number of
  turns, so the RMS ripples at twice the speed, as it aliases: amplitude
  ``sinc(2 f / sample rate)``. The mount is softer along x than along y.

Source: affinity laws and slip as in any text on pumps and induction motors (e.g. Gülich,
Centrifugal Pumps, chapter 3; Fitzgerald, Electric Machinery, chapter 6). The constants are
plausible, not measured.

Faults, one in each test recording; ``r`` rises from 0.3 to 1 during the first half of a fault:

- imbalance: the imbalance times ``1 + 1.5 r``
- bearing: broadband times ``1 + 2 (e^(3r) - 1)/(e^3 - 1)``, ``0.5 r`` A more, heat for 8 r K
- blockage: flow times ``1 - 0.5 r``, load times ``1 - 0.3 r``
- stuck: one sensor repeats its value
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.data.base import DataSource
from rnn_edge.data.noise import generator
from rnn_edge.data.options import SyntheticMachineOptions
from rnn_edge.types import SPLITS, Array, SensorDataset, SensorRecording, Split

CHANNELS = (
    "vibration_x_mm_s",
    "vibration_y_mm_s",
    "speed_rpm",
    "current_a",
    "temperature_c",
    "pressure_bar",
)
SENSOR_NOISE = (0.02, 0.02, 1.0, 0.04, 0.05, 0.02)
"""Standard deviation of each channel's noise, in its unit."""
DECIMALS = 4
"""Values are read to so many decimals; that also hides the last bits, in which the functions of
one numpy release differ from those of another."""
FAULTS = ("imbalance", "bearing", "blockage", "stuck")
FAULT_START = (0.4, 0.65)
"""When a fault starts, as a share of the recording."""
FAULT_LENGTH = (0.2, 0.3)
"""How long it lasts, likewise."""
_THERMAL_S = 300.0
_LOAD_LAG_S = 3.0


@dataclass(frozen=True, eq=False)
class _Fault:
    """A fault over time.

    Attributes:
        kind: One of `FAULTS`, or "" for none.
        active: bool (T,).
        growth: float64 (T,): r times the severity.
    """

    kind: str
    active: Array
    growth: Array

    def of(self, kind: str) -> Array:
        """Return the growth of one kind of fault; zeros if it is another."""
        return self.growth if self.kind == kind else np.zeros_like(self.growth)


def synthetic_machine(options: SyntheticMachineOptions, seed: int = 0) -> SensorDataset:
    """Simulate the data set; same options and seed, same samples."""
    counts: dict[Split, int] = {
        "train": options.train_recordings,
        "validation": options.validation_recordings,
        "test": options.test_recordings,
    }
    recordings = []
    for s, split in enumerate(SPLITS):
        for k in range(counts[split]):
            rng = generator(seed, s, k, 0x3A)
            kind = FAULTS[k % len(FAULTS)] if split == "test" else ""
            fault = _fault(options, kind, rng)
            values = _simulate(options, fault, rng)
            name = f"{split}/{k:03d}" + (f"-{kind}" if kind else "")
            recordings.append(SensorRecording(name, values, fault.active, split))
    return SensorDataset(
        source="synthetic (simulated machine)",
        is_synthetic=True,
        sample_rate_hz=options.sample_rate_hz,
        channels=CHANNELS,
        recordings=tuple(recordings),
        notes=(
            "All values are simulated; no machine was measured.",
            f"Faults are in the test recordings only: {', '.join(FAULTS)} in turn.",
        ),
    )


def _fault(options: SyntheticMachineOptions, kind: str, rng: np.random.Generator) -> _Fault:
    steps = round(options.recording_s * options.sample_rate_hz)
    active = np.zeros(steps, np.bool_)
    growth = np.zeros(steps)
    if kind:
        start = int(rng.uniform(*FAULT_START) * steps)
        length = int(rng.uniform(*FAULT_LENGTH) * steps)
        active[start : start + length] = True
        ramp = np.clip(0.3 + 1.4 * np.arange(length) / length, 0.3, 1.0)
        growth[start : start + length] = ramp * options.severity
    return _Fault(kind, active, growth)


def _simulate(options: SyntheticMachineOptions, fault: _Fault, rng: np.random.Generator) -> Array:
    """Return float64 (T, 6), columns as in `CHANNELS`."""
    rate_hz = options.sample_rate_hz
    steps = len(fault.active)
    time = np.arange(steps) / rate_hz
    bearing, blockage = fault.of("bearing"), fault.of("blockage")

    load = _load_cycle(steps, rate_hz, rng) * np.maximum(1.0 - 0.3 * blockage, 0.0)
    speed = 1500.0 * (1.0 - 0.04 * load)
    current = np.hypot(2.0, 6.0 * load) + 0.5 * bearing
    flow = (0.4 + 0.6 * load) * np.maximum(1.0 - 0.5 * blockage, 0.0)
    pressure = 4.0 * (speed / 1500.0) ** 2 - 1.5 * flow**2
    ambient = 20.0 + 2.0 * np.sin(2 * np.pi * (time / 3600.0 + rng.random()))
    heated = ambient + 40.0 * (current / 6.3) ** 2 + 8.0 * bearing
    temperature = _lag(heated, _THERMAL_S * rate_hz, float(heated[: max(1, steps // 4)].mean()))
    vibration = _vibration(speed, load, fault, rate_hz, rng)

    clean = np.column_stack([*vibration, speed, current, temperature, pressure])
    noise = rng.standard_normal(clean.shape) * np.asarray(SENSOR_NOISE) * options.noise
    measured = clean + noise
    measured[:, :2] = np.abs(measured[:, :2])
    if fault.kind == "stuck":
        channel = int(rng.integers(len(CHANNELS)))
        held = measured[int(np.argmax(fault.active)), channel]
        weight = min(1.0, options.severity) * fault.active
        measured[:, channel] += weight * (held - measured[:, channel])
    return np.asarray(np.round(measured, DECIMALS))


def _load_cycle(steps: int, rate_hz: float, rng: np.random.Generator) -> Array:
    """Return the load (T,), 0.2..1: held levels behind a lag."""
    levels: list[Array] = []
    filled = 0
    while filled < steps:
        length = round(rng.uniform(20.0, 60.0) * rate_hz)
        levels.append(np.full(length, rng.uniform(0.2, 1.0)))
        filled += length
    target = np.concatenate(levels)[:steps]
    return _lag(target, _LOAD_LAG_S * rate_hz, float(target[0]))


def _vibration(
    speed: Array, load: Array, fault: _Fault, rate_hz: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the RMS velocity (T,) along x and y in mm/s."""
    rotation_hz = speed / 60.0
    phase = 2.0 * np.pi * np.cumsum(2.0 * rotation_hz) / rate_hz + rng.uniform(0.0, 2 * np.pi)
    ripple = np.sinc(2.0 * rotation_hz / rate_hz) * np.cos(phase)
    first = 0.8 * (speed / 1500.0) ** 2 * (1.0 + 1.5 * fault.of("imbalance"))
    second = 0.25 * load
    wear = np.expm1(3.0 * fault.of("bearing")) / np.expm1(3.0)
    broadband = 0.3 * (1.0 + 0.5 * load) * (1.0 + 2.0 * wear)
    axes = []
    for stiffness in (1.0, 0.7):
        # The RMS of a few dozen independent band-limited samples scatters by some percent.
        scatter = 1.0 + 0.05 * rng.standard_normal(len(speed))
        power = first**2 * (1.0 + ripple) + second**2 + (broadband * scatter) ** 2
        axes.append(stiffness * np.sqrt(power))
    return axes[0], axes[1]


def _lag(target: Array, steps: float, start: float) -> Array:
    """Follow ``target`` with a first-order lag of so many steps, exactly for a held input."""
    keep = float(np.exp(-1.0 / steps))
    state = start
    followed = []
    for value in target.tolist():
        state = keep * state + (1.0 - keep) * value
        followed.append(state)
    return np.asarray(followed)


def _load(path: Path | None, options: SyntheticMachineOptions, seed: int) -> SensorDataset:
    assert path is None, "the source takes no path"
    return synthetic_machine(options, seed)


SOURCE = DataSource(
    name="synthetic-machine",
    summary="A simulated pump with labelled faults; needs no download.",
    extra="",
    needs_path=False,
    options=SyntheticMachineOptions,
    load=_load,
)
