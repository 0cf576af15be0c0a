"""Gates by the instructions for two int16 in a register, over all arguments, Armv6 and Thumb-2."""

import importlib.util
import sys
from pathlib import Path

import pytest
from c_models import succeed, tool

from rnn_edge.resources import data_folder

PROCESSORS = {
    "arm1176": ("-mcpu=arm1176jzf_s", "-marm"),
    # In the state of a Cortex-M4, and without vectors that would be taken instead.
    "cortex-a9": ("-mcpu=cortex_a9-neon", "-mthumb"),
}


# The first program for a processor takes zig its C library too, a minute or two of it.
@pytest.mark.parametrize(
    "processor", ["arm1176", pytest.param("cortex-a9", marks=pytest.mark.slow)]
)
def test_gates_have_the_bits_of_the_portable_ones(processor, tmp_path):
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("ziglang is not installed")
    common = data_folder("firmware_templates") / "common"
    files = ("rnn_edge_activation.c", "rnn_edge_lstm_units_dsp.c")
    program = tmp_path / "sweep"
    succeed(
        sys.executable, "-m", "ziglang", "cc", "-target", "arm-linux-musleabihf",
        *PROCESSORS[processor], "-std=c11", "-O2", "-static", f"-I{common}",
        *(common / name for name in files), Path(__file__).parent / "dsp_sweep.c", "-o", program,
    )  # fmt: skip
    assert succeed(tool("qemu-arm"), "-cpu", processor, program).split() == [b"0", b"0", b"0"]
