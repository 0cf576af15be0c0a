"""Inputs of a stage as they are recorded, and recognised by a later version."""

import json

import pytest

from rnn_edge.pipeline.inputs import are_those, as_json
from rnn_edge.spec.model import ModelSection

MODEL = ModelSection(name="kws", task="kws", hidden=64, cell=("gru", "lstm"), layers=2)
INPUTS = {"model": MODEL, "digests": ("a", "b"), "augment": None, "seed": 1}


def recorded(change=lambda value: None):
    value = json.loads(json.dumps(as_json(INPUTS)))
    change(value)
    return value


def test_what_is_written_is_what_is_read():
    assert recorded() == as_json(INPUTS)
    assert recorded()["model"]["cell"] == ["gru", "lstm"]
    assert are_those(recorded(), INPUTS)


def test_a_key_that_is_new_since_then_must_have_its_default():
    older = recorded(lambda value: value["model"].pop("head"))
    assert are_those(older, INPUTS)
    softmax = MODEL.model_copy(update={"head": "softmax"})
    assert not are_those(older, INPUTS | {"model": softmax})


def test_a_build_that_knew_no_rounding_rounded_to_nearest():
    from rnn_edge.spec.quantize import QuantizeSection

    older = as_json({"quantize": QuantizeSection()})
    older["quantize"].pop("rounding")
    assert are_those(older, {"quantize": QuantizeSection()})
    assert not are_those(older, {"quantize": QuantizeSection(rounding="compensated")})


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value["model"].update(hidden=32),
        lambda value: value["model"].update(gone=1),
        lambda value: value.update(seed=2),
        lambda value: value.pop("seed"),
        lambda value: value.update(augment={}),
        lambda value: value["digests"].append("c"),
    ],
)
def test_other_inputs_are_not_those(change):
    assert not are_those(recorded(change), INPUTS)


def test_a_source_is_the_same_wherever_it_lies():
    from rnn_edge.spec import SensorTableData

    one, other = (
        SensorTableData(kind="sensor-table", path=place, time_column="t") for place in ("a", "b")
    )
    assert are_those(as_json({"data": one}), {"data": other})
    assert "path" not in as_json({"data": one})["data"]


def test_whose_data_it_is_changes_nothing_that_is_learned():
    from rnn_edge.spec import SensorTableData

    plain = SensorTableData(kind="sensor-table", time_column="t")
    told = SensorTableData(kind="sensor-table", time_column="t", licence="CC0", source="a mill")
    assert as_json({"data": plain}) == as_json({"data": told})
    assert told.options() == plain.options()
