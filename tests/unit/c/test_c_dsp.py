"""Gates by the instructions for two int16 in a register, over all arguments, Armv6 and Thumb-2."""

from pathlib import Path

import pytest
from c_models import succeed, tool
from linux_programs import linux_program

from rnn_edge.resources import data_folder

PROCESSORS = {
    "arm1176": ("-mcpu=arm1176jzf_s", "-marm"),
    # In the state of a Cortex-M4, and without vectors that would be taken instead.
    "cortex-a9": ("-mcpu=cortex_a9-neon", "-mthumb"),
}


# The first program for a processor takes zig its C library too, half a minute or more of it.
@pytest.mark.slow
@pytest.mark.parametrize("processor", PROCESSORS)
def test_gates_have_the_bits_of_the_portable_ones(processor, tmp_path):
    common = data_folder("firmware_templates") / "common"
    files = ("rnn_edge_activation.c", "rnn_edge_lstm_units_dsp.c")
    options = (*PROCESSORS[processor], "-std=c11", "-O2", f"-I{common}")
    sources = (*(common / name for name in files), Path(__file__).parent / "dsp_sweep.c")
    program = linux_program("armv6", options, sources, tmp_path / "sweep")
    assert succeed(tool("qemu-arm"), "-cpu", processor, program).split() == [b"0", b"0", b"0"]
