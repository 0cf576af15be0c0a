"""The sensor front end in C: every bit of the integer one in Python, under sanitizers too."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from c_models import WARNINGS, Recipe, build, succeed, tool
from compiled_code import called_outside, functions_that_shift_signed
from hypothesis import given, settings
from hypothesis import strategies as st
from linux_programs import TARGET, linux_program
from test_c_frontend import SANITIZERS
from test_c_misra import documented, findings

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_sensor import sensor_ram_bytes
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.features.description import describe
from rnn_edge.features.fixed_point import IntegerWindowConfig, IntegerWindows
from rnn_edge.features.fixed_point.sensor_config import NONE
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.features.windows import WindowConfig
from rnn_edge.resources import data_folder

PROGRAM = Path(__file__).with_name("feed_rows.c")
LIBRARY = data_folder("firmware_templates") / "sensor"
CHANNELS = ("pump */ a", "Strömung", "c\n#error")
SCALES, OFFSETS = np.array([1.0, 300.0, 0.004]), np.array([0.0, -5.0, 7e4])
SHAPES = {
    "samples": (1, 1, False),
    "windows": (5, 5, True),
    "overlapping": (8, 3, True),
    "one by one": (7, 1, True),
    "apart": (4, 9, True),
    "means": (6, 2, False),
    "longest": (4096, 512, True),
}


def training(seed=0, count=400):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(size=(count, 3)), axis=0) * 0.2 * SCALES + OFFSETS


def front_end(shape, **further):
    config = IntegerWindowConfig(*shape, **further).fitted_to([training()], 1.0, (), 12)
    front = FrontEnd(config, CHANNELS, 50.0)
    normaliser = Normaliser.fit(front.raw_frames(np.tile(training(), (12, 1))))
    return FrontEnd(config, CHANNELS, 50.0, normaliser)


def rows_of(config, seed, count):
    """Rows with all that is wrong with rows: any int32, runs, holes, ends of ranges."""
    rng = np.random.default_rng(seed)
    low, high = np.array(config.low), np.array(config.high)
    rows = rng.integers(low, high + 1, (count, 3))
    for column in range(3):
        at = 0
        while at < count:
            length = int(rng.integers(1, 20))
            part = rows[at : at + length, column]
            kind = int(rng.integers(0, 9))
            if kind == 0:
                part[:] = NONE
            elif kind == 1:
                part[:] = part[0] if len(part) else 0
            elif kind == 2:
                part[:] = rng.integers(-(2**31), 2**31, len(part))
            elif kind == 3:
                part[:] = rng.choice([low[column], high[column]], len(part))
            elif kind == 4:
                part[rng.random(len(part)) < 0.3] = NONE
            elif kind == 5:
                part[:] = rng.choice([-(2**31) + 1, 2**31 - 1, NONE], len(part))
            at += length
    return rows.astype(np.int32)


def twin(front, rows, gap=0):
    """Return frames, flags and masks as the program writes them."""
    stream = IntegerWindows(front.config, 3)
    found, flags = [], []
    pieces = np.split(rows, range(gap, len(rows), gap)) if gap else [rows]
    for piece in pieces:
        found.append(stream.push(piece))
        flags.append(stream.flags)
        if gap:
            stream.reset()
    x, seen = front.quantize_input(np.concatenate(found)), np.concatenate(flags)
    wide = x.shape[1]
    skipped = np.tile((seen & 0x08) != 0, (1, wide // 3))
    faulty = np.zeros((len(x), wide), np.bool_)
    faulty[:, :3] = (seen & 0x70) != 0
    masks = [np.packbits(each, axis=1, bitorder="little") for each in (skipped, faulty)]
    texts = [x.astype("<i2").view(np.uint8).reshape(len(x), 2 * wide), seen, *masks]
    return np.concatenate(texts, axis=1).tobytes()


def export(front, folder):
    model = build(Recipe(inputs=len(front.feature_names)))
    artifact = EXPORTER.export(ExportSource(None, model, describe(front)), folder)
    return folder / "c", artifact


def own_sources(folder):
    return [folder / path.name for path in sorted(LIBRARY.glob("*.c"))] + [
        folder / "sample_frontend.c"
    ]


def compiled(front, folder, command):
    made, _ = export(front, folder)
    program = folder / "program"
    succeed(*command, f"-I{made}", PROGRAM, *own_sources(made), "-o", program)
    return program


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Programs under all warnings and sanitizers, by the name of a shape."""
    made = {}

    def program(name):
        if name not in made:
            front = front_end(SHAPES[name], hold_samples=3, fault_samples=4)
            folder = tmp_path_factory.mktemp("front")
            made[name] = front, compiled(front, folder, (tool("gcc"), *WARNINGS, *SANITIZERS))
        return made[name]

    return program


