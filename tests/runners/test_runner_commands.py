"""What every runner would call for every device that it serves, word by word; nothing is called."""

import json
import sys
from pathlib import Path

import pytest

from rnn_edge.errors import DeviceError
from rnn_edge.runners.base import Job, all_runners
from rnn_edge.runners.choice import runners_of
from rnn_edge.spec import all_devices

DEVICES = all_devices()
RUNNERS = all_runners()
ST_BOARDS = {
    "nucleo-f401re": ("stm32f401retx", "board/st_nucleo_f4.cfg", "nucleo_f401re"),
    "nucleo-f446re": ("stm32f446retx", "board/st_nucleo_f4.cfg", "nucleo_f446re"),
    "nucleo-h743zi": ("stm32h743zitx", "board/st_nucleo_h743zi.cfg", "nucleo_h743zi"),
    "stm32f4-discovery": ("stm32f407vgtx", "board/stm32f4discovery.cfg", "stm32f4_disco"),
}
RASPBERRY_PIS = ("rpi-3", "rpi-4", "rpi-5", "rpi-zero-2-w", "rpi-zero-w")
SSH = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]


def pyocd(target):
    return [["pyocd", "flash", "--no-wait", "--target", target, "--erase", "sector", "w/x.elf"]]


def openocd(*words):
    return [["openocd", *words, "-c", "program {w/x.elf} verify reset exit"]]


def west(board):
    return [
        ["west", "build", "--board", board, "--build-dir", "w/p/build", "w/p"],
        ["west", "flash", "--build-dir", "w/p/build"],
    ]


def arduino(fqbn):
    board, build = ["--fqbn", fqbn], "w/p/build"
    return [
        ["arduino-cli", "compile", *board, "--library", ".", "--build-path", build, "w/p"],
        ["arduino-cli", "upload", *board, "--port", "/dev/ttyX", "--input-dir", build, "w/p"],
    ]


def idf(target):
    project = ["idf.py", "-C", "w/p", "-B", "w/p/build"]
    return [
        [*project, f"-DIDF_TARGET={target}", "build"],
        [*project, "-p", "/dev/ttyX", "flash"],
    ]


def ssh():
    place = ".local/share/rnn-edge/program"
    return [
        ["ssh", *SSH, "pi@there", "mkdir -p .local/share/rnn-edge"],
        ["scp", "-q", *SSH, str(Path("w/x").absolute()), f"pi@there:{place}.new"],
        [
            "ssh",
            *SSH,
            "pi@there",
            f"sh -c 'chmod 755 {place}.new && mv -fT {place}.new {place} || "
            f"{{ rm -f {place}.new; exit 1; }}'",
        ],
    ]


PICOTOOL = ["picotool", "load", "-v", "-x"]
UF2_COPY = [sys.executable, "-m", "rnn_edge.runners.uf2_copy", "w/x.uf2", "RPI-RP2"]
EXPECTED = {
    **{("pyocd", name): pyocd(target) for name, (target, _, _) in ST_BOARDS.items()},
    **{("openocd", name): openocd("-f", cfg) for name, (_, cfg, _) in ST_BOARDS.items()},
    **{
        ("st-flash", name): [["st-flash", "--reset", "write", "w/x.bin", "0x08000000"]]
        for name in ST_BOARDS
    },
    **{("west", name): west(board) for name, (_, _, board) in ST_BOARDS.items()},
    ("dfu-util", "stm32f4-discovery"): [
        [
            "dfu-util", "--device", ",0483:df11", "--alt", "0",
            "--dfuse-address", "0x08000000:leave", "--download", "w/x.bin",
        ]
    ],
    ("pyocd", "nrf52840-dk"): pyocd("nrf52840"),
    ("openocd", "nrf52840-dk"): openocd("-f", "board/nordic_nrf52_dk.cfg"),
    ("west", "nrf52840-dk"): west("nrf52840dk/nrf52840"),
    ("picotool", "rpi-pico"): [[*PICOTOOL, "w/x.uf2", "-f"]],
    ("uf2", "rpi-pico"): [UF2_COPY],
    ("openocd", "rpi-pico"): openocd(
        "-f", "interface/cmsis-dap.cfg", "-f", "target/rp2040.cfg", "-c", "adapter speed 5000"
    ),
    ("pyocd", "rpi-pico"): pyocd("rp2040"),
    ("west", "rpi-pico"): west("rpi_pico"),
    ("pico-sdk", "rpi-pico-2"): [
        ["cmake", "-S", "w/p", "-B", "w/p/build", "-DPICO_BOARD=pico2"],
        ["cmake", "--build", "w/p/build"],
        [*PICOTOOL, "w/p/build/device.uf2", "-f"],
    ],
    ("idf.py", "esp32-c3-devkit"): idf("esp32c3"),
    ("idf.py", "esp32-s3-devkit"): idf("esp32s3"),
    ("arduino-cli", "arduino-nano-33-ble"): arduino("arduino:mbed_nano:nano33ble"),
    ("arduino-cli", "teensy-4.1"): arduino("teensy:avr:teensy41"),
    **{("ssh", name): ssh() for name in RASPBERRY_PIS},
    **{("qemu", name): [] for name in DEVICES if name.startswith("qemu-")},
    ("host", "host"): [],
}  # fmt: skip
"""Of esptool, which reads what was built, there is a test of its own."""

