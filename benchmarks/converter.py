"""TensorFlow's converter beside ours: what comes out, and how far it drifts on long streams.

    python benchmarks/converter.py [--bundle DIR] [--json]

Every conversion and every replay is a process with a time limit; one that dies is a row of the
table. Drift of N steps is the root mean square error of the hidden states of all layers over the
last 1,000 of these steps (over all of them where there are fewer), divided by the root mean
square of the float model's hidden states over the same steps. The float model is the numpy cell in
float32; nobody's state is ever reset.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from converter_files import FLEX_PREFIX, FileContent, read_content
from converter_keras import HAS_STATE, STEP
from converter_subjects import Subject, bundle_subject, random_subject
from converter_table import print_heading, print_model

from rnn_edge.cli.scripts import explained_errors, positive
from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters import tflite
from rnn_edge.exporters.base import ExportSource
from rnn_edge.reference import FloatReference
from rnn_edge.types import Array

FOLDER = Path(__file__).parent
TRAILING_STEPS = 1_000
KNOWN_STEPS = 100_000
OURS = "ours"
PLACE = re.compile(r'most recent call first\):\n\s*File "([^"]*)", line (\d+) in (\S+)')
"""Where a process was when a signal ended it, as Python's faulthandler writes it."""
KEEPS_STATE = "UNIDIRECTIONAL_SEQUENCE_LSTM"
"""The operator that keeps its state from one invoke to the next."""
PACKAGES = ("tensorflow", "keras", "tf-keras", "ai-edge-litert", "numpy")


@dataclass(frozen=True)
class Way:
    """One way to use TensorFlow's converter.

    Attributes:
        name: For the table.
        form: What is given to the converter, see `converter_keras.FORMS`.
        numbers: "float", "dynamic", "int8" or "16x8".
        states: What the states are while it calibrates, see `converter_keras.samples`.
    """

    name: str
    form: str
    numbers: str
    states: str = "stream"


WAYS = (
    Way("layer-float", "carried", "float"),
    Way("layer-dynamic", "carried", "dynamic"),
    Way("layer-int8", "window", "int8"),
    Way("layer-int8-state", "carried", "int8"),
    Way("layer-int8-unrolled", "unrolled", "int8"),
    Way("layer-int8-tf-keras", "fused", "int8"),
    Way("cell-float", STEP, "float"),
    Way("cell-dynamic", STEP, "dynamic"),
    Way("cell-int8", STEP, "int8"),
    Way("cell-int8-uniform", STEP, "int8", "uniform"),
    Way("cell-int8-zero", STEP, "int8", "zero"),
    Way("cell-16x8", STEP, "16x8"),
    Way("cell-16x8-uniform", STEP, "16x8", "uniform"),
)


def run_program(command: Sequence[str], limit_s: float) -> tuple[str, float]:
    """Run a program of this folder; return why it failed, or nothing, and the seconds it took."""
    start = time.perf_counter()
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", *command],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
            env={**os.environ, **quiet},
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {limit_s:g} s", time.perf_counter() - start
    seconds = time.perf_counter() - start
    return "" if done.returncode == 0 else _reason(done.returncode, done.stderr), seconds


def _reason(code: int, said: str) -> str:
    """Return how a process ended: its signal and where it was, or its last exception."""
    if code < 0:
        where = re.search(
            r'most recent call first\):\n\s*File "([^"]*)", line (\d+) in (\S+)', said
        )
        place = f" in {Path(where[1]).name}:{where[2]} {where[3]}" if where else ""
        return f"{signal.Signals(-code).name}{place}"
    raised = re.findall(r"^([\w.]*(?:Error|Exception|Interrupt|Exit)\b.*)$", said, re.M)
    last = raised[-1] if raised else (said.strip().splitlines() or ["no message"])[-1]
    return f"exit code {code}, {last.strip()[:300]}"


def relative_drift(expected: dict[str, Array], actual: dict[str, Array], steps: int) -> float:
    """Return the drift after ``steps``; for its definition see the description of this program."""
    part = slice(max(0, steps - TRAILING_STEPS), steps)
    error = size = 0.0
    for name, values in actual.items():
        wanted = expected[name][part].astype(np.float64)
        error += float(np.square(values[part].astype(np.float64) - wanted).sum())
        size += float(np.square(wanted).sum())
    return float(np.sqrt(error / size))


