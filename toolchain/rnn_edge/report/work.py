"""How much a step of the exported C multiplies."""

from __future__ import annotations

from rnn_edge.report.reader import Node


def c_macs(root: Node) -> int:
    """Return the multiply-accumulates of a step of the C, which may leave zeros out.

    Args:
        root: Content of ``report.json``; one of an earlier version knows no zeros.
    """
    found = root.find("c_macs")
    return (root.at("macs") if found is None else found).integer()
