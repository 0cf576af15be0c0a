"""A whole small build through the command line, and what can go wrong with its bundle."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pump_tables import write_pump_tables

pytestmark = pytest.mark.slow
PROGRAM = Path(sys.executable).with_name("rnn-edge")
SPEC = """
[model]
name = "pump"
task = "anomaly"
hidden = 6
[data]
kind = "sensor-table"
time_column = "time"
time_format = "number"
label_columns = ["anomaly"]
split_by = "time"
train_share = 0.5
validation_share = 0.25
[features]
kind = "channels"
sequence_frames = 32
[teacher]
hidden = 8
layers = 1
steps = 20
[student]
steps = 20
lanes = 8
[qat]
steps = 10
lanes = 8
[quantize]
calibration_steps = 100
calibration_streams = 2
"""


def call(folder, *arguments, code=0):
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with a spec, recordings and a finished bundle, and what building it printed."""
    pytest.importorskip("tensorflow", reason="building needs TensorFlow")
    folder = tmp_path_factory.mktemp("workplace")
    write_pump_tables(folder / "recordings")
    (folder / "pump.toml").write_text(SPEC)
    done = call(folder, "build", "pump.toml", "--data", "recordings", "--out", "bundle", "--json")
    return folder, done


@pytest.fixture
def bundle(workplace, tmp_path):
    """A copy of the bundle to do damage to."""
    shutil.copytree(workplace[0] / "bundle", tmp_path / "bundle")
    return tmp_path / "bundle"


def test_a_build_writes_one_object_and_plain_progress(workplace):
    _, done = workplace
    found = json.loads(done.stdout)
    assert found["manifest"]["until"] == "report"
    assert {row["engine"] for row in found["report"]["parity"]} >= {"c", "litert"}
    assert all(row["differing"] == 0 for row in found["report"]["parity"])
    lines = done.stderr.splitlines()
    assert next(line for line in lines if line.endswith("done")) == "data  done"
    # Nothing but progress: no library speaks on its own.
    stages = {"data", "teacher", "student", "baseline", "quantize", "export", "prove", "report"}
    assert {line.split()[0] for line in lines} == stages


def test_a_second_build_keeps_every_stage(workplace):
    folder, _ = workplace
    done = call(folder, "build", "pump.toml", "--data", "recordings", "--out", "bundle")
    kept = [
        line for line in done.stderr.splitlines() if line.endswith("kept from an earlier build")
    ]
    assert len(kept) == 8
    assert "every output and state bit equal" in done.stdout


def test_a_bundle_evaluates_other_data(workplace, tmp_path):
    folder, _ = workplace
    write_pump_tables(tmp_path / "others", count=3)
    arguments = ("evaluate", "bundle", "--data", tmp_path / "others", "--engines", "int8,c")
    found = json.loads(call(folder, *arguments, "--json").stdout)
    assert set(found["engines"]) == {"int8", "c"}
    assert found["engines"]["int8"] == found["engines"]["c"]
    text = call(folder, *arguments).stdout
    assert "int8" in text
    assert "AUC-PR" in text


def test_an_unknown_engine_is_named(workplace):
    done = call(
        workplace[0], "evaluate", "bundle", "--data", "recordings", "--engines", "gpu", code=2
    )
    assert "Unknown engine: 'gpu'; known are c, " in done.stderr


@pytest.mark.parametrize("name", ["model.npz", "exports/model.tflite", "spec.toml"])
def test_a_changed_byte_is_found(bundle, workplace, name):
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    data = workplace[0] / "recordings"
    for command in (("evaluate", bundle, "--data", data), ("export", bundle)):
        done = call(bundle.parent, *command, code=1)
        assert f"file {name} was changed" in done.stderr


def test_a_missing_file_is_named(bundle):
    (bundle / "model.npz").unlink()
    done = call(bundle.parent, "evaluate", bundle, "--data", "x", code=1)
    assert "file model.npz is missing" in done.stderr


def test_data_with_other_channels_is_refused(workplace, tmp_path):
    write_pump_tables(tmp_path / "others")
    for file in (tmp_path / "others").iterdir():
        file.write_text(file.read_text().replace("pressure", "flow"))
    done = call(workplace[0], "evaluate", "bundle", "--data", tmp_path / "others", code=1)
    assert "has no column 'pressure'; its columns are time, flow, current, anomaly" in done.stderr


def test_a_killed_build_goes_on(workplace, tmp_path):
    folder, _ = workplace
    command = [PROGRAM, "train", "pump.toml", "--data", "recordings", "--out", tmp_path / "out"]
    child = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    with child:
        for line in child.stderr:
            if line.startswith("teacher"):
                break
        time.sleep(0.5)
        child.send_signal(signal.SIGKILL)
    assert not (tmp_path / "out" / "manifest.json").exists()
    unfinished = call(folder, "evaluate", tmp_path / "out", "--data", "recordings", code=1)
    assert "is not finished" in unfinished.stderr
    done = call(folder, *command[1:])
    assert "data  kept from an earlier build" in done.stderr
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["until"] == "student"