PORTS = {"serial": "/dev/ttyX", "host": "pi@there"}
IMAGES = {"program": "w/x", "project": "w/p"}


def job(runner, device, **more):
    image = IMAGES.get(runner.image, f"w/x.{runner.image}")
    port = PORTS.get(runner.port)
    return Job(DEVICES[device], Path(image), **{"port": port, **more})


def words(commands):
    return [list(command) for command in commands]


@pytest.mark.parametrize(("runner", "device"), EXPECTED, ids="-".join)
def test_commands_are_these(runner, device):
    found = RUNNERS[runner]
    assert words(found.commands(job(found, device))) == EXPECTED[runner, device]


def test_every_runner_of_every_device_is_here():
    served = {(r.name, name) for name, device in DEVICES.items() for r in runners_of(device)}
    assert served - {("esptool", "esp32-c3-devkit"), ("esptool", "esp32-s3-devkit")} == set(
        EXPECTED
    )
    assert {runner for runner, _ in served} | {"labwired"} == set(RUNNERS)


@pytest.mark.parametrize(
    ("runner", "device", "expected"),
    [
        ("pyocd", "nrf52840-dk", ["--uid", "0123"]),
        ("openocd", "nrf52840-dk", ["-c", "adapter serial 0123"]),
        ("st-flash", "nucleo-f401re", ["--serial", "0123"]),
        ("dfu-util", "stm32f4-discovery", ["--serial", "0123"]),
        ("picotool", "rpi-pico", ["--ser", "0123"]),
        ("pico-sdk", "rpi-pico-2", ["--ser", "0123"]),
        ("west", "nrf52840-dk", ["--dev-id", "0123"]),
    ],
)
def test_a_probe_adds_two_words_to_the_last_command(runner, device, expected):
    found = RUNNERS[runner]
    without = words(found.commands(job(found, device)))
    with_probe = words(found.commands(job(found, device, probe="0123")))
    assert with_probe[:-1] == without[:-1]
    at = with_probe[-1].index(expected[1])
    assert with_probe[-1][at - 1 : at + 1] == expected
    del with_probe[-1][at - 1 : at + 1]
    assert with_probe[-1] == without[-1]


@pytest.mark.parametrize(
    ("runner", "device"), [pair for pair in EXPECTED if not RUNNERS[pair[0]].takes_probe]
)
def test_a_probe_is_refused_where_it_means_nothing(runner, device):
    found = RUNNERS[runner]
    with pytest.raises(DeviceError, match=f"Runner {runner} for {device}: probe 0123; it takes no"):
        found.commands(job(found, device, probe="0123"))


@pytest.mark.parametrize(
    ("runner", "device"), [pair for pair in EXPECTED if not RUNNERS[pair[0]].port]
)
def test_a_port_is_refused_where_it_means_nothing(runner, device):
    found = RUNNERS[runner]
    with pytest.raises(DeviceError, match=f"Runner {runner} for {device}: port COM3; it takes no"):
        found.commands(job(found, device, port="COM3"))


@pytest.mark.parametrize(
    ("runner", "device"),
    [pair for pair in EXPECTED if RUNNERS[pair[0]].port in ("serial", "host")]
    + [("esptool", "esp32-c3-devkit")],
)
def test_a_port_is_asked_for_where_it_is_needed(runner, device):
    found = RUNNERS[runner]
    with pytest.raises(DeviceError, match="no port is named; expected one") as caught:
        found.commands(job(found, device, port=None))
    assert caught.value.hint.startswith("--port ")


def test_the_drive_of_a_boot_loader_may_be_named():
    found = RUNNERS["uf2"]
    assert words(found.commands(job(found, "rpi-pico", port="/mnt/x"))) == [
        [*UF2_COPY, "--drive", "/mnt/x"]
    ]


