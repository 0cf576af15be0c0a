"""The legend of a run's plot names what is detected as the bars below it do."""

import pytest

from rnn_edge.report.plots.stream import Curve, Marks, Panel, legend_of


@pytest.mark.parametrize(
    ("labels", "named"),
    [(("alarm",), "alarm"), (("alexa",), "alexa"), (("yes", "no"), "detected")],
)
def test_what_is_detected_has_its_own_name(labels, named):
    panel = Panel("score", (Curve("score", 1.0, (0.0,), (1.0,)),))
    marks = Marks(1.0, {label: [True] for label in labels}, None)
    assert list(legend_of(panel, marks)) == ["score", named]
