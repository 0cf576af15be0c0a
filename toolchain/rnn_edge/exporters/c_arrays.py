"""The constants of a matrix as C: which form the kernels can use, and the arrays' text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.exporters.c_blocks import SIDE, block_text, in_blocks
from rnn_edge.exporters.c_kept import KeptColumns
from rnn_edge.fixedpoint import accumulator_bound, row_multipliers
from rnn_edge.types import Array, QuantizedMatrix
from rnn_edge.types.accumulators import AccumulatorBound
from rnn_edge.types.c_choices import CChoices

WIDE_LIMIT = 1 << 47
"""Sums below this in magnitude, times a 15-bit multiplier, fit an int64 with its rounding term."""
SMALLEST_NARROW_SHIFT = 32
LARGEST_WIDENING = 16
"""A multiplier below 2^15 can grow by this many bits and stay an int32."""

_LINE_WIDTH = 100


@dataclass(frozen=True, eq=False)
class CMatrix:
    """A matrix in the form that the kernels take.

    Attributes:
        bound: The bound that the choice of the form rests on.
        weight: int8 (N, K).
        multiplier: int32 (N,), positive.
        bias: int64 (N,); its values fit an int32 in the narrow form.
        narrow_shift: The shift of all rows in the narrow form, 32..46; 0 in the wide form.
        wide_shift: uint8 (N,), the shift of each row in the wide form, 1..46.
    """

    bound: AccumulatorBound
    weight: Array
    multiplier: Array
    bias: Array
    narrow_shift: int
    wide_shift: Array

    @property
    def is_narrow(self) -> bool:
        """Whether sums are proved to fit an int32 and all rows share one shift."""
        return self.narrow_shift > 0


def proved_bound(matrix: QuantizedMatrix, name: str) -> AccumulatorBound:
    """Return the bound on all sums of a matrix.

    Args:
        matrix: The matrix.
        name: Its name, for the message.

    Raises:
        ModelError: If the kernels' int64 arithmetic could overflow.
    """
    proof = accumulator_bound(name, matrix)
    if proof.bound >= WIDE_LIMIT:
        raise ModelError(
            f"Matrix {name}: sums reach {proof.bound}; expected less than 2^47.",
            "a bias this large saturates its output at every step; check the weights",
        )
    return proof


def c_matrix(matrix: QuantizedMatrix, name: str) -> CMatrix:
    """Return the kernels' form of a matrix, the narrow one where it is proved to be exact.

    All rows get the shift S of the row with the largest one (at least 32): a row with multiplier
    m and shift s gets ``m * 2^(S - s)``, which says the same in every bit, as
    ``(a*m*2^k + 2^(s+k-1)) >> (s+k) == (a*m + 2^(s-1)) >> s``.

    Args:
        matrix: The matrix.
        name: Its name, for the message.

    Raises:
        ModelError: If it fits neither form.
    """
    multiplier, shift = row_multipliers(
        matrix.weight_scale, matrix.input_exponent, matrix.output_exponent
    )
    common = max(SMALLEST_NARROW_SHIFT, int(shift.max()))
    widening = common - shift
    bound = proved_bound(matrix, name)
    if bound.fits_int32 and int(widening.max()) <= LARGEST_WIDENING:
        return CMatrix(
            bound,
            matrix.weight,
            (multiplier << widening).astype(np.int32),
            matrix.bias,
            common,
            np.empty(0, np.uint8),
        )
    return CMatrix(
        bound, matrix.weight, multiplier.astype(np.int32), matrix.bias, 0, shift.astype(np.uint8)
    )


def _wrapped(values: Iterable[object]) -> list[str]:
    """Return initialisers in lines of bounded width."""
    lines: list[str] = []
    line = ""
    for value in values:
        item = f"{value},"
        if line and len(line) + 1 + len(item) > _LINE_WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {item}" if line else f"    {item}"
    return [*lines, line]


def array_text(c_type: str, name: str, values: Array, comment: str) -> str:
    """Return the definition of a constant array and the assertion that no value is missing.

    Args:
        c_type: Element type, e.g. "int8_t".
        name: Identifier.
        values: Any shape; every row of a matrix starts a line.
        comment: What it holds: shape and scale.
    """
    rows = values if values.ndim == 2 else values[None]
    body = [line for row in rows for line in _wrapped(row.tolist())]
    return "\n".join(
        [
            f"/* {comment} */",
            f"static const {c_type} {name}[] = {{",
            *body,
            "};",
            f"_Static_assert(sizeof {name} == {values.size} * sizeof({c_type}),",
            f'               "{name} is incomplete");',
            "",
        ]
    )


def narrow_macro(choices: CChoices) -> str:
    """Return the lines that say which product the narrow form of this translation unit takes."""
    lines = ["#define RNN_EDGE_NARROW rnn_edge_rows_narrow"]
    if choices.optimize != "size":
        lines = [
            "#if RNN_EDGE_HAS_BLOCKS",
            "#define RNN_EDGE_NARROW rnn_edge_blocks_narrow",
            "#else",
            *lines,
            "#endif",
        ]
        if choices.weights == "int16":
            lines[0] = "#elif RNN_EDGE_HAS_BLOCKS"
            lines = [
                "#if RNN_EDGE_HAS_WORDS",
                "#define RNN_EDGE_NARROW rnn_edge_words_narrow",
                *lines,
            ]
    return "\n".join([*lines, ""])


def _weights_text(
    name: str, form: CMatrix, blocks: Array, order: str, rows: str, choices: CChoices
) -> str:
    """Return the weights in every order that a target may want, of which it compiles one."""
    if not form.is_narrow or choices.optimize == "size":
        return rows
    as_bytes = block_text(name, blocks, f"the same in blocks: {order}")
    if choices.weights == "int8":
        return f"#if RNN_EDGE_HAS_BLOCKS\n{as_bytes}#else\n{rows}#endif\n"
    words = block_text(name, blocks, f"the same in blocks, widened: {order}", is_widened=True)
    return (
        f"#if RNN_EDGE_HAS_WORDS\n{words}#elif RNN_EDGE_HAS_BLOCKS\n{as_bytes}#else\n{rows}#endif\n"
    )


def _strip_rows(kept: KeptColumns) -> Array:
    """Return the weights of a matrix whose strips lie row by row, int8 (blocks * 4, 4)."""
    strips = np.split(kept.blocks, kept.starts[1:-1].astype(np.int64))
    return np.concatenate([strip.transpose(1, 0, 2).reshape(-1, SIDE) for strip in strips])


def _kept_text(prefix: str, kept: KeptColumns) -> str:
    """Return which columns the strips have, and what the kernels take of it."""
    count, strips = len(kept.blocks), kept.starts.size - 1
    return "\n".join(
        [
            array_text(
                "uint16_t",
                f"{prefix}_starts",
                kept.starts,
                f"uint16 [{strips + 1}], the first block of each strip of four rows, and the end",
            ),
            array_text(
                "uint8_t",
                f"{prefix}_columns",
                kept.columns,
                f"uint8 [{count}][4], the columns of each block",
            ),
            f"static const rnn_edge_kept {prefix}_kept = {{\n"
            f"    RNN_EDGE_NARROW, {prefix}_starts, {prefix}_columns,\n"
            f"    sizeof {prefix}_weights / {count}}};",
            f"_Static_assert({kept.longest} <= RNN_EDGE_MOST_KEPT,\n"
            f'               "the kernel library is that of another model");\n',
        ]
    )


def matrix_text(
    prefix: str,
    matrix: QuantizedMatrix,
    form: CMatrix,
    kept: KeptColumns | None,
    gates: int,
    order: str,
    choices: CChoices,
) -> str:
    """Return the arrays of one matrix.

    Args:
        prefix: Identifier that the arrays' names begin with, e.g. "kws_layer0_x".
        matrix: The matrix, for its scales.
        form: What `c_matrix` made of it.
        kept: The columns of the narrow form if others are left out.
        gates: How many gates its rows are of.
        order: What the rows are, e.g. "gates r z n".
        choices: How the C is to be.
    """
    n, k = form.weight.shape
    scale = matrix.weight_scale
    accumulator = f"2^{matrix.input_exponent} * weight scale of the row"
    meaning = "real factor of the row"
    factor = f"{meaning} * 2^{form.narrow_shift if form.is_narrow else 'shift'}"
    blocks = in_blocks(form.weight, gates) if kept is None else kept.blocks
    shape = f"[{n}][{k}]" if kept is None else f"[{len(blocks)}][4][4] of [{n}][{k}], by strips"
    rows = array_text(
        "int8_t",
        f"{prefix}_weights",
        form.weight if kept is None else _strip_rows(kept),
        f"int8 {shape}, rows: {order}; one scale per row, "
        f"{float(scale.min()):.9g} to {float(scale.max()):.9g}",
    )
    parts = [
        _weights_text(f"{prefix}_weights", form, blocks, order, rows, choices),
        array_text(
            "int32_t",
            f"{prefix}_multipliers",
            form.multiplier,
            f"int32 [{n}], {factor}, from sums to results at scale 2^{matrix.output_exponent}",
        ),
        array_text(
            "int32_t" if form.is_narrow else "int64_t",
            f"{prefix}_bias",
            form.bias,
            f"{'int32' if form.is_narrow else 'int64'} [{n}], scale {accumulator}; "
            f"no sum exceeds {form.bound.bound} ({form.bound.bits} bits)",
        ),
    ]
    if not form.is_narrow:
        parts.append(
            array_text(
                "uint8_t", f"{prefix}_shifts", form.wide_shift, f"uint8 [{n}], bits of each row"
            )
        )
    if kept is not None:
        parts.append(_kept_text(prefix, kept))
    return "\n".join(parts)


def matrix_initialiser(prefix: str, form: CMatrix, kept: KeptColumns | None, gates: int) -> str:
    """Return the initialiser of an ``rnn_edge_matrix`` over the arrays of `matrix_text`."""
    rows, columns = form.weight.shape
    product, bias, wide, shifts = "RNN_EDGE_NARROW", f"{prefix}_bias", "NULL", "NULL"
    if not form.is_narrow:
        product = "rnn_edge_rows_wide"
        bias, wide, shifts = "NULL", f"{prefix}_bias", f"{prefix}_shifts"
    if kept is not None:
        product = "rnn_edge_kept_columns"
    return (
        f"{{{product}, {prefix}_weights, {prefix}_multipliers,\n"
        f"     {bias}, {wide}, {shifts},\n"
        f"     {rows // gates}, {columns}, {form.narrow_shift},"
        f" {'NULL' if kept is None else f'&{prefix}_kept'}}}"
    )
