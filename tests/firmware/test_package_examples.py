"""Examples of packages: their C for their processors, and the comparison that they make.

No SDK is here: build files run against stand-ins of the few functions that they call.
"""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from package_builds import (
    KINDS,
    MACHINES,
    SHARED,
    STAND_INS,
    WARNINGS,
    c_library,
    example_of,
    run_harness,
    succeed,
    tool,
)

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER as C_EXPORTER
from rnn_edge.firmware.packages import PackageSource, package_files
from rnn_edge.pipeline.package import expected_outputs
from rnn_edge.pipeline.replay import open_stream
from rnn_edge.quantize import quantize_input
from rnn_edge.types.resets import NEVER, ResetPolicy

POLICIES = (
    ResetPolicy("every", frames=3),
    ResetPolicy("quiet", frames=2, level=2.0, measure="magnitude"),
    ResetPolicy("decay", shift=2),
)


@pytest.mark.parametrize("name", KINDS)
def test_comparison_finds_the_reference_bits(name, packages, package_objects, tmp_path):
    assert run_harness(packages[name], name, package_objects, tmp_path) == (
        0,
        "OK: tiny, 9 frames, every output has the reference's bits",
    )


def test_one_wrong_expected_value_is_named(packages, packaged_bundle, package_objects, tmp_path):
    package = tmp_path / "package"
    shutil.copytree(packages["pico-sdk"], package)
    path = example_of("pico-sdk", package) / "rnn_edge_example_frames.c"
    head, values = path.read_text().split("rnn_edge_example_y[EXAMPLE_FRAMES]")
    lines = values.splitlines(keepends=True)
    numbers = [int(n) for n in re.findall(r"-?\d+", lines[5])]
    right = numbers[3]
    numbers[3] = right + 1
    lines[5] = "    {" + ", ".join(map(str, numbers)) + "},\n"
    path.write_text(f"{head}rnn_edge_example_y[EXAMPLE_FRAMES]{''.join(lines)}")
    assert run_harness(package, "pico-sdk", package_objects, tmp_path) == (
        1,
        f"DIFFERENT: tiny, frame 4, output 3: {right}; the reference has {right + 1}",
    )


def test_a_changed_weight_is_found(packages, tmp_path):
    package = tmp_path / "package"
    shutil.copytree(packages["pico-sdk"], package)
    path = package / "src" / "tiny_data.c"
    text = path.read_text()
    found = re.search(r"(tiny_layer0_x_weights\[\] = \{\s*)(-?\d+)", text)
    other = -int(found[2]) or 1
    path.write_text(text[: found.start(2)] + str(other) + text[found.end(2) :])
    sources = sorted((package / "src").glob("*.c"))
    # The weight is in the rows that targets without blocks take.
    succeed(tool("cc"), "-std=c11", "-DRNN_EDGE_PORTABLE", "-c", *sources, cwd=tmp_path)
    code, said = run_harness(package, "pico-sdk", sorted(tmp_path.glob("*.o")), tmp_path)
    assert code == 1
    assert said.startswith("DIFFERENT: tiny, frame ")


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.kind)
def test_expected_outputs_obey_the_reset_policy(policy, packaged_bundle, packages, tmp_path):
    model = packaged_bundle.model()
    export = C_EXPORTER.export(
        ExportSource(packaged_bundle.float_model(), model, reset=policy), tmp_path
    )
    files = [name for name in export.files if Path(name).parent.name == "c"]
    code = {Path(name).name: (tmp_path / name).read_bytes() for name in files}
    stream, _ = open_stream(packaged_bundle, None, None, 60)
    x = quantize_input(stream.frames[:60], model.input_exponent)
    y = expected_outputs(model, policy, x)
    assert (y != expected_outputs(model, NEVER, x)).any()
    source = PackageSource(model, code, {}, x, y, "stream", "0.1.0")
    for name, content in package_files(KINDS["arduino"], source).items():
        path = tmp_path / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    sources = sorted((tmp_path / "package" / "src").glob("*.c"))
    succeed(tool("cc"), "-std=c11", "-c", *sources, cwd=tmp_path)
    compiled = sorted(tmp_path.glob("*.o"))
    done, said = run_harness(tmp_path / "package", "arduino", compiled, tmp_path)
    assert (done, said) == (0, "OK: tiny, 60 frames, every output has the reference's bits")


