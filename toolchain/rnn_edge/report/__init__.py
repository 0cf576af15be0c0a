"""Reports: HTML pages that open without a network, of a build and of drift.

A page is made from the content of ``report.json`` or ``drift.json`` alone, so that it can be made
again from a file. Each file in `sections`, `drift_sections` and `comparison_sections` renders one
part of a page and each file in `plots` draws one family of plots.
"""

from rnn_edge.report.comparison_page import render_comparison
from rnn_edge.report.drift_page import render_drift
from rnn_edge.report.page import render_report

__all__ = ["render_comparison", "render_drift", "render_report"]
