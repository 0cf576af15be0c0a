"""What each cell computes: its floating-point step and its integer program.

To add a cell: one module here with ``float_step`` and ``lower``, entered in `CELLS`, and the C
kernel in ``firmware_templates/common``. The conformance tests run over `CELLS`.
"""

from rnn_edge.cells.lowering import CELLS, lower_head, lower_layers, lower_model

__all__ = ["CELLS", "lower_head", "lower_layers", "lower_model"]
