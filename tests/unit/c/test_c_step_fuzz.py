"""Whatever bytes there are: every form of the kernels restores and steps them alike.

`RNN_EDGE_FUZZ_SECONDS` makes the search longer than the two thousand inputs that are the default.
"""

import os
import platform
import re
import subprocess
from pathlib import Path

import pytest
from c_models import WARNINGS, Recipe, build, export, succeed, tool

from rnn_edge.types import GATES

pytestmark = pytest.mark.slow

SECONDS = os.environ.get("RNN_EDGE_FUZZ_SECONDS", "")
RUNS = 2000
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")
FORMS = {"portable": ("-DRNN_EDGE_PORTABLE",), "target": ()}
if platform.machine() in ("x86_64", "AMD64"):
    # A level that the processor lacks is the one below.
    FORMS |= {f"level{k}": (f"-DRNN_EDGE_X86_LEVEL={k}",) for k in range(2)}
RECIPES = {
    "all": Recipe(seed=71, kinds=tuple(GATES), units=(9, 34, 5, 8), inputs=3, head="softmax"),
    "extreme": Recipe(
        seed=72, kinds=("lstm", "gru"), units=(13, 32), inputs=6, weights="extreme", bias="int32"
    ),
}


def program(recipe, folder, change=lambda text: text):
    """The target and its libraries; `change` makes the kernels of one form wrong."""
    compiler = tool("clang")
    code = export(build(recipe), folder)
    sources = sorted(code.glob("*.c"))
    paths = []
    for name, flags in FORMS.items():
        if name == "target":
            gates = code / "rnn_edge_activation.h"
            gates.write_text(change(gates.read_text()))
        path = folder / f"{name}.so"
        shared = ("-fPIC", "-shared", "-fsanitize=fuzzer-no-link", *SANITIZERS)
        succeed(compiler, "-std=c11", *shared, *flags, *sources, "-o", path)
        paths.append(f'"{path}"')
    main = Path(__file__).with_name("fuzz_forms.c")
    binary = folder / "fuzz"
    command = (compiler, *WARNINGS, "-fsanitize=fuzzer", *SANITIZERS, f"-I{code}")
    done = subprocess.run(
        [*map(str, command), f"-DFORMS={','.join(paths)}", str(main), "-ldl", "-o", str(binary)],
        capture_output=True,
        text=True,
        check=False,
    )
    if re.search(r"libclang_rt\.fuzzer\S*: No such file", done.stderr):
        pytest.skip("clang comes without libFuzzer")
    assert done.returncode == 0, done.stderr
    return binary


def fuzz(binary, folder):
    corpus = folder / "corpus"
    corpus.mkdir()
    for mode in range(4):
        # A long one of every mode to start with: what grows byte by byte would take long.
        (corpus / f"mode{mode}").write_bytes(bytes([mode]) + bytes(range(256)) * 2)
    limit = f"-max_total_time={SECONDS}" if SECONDS else f"-runs={RUNS}"
    # What a process holds with its sanitizers is a matter of the machine; what it asks for is not.
    memory = ("-rss_limit_mb=0", "-malloc_limit_mb=64")
    rest = ("-seed=7", "-max_len=700", "-print_final_stats=1", str(corpus))
    return subprocess.run(
        [str(binary), limit, *memory, *rest],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


@pytest.mark.parametrize("case", RECIPES)
def test_every_form_does_the_same_with_any_bytes(case, tmp_path):
    done = fuzz(program(RECIPES[case], tmp_path), tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    executed = re.search(r"stat::number_of_executed_units: (\d+)", done.stderr)
    assert int(executed[1]) >= (1 if SECONDS else RUNS)


def test_a_form_that_differs_is_found(tmp_path):
    """The test above can fail: a constant of one form is one more than that of the others."""

    def change(text):
        assert text.count("(1 << 14)") == 1
        return text.replace("(1 << 14)", "((1 << 14) + 1)")

    done = fuzz(program(RECIPES["all"], tmp_path, change), tmp_path)
    assert done.returncode != 0
    assert "forms differ" in done.stderr
