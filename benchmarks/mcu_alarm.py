"""The rule of alarms on emulated microcontrollers: bits, instructions per frame, memory.

    python benchmarks/mcu_alarm.py [--channels 8] [--frames 200] [--json]

Instructions are counted by the emulator, from a frame and the outputs of its model to what is
decided, besides the model and its front end; they are no cycles.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from mcu_image import TARGETS, Target, run, sizes, write_around

from rnn_edge.cli.scripts import explained_errors, positive
from rnn_edge.exporters.c_arrays import array_text
from rnn_edge.firmware.app_config import APP_CONFIG, AppConfig, app_config_header
from rnn_edge.firmware.program import CONFIG
from rnn_edge.reference.decisions import AlarmNumbers, IntegerRule, alarm_numbers
from rnn_edge.types import Array

LEVELS = ("-Os", "-O2")
OFFSETS = {"next frame": (1,), "four ahead": (1, 2, 3, 4), "last eight": tuple(range(0, -8, -1))}
FILES = (
    "app/rnn_edge_decision.c",
    "app/rnn_edge_decision.h",
    "app/rnn_edge_residuals.c",
    "app/rnn_edge_residuals.h",
    "app/rnn_edge_rule.h",
    "app/rnn_edge_rule_alarm.c",
    "common/rnn_edge_bytes.h",
    "common/rnn_edge_fixedpoint.h",
)
USUAL = 200.0
"""Size of a usual error, in units of a frame."""


def rule(offsets: tuple[int, ...], channels: int, *, is_whitened: bool) -> AlarmNumbers:
    """Return a rule for errors of about the usual size, of which neighbours vary together."""
    count = len(offsets) * channels
    near = np.subtract.outer(np.arange(count), np.arange(count))
    factor = np.linalg.cholesky(0.5 ** np.abs(near)) * USUAL * 2.0**-12
    whitening = np.tril(np.linalg.inv(factor)) if is_whitened else None
    variance = np.full(count, (USUAL * 2.0**-12) ** 2)
    return alarm_numbers(
        variance, (-12, -12), 8.0, 2.0, 10, 100.0, 0.8, offsets=offsets, whitening=whitening
    )


def stream(numbers: AlarmNumbers, frames: int) -> tuple[Array, Array]:
    """Return frames and outputs with errors of the usual size, now and then of many times it."""
    rng = np.random.default_rng(1)
    far = rng.choice([1.0, 1.0, 1.0, 6.0], frames // 20 + 1).repeat(20)[:frames, None]
    x = rng.normal(0, USUAL, (frames, numbers.channel_count)) * far
    y = rng.normal(0, USUAL / 4, (frames, len(numbers.channels)))
    return x.astype(np.int16), y.astype(np.int16)


def write_sources(numbers: AlarmNumbers, x: Array, y: Array, folder: Path) -> None:
    """Write all that an image is made of."""
    write_around(Path(__file__).with_suffix(".c"), FILES, folder)
    (folder / APP_CONFIG).write_text(app_config_header(AppConfig("measured", numbers)))
    (folder / CONFIG).write_text(
        f"#define RNN_EDGE_CONFIG_INPUTS {x.shape[1]}\n"
        f"#define RNN_EDGE_CONFIG_OUTPUTS {y.shape[1]}\n"
    )
    (folder / "stream.h").write_text(
        f"#include <stdint.h>\nenum {{ STREAM_FRAMES = {len(x)} }};\n"
        + array_text("int16_t", "stream_x", x, "frames")
        + array_text("int16_t", "stream_y", y, "outputs")
    )


def measure(
    numbers: AlarmNumbers, targets: tuple[Target, ...], levels: tuple[str, ...], frames: int
) -> list[dict[str, Any]]:
    """Return what was counted on every target."""
    x, y = stream(numbers, frames)
    decided = IntegerRule(numbers)
    scores = decided.update(x, y).scores
    begun = sum(change.has_begun for change in decided.changes)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sources(numbers, x, y, folder)
        for target in targets:
            for level in levels:
                text, result = run(target, level, folder)
                words = np.frombuffer(result[: 4 + 8 * frames], "<u4")
                # The first frames are not scored.
                counts = words[1 + 20 : 1 + frames] * target.instructions_per_tick
                active = np.frombuffer(result, "u1", frames, 4 + 8 * frames)
                rows.append(
                    {
                        "target": target.title,
                        "level": level,
                        "differing": int((words[1 + frames :] != scores).sum()),
                        "alarms": begun,
                        "alarms_seen": int((np.diff(active.astype(int), prepend=0) > 0).sum()),
                        "instructions": round(float(counts.mean())),
                        "most_instructions": round(float(counts.max())),
                        "flash_bytes": text,
                        "ram_bytes": sizes(folder)[1],
                        "stack_bytes": int(words[0]),
                    }
                )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="the rule of alarms on emulated processors")
    parser.add_argument("--channels", type=positive, default=8)
    parser.add_argument("--frames", type=positive, default=200)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    targets = tuple(each for each in TARGETS if each.cpu in ("cortex-m0plus", "cortex-m4"))
    found: list[dict[str, Any]] = []
    for title, offsets in OFFSETS.items():
        for is_whitened in (False, True):
            numbers = rule(offsets, arguments.channels, is_whitened=is_whitened)
            case = {"outputs": title, "score": "covariance" if is_whitened else "variance"}
            rows = measure(numbers, targets, LEVELS, arguments.frames)
            found += [{**case, **row} for row in rows]
    if arguments.json:
        print(json.dumps({"channels": arguments.channels, "rows": found}))
        return
    print(f"{arguments.channels} channels, {arguments.frames} frames")
    print(
        f"{'outputs':<12}{'score':<12}{'processor':<12}{'level':<6}{'differing':>10}"
        f"{'instructions':>14}{'most':>9}{'flash B':>9}{'RAM B':>7}{'stack B':>9}"
    )
    for row in found:
        print(
            f"{row['outputs']:<12}{row['score']:<12}{row['target']:<12}{row['level']:<6}"
            f"{row['differing']:>10,}{row['instructions']:>14,}{row['most_instructions']:>9,}"
            f"{row['flash_bytes']:>9,}{row['ram_bytes']:>7,}{row['stack_bytes']:>9,}"
        )


if __name__ == "__main__":
    with explained_errors():
        main()
