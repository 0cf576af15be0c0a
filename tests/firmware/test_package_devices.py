"""The firmware in packages: it answers the link, and is compiled for its processors.

No SDK is here: the same C is built with stand-ins of their headers, which read standard input and
write standard output.
"""

import os

import hearing_programs
import numpy as np
import pytest
from package_builds import KINDS, STAND_INS, WARNINGS, c_library, succeed, tool

from rnn_edge.engines.link_engine import LinkEngine
from rnn_edge.errors import LinkError
from rnn_edge.firmware.app_config import APP_CONFIG, app_config_header
from rnn_edge.firmware.packages import PackageSource, package_files
from rnn_edge.firmware.program import CONFIG, config_header
from rnn_edge.links.application import Mode, Origin, Started
from rnn_edge.links.client import LinkClient
from rnn_edge.links.process import ProcessStream
from rnn_edge.pipeline.replay import open_stream
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import IntegerReference
from rnn_edge.types import SavedState

STEPS = 400
CMAKE = {
    "pico-sdk": ("PICO_SDK_PATH", "device", ""),
    "pico-sdk over USB": ("PICO_SDK_PATH", "device", "-DLIB_PICO_STDIO_USB=1"),
    "esp-idf": ("IDF_PATH", "device", ""),
    "zephyr": ("ZEPHYR_BASE", "app", ""),
}
ARDUINO = {"arduino": "device.ino", "platformio": "main.cpp"}
COMPILED = [(kind.name, item) for kind in KINDS.values() for item in kind.compiled]
CORES = {"Cortex-M4": ("-DARDUINO_ARCH_MBED",), "RV32IMC": ("-DARDUINO_ARCH_ESP32",)}
"""Macros of the core for a processor: that of the Nano 33 BLE, that of Espressif; else none."""

LIKE_ARDUINO = ("-std=gnu++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics")
RESTARTS = 77
"""Exit code of a stand-in that would start again."""


SLOWER = ("pico-sdk", "esp-idf", "platformio")
"""Built beside one that is much the same: over USB, by CMake, or as a sketch."""


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(name, marks=pytest.mark.slow if name in SLOWER else ())
        for name in (*CMAKE, *ARDUINO)
    ],
)
def firmware(request, packages, tmp_path_factory):
    """The firmware of an ecosystem, built with its stand-ins for this host, and its kind."""
    name = request.param
    kind, folder = name.split(" ")[0], tmp_path_factory.mktemp("firmware")
    project = packages[kind] / KINDS[kind].device.project
    if name in ARDUINO:
        return kind, sketch(packages[kind], KINDS[kind].device.sources, ARDUINO[kind], folder)
    variable, program, flags = CMAKE[name]
    variables = {**os.environ, variable: str(STAND_INS / kind)}
    variables["CFLAGS"] = " ".join((*WARNINGS, flags))
    command = (tool("cmake"), "-S", project, "-B", folder, "-Wno-dev", "-Wno-deprecated")
    succeed(*command, variables=variables)
    succeed(tool("cmake"), "--build", folder, variables=variables)
    return kind, folder / program


def sketch(package, place, name, folder):
    """Build a sketch as the tools of Arduino do: all C and C++ beside it, and the library."""
    sources, includes = package / place, ["-I", package / "src", "-I", package / place]
    c_files = [*sorted(sources.glob("*.c")), *sorted((package / "src").glob("*.c"))]
    succeed(tool("cc"), "-std=gnu11", *WARNINGS, *includes, "-c", *c_files, cwd=folder)
    stand_in = ["-DARDUINO_ARCH_ESP32", "-I", STAND_INS / "arduino", "-I", STAND_INS / "line"]
    stand_in += ["-I", STAND_INS / "esp-idf" / "include", "-include", "Arduino.h"]
    cplusplus = [sources / name, *sorted(sources.glob("rnn_edge_device_*.cpp"))]
    cplusplus.append(STAND_INS / "arduino" / "core.cpp")
    command = [tool("g++"), "-std=gnu++17", *WARNINGS, *includes, *stand_in, "-x", "c++"]
    objects = sorted(folder.glob("*.o"))
    succeed(*command, *cplusplus, "-x", "none", *objects, "-o", folder / "program")
    return folder / "program"


@pytest.fixture
def frames(packaged_bundle):
    """int16 (STEPS, D): the replay stream of the bundle."""
    stream, _ = open_stream(packaged_bundle, None, None, STEPS)
    return quantize_input(stream.frames[:STEPS], packaged_bundle.model().input_exponent)


def test_the_firmware_has_every_bit_of_the_reference(firmware, packaged_bundle, frames):
    model = packaged_bundle.model()
    expected = IntegerReference(model).run(frames[None])
    client = LinkClient(ProcessStream([firmware[1]], "Firmware"), 5.0)
    with LinkEngine(model, client) as engine:
        trace = engine.run(frames)
        np.testing.assert_array_equal(trace.outputs, expected.outputs[0])
        for name, value in expected.states.items():
            np.testing.assert_array_equal(trace.states[name], value[0])
        engine.reset()
        np.testing.assert_array_equal(client.stream(frames), expected.outputs[0])
        assert engine.counters().steps == 2 * STEPS
        assert client.statistics.retries == 0


