"""Images: the same bytes twice, no warning, refused where they do not fit, told of faults."""

import pytest
from board_programs import with_warnings
from c_models import WARNINGS, Recipe, build, export, succeed, tool

from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.device import open_engine
from rnn_edge.errors import EngineError, MissingDependencyError, ModelError
from rnn_edge.firmware import baremetal, linux
from rnn_edge.firmware.link import SIZES, build_link_program
from rnn_edge.resources import data_folder
from rnn_edge.spec import all_devices

TEMPLATES = data_folder("firmware_templates")
DEVICES = {
    name: d
    for name, d in all_devices().items()
    if d.template == baremetal.TEMPLATE and d.board is not None
}
MODEL = build(Recipe(seed=31, kinds=("gru", "lstm"), units=(6, 9)))
LARGE = build(Recipe(seed=32, kinds=("lstm",), units=(150,), inputs=130, name="large"))


def exported(model, folder):
    folder.mkdir(exist_ok=True)
    return sorted(export(model, folder).iterdir())


def image(device, model, folder):
    try:
        return baremetal.build_image(device, model, exported(model, folder), folder / "work")
    except MissingDependencyError as error:
        pytest.skip(str(error))


def changed(device, **memory):
    return device.model_copy(update={"memory": device.memory.model_copy(update=memory)})


def test_a_device_without_the_template_has_no_image(tmp_path):
    for name in ("esp32-s3-devkit", "rpi-4", "host"):
        with pytest.raises(EngineError, match=f"Device {name} has no image: its template is "):
            baremetal.build_image(all_devices()[name], MODEL, [], tmp_path)


def test_an_image_is_compiled_once(tmp_path):
    first = image(DEVICES["qemu-m4"], MODEL, tmp_path)
    stamp = first.path.stat().st_mtime_ns
    assert image(DEVICES["qemu-m4"], MODEL, tmp_path) == first
    assert first.path.stat().st_mtime_ns == stamp
    other = image(changed(DEVICES["qemu-m4"], stack_bytes=8192), MODEL, tmp_path)
    assert other.path != first.path
    assert other.ram_bytes == first.ram_bytes + 4096


@pytest.mark.slow
def test_a_model_that_does_not_fit_the_flash_is_refused_with_the_numbers(tmp_path):
    small = changed(DEVICES["qemu-m4"], flash_bytes=65536)
    fits = image(DEVICES["qemu-m4"], LARGE, tmp_path)
    assert fits.flash_bytes > 65536
    with pytest.raises(ModelError) as caught:
        image(small, LARGE, tmp_path)
    assert caught.value.message.startswith("Model large needs ")
    assert caught.value.message.endswith(" bytes of flash; qemu-m4 has 65,536.")
    needed = int(caught.value.message.split()[3].replace(",", ""))
    assert abs(needed - fits.flash_bytes) < 64
    assert "hidden" in caught.value.hint


def test_a_model_that_does_not_fit_the_ram_is_refused_with_the_numbers(tmp_path):
    small = changed(DEVICES["qemu-m4"], ram_bytes=5120)
    fits = image(DEVICES["qemu-m4"], LARGE, tmp_path)
    needs = r"needs \d+,\d+ bytes of RAM; qemu-m4 has 5,120"
    with pytest.raises(ModelError, match=needs) as caught:
        image(small, LARGE, tmp_path)
    needed = int(caught.value.message.split()[3].replace(",", ""))
    assert abs(needed - fits.ram_bytes) < 64


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qemu-m4", "qemu-rv32"])
def test_an_image_for_memory_that_is_not_there_ends_in_a_message(name, tmp_path):
    exported(MODEL, tmp_path)
    source = EngineSource(None, MODEL, tmp_path, tmp_path / "work")
    wrong = changed(DEVICES[name], ram_origin=0x30000000)
    try:
        with pytest.raises(EngineError, match=f"engine 'device:{name}' (ended|was ended)"):
            open_engine(wrong, source).close()
    except MissingDependencyError as error:
        pytest.skip(str(error))


def test_a_compiler_that_fails_is_told(tmp_path):
    device = DEVICES["qemu-m4"]
    build_section = device.build.model_copy(update={"flags": ("-mcpu=cortex-m4", "--no-such")})
    with pytest.raises(EngineError, match=r"failed for qemu-m4 with exit code 1:\n(?s:.*)no-such"):
        image(device.model_copy(update={"build": build_section}), MODEL, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", DEVICES)
def test_templates_compile_for_a_device_without_a_warning(name, tmp_path):
    image(with_warnings(DEVICES[name]), MODEL, tmp_path)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_linux_program_compiles_without_a_warning(compiler, tmp_path):
    flags = (*SIZES, *WARNINGS)
    build_link_program([tool(compiler)], MODEL, exported(MODEL, tmp_path), tmp_path / "work", flags)


@pytest.mark.slow
@pytest.mark.parametrize("target", linux.TARGETS, ids=lambda target: target.name)
def test_binary_is_static_and_for_its_processor(target, tmp_path):
    try:
        path = linux.build_binary(target, MODEL, exported(MODEL, tmp_path), tmp_path / "work")
    except MissingDependencyError as error:
        pytest.skip(str(error))
    header = succeed(tool("readelf"), "-h", "-l", path).decode()
    assert ("AArch64" if target.name == "aarch64" else "ARM") in header
    assert "INTERP" not in header


def test_code_of_the_templates_is_formatted():
    parts = ("service", "linux", "link", "app", "baremetal")
    files = [file for part in parts for file in (TEMPLATES / part).rglob("*.[ch]")]
    assert len(files) >= 9
    succeed(tool("clang-format"), "--dry-run", "--Werror", *sorted(files))
