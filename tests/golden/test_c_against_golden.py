import shutil

import numpy as np
import pytest
from outside_graph import GOLDEN, load, vectors

from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.c_host import ENGINE
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER

pytestmark = [
    pytest.mark.skipif(
        not GOLDEN.is_dir(), reason=f"golden vectors not found at {GOLDEN} (RNN_EDGE_GOLDEN)"
    ),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on this host"),
]


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_generated_c_reproduces_every_step(kind, tmp_path):
    expected = vectors(kind)
    model = load(kind)
    EXPORTER.export(ExportSource(None, model), tmp_path)
    with ENGINE.open(EngineSource(None, model, tmp_path, tmp_path / "work")) as engine:
        trace = engine.run(expected["x"])
    assert len(expected["x"]) == 2000
    np.testing.assert_array_equal(trace.states["h0"], expected["h"])
    if kind == "lstm":
        np.testing.assert_array_equal(trace.states["c0"], expected["c"])
    np.testing.assert_array_equal(trace.outputs, expected["y"])
