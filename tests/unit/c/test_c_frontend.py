"""The front end in C: every bit of the integer one in Python, under sanitizers too."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from c_models import WARNINGS, Recipe, build, succeed, tool
from compiled_code import called_outside, functions_that_shift_signed, symbol_kinds
from hypothesis import given, settings
from hypothesis import strategies as st
from linux_programs import TARGET, linux_program
from test_c_misra import documented, findings

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_frontend import ram_bytes
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.features.description import describe
from rnn_edge.features.fixed_point import IntegerLogMel, IntegerLogMelConfig, IntegerNormaliser
from rnn_edge.features.fixed_point.log import LOG2_TABLE
from rnn_edge.features.fixed_point.logmel import raw_of
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.resources import data_folder

PROGRAM = Path(__file__).with_name("feed_sound.c")
LIBRARY = data_folder("firmware_templates") / "frontend"
SANITIZERS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-g",
    "-O1",
)
USUAL = IntegerLogMelConfig()
BOTH = replace(USUAL, noise_suppression=True, gain_normalisation=True)
CONFIGS = {
    "usual": USUAL,
    "noise": replace(USUAL, noise_suppression=True),
    "gain": replace(USUAL, gain_normalisation=True),
    "both": BOTH,
    "narrow bands": IntegerLogMelConfig(8000, 200, 100, 256, 64, 0.0, 4000.0),
    "no power of four": IntegerLogMelConfig(fft_size=1024, gain_normalisation=True),
    "long": IntegerLogMelConfig(48000, 4800, 960, 8192, 40, 20.0, 20000.0),
    "short": IntegerLogMelConfig(4000, 16, 8, 16, 4, 0.0, 2000.0),
    "whole windows": IntegerLogMelConfig(hop_samples=480),
    "small hop": IntegerLogMelConfig(hop_samples=80),
}


def front_end(config):
    rng = np.random.default_rng(config.bands)
    mean, scale = rng.normal(-6, 2, config.bands), rng.uniform(0.4, 4, config.bands)
    normaliser = Normaliser(mean.astype(np.float32), scale.astype(np.float32))
    return FrontEnd(config, ("pcm",), float(config.sample_rate_hz), normaliser)


def sound(count=24_000, seed=2):
    """Noise from silence to clipping, ends of int16, a tone and a constant."""
    rng = np.random.default_rng(seed)
    level = np.repeat(10.0 ** rng.uniform(-1, 5, count // 500 + 1), 500)[:count]
    samples = rng.normal(0, 1, count) * level
    part = count // 8
    samples[:part] = 0
    samples[2 * part : 3 * part] = rng.choice([-32768, 32767], part)
    samples[4 * part : 5 * part] = 32767 * np.sin(np.arange(part) * 0.3)
    samples[6 * part : 7 * part] = -32768
    return np.clip(samples, -32768, 32767).astype(np.int16)


def export(config, folder):
    model = build(Recipe(inputs=config.bands))
    features = describe(front_end(config))
    artifact = EXPORTER.export(ExportSource(None, model, features), folder)
    return folder / "c", artifact


def own_sources(folder):
    """Return the front end's files among those of the model."""
    return [folder / path.name for path in sorted(LIBRARY.glob("*.c"))] + [
        folder / "sample_frontend.c"
    ]


def compiled(folder, command, program):
    sources = [PROGRAM, *own_sources(folder)]
    succeed(*command, f"-I{folder}", *sources, "-o", program)
    return program


