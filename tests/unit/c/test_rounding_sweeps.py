"""The shifts of the kernel library against the definition, value by value, in compiled C.

All 2^32 pairs of operands are met: for ADD and SUB one by one, at every difference of scales that a
lowered program has (each multiplier is a ratio of two scales), and for MUL as every integer from
-2^30 to 2^30, among which are all products of two int16.
"""

import subprocess

import pytest
from c_models import WARNINGS, succeed, tool
from kernel_definition import SOURCES
from program_scales import scales

from rnn_edge.resources import data_folder

SUMS = scales().relative_sums
SHIFTS = scales().product_shifts
LARGEST = 1 << 30
PROCESSES = 2


def compiled(output, compiler, *flags):
    common = data_folder("firmware_templates") / "common"
    source = SOURCES / "rounding_sweep.c"
    command = [tool(compiler), *WARNINGS, f"-I{common}", *flags, source, "-lm", "-o", output]
    succeed(*command)
    return output


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return compiled(
        tmp_path_factory.mktemp("sweep") / "rounding_sweep", "cc", "-O3", "-march=native"
    )


def run_all(program, kind, numbers, first, last):
    """Sweep first..last in equal parts, one process each; return how many were compared."""
    size = -(-(last - first + 1) // PROCESSES)
    parts = [(at, min(last, at + size - 1)) for at in range(first, last + 1, size)]
    arguments = [str(n) for n in numbers]
    running = [
        subprocess.Popen(
            [program, kind, *arguments, str(a), str(b)], stdout=subprocess.PIPE, text=True
        )
        for a, b in parts
    ]
    found = [(process.communicate()[0].strip(), process.returncode) for process in running]
    assert [code for _, code in found] == [0] * len(parts), found
    return sum(int(count) for count, _ in found)


@pytest.mark.parametrize("bits", SHIFTS)
def test_products_about_zero_and_at_both_ends(sweep, bits):
    for first in (-LARGEST, -50_000, LARGEST - 100_000):
        assert run_all(sweep, "product", [bits], first, first + 100_000) == 100_001


@pytest.mark.parametrize("scale", SUMS, ids=lambda scale: ",".join(map(str, scale)))
def test_sums_about_zero_and_at_both_ends(sweep, scale):
    for first in (-32768, -1, 32765):
        assert run_all(sweep, "sum", scale, first, first + 2) == 3 * 65536


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_nothing_is_undefined_at_either_end(compiler, tmp_path):
    sanitizers = "-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all"
    program = compiled(tmp_path / "sweep", compiler, *sanitizers)
    for bits in SHIFTS:
        for first in (-LARGEST, -1000, LARGEST - 2000):
            assert run_all(program, "product", [bits], first, first + 2000) == 2001
    for scale in SUMS:
        for first in (-32768, 32767):
            assert run_all(program, "sum", scale, first, first) == 65536


@pytest.mark.slow
@pytest.mark.parametrize("bits", SHIFTS)
def test_every_product(sweep, bits):
    assert run_all(sweep, "product", [bits], -LARGEST, LARGEST) == 2 * LARGEST + 1


@pytest.mark.slow
@pytest.mark.parametrize("scale", SUMS, ids=lambda scale: ",".join(map(str, scale)))
def test_every_pair_of_a_sum(sweep, scale):
    assert run_all(sweep, "sum", scale, -32768, 32767) == 1 << 32


@pytest.mark.parametrize(
    ("right", "wrong", "arguments"),
    [
        # One rounding in place of two, and ties towards plus infinity.
        ("divide_twice(product, bits)", "divide_away(product, bits)", ("product", 15, 0, 99999)),
        (
            "rnn_edge_divide_away(total, down)",
            "rnn_edge_floor_shift32(total + 1, down)",
            ("sum", 0, 0, 1, -1, -3, 3),
        ),
    ],
    ids=["product", "sum"],
)
def test_a_wrong_rounding_is_found(tmp_path, right, wrong, arguments):
    text = (SOURCES / "rounding_sweep.c").read_text()
    assert text.count(right) == 1
    source = tmp_path / "wrong.c"
    source.write_text(text.replace(right, wrong))
    common = data_folder("firmware_templates") / "common"
    flags = ["-std=c11", "-O1", f"-I{common}", f"-I{SOURCES}"]
    succeed(tool("cc"), *flags, source, "-lm", "-o", tmp_path / "wrong")
    done = subprocess.run(
        [tmp_path / "wrong", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "defined is" in done.stdout


def test_a_wrong_call_is_refused(sweep):
    assert subprocess.run([sweep, "sum", "1"], capture_output=True, check=False).returncode == 2