class Comparison:
    """One model, converted in every way and replayed.

    Args:
        subject: The model.
        steps: Numbers of steps at which drift is told; the last one is the stream's length.
        limit_s: Time limit of each process.
        folder: An empty folder for files.
    """

    def __init__(
        self, subject: Subject, steps: Sequence[int], limit_s: float, folder: Path
    ) -> None:
        self._subject = subject
        self._steps = steps
        self._limit_s = limit_s
        self._folder = folder
        subject.float_model.save(folder / "model.npz")
        np.save(folder / "calibration.npy", subject.calibration)
        np.save(folder / "stream.npy", subject.stream)
        trace = FloatReference(subject.float_model).run(subject.stream[None])
        self._expected = {k: v[0] for k, v in trace.states.items() if k.startswith("h")}

    def converted(self, way: Way) -> dict[str, Any]:
        """Convert and replay; return a row of the table."""
        row: dict[str, Any] = {"way": way.name}
        if way.form == "fused" and importlib.util.find_spec("tf_keras") is None:
            return row | {"converts": None, "message": "not run: tf_keras is not installed"}
        out = self._folder / f"{way.name}.tflite"
        inputs = [str(self._folder / name) for name in ("model.npz", "calibration.npy")]
        program = str(FOLDER / "converter_worker.py")
        said, seconds = run_program(
            [program, *inputs, way.form, way.numbers, way.states, str(out)], self._limit_s
        )
        row |= {"converts": not said, "message": said, "seconds": round(seconds, 1)}
        return row if said else row | self._measured(out, way.form in HAS_STATE)

    def ours(self) -> dict[str, Any]:
        """Export, replay in the same runtime and return a row of the table."""
        start = time.perf_counter()
        tflite.EXPORTER.export(
            ExportSource(self._subject.float_model, self._subject.model), self._folder
        )
        seconds = time.perf_counter() - start
        row = {"way": OURS, "converts": True, "message": "", "seconds": round(seconds, 1)}
        return row | self._measured(self._folder / tflite.FILE, has_state=True)

    def _measured(self, file: Path, has_state: bool) -> dict[str, Any]:
        content = read_content(file.read_bytes())
        scales = state_scales(content) if has_state else {}
        if scales:
            same = all(scale["is_equal"] for scale in scales.values())
            feedbacks = ["raw"] if same else ["raw", "host"]
        elif has_state:
            feedbacks = ["float"]
        else:
            feedbacks = ["inside" if KEEPS_STATE in content.builtin else "none"]
        return {
            "bytes": file.stat().st_size,
            "builtin": content.builtin,
            "flex": content.flex,
            "scales": scales,
            "drift": {feedback: self._drift(file, feedback, content) for feedback in feedbacks},
        }

    def _drift(self, file: Path, feedback: str, content: FileContent) -> dict[str, Any]:
        """Return drift by number of steps, or why the file did not run."""
        if any(name.startswith(FLEX_PREFIX) for name in content.flex):
            return {"message": "not run: needs TensorFlow's kernels"}
        out = self._folder / "states.npz"
        inputs = [str(file), str(self._folder / "stream.npy")]
        program = str(FOLDER / "converter_replay.py")
        said, seconds = run_program([program, *inputs, feedback, str(out)], self._limit_s)
        if said:
            return {"message": said}
        with np.load(out) as states:
            actual = {name: states[name] for name in states.files}
        after = {str(n): relative_drift(self._expected, actual, n) for n in self._steps}
        if not np.isfinite(list(after.values())).all():
            return {"message": "the states are no finite numbers"}
        return {"message": "", "seconds": round(seconds, 1), "after": after}


