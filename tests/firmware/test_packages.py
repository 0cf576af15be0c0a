"""Packages: their metadata, their C for their processors, and the comparison of their example.

No SDK is here: build files run against stand-ins of the few functions that they call.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from untrained import SPEC, replace_training

from rnn_edge.errors import (
    BundleError,
    DataError,
    EnvironmentFailureError,
    ModelError,
    RnnEdgeError,
)
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER as C_EXPORTER
from rnn_edge.firmware import packages
from rnn_edge.firmware.package_kinds import all_package_kinds
from rnn_edge.firmware.packages import MANIFEST, PackageSource, package_files
from rnn_edge.pipeline import build_bundle
from rnn_edge.pipeline.files import file_digest, tree_digests
from rnn_edge.pipeline.package import PackageRequest, expected_outputs, package_bundle
from rnn_edge.pipeline.replay import open_stream
from rnn_edge.quantize import quantize_input
from rnn_edge.resources import data_folder
from rnn_edge.spec import load_spec
from rnn_edge.types.resets import NEVER, ResetPolicy

ROOT = Path(__file__).resolve().parents[2]
STAND_INS = Path(__file__).with_name("sdk_stand_ins")
KINDS = all_package_kinds()
WARNINGS = ("-Wall", "-Wextra", "-Werror")
SHARED = ("rnn_edge_example.c", "rnn_edge_example_frames.c")
MACHINES = {"Cortex-M0+": "mps2-an385", "Cortex-M4": "mps2-an386"}
"""What QEMU runs a processor's code on; M0+ code is a part of what the first one's M3 knows."""

POLICIES = (
    ResetPolicy("every", frames=3),
    ResetPolicy("quiet", frames=2, level=2.0, measure="magnitude"),
    ResetPolicy("decay", shift=2),
)


def tool(name):
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def succeed(*command, cwd=None, variables=None):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A bundle of random weights, as far as a package needs it."""
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "tiny.toml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        replace_training(patch.setattr)
        spec = load_spec(folder / "tiny.toml", [])
        return build_bundle(spec, folder / "out", progress=lambda *_: None, until="export")


@pytest.fixture(scope="module")
def made(bundle, tmp_path_factory):
    """A package of every kind, by kind."""
    folder = tmp_path_factory.mktemp("packages")
    found = {}
    for name in KINDS:
        # A folder of the model's name: some ecosystems take it for the name of the library.
        request = PackageRequest(name, folder / name / "tiny", frames=9, version="1.2.3")
        found[name] = package_bundle(bundle, request).path
    return found


@pytest.fixture(scope="module")
def objects(made, tmp_path_factory):
    """The exported C of a package, compiled for this host once: all kinds have the same."""
    folder = tmp_path_factory.mktemp("objects")
    sources = sorted((made["arduino"] / "src").glob("*.c"))
    succeed(tool("cc"), "-std=c11", "-c", *sources, cwd=folder)
    return sorted(folder.glob("*.o"))


def example_of(name, package):
    return package / KINDS[name].example


