"""The application and its link: bytes of each part, speed over a line, retries on a bad one.

    python benchmarks/link.py [--hidden 64] [--steps 4000] [--faults 0 0.001 0.01] [--json]

Code is compiled for a Cortex-M4, of the files of the application and its link alone: the model and
its kernels are there without them too. Speed is of this host with its scheduler in between.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from host_engines import random_model

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.c_host import host_compiler
from rnn_edge.engines.link_engine import exported_sources
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.firmware.app_config import APP_CONFIG, AppConfig, app_config_header
from rnn_edge.firmware.link import build_link_program
from rnn_edge.firmware.program import LINK, config_header
from rnn_edge.links.application import Mode
from rnn_edge.links.base import ByteStream
from rnn_edge.links.client import LinkClient
from rnn_edge.links.messages import StepFlag
from rnn_edge.links.process import ProcessStream
from rnn_edge.links.terminal import TerminalStream
from rnn_edge.programs import program
from rnn_edge.quantize import calibrate, quantize_input, quantize_model
from rnn_edge.reference import IntegerReference
from rnn_edge.reference.decisions import Numbers, alarm_numbers, keyword_numbers
from rnn_edge.resources import data_folder
from rnn_edge.types import Array, QuantizedModel

# The line that the tests damage bytes on.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from link_lines import FaultyStream

INPUTS = 40
FAULTY_STEPS = 10_000


def rules(model: QuantizedModel) -> dict[str, Numbers | None]:
    """Return a rule of each kind, of the sizes that the example bundles have."""
    labels = tuple(f"word{k}" for k in range(model.outputs))
    exponents = (model.input_exponent, model.output_exponent)
    return {
        "none": None,
        "keywords": keyword_numbers(labels, "linear", model.output_exponent, 15, 0.5, 0.8),
        "alarm": alarm_numbers(np.full(model.outputs, 0.5), exponents, 8.0, 3.0, 10, 100.0, 0.8),
    }


def part_bytes(model: QuantizedModel, exports: Path, work: Path) -> dict[str, dict[str, Any]]:
    """Return bytes of code and of variables by rule and file, for a Cortex-M4 at -Os."""
    compiler = program("arm-none-eabi-gcc", "the size of the link")
    size = program("arm-none-eabi-size", "the size of the link")
    (work / "rnn_edge_config.h").write_text(config_header(model))
    templates = data_folder("firmware_templates")
    folders = (exports / "c", work, *(templates / name for name in ("link", "service", "app")))
    flags = ["-std=c11", "-Os", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft"]
    found: dict[str, dict[str, Any]] = {}
    for rule, numbers in rules(model).items():
        (work / APP_CONFIG).write_text(app_config_header(AppConfig("nucleo-f401re", numbers)))
        found[rule] = {}
        for name in sorted(name for name in LINK if name.endswith(".c")):
            path = work / f"{Path(name).stem}.o"
            include = [f"-I{folder}" for folder in folders]
            # One section for each function would hide nothing here: each of them is called.
            command = [compiler, *flags, *include, "-c", str(templates / name), "-o", str(path)]
            subprocess.run(command, check=True)
            done = subprocess.run([size, str(path)], check=True, capture_output=True, text=True)
            text, data, bss = map(int, done.stdout.splitlines()[1].split()[:3])
            found[rule][path.stem] = {"code": text + data, "variables": data + bss}
    return found


def rates(stream: ByteStream, x: Array) -> dict[str, float]:
    """Return frames per second by way of asking, and the milliseconds of a ping."""
    with LinkClient(stream, 5.0) as client:
        client.open()
        client.set_mode(Mode.HOST)
        client.identify()

        def per_second(ask: Callable[[Array], Array], frames: Array) -> float:
            start = time.perf_counter()
            ask(frames)
            return len(frames) / (time.perf_counter() - start)

        found = {
            "one": per_second(lambda part: [client.step(row[None]) for row in part], x[:500]),
            "stream": per_second(client.stream, x),
            "outputs": per_second(client.step, x),
            "states": per_second(lambda part: client.step(part, StepFlag.WITH_STATES), x),
            "fed": per_second(feeding(client), x),
            "ping_ms": 1000 * float(np.median([client.ping(b"x") for _ in range(200)])),
        }
        assert client.statistics.retries == 0
    return found


def feeding(client: LinkClient) -> Callable[[Array], Array]:
    """Return a function that has frames stepped by the application, through its ring."""

    def feed(x: Array) -> Array:
        client.set_mode(Mode.FED)
        before = client.status().frames
        client.feed(x)
        while client.status().frames < before + len(x):
            pass
        return x

    return feed


def on_a_bad_line(
    stream: ByteStream, x: Array, expected: Array, rate: float, ask: str
) -> dict[str, Any]:
    """Return what a run over a line with faults took; its outputs are those of the reference."""
    line = FaultyStream(stream, 1, rate)
    with LinkClient(line, 0.05, 200) as client:
        client.open()
        client.set_mode(Mode.HOST)
        client.identify()
        start = time.perf_counter()
        if ask == "feed":
            feeding(client)(x)
        elif ask == "stream":
            assert np.array_equal(client.stream(x), expected)
        else:
            rows = np.concatenate([client.step(row[None]) for row in x])
            assert np.array_equal(rows, expected)
        elapsed = time.perf_counter() - start
        assert np.array_equal(client.log(len(x) - 1)[-1].y, expected[-1])
        assert client.counters().steps == len(x)
        found = client.statistics
    return {
        "faults": sum(line.faults.values()),
        "retries": found.retries,
        "frames_per_s": len(x) / elapsed,
    }


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return all figures."""
    float_model = random_model("gru", arguments.hidden, INPUTS)
    generator = np.random.Generator(np.random.PCG64(1))
    real = generator.normal(0, 1, (FAULTY_STEPS, INPUTS)).astype(np.float32)
    model = quantize_model(float_model, calibrate(float_model, real[None, :1000]))
    x = quantize_input(real, model.input_exponent)
    expected = IntegerReference(model).run(x[None]).outputs[0]
    with tempfile.TemporaryDirectory() as folder:
        exports = Path(folder)
        EXPORTER.export(ExportSource(float_model, model), exports)
        sources = exported_sources(EngineSource(float_model, model, exports, exports / "work"))
        found: dict[str, Any] = {"part_bytes": part_bytes(model, exports, exports), "rates": {}}
        for payload in (512, 16_384):
            flags = (f"-DRNN_EDGE_LINK_PAYLOAD={payload}",)
            path = build_link_program(host_compiler(), model, sources, exports / "work", flags)
            pipe = ProcessStream([str(path)], "Program")
            found["rates"][f"pipe, {payload}"] = rates(pipe, x[: arguments.steps])
            with subprocess.Popen(
                [path, "--pty"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            ) as process:
                assert process.stdout is not None
                terminal = TerminalStream(Path(process.stdout.readline().decode().strip()))
                found["rates"][f"pty, {payload}"] = rates(terminal, x[: arguments.steps])
                assert process.stdin is not None
                process.stdin.close()
        found["bad_lines"] = [
            {
                "rate": rate,
                "ask": ask,
                **on_a_bad_line(ProcessStream([str(path)], "Program"), x, expected, rate, ask),
            }
            for rate in arguments.faults
            for ask in ("one", "stream", "feed")
        ]
    return found


def show(found: dict[str, Any]) -> None:
    """Print the tables."""
    print("on a Cortex-M4, -Os: code and constants + variables, by rule")
    print(f"  {'':24}" + "".join(f"{rule:>16}" for rule in found["part_bytes"]))
    for name in found["part_bytes"]["none"]:
        rows = [parts[name] for parts in found["part_bytes"].values()]
        sizes = "".join(f"{row['code']:8,} + {row['variables']:5,}" for row in rows)
        print(f"  {name:24}{sizes}")
    totals = [
        [sum(row[key] for row in parts.values()) for key in ("code", "variables")]
        for parts in found["part_bytes"].values()
    ]
    print(f"  {'all':24}" + "".join(f"{code:8,} + {variables:5,}" for code, variables in totals))
    print("frames/s    one by one   stream   batches of outputs   with states      fed   ping")
    for name, row in found["rates"].items():
        print(
            f"{name:12} {row['one']:9,.0f} {row['stream']:8,.0f} {row['outputs']:20,.0f} "
            f"{row['states']:13,.0f} {row['fed']:8,.0f} {row['ping_ms']:6.3f} ms"
        )
    print(f"{FAULTY_STEPS:,} frames    faults   retries   frames/s")
    for row in found["bad_lines"]:
        print(
            f"{100 * row['rate']:4.1f} %, {row['ask']:8} {row['faults']:9,} {row['retries']:9,} "
            f"{row['frames_per_s']:10,.0f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--faults", type=float, nargs="*", default=[0.0, 0.001, 0.01])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)


if __name__ == "__main__":
    with explained_errors():
        main()