@pytest.mark.parametrize("name", SHAPES)
def test_every_bit_is_the_same(name, programs):
    front, program = programs(name)
    rows = rows_of(front.config, 1, 6000 if name == "longest" else 900)
    expected = twin(front, rows)
    for piece in (1, 7, 10_000):
        assert succeed(program, piece, input=rows.tobytes()) == expected
    frames = np.frombuffer(expected, np.uint8).reshape(-1, len(expected) // _frames(front, rows))
    flags = frames[:, 2 * len(front.feature_names) :][:, :3]
    if name != "longest":
        # All of it has happened, and nothing of it always.
        for bit in (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40):
            assert 0 < ((flags & bit) != 0).mean() < 1
        assert len(np.unique(frames, axis=0)) > len(frames) // 3


def _frames(front, rows):
    return front.config.frame_count(len(rows))


@given(
    st.sampled_from(sorted(set(SHAPES) - {"longest"})),
    st.integers(0, 10_000),
    st.integers(0, 120),
    st.integers(1, 40),
    st.integers(0, 60),
)
@settings(max_examples=60, deadline=None)
def test_any_rows_pieces_and_gaps_give_the_same_bits(programs, name, seed, count, piece, gap):
    front, program = programs(name)
    rows = rows_of(front.config, seed, count)
    expected = twin(front, rows, gap)
    assert succeed(program, piece, gap, input=rows.tobytes()) == expected
    assert succeed(program, piece, gap, "saved", input=rows.tobytes()) == expected


@pytest.mark.parametrize(
    ("compiler", "flags"),
    [("gcc", ("-O3",)), ("gcc", ("-Os",)), ("clang", ("-O2",)), ("clang", SANITIZERS)],
    ids=str,
)
def test_bits_do_not_depend_on_the_compiler(compiler, flags, tmp_path):
    front = front_end(SHAPES["overlapping"])
    program = compiled(front, tmp_path, (tool(compiler), *WARNINGS, *flags))
    rows = rows_of(front.config, 5, 600)
    assert succeed(program, 16, input=rows.tobytes()) == twin(front, rows)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["aarch64", "armv7", "armv6"])
def test_other_processors_give_the_same_bits(target, tmp_path):
    emulator = (tool(TARGET[target].emulator), "-cpu", TARGET[target].processor)
    front = front_end(SHAPES["overlapping"])
    made, _ = export(front, tmp_path)
    options = ("-std=c11", "-O2", f"-I{made}")
    sources = [PROGRAM, *own_sources(made)]
    program = linux_program(target, options, sources, tmp_path / "program")
    rows = rows_of(front.config, 5, 600)
    assert succeed(*emulator, program, 16, input=rows.tobytes()) == twin(front, rows)


def test_ends_of_every_range_do_not_overflow(tmp_path):
    """Sums, squares and products at their largest, watched by the sanitizer."""
    most = IntegerWindowConfig(4096, 4096, has_deviation=True)
    reach = most.reach
    front = FrontEnd(
        IntegerWindowConfig(
            4096,
            4096,
            True,
            5,
            65_535,
            (0, 0, 0),
            (-reach, 2**30 - 2 * reach, -(2**30)),
            (reach, 2**30, -(2**30) + 2 * reach),
            (0, 2**30 - reach, reach - 2**30),
            (0, 0, 0),
        ),
        CHANNELS,
        1.0,
        Normaliser(
            np.array([1e9, -1e9, 0, 0, 0, 1e9], np.float32),
            np.array([1e-6, 1, 1e9, 1e-6, 1, 1e9], np.float32),
        ),
    )
    program = compiled(front, tmp_path, (tool("gcc"), *WARNINGS, *SANITIZERS))
    high, low = 2**31 - 1, -(2**31) + 1
    parts = [np.full((4096, 3), high), np.full((4096, 3), low), np.full((4096, 3), NONE)]
    parts += [np.repeat([[high], [low]], 2048, axis=0) * [1, 1, 1]]
    parts += [np.tile([[high], [low]], (2048, 3))]
    rows = np.concatenate(parts).astype(np.int32)
    assert succeed(program, 5000, input=rows.tobytes()) == twin(front, rows)