@pytest.mark.parametrize("host", ["-oProxyCommand=x", "a b", "", "pi@", "a;b", "pi@-x"])
def test_no_option_and_no_command_is_smuggled_into_a_host(host):
    found = RUNNERS["ssh"]
    for call in (found.commands, found.link):
        with pytest.raises(DeviceError, match="expected user@name"):
            call(job(found, "rpi-4", port=host))


def test_the_program_on_another_machine_is_the_link():
    found = RUNNERS["ssh"]
    alive = ["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"]
    assert list(found.link(job(found, "rpi-4"))) == [
        "ssh", "-T", *SSH, *alive, "pi@there", "exec .local/share/rnn-edge/program",
    ]  # fmt: skip


def test_the_program_on_this_host_is_the_link():
    found = RUNNERS["host"]
    assert found.link(job(found, "host")) == (str(Path("w/x").absolute()),)


@pytest.mark.parametrize("image", ["w/{x}.elf", "w/x}.elf", "w\\x.elf", "w/x\n.elf"])
def test_openocd_is_given_no_path_that_tcl_would_read_otherwise(image):
    with pytest.raises(DeviceError, match="takes no braces and backslashes"):
        RUNNERS["openocd"].commands(Job(DEVICES["nrf52840-dk"], Path(image)))
    with pytest.raises(DeviceError, match="expected a serial number"):
        RUNNERS["openocd"].commands(Job(DEVICES["nrf52840-dk"], Path("x.elf"), probe="1; shutdown"))


def test_openocd_takes_a_path_with_spaces():
    (command,) = RUNNERS["openocd"].commands(Job(DEVICES["nrf52840-dk"], Path("my models/x.elf")))
    assert command[-1] == "program {my models/x.elf} verify reset exit"


# What runs an image here.

MACHINES = {
    "qemu-m0": "microbit",
    "qemu-m3": "mps2-an385",
    "qemu-m33": "mps2-an505",
    "qemu-m4": "mps2-an386",
    "qemu-m55": "mps3-an547",
    "qemu-m7": "mps2-an500",
}
UART = [
    "-display", "none", "-monitor", "none", "-parallel", "none",
    "-chardev", "stdio,id=link,signal=off", "-serial", "chardev:link",
    "-chardev", "null,id=nowhere",
    "-semihosting-config", "enable=on,target=native,chardev=nowhere",
    "-kernel", "w/x.elf",
]  # fmt: skip


@pytest.mark.parametrize("name", MACHINES)
def test_the_uart_of_an_emulated_arm_is_the_link(name):
    found = RUNNERS["qemu"]
    machine = ["qemu-system-arm", "-M", MACHINES[name], "-icount", "shift=0"]
    assert list(found.link(job(found, name))) == [*machine, *UART]


def test_the_uart_of_an_emulated_risc_v_is_the_link():
    found = RUNNERS["qemu"]
    machine = ["qemu-system-riscv32", "-M", "virt", "-bios", "none", "-icount", "shift=0"]
    assert list(found.link(job(found, "qemu-rv32"))) == [*machine, *UART]


def test_a_console_that_is_the_link_is_kept():
    device = DEVICES["qemu-m4"].model_copy(update={"links": ("semihosting",)})
    command = RUNNERS["qemu"].link(Job(device, Path("x.elf")))
    assert command[-6:] == (
        "-serial", "none", "-semihosting-config", "enable=on,target=native", "-kernel", "x.elf",
    )  # fmt: skip
    assert "-chardev" not in command


def simulated(numbers, uart="uart2"):
    device = DEVICES["nucleo-f401re"]
    section = {"chip": "stm32f401", "uart": uart}
    simulator = type("Simulator", (), section)()
    board = type("Board", (), {"numbers": numbers})()
    return device.model_copy(update={"simulator": simulator, "board": board})


def test_a_simulated_board_is_a_program_of_this_package():
    found = RUNNERS["labwired"]
    program = (sys.executable, "-m", "rnn_edge.runners.labwired_board", "x.elf", "stm32f401")
    plain = simulated({})
    assert found.link(Job(plain, Path("x.elf"))) == (*program, "uart2")
    assert found.link(Job(simulated({"uart_irq": 38}, None), Path("x.elf"))) == (
        *program, "--interrupt", "38",
    )  # fmt: skip
    assert found.commands(Job(plain, Path("x.elf"))) == ()


@pytest.mark.parametrize(("runner", "table"), [("qemu", "[emulator]"), ("labwired", "[simulator]")])
def test_what_nothing_runs_here_is_refused(runner, table):
    found = RUNNERS[runner]
    assert not found.suits(DEVICES["rpi-4"])
    for call in (found.link, found.commands):
        with pytest.raises(DeviceError) as caught:
            call(Job(DEVICES["rpi-4"], Path("x.elf")))
        assert table in caught.value.message


