"""What a model takes of a device: the linker's bytes of the image that is built, part by part."""

import pytest
from c_models import Recipe, build, export
from device_kinds import one_of_each, options_and_parts

from rnn_edge.errors import EngineError, MissingDependencyError, MissingExportError
from rnn_edge.firmware import baremetal
from rnn_edge.firmware.elf_sections import allocated_bytes
from rnn_edge.firmware.footprint import footprint
from rnn_edge.firmware.link_map import bytes_by_object
from rnn_edge.pipeline.c_memory import memory_of, order_on
from rnn_edge.spec import all_devices
from rnn_edge.types.c_choices import DEFAULT

DEVICES = all_devices()
IMAGES = [name for name, d in DEVICES.items() if d.template == baremetal.TEMPLATE]
OF_A_KIND = one_of_each({name: DEVICES[name] for name in IMAGES}, options_and_parts)
QUICK = ("qemu-m4", "qemu-rv32")
MODELS = {
    "small": build(Recipe(seed=31, kinds=("gru", "lstm"), units=(6, 9))),
    "large": build(Recipe(seed=32, kinds=("lstm",), units=(150,), inputs=130, name="large")),
    "wide": build(Recipe(seed=33, kinds=("gru",), units=(17,), bias="int64", shifts="any")),
}
MAP = """
Discarded input sections

 .text          0x00000000       0x99 gone.o

Linker script and memory map

LOAD a.o

.text           0x00000100       0x60
 *(.text .text.*)
 .text          0x00000100        0x0 a.o
 .text.a_function_with_a_long_name
                0x00000100       0x24 a.o
                0x00000100                a_function_with_a_long_name
 *fill*         0x00000124        0xc
 .text.b        0x00000130       0x10 b.o
 .text          0x00000140       0x20 /usr/lib/gcc/arm/libgcc.a(_udivsi3.o)

.rodata         0x00000160        0x8
 .rodata.a      0x00000160        0x8 a.o

.comment        0x00000000       0x30
 .comment       0x00000000       0x30 a.o
"""


def exported(case, folder):
    folder.mkdir(exist_ok=True)
    return sorted(export(MODELS[case], folder).iterdir())


def measured(device, case, folder):
    try:
        return footprint(device, MODELS[case], exported(case, folder))
    except MissingDependencyError as error:
        pytest.skip(str(error))


def changed(device, **memory):
    return device.model_copy(update={"memory": device.memory.model_copy(update=memory)})


@pytest.mark.parametrize(
    ("name", "case"),
    [
        *((name, "small") for name in QUICK),
        *(
            pytest.param(name, case, marks=pytest.mark.slow)
            for name in OF_A_KIND
            for case in MODELS
            if (case == "small") != (name in QUICK)
        ),
    ],
)
def test_the_bytes_are_those_of_the_image_that_is_built(name, case, tmp_path):
    device, model = DEVICES[name], MODELS[case]
    found = measured(device, case, tmp_path)
    image = baremetal.build_image(device, model, exported(case, tmp_path), tmp_path / "work")
    assert found.is_linked
    assert found.flash_bytes == image.flash_bytes
    assert found.variables_bytes + device.memory.stack_bytes == image.ram_bytes
    # Beside the arrays of the matrices there are names, structures and padding.
    arrays = memory_of(model, order=order_on(device, DEFAULT))["constants"]
    around = found.constants_bytes - arrays
    assert 0 < around < 600
    assert 1500 < found.code_bytes < 9000
    assert 6000 < found.program_bytes < 16_000
    assert 0 <= found.variables_bytes - sum(found.variables.values()) < 64


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_model_is_measured_where_it_does_not_fit(name, tmp_path):
    whole = measured(DEVICES[name], "large", tmp_path)
    small = changed(DEVICES[name], flash_bytes=16384, ram_bytes=8192)
    assert measured(small, "large", tmp_path) == whole
    assert whole.flash_bytes > 160_000


@pytest.mark.slow
def test_a_model_that_no_linker_can_place_is_compiled_at_least(tmp_path):
    linked = measured(DEVICES["qemu-rv32"], "large", tmp_path)
    # The RAM begins 64 KB behind the flash, so that there is no room for the constants.
    close = changed(DEVICES["qemu-rv32"], ram_origin=0x80010000)
    found = measured(close, "large", tmp_path)
    assert not found.is_linked
    assert found.program_bytes == found.variables_bytes == 0
    assert abs(found.constants_bytes - linked.constants_bytes) < 64
    assert found.code_bytes > linked.code_bytes


def test_a_host_is_measured_by_its_own_compiler(tmp_path):
    found = measured(DEVICES["host"], "small", tmp_path)
    assert not found.is_linked
    order = order_on(DEVICES["host"], DEFAULT)
    assert found.constants_bytes > memory_of(MODELS["small"], order=order)["constants"]
    assert 4000 < found.code_bytes < 40_000


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, d in DEVICES.items() if d.build and n not in IMAGES])
def test_devices_without_an_image_are_measured_too(name, tmp_path):
    found = measured(DEVICES[name], "small", tmp_path)
    assert found.is_linked == (DEVICES[name].memory is not None)
    order = order_on(DEVICES[name], DEFAULT)
    assert found.constants_bytes > memory_of(MODELS["small"], order=order)["constants"]
    assert 1500 < found.code_bytes < 40_000


def test_a_device_without_a_compiler_is_refused(tmp_path):
    with pytest.raises(EngineError, match="esp32-s3-devkit has no compiler"):
        footprint(DEVICES["esp32-s3-devkit"], MODELS["small"], [])
    with pytest.raises(MissingExportError, match="is missing"):
        footprint(DEVICES["host"], MODELS["small"], [tmp_path / "gone.c"])


def test_what_does_not_compile_is_told(tmp_path):
    (tmp_path / "bad.c").write_text("no C\n")
    with pytest.raises(EngineError, match=r"failed for host with exit code 1(?s:.*)no C"):
        footprint(DEVICES["host"], MODELS["small"], [tmp_path / "bad.c"])


def test_a_map_is_added_up_by_object():
    assert bytes_by_object(MAP, (".text", ".rodata")) == {"a.o": 44, "b.o": 16, "libgcc.a": 32}
    assert bytes_by_object(MAP, (".rodata",)) == {"a.o": 8}


@pytest.mark.parametrize(
    "content", [b"", b"\x7fELF", b"MZ" * 40, b"\x7fELF\x02\x01" + b"\xff" * 80]
)
def test_a_file_that_is_no_elf_is_refused(content, tmp_path):
    (tmp_path / "a.o").write_bytes(content)
    with pytest.raises(EngineError, match=r"a\.o is no ELF file"):
        allocated_bytes(tmp_path / "a.o")
