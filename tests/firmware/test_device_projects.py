"""Firmware of boards that an ecosystem builds: what the projects hold, and how they are written."""

import json
import re
from dataclasses import replace

import pytest
from package_builds import KINDS

from rnn_edge.errors import DeviceError, ModelError
from rnn_edge.pipeline.device_project import ecosystem_of, project_for, write_project
from rnn_edge.pipeline.files import tree_digests
from rnn_edge.runners.base import Job, all_runners
from rnn_edge.spec import all_devices

DEVICES = all_devices()
BUILT = {name: found for name, found in DEVICES.items() if found.template in KINDS}
ASKED_FOR = {
    "arduino": "device.ino",
    "zephyr": "prj.conf",
    "esp-idf": "partitions.csv",
    "pico-sdk": "CMakeLists.txt",
}
"""A file that the tools of an ecosystem look for in the project."""


def test_the_boards_of_ecosystems_are_these():
    assert {name: found.template for name, found in BUILT.items()} == {
        "arduino-nano-33-ble": "arduino",
        "esp32-c3-devkit": "esp-idf",
        "esp32-s3-devkit": "esp-idf",
        "rpi-pico-2": "pico-sdk",
        "teensy-4.1": "arduino",
    }


@pytest.mark.parametrize("name", BUILT)
def test_a_project_is_the_firmware_of_its_device_alone(name, packaged_bundle):
    device = DEVICES[name]
    project = project_for(device, packaged_bundle)
    kind = KINDS[project.kind]
    assert project.kind == device.template
    assert project.folder == kind.device.project
    assert f"{project.folder}/{ASKED_FOR[project.kind]}" in project.files
    header = project.files[f"{kind.device.sources}/rnn_edge_app_config.h"].decode()
    assert f'#define RNN_EDGE_APP_DEVICE "{name}"' in header
    assert f"{kind.device.sources}/rnn_edge_device_board" in " ".join(project.files)
    assert not any("selftest" in place for place in project.files)
    assert project == project_for(device, packaged_bundle)
    for place, content in project.files.items():
        text = content.decode()
        assert str(packaged_bundle.path) not in text, place
        if not place.endswith((".c", ".h", ".cpp", ".ino")):
            assert not re.search(r"@\w+@", text), place


@pytest.mark.parametrize("name", BUILT)
def test_a_runner_of_the_board_takes_the_project(name, packaged_bundle, tmp_path):
    device = DEVICES[name]
    folder = write_project(project_for(device, packaged_bundle), tmp_path / "project")
    runner = all_runners()[device.runners[0]]
    assert (runner.image, runner.ecosystem) == ("project", device.template)
    port = "/dev/ttyACM0" if runner.port else None
    commands = runner.commands(Job(device, folder, port))
    assert len(commands) >= 2
    assert any(str(folder) in command for command in commands)


def test_a_board_may_be_built_by_another_ecosystem(packaged_bundle):
    device = DEVICES["nrf52840-dk"]
    project = project_for(device, packaged_bundle, "zephyr")
    assert project.folder == "samples/device"
    assert "zephyr/module.yml" in project.files


@pytest.mark.parametrize(
    ("name", "size", "program"),
    [("esp32-c3-devkit", 4, 0x3E0000), ("esp32-s3-devkit", 8, 0x7E0000)],
)
def test_a_chip_of_espressif_has_all_its_flash(name, size, program, packaged_bundle):
    files = project_for(DEVICES[name], packaged_bundle).files
    table = files["examples/device/partitions.csv"].decode()
    rows = [line.split(", ") for line in table.splitlines() if not line.startswith("#")]
    assert rows[-1] == ["factory", "app", "factory", "", f"{program:#x}"]
    # Source: ESP-IDF Programming Guide, Partition Tables: the table is at 0x8000 and takes 0x1000,
    # programs begin at multiples of 0x10000.
    at = 0x9000
    for row in rows:
        alignment = 0x10000 if row[1] == "app" else 0x1000
        at = -(-at // alignment) * alignment + int(row[4], 0)
    assert at == size * 1024 * 1024
    defaults = files["examples/device/sdkconfig.defaults"].decode().splitlines()
    assert f"CONFIG_ESPTOOLPY_FLASHSIZE_{size}MB=y" in defaults


def test_what_did_not_change_is_not_written_again(packaged_bundle, tmp_path):
    project, out = project_for(DEVICES["rpi-pico-2"], packaged_bundle), tmp_path / "p"
    assert write_project(project, out) == out / "examples" / "device"
    (out / "examples" / "device" / "build").mkdir()
    (out / "examples" / "device" / "build" / "made.o").write_text("by a tool")
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.c")}
    digests = tree_digests(out)
    changed = out / "src" / "tiny_data.c"
    before = changed.read_bytes()
    changed.write_text("other")
    write_project(project, out)
    assert changed.read_bytes() == before
    del times[changed]
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert tree_digests(out) == digests


def test_files_of_an_earlier_project_go(packaged_bundle, tmp_path):
    project, out = project_for(DEVICES["rpi-pico-2"], packaged_bundle), tmp_path / "p"
    earlier = replace(project, files={**project.files, "src/rnn_edge_old.c": b"int x;\n"})
    write_project(earlier, out)
    assert (out / "src" / "rnn_edge_old.c").is_file()
    write_project(project, out)
    assert not (out / "src" / "rnn_edge_old.c").exists()
    assert set(json.loads((out / "rnn_edge_project.json").read_text())["files"]) == set(
        project.files
    )
    assert set(tree_digests(out)) == {*project.files, "rnn_edge_project.json"}


@pytest.mark.parametrize("name", ["nucleo-f401re", "rpi-4", "qemu-m4"])
def test_a_device_without_an_ecosystem_is_refused(name):
    with pytest.raises(DeviceError, match=r"no ecosystem builds its programs.*expected arduino"):
        ecosystem_of(DEVICES[name])


def test_a_name_that_is_a_header_is_refused(packaged_bundle, monkeypatch):
    model = replace(packaged_bundle.model(), name="Arduino")
    monkeypatch.setattr(type(packaged_bundle), "model", lambda _: model)
    monkeypatch.setattr(
        "rnn_edge.pipeline.device_project.exported_code", lambda *_: {"Arduino.h": b""}
    )
    with pytest.raises(ModelError, match="is a header there"):
        project_for(DEVICES["teensy-4.1"], packaged_bundle)
