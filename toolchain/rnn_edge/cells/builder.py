"""Collects tensors and operators while a cell writes down its integer program."""

from __future__ import annotations

from typing import Literal

from rnn_edge.errors import ModelError
from rnn_edge.types import QuantizedMatrix
from rnn_edge.types.program import (
    ArgMax,
    Binary,
    FullyConnected,
    Op,
    Softmax,
    Split,
    Tensor,
    Unary,
)
from rnn_edge.types.quantized_model import SOFTMAX_EXPONENT


class ProgramBuilder:
    """A growing program; every method adds one operator and returns its output's name."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.ops: list[Op] = []

    def tensor(self, name: str, size: int, exponent: int) -> str:
        """Declare a tensor.

        Raises:
            ModelError: If the name is taken.
        """
        if name in self.tensors:
            raise ModelError(f"Program: two tensors are called {name!r}.")
        self.tensors[name] = Tensor(name, size, exponent)
        return name

    def fully_connected(
        self,
        name: str,
        x: str,
        matrix: QuantizedMatrix,
        whole: QuantizedMatrix | None = None,
        first_row: int = 0,
    ) -> str:
        """Add a matrix product; the input's scale must be the one the matrix expects."""
        if self.tensors[x].exponent != matrix.input_exponent:
            raise ModelError(f"Program: {x!r} does not have the scale that {name!r} expects.")
        self.tensor(name, matrix.rows, matrix.output_exponent)
        self.ops.append(FullyConnected(name, x, matrix, name, whole, first_row))
        return name

    def rows(self, name: str, x: str, whole: QuantizedMatrix, first: int, count: int) -> str:
        """Add the product with ``count`` rows of a matrix, from row ``first`` on."""
        return self.fully_connected(name, x, whole.part(first, count), whole, first)

    def split(self, x: str, names: list[str]) -> list[str]:
        """Cut ``x`` into ``len(names)`` equal parts at its scale."""
        whole = self.tensors[x]
        for name in names:
            self.tensor(name, whole.size // len(names), whole.exponent)
        self.ops.append(Split(x, tuple(names)))
        return names

    def binary(
        self,
        kind: Literal["add", "subtract", "multiply"],
        a: str,
        b: str,
        name: str,
        exponent: int,
    ) -> str:
        """Add an element-wise operator of two operands."""
        self.tensor(name, self.tensors[a].size, exponent)
        self.ops.append(Binary(kind, a, b, name))
        return name

    def unary(
        self, kind: Literal["logistic", "tanh", "quantize"], x: str, name: str, exponent: int
    ) -> str:
        """Add an element-wise operator of one operand."""
        self.tensor(name, self.tensors[x].size, exponent)
        self.ops.append(Unary(kind, x, name))
        return name

    def softmax(self, x: str, name: str) -> str:
        """Add the softmax of ``x``."""
        self.tensor(name, self.tensors[x].size, SOFTMAX_EXPONENT)
        self.ops.append(Softmax(x, name))
        return name

    def arg_max(self, x: str, name: str) -> str:
        """Add the index of the first of the greatest elements of ``x``."""
        self.ops.append(ArgMax(x, name))
        return name
