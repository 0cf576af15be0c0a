"""Detections in integers: the bits of ``rnn_edge_decision.c``.

The numbers of a rule are made here too, from what the floating-point rules of an evaluation know,
so that the device and its reference are given the same ones.
"""

from rnn_edge.reference.decisions.alarms import SCORE_BITS, AlarmNumbers, alarm_numbers
from rnn_edge.reference.decisions.keywords import (
    NO_KEYWORDS,
    PROBABILITY_EXPONENT,
    KeywordLimits,
    KeywordNumbers,
    is_keyword,
    keyword_limits,
    keyword_numbers,
    keyword_rule,
)
from rnn_edge.reference.decisions.rule import FIRST_FAULT, Change, IntegerRule, Numbers
from rnn_edge.reference.decisions.shares import ChannelNumbers
from rnn_edge.reference.decisions.whitening import WhiteningNumbers

__all__ = [
    "FIRST_FAULT",
    "NO_KEYWORDS",
    "PROBABILITY_EXPONENT",
    "SCORE_BITS",
    "AlarmNumbers",
    "Change",
    "ChannelNumbers",
    "IntegerRule",
    "KeywordLimits",
    "KeywordNumbers",
    "Numbers",
    "WhiteningNumbers",
    "alarm_numbers",
    "is_keyword",
    "keyword_limits",
    "keyword_numbers",
    "keyword_rule",
]