def test_the_firmware_says_what_it_is_and_keeps_what_its_board_can(firmware, packaged_bundle):
    kind, program = firmware
    with LinkClient(ProcessStream([program], "Firmware"), 5.0) as client:
        client.open()
        about = client.about()
        assert about.device == kind
        assert about.digest == client.identify().digest
        assert about.mode is Mode.SENSOR
        assert about.started is (Started.POWER if kind == "pico-sdk" else Started.PIN)
        if kind in ARDUINO:
            # What stands in is an ESP32, whose core has no watchdog for sketches.
            assert about.watchdog_ms == 0
            with pytest.raises(LinkError, match="no memory to save"):
                client.save()
        else:
            assert client.save() is Origin.FLASH
            assert client.save() is Origin.FLASH


def test_a_state_is_kept_over_a_power_cut(firmware, packaged_bundle, frames, tmp_path, monkeypatch):
    kind, program = firmware
    if kind in ARDUINO:
        pytest.skip("nothing is kept there")
    monkeypatch.setenv("FLASH_STAND_IN", str(tmp_path / "flash"))
    model = packaged_bundle.model()
    for saved in (3, 5, 2):
        # Records follow each other, and go from place to place.
        with LinkEngine(model, LinkClient(ProcessStream([program], "Firmware"), 5.0)) as engine:
            for frame in frames[:saved]:
                engine.step(frame)
                assert engine.client.save() is Origin.FLASH
            state = engine.state()
        with LinkClient(ProcessStream([program], "Firmware"), 5.0) as client:
            client.open()
            assert client.about().origin is Origin.FLASH
            kept = SavedState.unpack(model, client.state()).vectors(model)
        for name, value in state.items():
            np.testing.assert_array_equal(kept[name], value)


def test_a_host_may_have_as_much_under_way_as_the_board_keeps(firmware):
    kind, program = firmware
    with LinkClient(ProcessStream([program], "Firmware"), 5.0) as client:
        client.open()
        assert client.capabilities().credits == (2 if kind in ARDUINO else 8)


def test_the_firmware_decides_on_frames_that_are_fed(firmware, frames):
    with LinkClient(ProcessStream([firmware[1]], "Firmware"), 5.0) as client:
        client.open()
        client.set_mode(Mode.FED)
        client.feed(frames[:100])
        while client.status().waiting:
            pass
        status = client.status()
        assert (status.frames, status.dropped) == (100, 0)


def test_the_firmware_starts_again_when_it_is_asked_to(firmware):
    stream = ProcessStream([firmware[1]], "Firmware")
    client = LinkClient(stream, 5.0)
    client.open()
    client.restart()
    with pytest.raises(LinkError, match=f"ended with exit code {RESTARTS}"):
        client.open()
    client.close()


def sdk_folders(kind):
    """Return options that find the stand-ins of an ecosystem's headers."""
    folders = [STAND_INS / "arduino", STAND_INS / "esp-idf" / "include"]
    if kind not in ARDUINO:
        folders = [STAND_INS / kind / "include"]
    return [part for folder in folders for part in ("-isystem", folder)]


@pytest.mark.parametrize(
    ("kind", "item"), COMPILED, ids=[f"{kind}-{item.name}" for kind, item in COMPILED]
)
def test_the_firmware_compiles_for_the_processors(kind, item, packages, tmp_path):
    place = packages[kind] / KINDS[kind].device.sources
    command = [tool(item.compiler), *item.flags, *WARNINGS, *sdk_folders(kind), *c_library(item)]
    command += ["-I", packages[kind] / "src", "-I", place, "-DCONFIG_MAIN_STACK_SIZE=4096"]
    sources = sorted(place.glob("*.c"))
    succeed(*command, "-c", *sources, cwd=tmp_path)
    if kind in ARDUINO:
        flags = [flag for flag in item.flags if not flag.startswith("-std")]
        start = [
            tool(item.compiler.replace("gcc", "g++")),
            *LIKE_ARDUINO,
            *flags,
            *command[1 + len(item.flags) :],
        ]
        sketches = ["-x", "c++", place / ARDUINO[kind], *sorted(place.glob("rnn_edge_*.cpp"))]
        sources += sketches[2:]
        succeed(
            *start,
            *CORES.get(item.name, ()),
            "-include",
            "Arduino.h",
            "-c",
            *sketches,
            cwd=tmp_path,
        )
    assert len(list(tmp_path.glob("*.o"))) == len(sources)
    assert any(path.name.startswith("rnn_edge_device_board") for path in sources)


