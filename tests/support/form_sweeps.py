"""The sweep over all forms of the kernels: its sources, and what it says where it is run."""

import subprocess
from pathlib import Path

from c_models import WARNINGS, succeed, tool

from rnn_edge.resources import data_folder

HERE = Path(__file__).parents[1] / "unit" / "c"
COMMON = data_folder("firmware_templates") / "common"
SWEEP = (HERE / "form_sweep.c", *sorted(COMMON.glob("*.c")))
INCLUDES = (f"-I{COMMON}", f"-I{HERE}")
PARTS = 26
TIMEOUT_S = 300


def portable_lines(folder):
    """What the portable forms say on this host; the program is compiled in the folder."""
    program = folder / "sweep"
    flags = (*WARNINGS, "-O2", "-DRNN_EDGE_PORTABLE", *INCLUDES)
    succeed(tool("cc"), *flags, *SWEEP, HERE / "form_sweep_hosted.c", "-o", program)
    lines = succeed(program).decode().splitlines()
    assert len(set(lines)) == PARTS
    return lines


def lines_of(*command):
    """What a program says, on its own or in an emulator."""
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()
