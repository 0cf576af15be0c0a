"""Which devices a model fits: the linker's bytes, the emulator's instructions, what would fit."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from c_models import Recipe, build
from c_models import export as export_model
from device_kinds import one_of_each, options
from own_cache import cache_with_objects
from random_models import Shape, float_model

from rnn_edge import programs
from rnn_edge.cli.main import run
from rnn_edge.engines.base import EngineSource
from rnn_edge.errors import MissingDependencyError, MissingExportError
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER, sources_in
from rnn_edge.firmware import toolchain
from rnn_edge.firmware.program import LINK
from rnn_edge.firmware.stack_prediction import image_with_bound
from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.bundle import publish
from rnn_edge.pipeline.device_app import app_config
from rnn_edge.pipeline.device_fit import fit_bundle
from rnn_edge.pipeline.device_needs import (
    COMPILED,
    ESTIMATED,
    ESTIMATED_CODE_BYTES,
    LINKED,
    NO_IMAGE,
    Need,
    constants_on,
    need_of,
)
from rnn_edge.pipeline.device_remedies import fitting_hidden, remedy_of
from rnn_edge.pipeline.device_timing import BASIS, OTHER_KERNELS, InstructionCounter
from rnn_edge.quantize import calibrate, quantize_model
from rnn_edge.spec import all_devices, load_spec, resolved_toml
from rnn_edge.spec import device as device_files
from rnn_edge.types.c_choices import CChoices
from rnn_edge.types.resets import NEVER

DEVICES = all_devices()
HIDDEN = 32
IMAGES = {name: d for name, d in DEVICES.items() if d.build and d.template == "baremetal"}
# Constants lie in memory as the options say.
OF_A_KIND = one_of_each(IMAGES, options)
CHOICES = (CChoices(), CChoices(optimize="size"), CChoices(weights="int16"))


def make_bundle(out, hidden=HIDDEN, kind="gru"):
    """Publish a bundle with random weights: its spec, its models and its C."""
    parts = out.parent / f"{out.name}-parts"
    parts.mkdir(parents=True)
    out.mkdir()
    floats = float_model(Shape((kind,), (hidden,), inputs=20, outputs=7))
    x = np.random.default_rng(1).normal(0, 1, (1, 50, 20)).astype(np.float32)
    model = quantize_model(floats, calibrate(floats, x))
    floats.save(parts / "float_model.npz")
    model.save(parts / "model.npz")
    spec = load_spec(
        "kws_gru", ['model.name="sample"', f"model.hidden={hidden}", f'model.cell="{kind}"']
    )
    (parts / "spec.toml").write_text(resolved_toml(spec))
    (parts / "exports").mkdir()
    EXPORTER.export(ExportSource(floats, model), parts / "exports")
    files = {p.relative_to(parts).as_posix(): p for p in parts.rglob("*") if p.is_file()}
    return publish(out, files, {"until": "report"})


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A cache of its own, so that what is asked for is measured."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNN_EDGE_CACHE", str(cache_with_objects(tmp_path_factory.mktemp("cache"))))
        patch.delenv(toolchain.VARIABLE, raising=False)
        yield


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("fit") / "bundle")


def only(bundle, *names):
    try:
        programs.program("arm-none-eabi-gcc", "a test")
        programs.program("qemu-system-arm", "a test")
        programs.program("riscv64-unknown-elf-gcc", "a test")
        programs.program("qemu-system-riscv32", "a test")
    except MissingDependencyError as error:
        pytest.skip(str(error))
    return {row.device.name: row for row in fit_bundle(bundle, names)}


@pytest.fixture
def uncounted(monkeypatch):
    """Leave the instructions uncounted, which takes an emulator seconds: it is about bytes."""
    monkeypatch.setattr(InstructionCounter, "count", lambda counter, device: "not asked for")


def test_bytes_are_those_of_the_linker(bundle, tmp_path, uncounted):
    model = bundle.model()
    for name, row in only(bundle, "qemu-m4", "qemu-rv32").items():
        sources, app = sources_in(model, bundle.exports), app_config(bundle, name)
        image, bound = image_with_bound(DEVICES[name], model, sources, tmp_path, LINK, app)
        assert row.need.stack_bound == bound.total_bytes <= row.need.stack_bytes
        assert 0 < row.need.ram_bytes - row.need.stack_bytes - sum(row.need.variables.values()) < 64
        assert row.need.basis == LINKED
        assert row.need.flash_bytes == image.flash_bytes
        assert row.need.ram_bytes == image.ram_bytes
        assert row.flash_left == DEVICES[name].memory.flash_bytes - image.flash_bytes
        assert row.fits
        assert row.need.state_bytes == row.need.scratch_bytes == 2 * HIDDEN


def test_steps_of_an_export_of_another_version_are_not_counted(bundle, tmp_path):
    shutil.copytree(bundle.exports, tmp_path / "exports")
    source = EngineSource(None, bundle.model(), tmp_path / "exports", tmp_path / "work")
    kernel = tmp_path / "exports" / "c" / "rnn_edge_gru.c"
    kernel.write_text(kernel.read_text() + "/* of another day */\n")
    counter = InstructionCounter(source, DEVICES, NEVER)
    assert counter.count(DEVICES["qemu-m4"]) == OTHER_KERNELS


@pytest.mark.slow
def test_risc_v_is_counted_too(bundle):
    row = only(bundle, "qemu-rv32")["qemu-rv32"]
    assert row.count.counted_on == "qemu-rv32"
    assert row.step_us is None


@pytest.mark.slow
def test_the_time_of_a_step_is_its_instructions_over_the_clock(bundle):
    rows = only(bundle, "nucleo-f401re", "nucleo-f446re", "qemu-m4", "rpi-pico")
    counts = {name: row.count for name, row in rows.items()}
    assert counts["nucleo-f401re"] == counts["qemu-m4"]
    assert counts["rpi-pico"].counted_on == "qemu-m0"
    # Without a clock an emulator's instructions are no time.
    assert counts["qemu-m4"].counted_on == "qemu-m4"
    assert rows["qemu-m4"].step_us is None
    assert rows["qemu-m4"].to_json()["step"] is None
    # 32 units and 20 inputs have 5,216 multiply-adds: one instruction for each, and a few more.
    assert 5_216 < counts["qemu-m4"].instructions < 5_216 * 3
    for count in counts.values():
        assert count.instructions <= count.most_instructions < count.bound_instructions
        assert count.bound_instructions < 1.05 * count.most_instructions
    for name, hz in (("nucleo-f401re", 84e6), ("nucleo-f446re", 180e6), ("rpi-pico", 133e6)):
        assert rows[name].step_us < rows[name].bound_us < 1.1 * rows[name].step_us
        assert rows[name].step_us == pytest.approx(counts[name].instructions / hz * 1e6)
        assert rows[name].to_json()["step"]["basis"] == BASIS
    assert list(rows) == ["nucleo-f401re", "nucleo-f446re", "rpi-pico", "qemu-m4"]


def test_what_is_not_known_is_said(bundle):
    rows = only(bundle, "esp32-s3-devkit", "host")
    estimated = rows["esp32-s3-devkit"]
    assert (estimated.need.basis, estimated.need.reason) == (
        ESTIMATED,
        "no compiler for it is called here",
    )
    assert estimated.need.code_bytes == ESTIMATED_CODE_BYTES
    assert rows["host"].need.basis == COMPILED
    assert rows["host"].need.flash_bytes is None
    assert rows["host"].need.ram_bytes > rows["host"].need.constants_bytes
    for row in rows.values():
        assert row.count == "nothing emulates its instructions"
        assert row.to_json()["step"] is None


@pytest.mark.slow
def test_without_a_compiler_code_is_estimated(bundle, monkeypatch):
    compiled = only(bundle, "nucleo-f401re")["nucleo-f401re"]

    found = toolchain.shutil.which
    monkeypatch.setattr(
        toolchain.shutil, "which", lambda name: None if name.endswith("-gcc") else found(name)
    )
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)
    (row,) = fit_bundle(bundle, ("nucleo-f401re",))
    assert row.need.basis == ESTIMATED
    neither = "Neither the program arm-none-eabi-gcc nor the package ziglang is installed"
    assert neither in row.need.reason
    assert neither in row.count
    assert row.need.stack_bound == NO_IMAGE
    assert abs(row.need.constants_bytes - compiled.need.constants_bytes) < 16
    assert compiled.need.code_bytes < row.need.code_bytes


@pytest.mark.parametrize("name", ["qemu-m0", "qemu-m4", "qemu-m7", "qemu-m55", "qemu-rv32"])
@pytest.mark.slow
def test_the_estimate_is_more_than_any_code_takes(name, tmp_path):
    kinds = ("gru", "lstm", "rnn", "gru_reset_before")
    model = build(Recipe(seed=1, kinds=kinds, units=(5, 6, 7, 8), head="softmax", shifts="any"))
    need = need_of(
        DEVICES[name], model, sorted(export_model(model, tmp_path).iterdir()), is_resetting=False
    )
    if need.basis != LINKED:
        pytest.skip(need.reason)
    assert 0.5 * ESTIMATED_CODE_BYTES < need.code_bytes <= ESTIMATED_CODE_BYTES


@pytest.mark.parametrize("choices", CHOICES, ids=["balanced", "size", "int16"])
@pytest.mark.parametrize(
    "name",
    [
        name if name == "qemu-m4" else pytest.param(name, marks=pytest.mark.slow)
        for name in OF_A_KIND
    ],
)
def test_constants_are_known_without_a_compiler(name, choices, tmp_path):
    recipe = Recipe(seed=5, kinds=("gru", "lstm"), units=(13, 6), inputs=9, outputs=5)
    model, device = build(recipe), DEVICES[name]
    EXPORTER.export(ExportSource(None, model, c=choices), tmp_path)
    files = sorted((tmp_path / "c").glob("*.[ch]"))
    need = need_of(device, model, files, is_resetting=False, choices=choices)
    if need.basis == ESTIMATED:
        pytest.skip(need.reason)
    expected = constants_on(device, model, choices, is_resetting=False)
    assert abs(need.constants_bytes - expected) <= 16


@pytest.fixture
def small_device(tmp_path, monkeypatch):
    """A function that makes qemu-m4 smaller, in a folder of devices of its own."""
    text = (device_files.data_folder("devices") / "qemu-m4.toml").read_text()
    real = device_files.data_folder
    folder = tmp_path / "devices"
    folder.mkdir()
    monkeypatch.setattr(
        device_files, "data_folder", lambda name: folder if name == "devices" else real(name)
    )

    def make(flash, ram):
        changed = text.replace("flash_bytes = 4194304", f"flash_bytes = {flash}")
        changed = changed.replace("ram_bytes = 4194304", f"ram_bytes = {ram}")
        (folder / "qemu-m4.toml").write_text(changed)

    return make


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_the_units_that_would_fit_do_and_more_do_not(small_device, tmp_path, kind, request):
    small_device(22_528, 1 << 16)
    large = make_bundle(tmp_path / "large", 48, kind)
    row = only(large, "qemu-m4")["qemu-m4"]
    assert not row.fits
    assert row.flash_left < 0 < row.ram_left
    assert row.count == "the model does not fit qemu-m4, which counts"
    assert 8 < row.hidden < 48
    request.getfixturevalue("uncounted")
    fitting = only(make_bundle(tmp_path / "fits", row.hidden, kind), "qemu-m4")["qemu-m4"]
    assert fitting.fits
    assert fitting.hidden is None
    more = only(make_bundle(tmp_path / "more", row.hidden + 1, kind), "qemu-m4")["qemu-m4"]
    # What it leaves free is less than a unit takes, but for padding.
    assert more.flash_left < 16


@pytest.mark.slow
def test_too_little_ram_asks_for_fewer_units_too(bundle, small_device, tmp_path, uncounted):
    small_device(1 << 20, 1 << 20)
    small_device(1 << 20, only(bundle, "qemu-m4")["qemu-m4"].need.ram_bytes + 256)
    row = only(make_bundle(tmp_path / "large", 200), "qemu-m4")["qemu-m4"]
    assert row.ram_left < 0 < row.flash_left
    assert 8 < row.hidden < 200
    fitting = only(make_bundle(tmp_path / "fits", row.hidden), "qemu-m4")["qemu-m4"]
    assert fitting.fits


def test_a_device_that_is_too_small_for_one_unit_has_no_suggestion(bundle):
    model = bundle.model()
    device = DEVICES["qemu-m4"]
    assert fitting_hidden(device, model, 10_000_000, 0) is None
    assert fitting_hidden(device, model, 0, 10_000) is None
    assert fitting_hidden(device, model, 1, 0) == HIDDEN - 1
    assert fitting_hidden(device, model, 0, 5) == HIDDEN - 2


@pytest.mark.parametrize(("name", "side"), [("qemu-m4", 4), ("qemu-m55", 1)])
def test_blocks_are_left_whole(bundle, name, side):
    model, device = bundle.model(), DEVICES[name]
    # A unit takes 8 bytes of each of six rows, and its weights where they are not padding.
    assert fitting_hidden(device, model, 3 * 16, 0) == HIDDEN - 1
    whole = 3 * 8 * 2 * side + 3 * side * (20 + HIDDEN) + 1
    assert fitting_hidden(device, model, whole, 0) == HIDDEN - side


@pytest.mark.slow
def test_the_command_says_what_lacks_and_what_to_change(small_device, tmp_path, capsys):
    small_device(22_528, 1 << 16)
    large = make_bundle(tmp_path / "large", 48)
    only(large, "qemu-m4")
    capsys.readouterr()
    assert run(["devices", "fit", str(large.path), "--device", "qemu-m4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (told,) = [line for line in lines if "lacks" in line]
    assert told.startswith("qemu-m4 lacks ")
    assert "bytes of flash; with hidden = " in told
    assert told.endswith("in the spec (now 48) it would fit")
    assert "  instructions are not known: the model does not fit qemu-m4, which counts" in lines
    assert not any(BASIS in line for line in lines)


@pytest.mark.slow
def test_the_command_marks_every_time(bundle, capsys):
    only(bundle, "qemu-m4")
    capsys.readouterr()
    arguments = ["devices", "fit", str(bundle.path), "--device", "stm32f4-discovery"]
    assert run(arguments) == 0
    out = capsys.readouterr().out
    assert " us " in out
    assert f"step: {BASIS}" in out
    assert "counted on qemu-m4" in out
    assert run([*arguments, "--json", "--quiet"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["devices"]
    assert row["step"]["basis"] == BASIS
    parts = row["need"]
    assert row["need"]["flash_bytes"] == sum(
        parts[f"{part}_bytes"] for part in ("constants", "code", "program")
    )


@pytest.mark.slow
def test_every_device_is_fitted(bundle):
    rows = fit_bundle(bundle)
    assert {row.device.name for row in rows} == set(DEVICES)
    assert all(row.fits for row in rows)
    flashes = [row.flash_bytes for row in rows]
    assert flashes == sorted(flashes, key=lambda size: (size is None, size or 0))
    for row in rows:
        assert (row.step_us is not None) == (row.device.counted_on is not None)


def test_a_bundle_without_the_exported_c_is_told(bundle, tmp_path):
    copied = Bundle(Path(tmp_path), bundle.manifest)
    for name in ("spec.toml", "model.npz", "float_model.npz"):
        (tmp_path / name).write_bytes((bundle.path / name).read_bytes())
    with pytest.raises(MissingExportError, match=r"sample\.h is missing"):
        fit_bundle(copied, ("host",))


@pytest.mark.slow
def test_a_stack_that_may_outgrow_its_place_does_not_fit(bundle, small_device, capsys, uncounted):
    small_device(1 << 20, 1 << 16)
    row = only(bundle, "qemu-m4")["qemu-m4"]
    assert row.fits
    file = device_files.data_folder("devices") / "qemu-m4.toml"
    file.write_text(file.read_text().replace("stack_bytes = 4096", "stack_bytes = 512"))
    small = only(bundle, "qemu-m4")["qemu-m4"]
    assert small.need.stack_bound == row.need.stack_bound > 512
    assert small.has_memory
    assert not small.fits
    assert small.hidden is None
    assert run(["devices", "fit", str(bundle.path), "--device", "qemu-m4"]) == 0
    over = small.need.stack_bound - 512
    assert f"qemu-m4 lacks {over} bytes of the place of its stack" in capsys.readouterr().out


def test_what_was_measured_is_not_measured_again(bundle, monkeypatch):
    first = only(bundle, "nucleo-f401re")["nucleo-f401re"]

    def refuse(*arguments, **options):
        raise AssertionError(arguments)

    monkeypatch.setattr("rnn_edge.pipeline.kept_needs.need_of", refuse)
    monkeypatch.setattr("rnn_edge.pipeline.device_timing.emulation.open_imitated", refuse)
    assert only(bundle, "nucleo-f401re")["nucleo-f401re"].to_json() == first.to_json()


def test_what_ram_buffers_would_shrink_to_is_not_taken_for_nothing():
    device = all_devices()["qemu-m0"]
    model = build(Recipe(kinds=("gru",), units=(40,)))
    need = Need(0, 0, 0, 80, 80, 64_000, 0, 0, {}, LINKED, "", True, 16)
    assert "its constants would fit with hidden = 39" in remedy_of(device, model, need, CChoices())
    large = Need(1 << 24, 0, 0, 80, 80, 64_000, 0, 0, {}, LINKED, "", True, 16)
    assert "no number of units would fit" in remedy_of(device, model, large, CChoices())
