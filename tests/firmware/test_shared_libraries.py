"""Shared libraries for Linux: loaded by programs of their machine, and by this process."""

import ctypes
import os
import platform
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_models import Recipe, build, export, frames, succeed, tool

from rnn_edge.errors import MissingDependencyError
from rnn_edge.firmware.linux import LIBRARY_TARGETS, TARGETS, build_shared_library, library_name
from rnn_edge.firmware.toolchain import ZIG_COMMAND
from rnn_edge.reference import IntegerReference

USER = Path(__file__).parent / "shared_library_user.c"
RECIPE = Recipe(seed=35, kinds=("gru", "lstm"), units=(6, 9), bias="int64", shifts="any")
MODEL = build(RECIPE)
STEPS = 400
SYSTEMS = {
    "aarch64": ("aarch64-linux-gnu", "/usr/aarch64-linux-gnu", "libc6-arm64-cross"),
    "armv7": ("arm-linux-gnueabihf", "/usr/arm-linux-gnueabihf", "libc6-armhf-cross"),
    # There is no C library for this one alone; the one above asks for an ARMv7.
    "armv6": ("arm-linux-gnueabihf", "/usr/arm-linux-gnueabihf", "libc6-armhf-cross"),
}
PROCESSORS = {"aarch64": "cortex-a53", "armv7": "cortex-a7", "armv6": "cortex-a7"}


def library(target, folder):
    folder.mkdir(exist_ok=True)
    sources = sorted(export(MODEL, folder).iterdir())
    try:
        return build_shared_library(target, MODEL, sources, folder / "work")
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.mark.slow
@pytest.mark.parametrize("target", LIBRARY_TARGETS, ids=lambda target: target.name)
def test_a_library_has_the_models_functions_and_needs_nothing(target, tmp_path):
    path = library(target, tmp_path / "one")
    dynamic = succeed(tool("readelf"), "-dW", path).decode()
    assert f"soname: [{library_name(MODEL)}]" in dynamic
    assert "NEEDED" not in dynamic
    assert "TEXTREL" not in dynamic
    rows = succeed(tool("readelf"), "-W", "--dyn-syms", path).decode().splitlines()
    names = {row.split()[-1] for row in rows if row.strip()[:1].isdigit() and len(row.split()) == 8}
    for function in ("init", "step", "reset", "save", "restore", "stream_step", "stream_save"):
        assert f"{MODEL.name}_{function}" in names
    assert {name for name in names if not name.startswith(f"{MODEL.name}_")} == set()
    assert library(target, tmp_path / "two").read_bytes() == path.read_bytes()
    assert str(tmp_path).encode() not in path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_program_of_the_machine_gets_the_bits_of_the_reference(target, tmp_path):
    triple, root, package = SYSTEMS[target.name]
    emulator = tool(target.emulator)
    if not Path(root).is_dir():
        pytest.skip(f"no C library of {target.name} at {root}: apt-get install {package}")
    beside = tmp_path / library_name(MODEL)
    beside.write_bytes(library(target, tmp_path).read_bytes())
    where = ["-target", f"{triple}.2.17", "-O2", f"-I{tmp_path / 'c'}", f"-L{tmp_path}"]
    command = [*ZIG_COMMAND, *where, USER, f"-l{MODEL.name}", "-o", tmp_path / "user"]
    succeed(*command, cwd=tmp_path, env={**os.environ, "ZIG_LOCAL_CACHE_DIR": str(tmp_path / "z")})
    x = frames(RECIPE, STEPS)
    command = [emulator, "-cpu", PROCESSORS[target.name], "-L", root]
    command += ["-E", f"LD_LIBRARY_PATH={tmp_path}"]
    ran = subprocess.run(
        [*command, tmp_path / "user"],
        input=x.astype("<i2").tobytes(),
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    y = np.frombuffer(ran.stdout, "<i2").reshape(STEPS, MODEL.outputs)
    np.testing.assert_array_equal(y, IntegerReference(MODEL).run(x[None]).outputs[0])


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the library is for x86-64")
def test_a_library_is_loaded_by_this_process(tmp_path):
    target = next(target for target in LIBRARY_TARGETS if target.name == "x86_64")
    loaded = ctypes.CDLL(str(library(target, tmp_path)))
    state = (ctypes.c_int16 * 4096)()
    x = frames(RECIPE, STEPS)
    y = np.zeros((STEPS, MODEL.outputs), np.int16)
    loaded.sample_init(state)
    for t in range(STEPS):
        row = np.ascontiguousarray(x[t])
        at = ctypes.c_void_p(y.ctypes.data + t * y.strides[0])
        loaded.sample_step(state, ctypes.c_void_p(row.ctypes.data), at)
    np.testing.assert_array_equal(y, IntegerReference(MODEL).run(x[None]).outputs[0])
