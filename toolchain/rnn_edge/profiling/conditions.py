"""What else decides how fast a machine is: its governor, its clock, its temperature, its load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

Read = Callable[[str], str | None]
"""Returns the content of a file, or None where it cannot be read."""

CPU = "/sys/devices/system/cpu/cpu0/cpufreq"
ZONES = tuple(f"/sys/class/thermal/thermal_zone{k}" for k in range(8))
THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"
LOAD = "/proc/loadavg"
PROCESS = "/proc/self/status"
SENSORS = tuple(f"/sys/class/hwmon/hwmon{k}" for k in range(16))
POWER_SENSORS = ("ina219", "ina226")
"""Names of drivers whose power1_input is microwatts of what they are wired into.

Source: Linux kernel documentation, hwmon/ina2xx.
"""
_PROCESSOR_ZONES = ("cpu-thermal", "cpu_thermal", "soc-thermal", "x86_pkg_temp", "acpitz")
_FLAGS = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
}
"""Bits of the firmware's word; sixteen higher stand those of what happened since the start.

Source: Raspberry Pi documentation, vcgencmd get_throttled.
"""
_SINCE_START = 16


@dataclass(frozen=True)
class Conditions:
    """A look at a machine; None is what it does not say.

    Attributes:
        governor: Who decides the processor's clock.
        frequency_mhz: Of the first core.
        temperature_c: Of the processor.
        throttled: What limits the clock now; empty where nothing does.
        was_throttled: What has limited it since the machine was started.
        load: Processes that wanted to run in the last minute.
    """

    governor: str | None
    frequency_mhz: float | None
    temperature_c: float | None
    throttled: tuple[str, ...] | None
    was_throttled: tuple[str, ...] | None
    load: float | None

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def read_conditions(read: Read) -> Conditions:
    """Return what a machine's files say."""
    word = _number(read(THROTTLED), 16)
    return Conditions(
        governor=read(f"{CPU}/scaling_governor") or None,
        frequency_mhz=_scaled(read(f"{CPU}/scaling_cur_freq"), 1e-3),
        temperature_c=temperature_c(read),
        throttled=_flags(word, 0),
        was_throttled=_flags(word, _SINCE_START),
        load=_load(read(LOAD)),
    )


def temperature_c(read: Read) -> float | None:
    """Return the temperature of the processor, of the first zone where none has its name."""
    found: dict[str, float] = {}
    for zone in ZONES:
        value = _scaled(read(f"{zone}/temp"), 1e-3)
        if value is None:
            break
        found[read(f"{zone}/type") or zone] = value
    for name in _PROCESSOR_ZONES:
        if name in found:
            return found[name]
    return next(iter(found.values()), None)


def power_sensor(read: Read) -> str | None:
    """Return the file in which a sensor of power says microwatts, or None where there is none."""
    for sensor in SENSORS:
        if (read(f"{sensor}/name") or "") in POWER_SENSORS:
            path = f"{sensor}/power1_input"
            if _number(read(path)) is not None:
                return path
    return None


def frequency_mhz(read: Read) -> float | None:
    """Return the clock of the first core."""
    return _scaled(read(f"{CPU}/scaling_cur_freq"), 1e-3)


def is_emulated(read: Read) -> bool:
    """Return whether the process that reads is run by QEMU, whose name its own status shows."""
    first = (read(PROCESS) or "").partition("\n")[0]
    return first.partition(":")[2].strip().startswith("qemu-")


def _number(text: str | None, base: int = 10) -> int | None:
    try:
        return None if text is None else int(text.split()[0], base)
    except (ValueError, IndexError):
        return None


def _scaled(text: str | None, factor: float) -> float | None:
    value = _number(text)
    return None if value is None else value * factor


def _load(text: str | None) -> float | None:
    try:
        return None if text is None else float(text.split()[0])
    except (ValueError, IndexError):
        return None


def _flags(word: int | None, shift: int) -> tuple[str, ...] | None:
    if word is None:
        return None
    return tuple(name for bit, name in _FLAGS.items() if word >> (bit + shift) & 1)
