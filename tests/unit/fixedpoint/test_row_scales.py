import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_edge.fixedpoint import round_scale_up, row_multipliers


@given(st.floats(min_value=2.0**-24, max_value=2.0**6))
def test_a_scale_is_rounded_up_by_little_to_an_odd_mantissa_of_15_bits(scale):
    rounded = float(round_scale_up(np.array([scale]))[0])
    mantissa, _ = np.frexp(rounded)
    assert scale <= rounded <= scale * (1 + 2.0**-12)
    assert (mantissa * 2**15) % 2 == 1


def test_a_row_of_zeros_gets_a_scale_that_the_kernels_can_shift_by():
    scale = round_scale_up(np.zeros(1))
    multiplier, shift = row_multipliers(scale, -15, -11)
    assert multiplier[0] % 2 == 1
    assert 1 <= shift[0] <= 46


@pytest.mark.parametrize("mantissa", [0x4001, 0x5401, 0x7FFF])
@pytest.mark.parametrize("shift", [20, 27])
def test_an_odd_multiplier_meets_the_middle_only_at_half_the_divisor(mantissa, shift):
    accumulators = np.arange(-(1 << 21), 1 << 21, dtype=np.int64)
    middle = (accumulators * mantissa) % (1 << shift) == 1 << (shift - 1)
    half = 1 << (shift - 1)
    odd_multiples = [j * half for j in range(-5, 6, 2)]
    assert accumulators[middle].tolist() == [a for a in odd_multiples if -(1 << 21) <= a < 1 << 21]
