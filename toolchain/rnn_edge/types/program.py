"""A quantized model as a small program of integer steps, one per builtin operator."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from rnn_edge.types.quantized_model import QuantizedMatrix


@dataclass(frozen=True)
class Tensor:
    """An int16 vector of ``size`` values at scale ``2**exponent``, zero point 0."""

    name: str
    size: int
    exponent: int


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """``out = rescale(matrix.weight @ x + matrix.bias)``; ``name`` names the constants.

    Attributes:
        whole: The matrix of the model that ``matrix`` was cut from; None where it is one itself.
        first_row: Row of ``whole`` that ``matrix`` begins with.
    """

    name: str
    x: str
    matrix: QuantizedMatrix
    out: str
    whole: QuantizedMatrix | None = None
    first_row: int = 0


@dataclass(frozen=True)
class Split:
    """Cut ``x`` into equal parts, in order."""

    x: str
    outs: tuple[str, ...]


@dataclass(frozen=True)
class Binary:
    """``out = a (+, -, *) b``, element by element."""

    kind: Literal["add", "subtract", "multiply"]
    a: str
    b: str
    out: str


@dataclass(frozen=True)
class Unary:
    """``out = f(x)``, element by element; "quantize" changes the scale only."""

    kind: Literal["logistic", "tanh", "quantize"]
    x: str
    out: str


@dataclass(frozen=True)
class Softmax:
    """``out = exp(x) / sum(exp(x))`` over all elements, at scale 2^-15."""

    x: str
    out: str


@dataclass(frozen=True)
class ArgMax:
    """``out`` is the index of the first of the greatest elements of ``x``; it is no tensor."""

    x: str
    out: str


Op = FullyConnected | Split | Binary | Unary | Softmax | ArgMax
"""Every ``match`` over it is complete, and mypy checks that: it names each place to add one to."""


@dataclass(frozen=True, eq=False)
class Program:
    """One time step.

    Attributes:
        name: The model's name.
        tensors: Every tensor by name.
        ops: In order of execution.
        x: Name of the input frame.
        y: Name of the output.
        states: Name of each state, as in `QuantizedModel.state_exponents`, to the names of the
            tensors that carry it into and out of the step.
        label: Name of the index that an `ArgMax` makes of ``y``, or None.
    """

    name: str
    tensors: MappingProxyType[str, Tensor]
    ops: tuple[Op, ...]
    x: str
    y: str
    states: MappingProxyType[str, tuple[str, str]]
    label: str | None = None