def test_two_packages_share_the_kernels_of_one(packaged_bundle, packages, tmp_path):
    model = replace(packaged_bundle.model(), name="other")
    C_EXPORTER.export(ExportSource(packaged_bundle.float_model(), model), tmp_path)
    for path in (tmp_path / "c").glob("rnn_edge_*.c"):
        path.unlink()
    (tmp_path / "main.c").write_text(
        '#include "other.h"\n#include "tiny.h"\n'
        "int main(void) {\n    static tiny_stream a;\n    static other_stream b;\n"
        "    static const int16_t x[TINY_INPUTS];\n"
        "    int16_t y[TINY_OUTPUTS], z[OTHER_OUTPUTS];\n"
        "    tiny_stream_init(&a);\n    other_stream_init(&b);\n"
        "    tiny_stream_step(&a, x, y);\n    other_stream_step(&b, x, z);\n"
        "    return y[0] == z[0] ? 0 : 1;\n}\n"
    )
    whole, part = packages["arduino"] / "src", tmp_path / "c"
    sources = [tmp_path / "main.c", *sorted(whole.glob("*.c")), *sorted(part.glob("*.c"))]
    succeed(tool("cc"), "-std=c11", "-I", part, "-I", whole, *sources, "-o", tmp_path / "program")
    succeed(tmp_path / "program")


COMPILED = [(kind.name, item) for kind in KINDS.values() for item in kind.compiled]


@pytest.mark.parametrize(
    ("name", "item"), COMPILED, ids=[f"{name}-{item.name}" for name, item in COMPILED]
)
def test_c_compiles_for_the_processors(name, item, packages, tmp_path):
    example = example_of(name, packages[name])
    sources = sorted((packages[name] / KINDS[name].sources).glob("*.c"))
    includes = ("-I", packages[name] / KINDS[name].sources, "-I", example)
    command = [tool(item.compiler), *item.flags, *WARNINGS, *includes, *c_library(item), "-c"]
    succeed(*command, *sources, *(example / file for file in SHARED), cwd=tmp_path)
    assert len(list(tmp_path.glob("*.o"))) == len(sources) + len(SHARED)


EMULATED = [(name, item) for name, item in COMPILED if item.name in MACHINES]


@pytest.mark.parametrize(
    ("name", "item"), EMULATED, ids=[f"{name}-{item.name}" for name, item in EMULATED]
)
def test_comparison_runs_on_an_emulated_processor(name, item, packages, tmp_path):
    example, code = example_of(name, packages[name]), packages[name] / KINDS[name].sources
    sources = [STAND_INS / "emulated" / "start.c", STAND_INS / "main.c"]
    sources += [*(example / file for file in SHARED), *sorted(code.glob("*.c"))]
    command = [tool(item.compiler), *item.flags, "--specs=rdimon.specs"]
    command += ["-Wl,--section-start=.vectors=0", "-I", code, "-I", example]
    program = tmp_path / "program.elf"
    succeed(*command, *sources, "-o", program)
    machine = (tool("qemu-system-arm"), "-M", MACHINES[item.name], "-nographic", "-monitor", "none")
    semihosting = ("-serial", "none", "-semihosting-config", "enable=on,target=native")
    said = succeed(*machine, *semihosting, "-kernel", program)
    assert said == "OK: tiny, 9 frames, every output has the reference's bits\n"


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_headers_are_cplusplus(compiler, packages, package_objects, tmp_path):
    example = example_of("arduino", packages["arduino"])
    (tmp_path / "main.cpp").write_text(
        '#include "tiny.h"\n#include "rnn_edge_example_model.h"\n'
        "int main() {\n"
        "    static EXAMPLE_STREAM stream;\n    int16_t y[EXAMPLE_OUTPUTS];\n"
        "    EXAMPLE_INIT(&stream);\n    EXAMPLE_STEP(&stream, rnn_edge_example_x[0], y);\n"
        "    return y[0] == rnn_edge_example_y[0][0] ? 0 : 1;\n}\n"
    )
    includes = ("-I", packages["arduino"] / "src", "-I", example)
    frames = tmp_path / "frames.o"
    succeed(tool("cc"), *includes, "-c", example / "rnn_edge_example_frames.c", "-o", frames)
    flags = ("-std=c++11", *WARNINGS)
    program = tmp_path / "program"
    succeed(
        tool(compiler),
        *flags,
        *includes,
        tmp_path / "main.cpp",
        frames,
        *package_objects,
        "-o",
        program,
    )
    succeed(program)


