"""The framed link: bytes of code, speed over a pipe and a pseudo-terminal, retries on a bad line.

    python benchmarks/link.py [--hidden 64] [--steps 4000] [--faults 0 0.001 0.01] [--json]

Code is compiled for a Cortex-M4, of the files of the link alone: the model and its kernels are
there without a link too. Speed is of this host with its scheduler in between.
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

from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.c_host import host_compiler
from rnn_edge.engines.service import exported_sources
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.firmware.link import build_link_program
from rnn_edge.firmware.program import LINK, SERVICE, config_header
from rnn_edge.firmware.tools import program
from rnn_edge.links.base import ByteStream
from rnn_edge.links.client import LinkClient
from rnn_edge.links.messages import StepFlag
from rnn_edge.links.process import ProcessStream
from rnn_edge.links.terminal import TerminalStream
from rnn_edge.quantize import calibrate, quantize_input, quantize_model
from rnn_edge.reference import IntegerReference
from rnn_edge.resources import data_folder
from rnn_edge.types import Array, QuantizedModel

# The line that the tests damage bytes on.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from link_lines import FaultyStream

INPUTS = 40
FAULTY_STEPS = 10_000


def code_bytes(model: QuantizedModel, exports: Path, work: Path) -> dict[str, int]:
    """Return bytes of each file, and of the server's variables, for a Cortex-M4 at -Os."""
    compiler = program("arm-none-eabi-gcc", "the size of the link")
    size = program("arm-none-eabi-size", "the size of the link")
    (work / "rnn_edge_config.h").write_text(config_header(model))
    templates = data_folder("firmware_templates")
    found: dict[str, int] = {}
    for name in sorted({*LINK, *SERVICE}):
        if not name.endswith(".c"):
            continue
        path = work / f"{Path(name).stem}.o"
        flags = ["-std=c11", "-Os", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft"]
        folders = (exports / "c", work, templates / "link", templates / "service")
        include = [f"-I{folder}" for folder in folders]
        # One section for each function would hide nothing here: each of them is called.
        subprocess.run(
            [compiler, *flags, *include, "-c", str(templates / name), "-o", str(path)], check=True
        )
        done = subprocess.run([size, str(path)], check=True, capture_output=True, text=True)
        found[path.stem] = int(done.stdout.splitlines()[1].split()[0])
    server = work / "server.c"
    server.write_text('#include "rnn_edge_link_server.h"\nrnn_edge_link_server server;\n')
    path = server.with_suffix(".o")
    subprocess.run([compiler, *flags, *include, "-c", str(server), "-o", str(path)], check=True)
    done = subprocess.run([size, str(path)], check=True, capture_output=True, text=True)
    found["the server's variables"] = int(done.stdout.splitlines()[1].split()[2])
    return found


def rates(stream: ByteStream, x: Array) -> dict[str, float]:
    """Return frames per second by way of asking, and the milliseconds of a ping."""
    with LinkClient(stream, 5.0) as client:
        client.open()
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
            "ping_ms": 1000 * float(np.median([client.ping(b"x") for _ in range(200)])),
        }
        assert client.statistics.retries == 0
    return found


def on_a_bad_line(
    stream: ByteStream, x: Array, expected: Array, rate: float, ask: str
) -> dict[str, Any]:
    """Return what a run over a line with faults took; its outputs are those of the reference."""
    line = FaultyStream(stream, 1, rate)
    with LinkClient(line, 0.05, 200) as client:
        client.open()
        client.identify()
        start = time.perf_counter()
        if ask == "stream":
            rows = client.stream(x)
        else:
            rows = np.concatenate([client.step(row[None]) for row in x])
        elapsed = time.perf_counter() - start
        assert np.array_equal(rows, expected)
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
        found: dict[str, Any] = {"code_bytes": code_bytes(model, exports, exports), "rates": {}}
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
            for ask in ("one", "stream")
        ]
    return found


def show(found: dict[str, Any]) -> None:
    """Print the tables."""
    print("on a Cortex-M4, -Os: code and constants")
    for name, count in found["code_bytes"].items():
        print(f"  {name:22} {count:6,} bytes")
    print("frames/s    one by one   stream   batches of outputs   with states   ping")
    for name, row in found["rates"].items():
        print(
            f"{name:12} {row['one']:9,.0f} {row['stream']:8,.0f} {row['outputs']:20,.0f} "
            f"{row['states']:13,.0f} {row['ping_ms']:6.3f} ms"
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
    main()
