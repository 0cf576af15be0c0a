"""Which runner is taken, and what is said where none is there."""

import pytest

from rnn_edge.errors import DeviceError, MissingDependencyError
from rnn_edge.runners import choice
from rnn_edge.runners.base import all_runners
from rnn_edge.runners.choice import (
    choose_runner,
    find_module,
    find_program,
    missing_of,
    resolved,
    runners_of,
)
from rnn_edge.spec import all_devices

DEVICES = all_devices()
PICO = DEVICES["rpi-pico"]


def with_programs(*names):
    """A machine with these programs and packages only."""

    def missing(runner, device):
        def find(name):
            return f"/bin/{name}" if name in names else None

        return missing_of(runner, device, find, find)

    return missing


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        (("picotool", "openocd", "pyocd"), "picotool"),
        (("openocd", "pyocd"), "uf2"),
        ((), "uf2"),
    ],
)
def test_the_first_that_is_installed_is_taken(installed, expected):
    assert choose_runner(PICO, missing=with_programs(*installed)).name == expected


def test_a_name_overrides_the_order():
    missing = with_programs("picotool", "pyocd")
    assert choose_runner(PICO, "pyocd", missing=missing).name == "pyocd"
    with pytest.raises(MissingDependencyError) as caught:
        choose_runner(PICO, "openocd", missing=missing)
    assert caught.value.message == (
        "Device rpi-pico: runner openocd needs openocd, which is not installed."
    )
    assert caught.value.hint == "openocd: apt install openocd"


def test_where_none_is_installed_each_is_named_with_how_to_get_it():
    with pytest.raises(MissingDependencyError) as caught:
        choose_runner(DEVICES["nucleo-f401re"], missing=with_programs())
    names = DEVICES["nucleo-f401re"].runners
    assert len(names) > 2
    for name in names:
        assert f"runner {name} needs {name}, which is not installed" in caught.value.message
        assert f"{name}: {all_runners()[name].hint}" in caught.value.hint


def test_both_programs_of_a_runner_are_needed():
    for installed, expected in (((), "ssh and scp, which are"), (("ssh",), "scp, which is")):
        with pytest.raises(MissingDependencyError, match=f"runner ssh needs {expected} not inst"):
            choose_runner(DEVICES["rpi-4"], missing=with_programs(*installed))


def test_an_emulator_is_that_of_the_processor():
    arm, risc_v = DEVICES["qemu-m4"], DEVICES["qemu-rv32"]
    missing = with_programs("qemu-system-arm")
    assert choose_runner(arm, missing=missing).name == "qemu"
    with pytest.raises(MissingDependencyError, match="qemu-system-riscv32, which is not"):
        choose_runner(risc_v, missing=missing)


@pytest.mark.parametrize("name", ["west", "nothing", ""])
def test_a_runner_of_another_device_is_refused(name):
    with pytest.raises(DeviceError, match=f"Device rpi-4: runner {name}; expected ssh"):
        choose_runner(DEVICES["rpi-4"], name, missing=with_programs("ssh", "scp"))


def test_a_device_that_nothing_serves_is_refused():
    device = PICO.model_copy(update={"runners": (), "links": ("usb",)})
    with pytest.raises(DeviceError, match="no runner serves it"):
        choose_runner(device, missing=with_programs())


def test_a_file_that_names_no_runner_of_ours_is_refused():
    device = PICO.model_copy(update={"runners": ("picotol",)})
    with pytest.raises(DeviceError, match="runners: picotol; expected arduino-cli, "):
        runners_of(device)


def with_simulator(name):
    simulator = type("Simulator", (), {"chip": "x", "uart": None})()
    return DEVICES[name].model_copy(update={"simulator": simulator})


def test_a_simulator_takes_the_place_of_a_board_only_where_it_is_asked_for():
    board = with_simulator("nucleo-f401re")
    assert "labwired" not in {runner.name for runner in runners_of(board)}
    missing = with_programs("pyocd", "labwired")
    assert choose_runner(board, missing=missing).name == "pyocd"
    assert choose_runner(board, is_simulated=True, missing=missing).name == "labwired"
    assert choose_runner(board, "labwired", missing=missing).name == "labwired"
    with pytest.raises(MissingDependencyError, match="runner labwired needs labwired"):
        choose_runner(board, is_simulated=True, missing=with_programs())
    with pytest.raises(DeviceError, match="runner pyocd; expected"):
        choose_runner(board, "pyocd", is_simulated=True, missing=missing)


def test_what_nothing_simulates_is_refused():
    with pytest.raises(DeviceError, match="Device rpi-4: nothing simulates it here"):
        choose_runner(DEVICES["rpi-4"], is_simulated=True, missing=with_programs())


def test_of_several_emulators_one_is_enough_to_have_the_runner():
    qemu = all_runners()["qemu"]
    none = {"qemu-system-arm", "qemu-system-riscv32"}
    assert missing_of(qemu, None, {"qemu-system-arm": "x"}.get) == ()
    assert set(missing_of(qemu, None, {}.get)) == none
    # Of those that flash, every program is needed.
    assert missing_of(all_runners()["ssh"], None, {"ssh": "x"}.get) == ("scp",)


def test_programs_are_found_on_the_path_and_beside_the_interpreter(tmp_path, monkeypatch):
    beside, on_path = tmp_path / "venv", tmp_path / "bin"
    for folder, name in (
        (beside, "pyocd"),
        (on_path, "openocd"),
        (on_path, "both"),
        (beside, "both"),
    ):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    monkeypatch.setattr(choice.sys, "executable", str(beside / "python"))
    monkeypatch.setenv("PATH", str(on_path))
    assert find_program("pyocd") == str(beside / "pyocd")
    assert find_program("both") == str(on_path / "both")
    assert find_program("nothing") is None
    assert resolved(("openocd", "-v")) == (str(on_path / "openocd"), "-v")
    assert resolved(("nothing", "-v")) == ("nothing", "-v")


def test_packages_are_found():
    assert find_module("json") == "json"
    assert find_module("no_such_package") is None