SKETCHES = [("arduino", "selftest.ino"), ("platformio", "main.cpp")]


@pytest.mark.parametrize(("name", "sketch"), SKETCHES)
def test_sketch_prints_the_verdict(name, sketch, packages, package_objects, tmp_path):
    example = example_of(name, packages[name])
    includes = ("-I", example, "-I", packages[name] / "src", "-I", STAND_INS / "arduino")
    includes += ("-I", STAND_INS / "line")
    shared = []
    for file in SHARED:
        shared.append(tmp_path / f"{file}.o")
        succeed(tool("cc"), *includes, "-c", example / file, "-o", shared[-1])
    command = [tool("g++"), "-std=gnu++11", *WARNINGS, "-include", "Arduino.h", *includes]
    # As the Arduino builder does: a sketch is C++ with Arduino.h before its first line.
    linked = [*shared, *package_objects, "-o", tmp_path / "program"]
    core = STAND_INS / "arduino" / "core.cpp"
    succeed(*command, "-x", "c++", example / sketch, core, "-x", "none", *linked)
    assert succeed(tmp_path / "program").startswith("OK: tiny, 9 frames")


PROJECTS = [
    ("pico-sdk", "examples/selftest", "PICO_SDK_PATH", "selftest"),
    ("esp-idf", "examples/selftest", "IDF_PATH", "selftest"),
    ("zephyr", "samples/selftest", "ZEPHYR_BASE", "app"),
]


@pytest.mark.parametrize(("name", "project", "variable", "program"), PROJECTS)
def test_build_files_build_the_example(name, project, variable, program, packages, tmp_path):
    variables = {**os.environ, variable: str(STAND_INS / name), "CFLAGS": " ".join(WARNINGS)}
    command = (tool("cmake"), "-S", packages[name] / project, "-B", tmp_path)
    succeed(*command, "-Wno-dev", "-Wno-deprecated", variables=variables)
    succeed(tool("cmake"), "--build", tmp_path, variables=variables)
    assert succeed(tmp_path / program).startswith("OK: tiny, 9 frames")


IN_THE_IMAGE = {"selftest": b"every output has the reference's bits", "device": b"pico-sdk\0"}


@pytest.mark.slow
@pytest.mark.parametrize("example", IN_THE_IMAGE)
@pytest.mark.parametrize("board", ["pico", "pico2"])
def test_pico_example_builds_with_the_sdk(board, example, packages, tmp_path):
    if not os.environ.get("PICO_SDK_PATH"):
        pytest.skip("no Pico SDK; set PICO_SDK_PATH to its folder")
    project = packages["pico-sdk"] / "examples" / example
    # Without picotool, which the SDK would download, there is no UF2 file.
    options = (f"-DPICO_BOARD={board}", "-DPICO_NO_PICOTOOL=1")
    succeed(tool("cmake"), "-S", project, "-B", tmp_path, *options)
    succeed(tool("cmake"), "--build", tmp_path)
    assert IN_THE_IMAGE[example] in (tmp_path / f"{example}.bin").read_bytes()


def test_pico_example_says_what_is_missing(packages, tmp_path):
    project = packages["pico-sdk"] / "examples" / "selftest"
    command = [tool("cmake"), "-S", project, "-B", tmp_path, "-DPICO_SDK_PATH=/nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "PICO_SDK_PATH is '/nowhere'" in done.stderr