def run_harness(package, name, objects, work):
    """Return exit code and output of the example's comparison on this host."""
    example = example_of(name, package)
    includes = ("-I", example, "-I", package / KINDS[name].sources)
    sources = [STAND_INS / "main.c", *(example / file for file in SHARED)]
    command = [tool("cc"), "-std=c11", *WARNINGS, "-Wconversion", "-Wshadow", *includes]
    succeed(*command, *sources, *objects, "-o", work / "program")
    done = subprocess.run([work / "program"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip()


def test_there_are_the_kinds_that_the_docs_name():
    text = (ROOT / "docs" / "packages.md").read_text()
    assert {"arduino", "platformio", "zephyr", "esp-idf", "pico-sdk"} <= set(KINDS)
    for name in KINDS:
        assert f"| `{name}` |" in text


@pytest.mark.parametrize("name", KINDS)
def test_exported_c_is_unchanged(name, made, bundle):
    exported = tree_digests(bundle.exports / "c")
    assert tree_digests(made[name] / KINDS[name].sources) == exported


@pytest.mark.parametrize("name", KINDS)
def test_manifest_names_the_model_and_every_file(name, made, bundle):
    facts = json.loads((made[name] / MANIFEST).read_text())
    assert facts["model_digest"] == bundle.model().digest()
    assert (facts["kind"], facts["version"], facts["frames"]) == (name, "1.2.3", 9)
    digests = tree_digests(made[name])
    del digests[MANIFEST]
    assert facts["files"] == digests


@pytest.mark.parametrize("name", KINDS)
def test_licence_and_digest_are_inside_and_nothing_is_left_open(name, made, bundle):
    assert (made[name] / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    readme = (made[name] / "README.md").read_text()
    assert bundle.model().digest() in readme
    assert re.search(r"\nNot built with [^.]*\bnot\s+run on a board|Not run on a board\.", readme)
    for path in made[name].rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not re.search(r"@\w+@", text), path
            assert str(bundle.path) not in text
            assert max(map(len, text.splitlines())) < 260, path


@pytest.mark.parametrize("name", KINDS)
def test_comparison_finds_the_reference_bits(name, made, objects, tmp_path):
    assert run_harness(made[name], name, objects, tmp_path) == (
        0,
        "OK: tiny, 9 frames, every output has the reference's bits",
    )


def test_one_wrong_expected_value_is_named(made, bundle, objects, tmp_path):
    package = tmp_path / "package"
    shutil.copytree(made["pico-sdk"], package)
    path = example_of("pico-sdk", package) / "rnn_edge_example_frames.c"
    head, values = path.read_text().split("rnn_edge_example_y[EXAMPLE_FRAMES]")
    lines = values.splitlines(keepends=True)
    numbers = [int(n) for n in re.findall(r"-?\d+", lines[5])]
    right = numbers[3]
    numbers[3] = right + 1
    lines[5] = "    {" + ", ".join(map(str, numbers)) + "},\n"
    path.write_text(f"{head}rnn_edge_example_y[EXAMPLE_FRAMES]{''.join(lines)}")
    assert run_harness(package, "pico-sdk", objects, tmp_path) == (
        1,
        f"DIFFERENT: tiny, frame 4, output 3: {right}; the reference has {right + 1}",
    )


def test_a_changed_weight_is_found(made, tmp_path):
    package = tmp_path / "package"
    shutil.copytree(made["pico-sdk"], package)
    path = package / "src" / "tiny_data.c"
    text = path.read_text()
    found = re.search(r"(tiny_layer0_x_weights\[\] = \{\s*)(-?\d+)", text)
    other = -int(found[2]) or 1
    path.write_text(text[: found.start(2)] + str(other) + text[found.end(2) :])
    sources = sorted((package / "src").glob("*.c"))
    succeed(tool("cc"), "-std=c11", "-c", *sources, cwd=tmp_path)
    code, said = run_harness(package, "pico-sdk", sorted(tmp_path.glob("*.o")), tmp_path)
    assert code == 1
    assert said.startswith("DIFFERENT: tiny, frame ")


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.kind)
def test_expected_outputs_obey_the_reset_policy(policy, bundle, made, tmp_path):
    model = bundle.model()
    export = C_EXPORTER.export(ExportSource(bundle.float_model(), model, reset=policy), tmp_path)
    code = {Path(name).name: (tmp_path / name).read_bytes() for name in export.files}
    stream, _ = open_stream(bundle, None, None, 60)
    x = quantize_input(stream.frames[:60], model.input_exponent)
    y = expected_outputs(model, policy, x)
    assert (y != expected_outputs(model, NEVER, x)).any()
    source = PackageSource(model, code, x, y, "stream", "0.1.0")
    for name, content in package_files(KINDS["arduino"], source).items():
        path = tmp_path / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    sources = sorted((tmp_path / "package" / "src").glob("*.c"))
    succeed(tool("cc"), "-std=c11", "-c", *sources, cwd=tmp_path)
    compiled = sorted(tmp_path.glob("*.o"))
    done, said = run_harness(tmp_path / "package", "arduino", compiled, tmp_path)
    assert (done, said) == (0, "OK: tiny, 60 frames, every output has the reference's bits")


def test_two_packages_share_the_kernels_of_one(bundle, made, tmp_path):
    model = replace(bundle.model(), name="other")
    C_EXPORTER.export(ExportSource(bundle.float_model(), model), tmp_path)
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
    whole, part = made["arduino"] / "src", tmp_path / "c"
    sources = [tmp_path / "main.c", *sorted(whole.glob("*.c")), *sorted(part.glob("*.c"))]
    succeed(tool("cc"), "-std=c11", "-I", part, "-I", whole, *sources, "-o", tmp_path / "program")
    succeed(tmp_path / "program")


COMPILED = [(kind.name, item) for kind in KINDS.values() for item in kind.compiled]


@pytest.mark.parametrize(
    ("name", "item"), COMPILED, ids=[f"{name}-{item.name}" for name, item in COMPILED]
)
def test_c_compiles_for_the_processors(name, item, made, tmp_path):
    example = example_of(name, made[name])
    sources = sorted((made[name] / KINDS[name].sources).glob("*.c"))
    includes = ("-I", made[name] / KINDS[name].sources, "-I", example)
    command = [tool(item.compiler), *item.flags, *WARNINGS, *includes, *c_library(item), "-c"]
    succeed(*command, *sources, *(example / file for file in SHARED), cwd=tmp_path)
    assert len(list(tmp_path.glob("*.o"))) == len(sources) + len(SHARED)


EMULATED = [(name, item) for name, item in COMPILED if item.name in MACHINES]


@pytest.mark.parametrize(
    ("name", "item"), EMULATED, ids=[f"{name}-{item.name}" for name, item in EMULATED]
)
def test_comparison_runs_on_an_emulated_processor(name, item, made, tmp_path):
    example, code = example_of(name, made[name]), made[name] / KINDS[name].sources
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


def c_library(item):
    """Return options that stand in for the C library of a compiler that comes without one."""
    done = subprocess.run(
        [tool(item.compiler), *item.flags, "-E", "-x", "c", "-"],
        input="#include <string.h>\n",
        capture_output=True,
        text=True,
        check=False,
    )
    freestanding = data_folder("firmware_templates") / "baremetal" / "freestanding"
    folders = () if done.returncode == 0 else (freestanding, STAND_INS / "libc")
    options = [part for folder in folders for part in ("-isystem", folder)]
    # Its stdint.h is the C library's too, unless there is none to be expected.
    return [*options, "-ffreestanding"] if options else []


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_headers_are_cplusplus(compiler, made, objects, tmp_path):
    example = example_of("arduino", made["arduino"])
    (tmp_path / "main.cpp").write_text(
        '#include "tiny.h"\n#include "rnn_edge_example_model.h"\n'
        "int main() {\n"
        "    static EXAMPLE_STREAM stream;\n    int16_t y[EXAMPLE_OUTPUTS];\n"
        "    EXAMPLE_INIT(&stream);\n    EXAMPLE_STEP(&stream, rnn_edge_example_x[0], y);\n"
        "    return y[0] == rnn_edge_example_y[0][0] ? 0 : 1;\n}\n"
    )
    includes = ("-I", made["arduino"] / "src", "-I", example)
    frames = tmp_path / "frames.o"
    succeed(tool("cc"), *includes, "-c", example / "rnn_edge_example_frames.c", "-o", frames)
    flags = ("-std=c++11", *WARNINGS)
    program = tmp_path / "program"
    succeed(
        tool(compiler), *flags, *includes, tmp_path / "main.cpp", frames, *objects, "-o", program
    )
    succeed(program)


SKETCHES = [("arduino", "selftest.ino"), ("platformio", "main.cpp")]


@pytest.mark.parametrize(("name", "sketch"), SKETCHES)
def test_sketch_prints_the_verdict(name, sketch, made, objects, tmp_path):
    example = example_of(name, made[name])
    includes = ("-I", example, "-I", made[name] / "src", "-I", STAND_INS / "arduino")
    shared = []
    for file in SHARED:
        shared.append(tmp_path / f"{file}.o")
        succeed(tool("cc"), *includes, "-c", example / file, "-o", shared[-1])
    command = [tool("g++"), "-std=gnu++11", *WARNINGS, "-include", "Arduino.h", *includes]
    # As the Arduino builder does: a sketch is C++ with Arduino.h before its first line.
    linked = [*shared, *objects, "-o", tmp_path / "program"]
    succeed(*command, "-x", "c++", example / sketch, "-x", "none", *linked)
    assert succeed(tmp_path / "program").startswith("OK: tiny, 9 frames")


PROJECTS = [
    ("pico-sdk", "examples/selftest", "PICO_SDK_PATH", "selftest"),
    ("esp-idf", "examples/selftest", "IDF_PATH", "selftest"),
    ("zephyr", "samples/selftest", "ZEPHYR_BASE", "app"),
]


@pytest.mark.parametrize(("name", "project", "variable", "program"), PROJECTS)
def test_build_files_build_the_example(name, project, variable, program, made, tmp_path):
    variables = {**os.environ, variable: str(STAND_INS / name), "CFLAGS": " ".join(WARNINGS)}
    command = (tool("cmake"), "-S", made[name] / project, "-B", tmp_path)
    succeed(*command, "-Wno-dev", "-Wno-deprecated", variables=variables)
    succeed(tool("cmake"), "--build", tmp_path, variables=variables)
    assert succeed(tmp_path / program).startswith("OK: tiny, 9 frames")


@pytest.mark.slow
@pytest.mark.parametrize("board", ["pico", "pico2"])
def test_pico_example_builds_with_the_sdk(board, made, tmp_path):
    if not os.environ.get("PICO_SDK_PATH"):
        pytest.skip("no Pico SDK; set PICO_SDK_PATH to its folder")
    project = made["pico-sdk"] / "examples" / "selftest"
    # Without picotool, which the SDK would download, there is no UF2 file.
    options = (f"-DPICO_BOARD={board}", "-DPICO_NO_PICOTOOL=1")
    succeed(tool("cmake"), "-S", project, "-B", tmp_path, *options)
    succeed(tool("cmake"), "--build", tmp_path)
    assert b"every output has the reference's bits" in (tmp_path / "selftest.bin").read_bytes()


def test_pico_example_says_what_is_missing(made, tmp_path):
    project = made["pico-sdk"] / "examples" / "selftest"
    command = [tool("cmake"), "-S", project, "-B", tmp_path, "-DPICO_SDK_PATH=/nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "PICO_SDK_PATH is '/nowhere'" in done.stderr


def test_arduino_properties(made):
    lines = (made["arduino"] / "library.properties").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines)
    assert len(values) == len(lines)
    # Source: Arduino library specification, "Library metadata".
    needed = "name version author maintainer sentence paragraph category url architectures"
    assert set(needed.split()) <= set(values)
    assert all(values.values())
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.\-]{0,62}", values["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", values["version"])
    assert values["category"] == "Data Processing"
    assert "avr" not in values["architectures"].split(",")
    assert values["includes"] == "tiny.h"
    assert (made["arduino"] / "src" / values["includes"]).is_file()
    sketches = list((made["arduino"] / "examples").rglob("*.ino"))
    assert [path.stem for path in sketches] == [path.parent.name for path in sketches]


def test_platformio_library(made):
    values = json.loads((made["platformio"] / "library.json").read_text())
    # Source: PlatformIO documentation, "library.json".
    allowed = "name version description keywords homepage repository authors license frameworks"
    allowed += " platforms headers examples dependencies export scripts build"
    assert set(values) <= set(allowed.split())
    assert {"name", "version"} <= set(values)
    assert not re.search(r"[:;/,@<>]", values["name"])
    assert len(values["name"]) <= 50
    assert len(values["version"]) <= 20
    assert len(values["description"]) <= 255
    assert set(values["build"]) <= {"srcDir", "includeDir", "flags", "srcFilter"}
    assert (made["platformio"] / values["build"]["srcDir"] / values["headers"]).is_file()
    (example,) = values["examples"]
    folder = made["platformio"] / example["base"]
    assert set(tree_digests(folder)) == set(example["files"])
    settings = (folder / "platformio.ini").read_text()
    place = re.search(r"tiny=symlink://(\S+)", settings)[1]
    assert (folder / place / "library.json").is_file()


def test_zephyr_module(made):
    folder = made["zephyr"]
    module = yaml.safe_load((folder / "zephyr" / "module.yml").read_text())
    assert module["name"] == "rnn_edge_tiny"
    assert (folder / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    kconfig = (folder / module["build"]["kconfig"]).read_text()
    symbols = {f"CONFIG_{name}" for name in re.findall(r"^config (\w+)$", kconfig, re.M)}
    assert symbols == {"CONFIG_RNN_EDGE_TINY"}
    (samples,) = module["samples"]
    sample = folder / samples / "selftest"
    assert "CONFIG_RNN_EDGE_TINY=y\n" in (sample / "prj.conf").read_text()
    assert "if(CONFIG_RNN_EDGE_TINY)" in (folder / "CMakeLists.txt").read_text()
    described = yaml.safe_load((sample / "sample.yaml").read_text())
    (test,) = described["tests"].values()
    (expected,) = test["harness_config"]["regex"]
    assert re.match(expected, "OK: tiny, 9 frames")


def test_esp_idf_component(made, bundle):
    values = yaml.safe_load((made["esp-idf"] / "idf_component.yml").read_text())
    assert set(values) == {"version", "description", "license", "dependencies"}
    assert values["version"] == "1.2.3"
    assert values["license"] == "Apache-2.0"
    assert set(values["dependencies"]) == {"idf"}
    assert bundle.model().digest() in values["description"]


def test_same_bundle_gives_the_same_bytes(bundle, made, tmp_path):
    request = PackageRequest("zephyr", tmp_path / "other", frames=9, version="1.2.3")
    again = package_bundle(bundle, request).path
    assert tree_digests(again) == tree_digests(made["zephyr"])


def test_an_unchanged_package_is_replaced_whole(bundle, tmp_path):
    out = tmp_path / "p"
    package_bundle(bundle, PackageRequest("zephyr", out))
    package_bundle(bundle, PackageRequest("arduino", out, frames=3))
    assert not (out / "Kconfig").exists()
    assert json.loads((out / MANIFEST).read_text())["frames"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("change", ["added", "edited", "linked", "foreign", "file"])
def test_a_folder_with_other_files_is_refused_and_left_alone(change, bundle, tmp_path):
    out = tmp_path / "p"
    if change == "file":
        out.write_text("mine")
    elif change == "foreign":
        out.mkdir()
        (out / "notes.txt").write_text("mine")
    else:
        package_bundle(bundle, PackageRequest("arduino", out))
        if change == "added":
            (out / "notes.txt").write_text("mine")
        elif change == "linked":
            (out / "notes.txt").symlink_to(tmp_path)
        else:
            (out / "examples" / "selftest" / "selftest.ino").write_text("mine")
    before = tree_digests(out) if out.is_dir() else file_digest(out)
    with pytest.raises(BundleError, match=r"selftest\.ino|notes\.txt|a file of this name"):
        package_bundle(bundle, PackageRequest("arduino", out))
    assert (tree_digests(out) if out.is_dir() else file_digest(out)) == before
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_failed_write_leaves_the_earlier_package(bundle, tmp_path, monkeypatch):
    out = tmp_path / "p"
    package_bundle(bundle, PackageRequest("arduino", out))
    before = tree_digests(out)
    original = Path.write_bytes

    def full(path, content):
        if path.name == MANIFEST:
            raise OSError(28, "No space left on device", str(path))
        return original(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EnvironmentFailureError, match="No space left"):
        package_bundle(bundle, PackageRequest("zephyr", out))
    assert tree_digests(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("refusal", [OSError(13, "Permission denied"), KeyboardInterrupt()])
def test_an_exchange_that_ends_half_way_is_undone(refusal, bundle, tmp_path, monkeypatch):
    out = tmp_path / "p"
    package_bundle(bundle, PackageRequest("arduino", out))
    before = tree_digests(out)
    original = Path.replace

    def stopped(path, target):
        if path.name == "new":
            raise refusal
        return original(path, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises((EnvironmentFailureError, KeyboardInterrupt)):
        package_bundle(bundle, PackageRequest("zephyr", out))
    assert tree_digests(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_an_unknown_kind_lists_the_known_ones(bundle, tmp_path):
    with pytest.raises(RnnEdgeError, match="'mbed'; known are arduino, esp-idf, pico-sdk"):
        package_bundle(bundle, PackageRequest("mbed", tmp_path / "p"))


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "01.0.0", "1.0.0-rc1", "1" * 20 + ".0.0", ""])
def test_a_version_that_is_none_is_refused(version, bundle, tmp_path):
    with pytest.raises(RnnEdgeError, match="expected three numbers such as"):
        package_bundle(bundle, PackageRequest("arduino", tmp_path / "p", version=version))
    assert not (tmp_path / "p").exists()


def test_a_name_that_is_a_header_of_the_ecosystem_is_refused(bundle):
    model = replace(bundle.model(), name="Arduino")
    zeros = np.zeros((1, 6), np.int16)
    source = PackageSource(model, {}, zeros, zeros, "stream", "0.1.0")
    with pytest.raises(ModelError, match=r"arduino\.h is a header there"):
        package_files(KINDS["arduino"], source)
    assert package_files(KINDS["zephyr"], source)


def test_a_placeholder_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(EnvironmentFailureError, match="placeholders nam; expected of name, upper"):
        packages._filled(b"a @nam@ and @name@", {"name": "x", "upper": "X"}, tmp_path)


def test_a_bundle_without_c_is_refused(bundle, tmp_path):
    shutil.copytree(bundle.path, tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    kept = {k: v for k, v in manifest["files"].items() if not k.endswith("rnn_edge_reset.h")}
    older = type(bundle)(tmp_path / "bundle", {**manifest, "files": kept})
    with pytest.raises(BundleError, match="exported by a version before reset policies"):
        package_bundle(older, PackageRequest("arduino", tmp_path / "p"))
    kept = {k: v for k, v in kept.items() if not k.startswith("exports/")}
    unfinished = type(bundle)(tmp_path / "bundle", {**manifest, "files": kept})
    with pytest.raises(BundleError, match=r"has no exports/c/tiny\.h"):
        package_bundle(unfinished, PackageRequest("arduino", tmp_path / "p"))


def test_frames_of_other_recordings(bundle, tmp_path):
    request = PackageRequest("arduino", tmp_path / "p", data=tmp_path / "nowhere")
    with pytest.raises((DataError, RnnEdgeError)):
        package_bundle(bundle, request)
    assert not (tmp_path / "p").exists()