def test_the_sketch_answers_on_an_emulated_processor(packages, packaged_bundle, frames, tmp_path):
    (item,) = (item for item in KINDS["arduino"].compiled if item.name == "Cortex-M4")
    package, core = packages["arduino"], STAND_INS / "emulated"
    place = package / KINDS["arduino"].device.sources
    includes = ["-I", package / "src", "-I", place, "-I", core]
    flags = [flag for flag in item.flags if not flag.startswith("-std")]
    c_files = [*sorted(place.glob("*.c")), *sorted((package / "src").glob("*.c")), core / "start.c"]
    succeed(tool(item.compiler), "-std=gnu11", *flags, *includes, "-c", *c_files, cwd=tmp_path)
    cplusplus = [place / "device.ino", place / "rnn_edge_device_board.cpp", core / "core.cpp"]
    compiler = [tool("arm-none-eabi-g++"), *LIKE_ARDUINO, *flags, *includes]
    succeed(*compiler, "-include", "Arduino.h", "-c", "-x", "c++", *cplusplus, cwd=tmp_path)
    linker = [tool(item.compiler), *flags, "--specs=rdimon.specs"]
    linker.append("-Wl,--section-start=.vectors=0")
    succeed(*linker, *sorted(tmp_path.glob("*.o")), "-o", tmp_path / "program.elf")
    machine = [tool("qemu-system-arm"), "-M", "mps2-an386", "-display", "none", "-monitor", "none"]
    machine += ["-serial", "stdio", "-semihosting-config", "enable=on,target=native"]
    model = packaged_bundle.model()
    expected = IntegerReference(model).run(frames[None])
    stream = ProcessStream([*machine, "-kernel", str(tmp_path / "program.elf")], "Emulator")
    with LinkEngine(model, LinkClient(stream, 5.0)) as engine:
        trace = engine.run(frames)
        np.testing.assert_array_equal(trace.outputs, expected.outputs[0])
        for name, value in expected.states.items():
            np.testing.assert_array_equal(trace.states[name], value[0])


@pytest.fixture(scope="module")
def hearing_packages(tmp_path_factory):
    """Packages of a model whose firmware makes its frames of sound, by kind."""
    folder = tmp_path_factory.mktemp("hearing")
    exported = hearing_programs.export(folder)
    model = hearing_programs.MODEL
    code = {path.name: path.read_bytes() for path in exported.glob("*.[ch]")}
    headers = {
        CONFIG: config_header(model),
        APP_CONFIG: app_config_header(hearing_programs.hearing()),
    }
    x = hearing_programs.frames_of_sound(hearing_programs.sound(800))
    y = IntegerReference(model).run(x[None]).outputs[0]
    source = PackageSource(model, code, headers, x, y, "sound", "1.2.3", hears=True)
    found = {}
    for name, kind in KINDS.items():
        found[name] = folder / name / model.name
        for file, content in package_files(kind, source).items():
            path = found[name] / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_that_hears_has_its_front_end(kind, hearing_packages):
    package, place = hearing_packages[kind], hearing_packages[kind] / KINDS[kind].device.sources
    assert (package / KINDS[kind].sources / "hears_frontend.c").is_file()
    for name in ("rnn_edge_front.c", "rnn_edge_front.h", "rnn_edge_sample_ring.c"):
        assert (place / name).is_file()


@pytest.mark.parametrize("kind", [*ARDUINO, "esp-idf", "pico-sdk", "zephyr"])
def test_firmware_that_hears_compiles(kind, hearing_packages, tmp_path):
    item = next(i for i in KINDS[kind].compiled if kind == "esp-idf" or i.name != "Cortex-M0+")
    package = hearing_packages[kind]
    place = package / KINDS[kind].device.sources
    include = [*sdk_folders(kind), *c_library(item), "-I", package / "src", "-I", place]
    command = [tool(item.compiler), *item.flags, *WARNINGS, *include]
    command.append("-DCONFIG_MAIN_STACK_SIZE=4096")
    sources = [place / f"rnn_edge_{name}.c" for name in ("front", "sample_ring", "app")]
    succeed(*command, "-c", *sources, package / "src" / "hears_frontend.c", cwd=tmp_path)
    if kind in ARDUINO:
        flags = [flag for flag in item.flags if not flag.startswith("-std")]
        compiler = [tool("arm-none-eabi-g++"), *LIKE_ARDUINO, *flags, *WARNINGS, *include]
        microphone = place / "rnn_edge_device_microphone.cpp"
        sketch = ["-include", "Arduino.h", "-x", "c++", place / ARDUINO[kind], microphone]
        succeed(*compiler, "-DARDUINO_ARDUINO_NANO33BLE", "-c", *sketch, cwd=tmp_path)
        listing = succeed(tool("arm-none-eabi-nm"), "rnn_edge_device_microphone.o", cwd=tmp_path)
        assert "rnn_edge_app_push_samples" in listing
        (tmp_path / "rnn_edge_device_microphone.o").unlink()
        succeed(*compiler, "-c", *sketch, cwd=tmp_path)
        listing = succeed(tool("arm-none-eabi-nm"), "rnn_edge_device_microphone.o", cwd=tmp_path)
        assert "rnn_edge_app_push_samples" not in listing