def fed(program, samples, chunk):
    out = succeed(program, chunk, input=samples.tobytes())
    return np.frombuffer(out, np.int16)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_bit_is_the_same(name, tmp_path):
    folder, _ = export(CONFIGS[name], tmp_path)
    program = compiled(folder, (tool("gcc"), *WARNINGS, *SANITIZERS), tmp_path / "program")
    own, samples = front_end(CONFIGS[name]), sound()
    expected = own.quantize_input(own.raw_frames(samples))
    assert len(np.unique(expected, axis=0)) > len(expected) // 3
    assert expected.std() > 4096
    for chunk in (1, 333, 100_000):
        found = fed(program, samples, chunk).reshape(-1, own.config.bands)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("compiler", "flags"),
    [
        ("gcc", ("-O3",)),
        ("gcc", ("-Os",)),
        ("gcc", ("-DRNN_EDGE_SHORT_PRODUCTS", *SANITIZERS)),
        ("clang", ("-O2",)),
        ("clang", SANITIZERS),
    ],
    ids=str,
)
def test_bits_do_not_depend_on_the_compiler(compiler, flags, tmp_path):
    folder, _ = export(BOTH, tmp_path)
    program = compiled(folder, (tool(compiler), *WARNINGS, *flags), tmp_path / "program")
    own, samples = front_end(BOTH), sound()
    expected = own.quantize_input(own.raw_frames(samples))
    np.testing.assert_array_equal(fed(program, samples, 160), expected.reshape(-1))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["aarch64", "armv7", "armv6"])
def test_other_processors_give_the_same_bits(target, tmp_path):
    emulator = tool(TARGET[target].emulator)
    folder, _ = export(BOTH, tmp_path)
    options = ("-std=c11", "-O2", f"-I{folder}")
    sources = [PROGRAM, *own_sources(folder)]
    program = linux_program(target, options, sources, tmp_path / "program")
    own, samples = front_end(BOTH), sound(6000)
    expected = own.quantize_input(own.raw_frames(samples))
    out = succeed(emulator, "-cpu", TARGET[target].processor, program, 160, input=samples.tobytes())
    np.testing.assert_array_equal(np.frombuffer(out, np.int16), expected.reshape(-1))


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("front")
    return compiled(export(BOTH, folder)[0], (tool("cc"), "-std=c11", "-O2"), folder / "program")


@given(st.integers(1, 3000), st.integers(0, 4000))
@settings(max_examples=15, deadline=None)
def test_any_chunks_give_the_same_frames(program, chunk, count):
    samples = sound()[6000 : 6000 + count]
    own = front_end(BOTH)
    raw = IntegerLogMel(BOTH).frames(samples)
    expected = IntegerNormaliser.of(own.normaliser).apply(raw_of(raw))
    np.testing.assert_array_equal(fed(program, samples, chunk), expected.reshape(-1))


@pytest.mark.parametrize("level", ["-Os", "-O2", "-O3"])
@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_folder_compiles_by_itself_without_a_warning(compiler, level, tmp_path):
    folder, artifact = export(BOTH, tmp_path)
    cpu = ("-mcpu=cortex-m4", "-mthumb") if compiler.startswith("arm") else ()
    succeed(tool(compiler), *WARNINGS, *cpu, level, "-c", *own_sources(folder), cwd=folder)
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert set(artifact.files) <= written
    assert {f"c/{path.name}" for path in LIBRARY.iterdir()} <= set(artifact.files)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_code_calls_nothing_but_memory_functions(compiler, tmp_path):
    folder, _ = export(BOTH, tmp_path)
    sources = own_sources(folder)
    succeed(tool(compiler), "-std=c11", "-O2", "-fno-pic", "-c", *sources, cwd=folder)
    kinds = symbol_kinds(folder)
    outside = {name for name, seen in kinds.items() if seen == {"U"}}
    assert outside <= {"memcpy", "memset", "memmove", "__stack_chk_fail"}
    assert not [name for name, seen in kinds.items() if seen & set("BbCDd")]


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4"])
def test_code_needs_no_float_on_a_microcontroller(core, tmp_path):
    folder, _ = export(BOTH, tmp_path)
    sources = own_sources(folder)
    flags = ("-std=c11", f"-mcpu={core}", "-mthumb", "-O2")
    succeed(tool("arm-none-eabi-gcc"), *flags, "-c", *sources, cwd=folder)
    integer = {"__aeabi_lmul", "__aeabi_llsl", "__aeabi_lasr", "__aeabi_llsr"}
    assert called_outside(folder) <= {"memcpy", "memset", "memmove"} | integer


