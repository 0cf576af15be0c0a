"""How large the sums of a matrix product can get."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AccumulatorBound:
    """A bound on every sum and partial sum of one matrix, over all rows and all int16 inputs.

    Attributes:
        matrix: Name (layer0.x, layer0.h, ..., head).
        rows: Rows N.
        row: The row with the largest bound.
        bound: ``sum_k |weight[row, k]| * 32768 + |bias[row]|``, in units of the accumulator. No
            order of summation gives a larger magnitude.
    """

    matrix: str
    rows: int
    row: int
    bound: int

    @property
    def bits(self) -> int:
        """Bits of the narrowest signed integer that holds the bound and its negative."""
        return self.bound.bit_length() + 1

    @property
    def fits_int32(self) -> bool:
        """Whether no sum of any row can overflow an int32."""
        return self.bits <= 32

    def to_json(self, seen: int | None = None) -> dict[str, object]:
        """Return plain values for reports.

        Args:
            seen: Largest magnitude on the calibration streams.
        """
        return {
            "matrix": self.matrix,
            "rows": self.rows,
            "row": self.row,
            "bound": self.bound,
            "bits": self.bits,
            "fits_int32": self.fits_int32,
            "seen": seen,
        }