@pytest.mark.parametrize("level", ["-Os", "-O2", "-O3"])
@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_folder_compiles_by_itself_without_a_warning(compiler, level, tmp_path):
    folder, artifact = export(front_end(SHAPES["overlapping"]), tmp_path)
    cpu = ("-mcpu=cortex-m4", "-mthumb") if compiler.startswith("arm") else ()
    succeed(tool(compiler), *WARNINGS, *cpu, level, "-c", *own_sources(folder), cwd=folder)
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert set(artifact.files) <= written
    assert {f"c/{path.name}" for path in LIBRARY.iterdir()} <= set(artifact.files)


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_code_needs_no_float_and_no_division(core, tmp_path):
    folder, _ = export(front_end(SHAPES["overlapping"]), tmp_path)
    flags = ("-std=c11", f"-mcpu={core}", "-mthumb", "-O2")
    succeed(tool("arm-none-eabi-gcc"), *flags, "-c", *own_sources(folder), cwd=folder)
    integer = {"__aeabi_lmul", "__aeabi_llsl", "__aeabi_lasr", "__aeabi_llsr"}
    assert called_outside(folder) <= {"memcpy", "memset", "memmove"} | integer
    listing = succeed(tool("arm-none-eabi-nm"), *sorted(folder.glob("*.o"))).decode()
    assert not re.findall(r" [BbCDd] ", listing)


def test_header_is_cplusplus_and_says_what_a_driver_hands_over(tmp_path):
    front = front_end(SHAPES["overlapping"])
    folder, _ = export(front, tmp_path)
    main = folder / "main.cpp"
    main.write_text(
        '#include "sample_frontend.h"\n'
        'static_assert(sizeof(sample_frontend) == SAMPLE_FRONTEND_BYTES, "size");\n'
        "int main() {\n    sample_frontend front;\n    sample_frontend_init(&front);\n"
        "    return 0;\n}\n"
    )
    succeed(tool("g++"), "-std=c++11", "-Wall", "-Wextra", "-Werror", "-c", main, cwd=folder)
    header, config = (folder / "sample_frontend.h").read_text(), front.config
    assert f"SAMPLE_FRONTEND_BYTES {sensor_ram_bytes(config)} " in header
    for k in range(3):
        assert f"raw = value * 2^{-config.exponents[k]}: {config.low[k]} to {config.high[k]}" in (
            header
        )
    assert "stuck after 12 equal samples" in header
    assert "pump * / a" in header


def test_frames_in_float_bring_no_front_end(tmp_path):
    front = front_end(SHAPES["samples"])
    as_float = FrontEnd(WindowConfig(), CHANNELS, 50.0, front.normaliser)
    export(as_float, tmp_path)
    assert not list((tmp_path / "c").glob("*frontend*"))
    assert not list((tmp_path / "c").glob("*sensor*"))


def test_same_description_gives_the_same_bytes(tmp_path):
    texts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        folder, _ = export(front_end(SHAPES["windows"]), tmp_path / name)
        texts.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert texts[0] == texts[1]


def test_library_is_formatted_and_shifts_only_in_the_helpers():
    files = sorted(LIBRARY.glob("*.[ch]"))
    assert len(files) == 4
    succeed(tool("clang-format"), "--dry-run", "--Werror", *files, PROGRAM)
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
    headers = [common / name for name in ("rnn_edge_fixedpoint.h", "rnn_edge_bytes.h")]
    for path in (*LIBRARY.iterdir(), *headers):
        shutil.copy(path, tmp_path)
    own = {rule for _, rule in findings(tmp_path)} - rules
    text = (Path(__file__).parents[3] / "docs" / "sensors.md").read_text()
    assert own == set(re.findall(r"rule (\d+\.\d+)", text))
