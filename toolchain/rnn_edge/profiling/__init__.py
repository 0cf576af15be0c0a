"""What a model costs on Linux: time of a step, memory, start, on this machine or over SSH.

Each engine is a process of its own that answers a few commands (`subject`): the exported C as a
static program, and interpreters in a Python of their own (`worker`). Nothing of this package is
between a step and its clock.
"""
