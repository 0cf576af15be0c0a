"""The integer sensor front end on emulated microcontrollers: bits, instructions, memory.

    python benchmarks/mcu_sensor.py [--window N] [--hop N] [--deviation] [--json]

Eight channels with a tenth of all samples missing, stuck or out of range. Instructions are counted
by the emulator over whole frames, from the rows of a hop to the int16 input of a model; they are no
cycles.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
from mcu_frontend import LEVELS, NAME, constant_bytes, counted, print_rows
from mcu_image import TARGETS, Target

from rnn_edge.cli.scripts import explained_errors, positive
from rnn_edge.exporters.c_sensor import sensor_contents, sensor_ram_bytes
from rnn_edge.features.description import describe
from rnn_edge.features.fixed_point import IntegerWindowConfig
from rnn_edge.features.fixed_point.sensor_config import raw_rows
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.types import Array

CHANNELS = 8
FRAMES = 40


def values(count: int, seed: int, *, has_faults: bool) -> Array:
    """Return samples of eight channels that drift."""
    rng = np.random.default_rng(seed)
    drift = np.cumsum(rng.normal(size=(count, CHANNELS)), axis=0) * 0.05
    found = (rng.normal(size=(count, CHANNELS)) + drift) * 10.0 ** np.arange(-3, 5)
    if has_faults:
        found[rng.random(found.shape) < 0.05] = np.nan
        found[count // 2 :, 1] = found[count // 2, 1]
        found[count // 3 : count // 2, 5] = 1e12
    return found


def front_end(config: IntegerWindowConfig) -> FrontEnd:
    """Return a front end that is fitted to such samples."""
    training = values(3000, 0, has_faults=False)
    fitted = config.fitted_to([training], 1.0)
    own = FrontEnd(fitted, tuple(f"channel {k}" for k in range(CHANNELS)), 100.0)
    normaliser = Normaliser.fit(own.raw_frames(training))
    return FrontEnd(fitted, own.channels, 100.0, normaliser)


def measure(
    config: IntegerWindowConfig, targets: tuple[Target, ...], levels: tuple[str, ...]
) -> dict[str, Any]:
    """Return what was counted of a configuration."""
    own = front_end(config)
    assert isinstance(own.config, IntegerWindowConfig)
    count = config.window_samples + (FRAMES - 1) * config.hop_samples
    rows = raw_rows(values(count, 1, has_faults=True), own.config)
    contents = sensor_contents(NAME, "0" * 64, describe(own))
    return {
        "frames": FRAMES,
        "channels": CHANNELS,
        "window_samples": config.window_samples,
        "hop_samples": config.hop_samples,
        "has_deviation": config.has_deviation,
        "ram_bytes": sensor_ram_bytes(own.config),
        "table_bytes": constant_bytes(contents[f"{NAME}_frontend.c"].decode()),
        "rows": counted(contents, rows, own.quantize_input(own.raw_frames(rows)), targets, levels),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="the sensor front end on emulated processors")
    parser.add_argument("--window", type=positive, default=1, help="samples of a window")
    parser.add_argument("--hop", type=positive, default=1, help="samples between two windows")
    parser.add_argument("--deviation", action="store_true", help="with deviations")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    config = IntegerWindowConfig(arguments.window, arguments.hop, arguments.deviation)
    found = measure(config, TARGETS, LEVELS)
    if arguments.json:
        print(json.dumps(found))
        return
    print(
        f"{CHANNELS} channels, {arguments.window} samples every {arguments.hop}; "
        f"RAM {found['ram_bytes']:,} B, constants {found['table_bytes']:,} B"
    )
    print_rows(found["rows"])


if __name__ == "__main__":
    with explained_errors():
        main()
