"""What docs/sensors.md shows compiles, and its sizes and distances are those that are measured."""

import csv
import importlib
import io
import re
import shutil
import sys
import tarfile
import tomllib
from pathlib import Path

import numpy as np
import pytest
from c_models import WARNINGS, Recipe, build, succeed, tool
from test_c_sensor import CHANNELS, training

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_sensor import sensor_ram_bytes
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.exporters.front_library import SENSOR_LIBRARY
from rnn_edge.features.description import describe
from rnn_edge.features.fixed_point import IntegerWindowConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.features.windows import WindowConfig
from rnn_edge.pipeline.material import read_dataset, sensor_config
from rnn_edge.spec import ChannelFeatures, load_spec
from rnn_edge.types import SensorDataset, SensorRecording

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "sensors.md").read_text()


def block(language):
    return re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL).group(1)


def test_the_example_compiles_and_every_file_is_named(tmp_path):
    features = ChannelFeatures(**tomllib.loads(block("toml"))["features"])
    made = SensorDataset(
        "x", True, 1.0, CHANNELS, (SensorRecording("a", training(), None, "train"),)
    )
    front = FrontEnd(sensor_config(features, made), CHANNELS, 1.0)
    front = FrontEnd(front.config, CHANNELS, 1.0, Normaliser.fit(front.raw_frames(training())))
    model = build(Recipe(name="pump", inputs=6))
    EXPORTER.export(ExportSource(None, model, describe(front)), tmp_path)
    folder = tmp_path / "c"
    program = f'#include "pump.h"\n#include "pump_frontend.h"\n{block("c")}'
    for declared in (
        "void begin(void)",
        "void sense(const int32_t *rows, size_t count, uint32_t lost)",
    ):
        program = program.replace(f"{declared} {{", f"{declared};\n{declared} {{", 1)
    (folder / "example.c").write_text(program)
    succeed(tool("gcc"), *WARNINGS, "-c", "example.c", cwd=folder)
    assert all(f"`{name}`" in TEXT for name in SENSOR_LIBRARY.files("pump"))
    header = re.sub(r"\s+", " ", (folder / "pump_frontend.h").read_text())
    prototypes = re.findall(r"^\| `([^`|]* \*?pump_frontend_[^`]*)`", TEXT, re.MULTILINE)
    assert len(prototypes) == 7
    for prototype in prototypes:
        assert f"{prototype};" in header


def test_defaults_and_flags_are_those_of_the_spec_and_the_header():
    for key in ("hold_samples", "range_margin", "fault_samples"):
        default = ChannelFeatures.model_fields[key].default
        assert f"`{key}` ({default:g})" in TEXT
    header = (ROOT / "firmware_templates" / "sensor" / "rnn_edge_sensor.h").read_text()
    for name, value in re.findall(r"`RNN_EDGE_SENSOR_(\w+)` \| (0x\w+) \|", TEXT):
        if name != "FAULT":
            assert f"#define RNN_EDGE_SENSOR_{name} {value}U" in header


def test_sizes_are_those_of_the_structure():
    line = re.search(r"^\| RAM, .*? 8 channels \| (.*) \|$", TEXT, re.MULTILINE).group(1)
    told = [int(cell.replace(",", "")) for cell in line.split(" | ")]
    eight = dict.fromkeys(("exponents", "low", "high", "centre", "stuck_samples"), (0,) * 8)
    shapes = ((1, 1, False), (64, 16, True), (64, 64, True))
    assert told == [sensor_ram_bytes(IntegerWindowConfig(*shape, **eight)) for shape in shapes]


