"""The scales at which lowered programs use each operator, over all cells and cell exponents."""

import functools
from dataclasses import dataclass

import numpy as np

from rnn_edge.cells import CELLS, lower_model
from rnn_edge.types import GATES, QuantizedLayer, QuantizedMatrix, QuantizedModel
from rnn_edge.types.program import Binary, Unary

CELL_EXPONENTS = range(-15, 1)


def matrix(rows, columns, input_exponent, output_exponent):
    zeros = np.zeros((rows, columns)), np.full(rows, 2.0**-9), np.zeros(rows)
    return QuantizedMatrix(*zeros, input_exponent, output_exponent)


def smallest_model(kind, cell_exponent):
    """One unit; the scales inside a cell do not depend on its weights or its input's scale."""
    rows = len(GATES[kind])
    layer = QuantizedLayer(
        kind, matrix(rows, 1, -12, -11), matrix(rows, 1, -15, -11), cell_exponent
    )
    return QuantizedModel("smallest", "kws", (layer,), matrix(1, 1, -15, -11), ("y",))


def programs():
    """Yield the program of every cell at every exponent of its cell state."""
    for kind, cell in CELLS.items():
        for exponent in CELL_EXPONENTS if "c" in cell.states else (None,):
            yield lower_model(smallest_model(kind, exponent))


@dataclass(frozen=True)
class Scales:
    """Exponents by operator, each in order and once.

    Attributes:
        sums: (a, b, out, sign) of ADD (sign 1) and SUB (sign -1).
        products: (a, b, out) of MUL.
        conversions: (in, out) of QUANTIZE.
        tables: (operator, in, out) of LOGISTIC and TANH.
    """

    sums: tuple
    products: tuple
    conversions: tuple
    tables: tuple

    @property
    def relative_sums(self):
        """Sums with the exponents of b and out relative to a's: all that the kernels see of them.

        Every multiplier of ADD and SUB is a ratio of two scales.
        """
        return tuple(sorted({(0, b - a, out - a, sign) for a, b, out, sign in self.sums}))

    @property
    def product_shifts(self):
        """Right shifts of MUL: its one multiplier is the ratio of its scales."""
        return tuple(sorted({out - a - b for a, b, out in self.products}))


@functools.cache
def scales():
    sums, products, conversions, tables = set(), set(), set(), set()
    for program in programs():
        exponent = {name: tensor.exponent for name, tensor in program.tensors.items()}
        for op in program.ops:
            match op:
                case Binary("multiply", a, b, out):
                    products.add((exponent[a], exponent[b], exponent[out]))
                case Binary(kind, a, b, out):
                    sign = {"add": 1, "subtract": -1}[kind]
                    sums.add((exponent[a], exponent[b], exponent[out], sign))
                case Unary("quantize", x, out):
                    conversions.add((exponent[x], exponent[out]))
                case Unary(kind, x, out):
                    tables.add((kind, exponent[x], exponent[out]))
    return Scales(*(tuple(sorted(found)) for found in (sums, products, conversions, tables)))
