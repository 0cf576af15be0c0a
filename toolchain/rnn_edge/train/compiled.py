"""How functions of tensors are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import tensorflow as tf

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that XLA compiles when it is first called with tensors of a shape.

    It is traced without AutoGraph, which reads and rewrites the source of all that is called, anew
    in every process: loops here are `tf.while_loop`, and every condition is Python's.

    Args:
        function: Of tensors; what it decides by itself it decides once, when it is traced.
    """
    made: Callable[P, R] = tf.function(function, jit_compile=True, autograph=False)
    return made
