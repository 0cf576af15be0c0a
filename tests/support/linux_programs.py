"""Programs for Linux on other processors, linked to the C library that zig has compiled already.

zig compiles a C library for every processor, and another one for every other way of linking, most
of a minute each. What is compiled here may be for any processor; it is linked as the toolchain's
own programs of the target are.
"""

import pytest
from c_models import succeed

from rnn_edge.firmware.linux import FLAGS, TARGETS
from rnn_edge.firmware.toolchain import ZIG_COMMAND

TARGET = {target.name: target for target in TARGETS}


def linux_program(name, options, sources, program):
    """Compile sources by options, which may name another processor, into a program."""
    pytest.importorskip("ziglang", reason="zig is not installed")
    flags = TARGET[name].flags
    objects = []
    for number, source in enumerate(sources):
        objects.append(program.with_name(f"{program.name}-{number}.o"))
        succeed(*ZIG_COMMAND, *flags, *options, "-c", source, "-o", objects[-1])
    succeed(*ZIG_COMMAND, *FLAGS, *flags, *objects, "-o", program)
    return program