# What ESP-IDF has built.

ARGUMENTS = {
    "flash_settings": {"flash_mode": "dio", "flash_size": "4MB", "flash_freq": "80m"},
    "flash_files": {
        "0x10000": "device.bin",
        "0x0": "bootloader/bootloader.bin",
        "0x8000": "partition_table/partition-table.bin",
    },
    "extra_esptool_args": {"after": "hard_reset", "before": "default_reset", "chip": "esp32c3"},
}


def built(folder, arguments):
    (folder / "build").mkdir()
    content = arguments if isinstance(arguments, str) else json.dumps(arguments)
    (folder / "build" / "flasher_args.json").write_text(content)
    return Job(DEVICES["esp32-c3-devkit"], folder, port="/dev/ttyX")


def test_esptool_writes_every_file_of_a_build(tmp_path):
    (command,) = RUNNERS["esptool"].commands(built(tmp_path, ARGUMENTS))
    build = tmp_path / "build"
    assert list(command) == [
        "esptool", "--chip", "esp32c3", "--port", "/dev/ttyX",
        "--before", "default-reset", "--after", "hard-reset",
        "write-flash", "--flash-mode", "dio", "--flash-size", "4MB", "--flash-freq", "80m",
        "0x0", str(build / "bootloader/bootloader.bin"),
        "0x8000", str(build / "partition_table/partition-table.bin"),
        "0x10000", str(build / "device.bin"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ({**ARGUMENTS, "flash_files": {}}, "cannot be read: flash_files"),
        ({**ARGUMENTS, "flash_files": {"zero": "x.bin"}}, "cannot be read"),
        ({**ARGUMENTS, "flash_files": {"0x0": 1}}, "cannot be read"),
        ({**ARGUMENTS, "flash_settings": {}}, "cannot be read"),
        (
            {**ARGUMENTS, "extra_esptool_args": {**ARGUMENTS["extra_esptool_args"], "chip": "x"}},
            "was built for x; expected esp32c3",
        ),
    ],
)
def test_a_build_that_cannot_be_read_is_refused(tmp_path, arguments, expected):
    with pytest.raises(DeviceError, match=expected):
        RUNNERS["esptool"].commands(built(tmp_path, arguments))


def test_a_project_that_was_not_built_is_refused(tmp_path):
    with pytest.raises(DeviceError, match="is not there; expected a project that is built") as e:
        RUNNERS["esptool"].commands(Job(DEVICES["esp32-s3-devkit"], tmp_path, port="/dev/ttyX"))
    assert "idf.py" in e.value.hint


# What a device's file has to say.


@pytest.mark.parametrize(
    ("runner", "device"), [pair for pair in EXPECTED if RUNNERS[pair[0]].needs], ids="-".join
)
def test_what_a_runner_has_to_be_told_is_asked_for(runner, device):
    found = RUNNERS[runner]
    given = DEVICES[device].options[runner]
    for key in found.needs:
        less = {name: value for name, value in given.items() if name != key}
        changed = DEVICES[device].model_copy(update={"options": {runner: less}})
        with pytest.raises(DeviceError, match=f"options.{runner}: {key} is missing"):
            found.options(changed)
    changed = DEVICES[device].model_copy(update={"options": {runner: {**given, "spedd": "1"}}})
    with pytest.raises(DeviceError, match=f"options.{runner}: spedd; expected {found.needs[0]}"):
        found.options(changed)


def test_options_are_those_of_runners_that_read_them():
    for device in DEVICES.values():
        for name in device.options:
            RUNNERS[name].options(device)


@pytest.mark.parametrize("runner", ["st-flash", "dfu-util"])
def test_a_board_without_flash_is_not_written_to_it(runner):
    changed = DEVICES["stm32f4-discovery"].model_copy(update={"memory": None})
    with pytest.raises(DeviceError, match="has no \\[memory\\]"):
        RUNNERS[runner].commands(Job(changed, Path("x.bin")))


def test_pyocd_is_told_the_chip():
    changed = DEVICES["nrf52840-dk"].model_copy(update={"probe_target": None})
    with pytest.raises(DeviceError, match="probe_target is missing"):
        RUNNERS["pyocd"].commands(Job(changed, Path("x.elf")))


def test_every_runner_says_what_it_is():
    for name, runner in RUNNERS.items():
        assert runner.name == name
        assert runner.title
        assert runner.hint or not (runner.programs() or runner.module)
        assert (runner.image == "project") == bool(runner.ecosystem)
        assert all(len(vendor) == 4 and int(vendor, 16) for vendor in runner.udev)
