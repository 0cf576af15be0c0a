"""Intervals that several parts of the program give with what they measure."""

from rnn_edge.statistics.bootstrap import bootstrap_interval
from rnn_edge.statistics.counts import poisson_interval
from rnn_edge.statistics.means import (
    independent_mean,
    long_run_covariance,
    pooled_mean,
    related_mean,
)
from rnn_edge.statistics.shares import wilson_interval
from rnn_edge.statistics.student import Z_95, student_quantile

__all__ = [
    "Z_95",
    "bootstrap_interval",
    "independent_mean",
    "long_run_covariance",
    "poisson_interval",
    "pooled_mean",
    "related_mean",
    "student_quantile",
    "wilson_interval",
]