def state_scales(content: FileContent) -> dict[str, dict[str, Any]]:
    """Return by integer state what it goes in at, comes out at, and whether these are the same."""
    return {
        name: {
            "in": [entering.scale, entering.zero_point],
            "out": [leaving.scale, leaving.zero_point],
            "ratio": leaving.scale / entering.scale,
            "is_equal": (entering.scale, entering.zero_point)
            == (leaving.scale, leaving.zero_point),
        }
        for name, (entering, leaving) in content.state_pairs().items()
        if entering.scale is not None and leaving.scale is not None
    }


def compared(arguments: argparse.Namespace, steps: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield each model that the command line asks for with its rows, as soon as it has them."""
    length = (arguments.calibration_steps, steps[-1])
    random = (arguments.hidden, arguments.inputs, arguments.seed, arguments.forget_bias)
    subjects: list[Callable[[], Subject]] = [
        partial(random_subject, cell, layers, *random, *length)
        for cell in arguments.cells
        for layers in arguments.layers
    ]
    subjects += [
        partial(bundle_subject, path, arguments.data, *length) for path in arguments.bundle
    ]
    ways = [way for way in WAYS if arguments.ways is None or way.name in arguments.ways]
    for make in subjects:
        subject = make()
        with tempfile.TemporaryDirectory(prefix="rnn-edge-") as folder:
            comparison = Comparison(subject, steps, arguments.limit, Path(folder))
            rows = [comparison.ours()]
            for way in ways:
                print(f"{subject.name}: {way.name}", file=sys.stderr)
                rows.append(comparison.converted(way))
        ours = rows[0]["drift"]["raw"]
        yield {"model": subject.name, "rows": rows, **_verdict(subject, ours)}


def _verdict(subject: Subject, ours: dict[str, Any]) -> dict[str, Any]:
    """Return the known drift and whether ours keeps it, where both can be said."""
    found = ours.get("after", {}).get(str(KNOWN_STEPS))
    if subject.known_drift is None or found is None:
        return {}
    return {
        "known_steps": KNOWN_STEPS,
        "known_drift": subject.known_drift,
        "is_met": found <= subject.known_drift,
    }


def versions() -> dict[str, str]:
    """Return the versions that the table depends on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> str:
    """Return the processor and the operating system."""
    try:
        names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        names = []
    return f"{names[0] if names else platform.processor()}, {platform.system()}"


def main() -> None:
    parser = argparse.ArgumentParser(description="TensorFlow's converter beside ours")
    parser.add_argument(
        "--cells", nargs="*", choices=("gru", "lstm"), default=["gru", "lstm"], help="or none"
    )
    parser.add_argument(
        "--layers", nargs="+", type=positive, default=[1, 2], help="of the random models"
    )
    parser.add_argument("--hidden", type=positive, default=64)
    parser.add_argument("--inputs", type=positive, default=40)
    parser.add_argument("--seed", type=int, default=0, help="of the random weights")
    parser.add_argument("--forget-bias", type=float, default=1.0, help="of random LSTMs")
    parser.add_argument("--bundle", nargs="*", type=Path, default=[], help="trained models")
    parser.add_argument("--data", type=Path, help="recordings, if the bundles have none")
    parser.add_argument(
        "--ways", nargs="*", choices=[way.name for way in WAYS], help="by default all; or none"
    )
    parser.add_argument("--steps", nargs="+", type=positive, default=[50, 1_000, KNOWN_STEPS])
    parser.add_argument("--calibration-steps", type=positive, default=1_000)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for each process")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    if importlib.util.find_spec("tensorflow") is None:
        raise MissingDependencyError(
            "Package tensorflow is not installed; it is needed for its converter.",
            "pip install 'rnn-edge[train,litert]'",
        )
    steps = sorted(set(arguments.steps))
    facts = {
        "steps": steps,
        "trailing_steps": TRAILING_STEPS,
        "calibration_steps": arguments.calibration_steps,
        "versions": versions(),
        "machine": machine(),
    }
    if arguments.json:
        models = list(compared(arguments, steps))
        print(json.dumps({**facts, "models": models}, allow_nan=False))
        return
    print_heading(facts)
    for model in compared(arguments, steps):
        print_model(model, steps)
        sys.stdout.flush()


if __name__ == "__main__":
    with explained_errors():
        main()
