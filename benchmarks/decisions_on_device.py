"""From raw samples to decisions on emulated processors: bits, instructions a second, RAM, flash.

    python benchmarks/decisions_on_device.py BUNDLE [--data PATH] [--noise PATH]
        [--devices qemu-m4 qemu-m0] [--seconds 600] [--rows 10000] [--semihosting] [--json]

The bundle has integer features. Sound: commands and other words of the test part in noise, one
mixture after the other. Sensors: recordings of the test part, one behind the other, with samples
that are missing, stuck or out of range put in. The firmware of the bundle gets the samples over its
link in place of its sensor; every frame, output, label and score that it logs is compared with what
the integers of this host give, and so is every event. Instructions are those of QEMU with
`-icount shift=0`; those of the link are not among them. `--semihosting` takes the console of the
emulator for the link in place of the UART, to which some machines of QEMU give a byte at a time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from rnn_edge.cli.scripts import explained_errors, positive
from rnn_edge.data.mixtures import MixtureConfig, command_mixtures
from rnn_edge.data.noise_recordings import read_noise
from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.link_engine import exported_sources
from rnn_edge.errors import DataError
from rnn_edge.features.fixed_point import IntegerLogMel, IntegerWindowConfig, IntegerWindows
from rnn_edge.features.fixed_point.sensor_config import raw_rows
from rnn_edge.features.fixed_point.sensor_flags import FAULT, SKIPPED
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.device_program import DeviceProgram, device_program
from rnn_edge.links.application import Event, LogRecord, Mode
from rnn_edge.links.client import LinkClient
from rnn_edge.links.process import ProcessStream
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.device_app import app_config, with_front_end
from rnn_edge.pipeline.material import FRONT_END, read_dataset
from rnn_edge.pipeline.package import expected_outputs
from rnn_edge.pipeline.recordings import read_dataset_of
from rnn_edge.programs import program
from rnn_edge.reference import IntegerReference
from rnn_edge.reference.decisions import AlarmNumbers, IntegerRule
from rnn_edge.registry import lookup
from rnn_edge.runners.base import Job, all_runners
from rnn_edge.spec import DeviceSpec, all_devices
from rnn_edge.types import Array, AudioDataset, QuantizedModel, SensorDataset

DEVICES = ("qemu-m4", "qemu-m0")
SNRS_DB = (20.0, 10.0, 5.0, 0.0)
SPOILT_EVERY = 400
"""Rows from one fault of a sensor to the next."""
FAULT_ROWS = (2, 40)
TIMEOUT_S = 20.0


@dataclass(frozen=True, eq=False)
class Expected:
    """What a stream has to give.

    Attributes:
        x: int16 (T, D).
        y: int16 (T, C).
        labels: int64 (T,).
        scores: int64 (T,).
        events: Step, whether something begins, label and score of each.
    """

    x: Array
    y: Array
    labels: Array
    scores: Array
    events: list[tuple[int, bool, int, int]]


@dataclass(frozen=True)
class Measured:
    """What a device made of a stream.

    Attributes:
        device: Its name.
        seconds: Of signal.
        samples: That it took.
        frames: That it made of them.
        events: That it told.
        differing: Frames, outputs, labels, scores and events that are not the host's.
        front_end: Instructions for a second of signal.
        model: The same.
        decision: The same.
        most_of_a_frame: Instructions of the front end in one turn of the main loop, at most.
        flash_bytes: Of the image.
        static_bytes: Of its variables.
        stack_bytes: That were used at most.
        stack_bound_bytes: That could be.
        wall_s: What it took here.
    """

    device: str
    seconds: float
    samples: int
    frames: int
    events: int
    differing: dict[str, int]
    front_end: float
    model: float
    decision: float
    most_of_a_frame: float
    flash_bytes: int
    static_bytes: int
    stack_bytes: int
    stack_bound_bytes: int
    wall_s: float

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not any(self.differing.values())


def spoken(
    dataset: AudioDataset, seconds: float, noise: Path | None, rate_hz: float, seed: int = 0
) -> Array:
    """Return int16 (N,): commands and other words of the test part in noise.

    Raises:
        DataError: If there is not enough of it.
    """
    count = round(seconds * rate_hz)
    config = MixtureConfig(streams=1, snrs_db=SNRS_DB, seed=seed)
    recorded = () if noise is None else read_noise(noise)
    # Every ratio over either bed has its share, as far as it goes.
    share = -(-count // (2 * len(SNRS_DB)))
    parts = [m.pcm[:share] for m in command_mixtures(dataset, "test", config, recorded)]
    found = np.concatenate(parts)[:count]
    if len(found) < count:
        raise DataError(
            f"Mixtures of the test part: {len(found) / rate_hz:.0f} s; expected {seconds:.0f} s.",
            "ask for fewer --seconds",
        )
    return found


def sensed(dataset: SensorDataset, config: IntegerWindowConfig, rows: int) -> Array:
    """Return int32 (N, channels): raw rows of the test part, again from its start where it ends.

    Every `SPOILT_EVERY` rows a channel misses samples, repeats one, or is far out of its range.
    """
    values = np.concatenate([r.values for r in dataset.recordings if r.split == "test"])
    values = np.resize(np.asarray(values, np.float64), (rows, values.shape[1]))
    found = raw_rows(values, config)
    rng = np.random.Generator(np.random.PCG64(1))
    for number, start in enumerate(range(SPOILT_EVERY // 2, rows, SPOILT_EVERY)):
        channel = int(rng.integers(found.shape[1]))
        part = found[start : start + int(rng.integers(*FAULT_ROWS, endpoint=True)), channel]
        part[:] = (np.iinfo(np.int32).min, part[0], np.iinfo(np.int32).max)[number % 3]
    return found


def expected_of(bundle: Bundle, app: AppConfig, samples: Array) -> Expected:
    """Return what the integers of this host make of a stream that is at its start."""
    spec, model = bundle.spec(), bundle.model()
    front_end = FrontEnd.load(bundle.file(FRONT_END))
    stream = front_end.stream()
    assert isinstance(stream, IntegerLogMel | IntegerWindows)
    x = front_end.quantize_input(stream.push(samples)).astype(np.int16)
    policy = spec.reset.resolved(spec.model.task)
    if policy.kind == "never":
        y = IntegerReference(model).run(x[None]).outputs[0]
    else:
        y = expected_outputs(model, policy, x)
    assert app.rule is not None
    rule = IntegerRule(app.rule)
    masks: list[Array | None] = [None, None]
    if isinstance(app.rule, AlarmNumbers) and isinstance(stream, IntegerWindows):
        masks = _masks(stream.flags, len(rule.faulty), x.shape[1])
    decided = rule.update(x, y, *masks)
    events = [(c.step, c.has_begun, c.label, c.score) for c in rule.changes]
    return Expected(x, y, decided.detections, decided.scores, events)


def _masks(flags: Array, channels: int, inputs: int) -> list[Array | None]:
    """Return which values do not count, and which sensors are faulty, bool (T, channels) each."""
    left_out = np.tile((flags & SKIPPED) != 0, (1, inputs // flags.shape[1]))
    faulty = np.zeros_like(left_out)
    faulty[:, : flags.shape[1]] = (flags & FAULT) != 0
    return [left_out[:, -channels:], faulty[:, -channels:]]


def built(bundle: Bundle, device: DeviceSpec, app: AppConfig, work: Path) -> DeviceProgram:
    """Compile the firmware of a bundle."""
    model = bundle.model()
    source = EngineSource(bundle.float_model(), model, bundle.exports, work, bundle.path)
    sources = with_front_end(exported_sources(source), app, model.name, bundle.exports)
    return device_program(device, model, sources, work, app)


def over_console(device: DeviceSpec) -> DeviceSpec:
    """Return a device with semihosting as its link in place of its UART."""
    assert device.board is not None
    others = [part for part in device.board.parts if not part.startswith(("uart_", "receive_"))]
    numbers = {name: n for name, n in device.board.numbers.items() if name != "uart_irq"}
    changes = {"parts": [*others, "link_semihosting"], "numbers": numbers}
    board = device.board.model_copy(update=changes)
    return device.model_copy(update={"board": board, "links": ("semihosting",)})


def measured(
    device: DeviceSpec, made: DeviceProgram, app: AppConfig, samples: Array, expected: Expected
) -> Measured:
    """Feed a device with samples, and hold all that it says to what is expected."""
    assert app.samples is not None
    assert device.emulator is not None
    command = all_runners()["qemu"].link(Job(device, made.path))
    assert command is not None
    start = time.monotonic()
    records: list[LogRecord] = []
    events: list[Event] = []
    stream = ProcessStream([program(command[0], device.title), *command[1:]], "Emulator")
    with LinkClient(stream, TIMEOUT_S) as client:
        client.open()
        client.set_mode(Mode.FED)
        for part in _pieces(samples, len(expected.x), app.log_records):
            client.feed_samples(part)
            while (heard := client.status().heard) is not None and heard.waiting:
                pass
            records += client.log(records[-1].step + 1 if records else 0)
            events += client.event_log(events[-1].number + 1 if events else 0)
        status, counters = client.status(), client.counters()
    heard, seconds = status.heard, len(samples) / app.samples.rate_hz
    assert heard is not None
    told = [(e.step, e.has_begun, e.label, e.score) for e in events]
    rows = {
        "frames": ([r.x for r in records], expected.x),
        "outputs": ([r.y for r in records], expected.y),
        "labels": ([r.label for r in records], expected.labels),
        "scores": ([r.score for r in records], expected.scores),
    }
    differing = {name: _differing(np.array(a), b) for name, (a, b) in rows.items()}
    differing["steps"] = _differing(np.array([r.step for r in records]), np.arange(len(expected.x)))
    differing["events"] = len(set(told) ^ set(expected.events))
    per = device.emulator.instructions_per_tick
    assert made.flash_bytes is not None
    assert made.ram_bytes is not None
    assert device.memory is not None
    return Measured(
        device=device.name,
        seconds=seconds,
        samples=heard.samples,
        frames=status.frames,
        events=len(told),
        differing=differing,
        front_end=heard.ticks * per / seconds,
        model=counters.ticks * per / seconds,
        decision=heard.decision_ticks * per / seconds,
        most_of_a_frame=heard.most_ticks * per,
        flash_bytes=made.flash_bytes,
        static_bytes=made.ram_bytes - device.memory.stack_bytes,
        stack_bytes=counters.stack_bytes,
        stack_bound_bytes=made.stack_bytes or 0,
        wall_s=time.monotonic() - start,
    )


def _pieces(samples: Array, frames: int, log_records: int) -> Iterator[Array]:
    """Yield samples in pieces of which the log holds all frames, and some of what comes between."""
    size = max(1, len(samples) // max(1, frames) * max(1, log_records - 4))
    for at in range(0, len(samples), size):
        yield samples[at : at + size]


def _differing(found: Array, expected: Array) -> int:
    """Return how many rows differ; all of them where there are more or fewer."""
    if found.shape != expected.shape:
        return max(len(found), len(expected))
    different = found != expected
    return int((different.any(axis=1) if different.ndim > 1 else different).sum())


def stream_of(bundle: Bundle, arguments: argparse.Namespace) -> Array:
    """Return the samples that a command line asks for."""
    spec = bundle.spec()
    front_end = FrontEnd.load(bundle.file(FRONT_END))
    if isinstance(front_end.config, IntegerWindowConfig):
        recordings = read_dataset(spec, arguments.data)
        assert isinstance(recordings, SensorDataset)
        return sensed(recordings, front_end.config, arguments.rows)
    dataset = read_dataset_of(spec, front_end, bundle.model().labels, arguments.data)
    assert isinstance(dataset, AudioDataset)
    return spoken(dataset, arguments.seconds, arguments.noise, front_end.sample_rate_hz)


def measure(
    bundle: Bundle, samples: Array, devices: Sequence[DeviceSpec], work: Path
) -> tuple[Expected, list[Measured]]:
    """Return what is expected of a stream, and what each device made of it."""
    expected = expected_of(bundle, app_config(bundle), samples)
    rows = []
    for device in devices:
        app = app_config(bundle, device.name)
        made = built(bundle, device, app, work)
        rows.append(measured(device, made, app, samples, expected))
    return expected, rows


def show(model: QuantizedModel, expected: Expected, rows: list[Measured]) -> None:
    """Print the table."""
    layers = ", ".join(f"{layer.kind.upper()}({layer.hidden})" for layer in model.layers)
    begun = sum(1 for _, has_begun, _, _ in expected.events if has_begun)
    print(f"{model.name}: {model.inputs} inputs, {layers}; {rows[0].seconds:,.0f} s of signal,")
    print(f"{len(expected.x):,} frames, {begun:,} events begin, {len(expected.events):,} in all")
    print("instructions for a second of signal; bytes")
    print(
        f"{'device':10}{'differing':>10}{'front end':>12}{'model':>12}{'decision':>11}{'all':>12}"
        f"{'flash':>9}{'variables':>11}{'stack':>8}{'bound':>7}{'wall s':>8}"
    )
    for row in rows:
        total = row.front_end + row.model + row.decision
        print(
            f"{row.device:10}{sum(row.differing.values()):10,}{row.front_end:12,.0f}"
            f"{row.model:12,.0f}{row.decision:11,.0f}{total:12,.0f}{row.flash_bytes:9,}"
            f"{row.static_bytes:11,}{row.stack_bytes:8,}{row.stack_bound_bytes:7,}{row.wall_s:8.0f}"
        )


def main() -> None:
    """Measure, print, and end with 1 where anything differs."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--noise", type=Path)
    parser.add_argument("--devices", nargs="+", default=list(DEVICES))
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rows", type=positive, default=10_000)
    parser.add_argument("--semihosting", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    bundle = Bundle.open(arguments.bundle)
    samples = stream_of(bundle, arguments)
    known = all_devices()
    devices = [lookup(known, name, "device") for name in arguments.devices]
    if arguments.semihosting:
        devices = [over_console(device) for device in devices]
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as work:
        expected, rows = measure(bundle, samples, devices, Path(work))
    if arguments.json:
        print(json.dumps({"devices": [asdict(row) for row in rows]}, indent=2))
    else:
        show(bundle.model(), expected, rows)
    sys.exit(0 if all(row.is_equal for row in rows) else 1)


if __name__ == "__main__":
    with explained_errors():
        main()