@pytest.mark.slow
def test_instructions_are_those_of_the_table(monkeypatch):
    for name in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    if b" 12." not in succeed(tool("arm-none-eabi-gcc"), "--version").splitlines()[0]:
        pytest.skip("the table was counted with gcc 12")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    program = importlib.import_module("mcu_sensor")
    try:
        targets = tuple(t for t in program.TARGETS if t.cpu in ("cortex-m0plus", "cortex-m4"))
        shapes = ((1, 1, False), (64, 16, True), (64, 64, True))
        found = [
            program.measure(IntegerWindowConfig(*shape), targets, ("-Os", "-O2"))["rows"]
            for shape in shapes
        ]
    finally:
        del sys.modules["mcu_sensor"], sys.modules["mcu_frontend"]
    for rows in zip(*found, strict=True):
        title, level = rows[0]["target"], rows[0]["level"]
        pattern = rf"^\| {re.escape(title)} \| {level} \| (.*) B \|$"
        told = re.search(pattern, TEXT, re.MULTILINE).group(1).split(" | ")
        counted = [row["instructions"] for row in rows] + [rows[0]["code_bytes"]]
        assert [int(cell.replace(",", "")) for cell in told] == pytest.approx(counted, rel=0.01)
        assert not any(row["differing"] for row in rows)


# How near to float, on recordings.


def skab(recordings):
    return read_dataset(load_spec("anomaly_gru"), recordings / "anomaly-skab.tar.xz")


def fan(recordings):
    with tarfile.open(recordings / "anomaly-fan.tar.xz") as archive:
        content = archive.extractfile("fan/accelerometer.csv").read().decode()
    rows = np.array(
        [[float(c) for c in row[:5]] for row in [*csv.reader(io.StringIO(content))][1:]]
    )
    parts = []
    for kind, speed in sorted({(row[0], row[1]) for row in rows.tolist()}):
        values = rows[(rows[:, 0] == kind) & (rows[:, 1] == speed)][:, 2:]
        # The balanced half is normal.
        cuts = (1200, 1600) if kind == 3 else (0, 0)
        for values_of, split in zip(
            np.split(values, cuts), ("train", "validation", "test"), strict=True
        ):
            if len(values_of):
                name = f"{kind:g}/{speed:g}/{split}"
                parts.append(SensorRecording(name, values_of, None, split))
    return SensorDataset("fan", False, 50.0, ("x", "y", "z"), tuple(parts))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "shape", "row"),
    [
        (skab, (1, 1, False), "SKAB, 8 channels | 1, 1"),
        (skab, (10, 5, True), "SKAB | 10, 5, with deviations"),
        (fan, (1, 1, False), "fan, 3 channels | 1, 1"),
        (fan, (50, 25, True), "fan | 50, 25, with deviations"),
    ],
)
def test_inputs_of_recordings_are_those_of_float(recordings, source, shape, row):
    dataset = source(recordings)
    spec = ChannelFeatures(
        kind="channels",
        arithmetic="integer",
        **dict(zip(("window_samples", "hop_samples", "has_deviation"), shape, strict=True)),
    )
    plain = FrontEnd(WindowConfig(*shape), dataset.channels, dataset.sample_rate_hz)
    training_frames = [plain.raw_frames(r.values) for r in dataset.recordings if r.split == "train"]
    normaliser = Normaliser.fit(np.concatenate(training_frames))
    integer, as_float = (
        FrontEnd(config, dataset.channels, dataset.sample_rate_hz, normaliser)
        for config in (sensor_config(spec, dataset), plain.config)
    )
    differences, faults = [], 0
    for recording in dataset.recordings:
        stream = integer.stream()
        x = integer.quantize_input(stream.frames(recording.values)).astype(int)
        if len(x):
            y = as_float.quantize_input(as_float.raw_frames(recording.values))
            is_whole = np.tile(stream.flags == 0, (1, x.shape[1] // len(dataset.channels)))
            differences.append((x - y)[is_whole])
            faults += int(((stream.flags & 0x70) != 0).sum())
    differences = np.abs(np.concatenate(differences))
    share, largest = re.search(
        rf"^\| {re.escape(row)} \| ([\d.]+) % \| (\d+) \|$", TEXT, re.M
    ).groups()
    assert differences.max() == int(largest)
    assert (differences == 0).mean() == pytest.approx(float(share) / 100, abs=0.008)
    assert faults == 0
