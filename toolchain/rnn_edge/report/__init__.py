"""The report of a build: one HTML page that opens without a network.

The page is made from the content of ``report.json`` alone, so that it can be made again from a
bundle. Each file in `sections` renders one part of it and each file in `plots` draws one family
of plots.
"""

from rnn_edge.report.page import render_report

__all__ = ["render_report"]
