"""Reports: HTML pages that open without a network, of a build, of drift, of a profile.

A page is made from the content of ``report.json``, ``drift.json`` or ``profile.json`` alone, so
that it can be made again from a file. Each file in `sections`, `drift_sections`,
`comparison_sections` and `profile_sections` renders one part of a page and each file in `plots`
draws one family of plots.
"""

from rnn_edge.report.card import render_card
from rnn_edge.report.comparison_page import render_comparison
from rnn_edge.report.drift_page import render_drift
from rnn_edge.report.page import render_report
from rnn_edge.report.profile_page import render_profile
from rnn_edge.report.run_page import render_run
from rnn_edge.report.streaming_page import render_streaming

__all__ = [
    "render_card",
    "render_comparison",
    "render_drift",
    "render_profile",
    "render_report",
    "render_run",
    "render_streaming",
]
