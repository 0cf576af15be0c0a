"""How long the log of an image may be for a model to fit."""

from dataclasses import replace

import pytest
from c_models import Recipe, build

from rnn_edge.pipeline.device_needs import LINKED, Need
from rnn_edge.pipeline.device_remedies import fitting_log, ways_to_fit

MODEL = build(Recipe(kinds=("gru",), units=(8,)))
RECORD = 6 + 2 * (MODEL.inputs + MODEL.outputs)
NEED = Need(0, 0, 0, 16, 16, 4_000, 1024, 600, {}, LINKED, "", True, 16)


@pytest.mark.parametrize(
    ("over", "records"),
    [
        (0, None),
        (1, 15),
        (RECORD - 7, 15),
        (RECORD - 6, 14),
        (15 * RECORD - 7, 1),
        (15 * RECORD - 6, None),
    ],
)
def test_as_many_steps_stay_as_there_is_room_for(over, records):
    assert fitting_log(MODEL, NEED, 0, over) == records


def test_a_shorter_log_is_no_help_where_flash_lacks_or_there_is_none():
    assert fitting_log(MODEL, NEED, 1, 1) is None
    assert fitting_log(MODEL, replace(NEED, log_records=0), 0, 1) is None


def test_both_ways_are_told():
    units = "with hidden = 7 in the spec (now 8) it would fit"
    assert ways_to_fit(7, 8, None, 16) == units
    log = "with firmware.log_records = 15 (now 16) it would fit"
    assert ways_to_fit(7, 8, 15, 16) == f"{units}, or {log}"
    assert ways_to_fit(None, 8, 15, 16) == log
    assert ways_to_fit(None, 8, None, 16) == "no number of units would fit"
