"""The quantiles that 95 % intervals are made with."""

from __future__ import annotations

Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution."""

_TABLE = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def student_quantile(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t, to a thousandth.

    Args:
        freedom: Degrees of freedom, at least 1.

    Source: the tables of Student's distribution; beyond 30 degrees the expansion of Abramowitz
        and Stegun, "Handbook of Mathematical Functions" (1964), 26.7.5.
    """
    if freedom <= len(_TABLE):
        return _TABLE[freedom - 1]
    z, v = Z_95, float(freedom)
    terms = (
        (z**3 + z) / 4.0,
        (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0,
        (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0,
        (79.0 * z**9 + 776.0 * z**7 + 1482.0 * z**5 - 1920.0 * z**3 - 945.0 * z) / 92160.0,
    )
    return z + sum(term / v**k for k, term in enumerate(terms, start=1))