def test_code_needs_no_library_of_helpers_on_risc_v(tmp_path):
    # Where -march names an extension, GCC 12 takes its library of 64 bits, which does not link.
    folder, _ = export(BOTH, tmp_path)
    flags = ("-std=c11", "-march=rv32imc", "-mabi=ilp32", "-ffreestanding", "-O2")
    compiler = tool("riscv64-unknown-elf-gcc")
    (folder / "string.h").write_text(
        "#include <stddef.h>\nvoid *memcpy(void *, const void *, size_t);\n"
        "void *memset(void *, int, size_t);\nvoid *memmove(void *, const void *, size_t);\n"
    )
    succeed(compiler, *flags, "-I.", "-c", *own_sources(folder), cwd=folder)
    outside = called_outside(folder, "riscv64-unknown-elf-nm")
    assert outside <= {"memcpy", "memset", "memmove"}


def test_header_is_cplusplus(tmp_path):
    folder, _ = export(BOTH, tmp_path)
    main = folder / "main.cpp"
    main.write_text(
        '#include "sample_frontend.h"\n'
        'static_assert(sizeof(sample_frontend) == SAMPLE_FRONTEND_BYTES, "size");\n'
        "int main() {\n    sample_frontend front;\n    sample_frontend_init(&front);\n"
        "    return 0;\n}\n"
    )
    succeed(tool("g++"), "-std=c++11", "-Wall", "-Wextra", "-Werror", "-c", main, cwd=folder)
    assert f"SAMPLE_FRONTEND_BYTES {ram_bytes(BOTH)} " in (folder / "sample_frontend.h").read_text()


def test_table_of_logarithms_is_the_one_of_the_twin():
    text = (LIBRARY / "rnn_edge_log.c").read_text()
    body = re.search(r"BEND\[65\] = \{(.*?)\};", text, re.DOTALL).group(1)
    assert [int(n) for n in re.findall(r"\d+", body)] == LOG2_TABLE.tolist()


def test_frames_in_float_bring_no_front_end(tmp_path):
    own = front_end(USUAL)
    as_float = replace(own, config=LogMelConfig())
    model = build(Recipe(inputs=40))
    for features in (None, describe(as_float)):
        artifact = EXPORTER.export(ExportSource(None, model, features), tmp_path)
        assert not any("frontend" in file for file in artifact.files)
        assert not list((tmp_path / "c").glob("*frontend*"))


def test_same_description_gives_the_same_bytes(tmp_path):
    texts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        folder, _ = export(BOTH, tmp_path / name)
        texts.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert texts[0] == texts[1]


def test_library_is_formatted():
    files = sorted(LIBRARY.glob("*.[ch]"))
    assert len(files) == 7
    succeed(tool("clang-format"), "--dry-run", "--Werror", *files, PROGRAM)


def test_no_signed_value_is_shifted_right_outside_the_helpers():
    common = data_folder("firmware_templates") / "common"
    for source in sorted(LIBRARY.glob("*.c")):
        found = functions_that_shift_signed(source, f"-I{common}")
        assert found <= {"rnn_edge_floor_shift32", "rnn_edge_floor_shift64", ""}, source.name


@pytest.mark.slow
def test_no_rule_of_misra_is_broken_beyond_the_list(tmp_path):
    rules, version = documented()
    if succeed(tool("cppcheck"), "--version").decode().split() != ["Cppcheck", version]:
        pytest.skip(f"another cppcheck than {version} judges otherwise")
    common = LIBRARY.parent / "common"
    shared = [common / f"rnn_edge_{name}.h" for name in ("bytes", "fixedpoint")]
    for path in (*LIBRARY.iterdir(), *shared):
        shutil.copy(path, tmp_path)
    own = {rule for _, rule in findings(tmp_path)} - rules
    text = (Path(__file__).parents[3] / "docs" / "frontend.md").read_text()
    assert own == set(re.findall(r"rule (\d+\.\d+)", text))
