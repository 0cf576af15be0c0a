"""The integer front end on emulated microcontrollers: bits, instructions per frame, memory.

    python benchmarks/mcu_frontend.py [--noise] [--gain] [--json]

Instructions are counted by the emulator over whole frames, from the samples of a hop to the int16
input of a model; they are no cycles.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mcu_image import TARGETS, Target, run, write_around

from rnn_edge.cli.scripts import explained_errors, positive
from rnn_edge.exporters.c_arrays import array_text
from rnn_edge.exporters.c_frontend import front_end_contents, ram_bytes
from rnn_edge.features.description import describe
from rnn_edge.features.fixed_point import IntegerLogMelConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.types import Array

NAME = "sample"
LEVELS = ("-Os", "-O2", "-O3")


def front_end(config: IntegerLogMelConfig) -> FrontEnd:
    """Return a front end whose normaliser makes about one of a deviation of speech."""
    bands = config.bands
    normaliser = Normaliser(np.full(bands, -6.0, np.float32), np.full(bands, 2.5, np.float32))
    return FrontEnd(config, ("pcm",), float(config.sample_rate_hz), normaliser)


def sound(config: IntegerLogMelConfig, frames: int) -> Array:
    """Return noise in bursts from silence to full scale, int16."""
    count = config.window_samples + (frames - 1) * config.hop_samples
    rng = np.random.default_rng(1)
    level = np.repeat(rng.choice([0.0, 3.0, 300.0, 3000.0, 60000.0], count // 800 + 1), 800)
    return (rng.normal(0, 1, count) * level[:count]).clip(-32768, 32767).astype(np.int16)


def write_sources(
    contents: Mapping[str, bytes], samples: Array, frames: int, width: int, folder: Path
) -> None:
    """Write all that an image is made of.

    Args:
        contents: Files of the exported front end.
        samples: int16 (N,) or int32 (N, channels).
        frames: That they make.
        width: Values of a frame.
        folder: Where to.
    """
    common = ("common/rnn_edge_fixedpoint.h", "common/rnn_edge_bytes.h")
    write_around(Path(__file__).with_suffix(".c"), common, folder)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    values = samples.size // len(samples)
    (folder / "samples.h").write_text(
        f"#include <stdint.h>\nenum {{ FRAMES = {frames}, FRAME_VALUES = {width}, "
        f"SAMPLE_VALUES = {values} }};\n"
        + array_text(f"{samples.dtype}_t", "samples", samples.reshape(-1), "samples")
    )


def counted(
    contents: Mapping[str, bytes],
    samples: Array,
    expected: Array,
    targets: tuple[Target, ...],
    levels: tuple[str, ...],
) -> list[dict[str, Any]]:
    """Return what was counted on every target.

    Args:
        contents: Files of the exported front end.
        samples: As of `write_sources`.
        expected: int16 (frames, D).
        targets: Processors.
        levels: Of optimisation.
    """
    frames, width = expected.shape
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sources(contents, samples, frames, width, folder)
        for target in targets:
            for level in levels:
                text, result = run(target, level, folder)
                numbers = np.frombuffer(result[: 4 + 4 * frames], "<u4")
                found = np.frombuffer(result[4 + 4 * frames :], "<i2").reshape(expected.shape)
                # The first frame takes a whole window of samples.
                counts = numbers[2:] * target.instructions_per_tick
                rows.append(
                    {
                        "target": target.title,
                        "level": level,
                        "differing": int((found != expected).sum()),
                        "instructions": round(float(counts.mean())),
                        "most_instructions": round(float(counts.max())),
                        "code_bytes": text,
                        "stack_bytes": int(numbers[0]),
                    }
                )
    return rows


def measure(
    config: IntegerLogMelConfig, targets: tuple[Target, ...], levels: tuple[str, ...], frames: int
) -> dict[str, Any]:
    """Return what was counted of a configuration."""
    pcm, own = sound(config, frames), front_end(config)
    contents = front_end_contents(NAME, "0" * 64, describe(own))
    expected = own.quantize_input(own.raw_frames(pcm))
    return {
        "frames": frames,
        "bands": config.bands,
        "noise_suppression": config.noise_suppression,
        "gain_normalisation": config.gain_normalisation,
        "ram_bytes": ram_bytes(config),
        "table_bytes": table_bytes(config),
        "rows": counted(contents, pcm, expected, targets, levels),
    }


def table_bytes(config: IntegerLogMelConfig) -> int:
    """Return the bytes of a front end's generated constants."""
    contents = front_end_contents(NAME, "0" * 64, describe(front_end(config)))
    return constant_bytes(contents[f"{NAME}_frontend.c"].decode())


def constant_bytes(text: str) -> int:
    """Return the bytes of the constant arrays of a generated source file."""
    found = [line for line in text.splitlines() if line.startswith("_Static_assert(sizeof ")]
    sizes = {"int16_t": 2, "uint16_t": 2, "int32_t": 4, "uint32_t": 4}
    sizes |= {"rnn_edge_sensor_channel": 16, "rnn_edge_sensor_scale": 16}
    total = 0
    for line in found:
        _, _, product = line.partition(" == ")
        count, _, kind = product.partition(" * sizeof(")
        total += int(count) * sizes[kind.rstrip("),")]
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description="the integer front end on emulated processors")
    parser.add_argument("--noise", action="store_true", help="with noise suppression")
    parser.add_argument("--gain", action="store_true", help="with gain normalisation")
    parser.add_argument("--frames", type=positive, default=49)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    config = IntegerLogMelConfig(
        noise_suppression=arguments.noise, gain_normalisation=arguments.gain
    )
    found = measure(config, TARGETS, LEVELS, arguments.frames)
    if arguments.json:
        print(json.dumps(found))
        return
    print(
        f"{found['bands']} bands, 16 kHz, {found['frames']} frames; RAM {found['ram_bytes']:,} B, "
        f"tables {found['table_bytes']:,} B"
    )
    print_rows(found["rows"])


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what `counted` returned as a table."""
    print(
        f"{'processor':<12}{'level':<6}{'differing':>10}{'instructions':>14}{'most':>9}"
        f"{'code B':>8}{'stack B':>9}"
    )
    for row in rows:
        print(
            f"{row['target']:<12}{row['level']:<6}{row['differing']:>10,}"
            f"{row['instructions']:>14,}{row['most_instructions']:>9,}"
            f"{row['code_bytes']:>8,}{row['stack_bytes']:>9,}"
        )


if __name__ == "__main__":
    with explained_errors():
        main()
