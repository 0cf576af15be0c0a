import re

import numpy as np
import pytest
from random_models import Shape, source

from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.pipeline.c_memory import memory_of
from rnn_edge.pipeline.comparisons import STEPS, compare_steps

SHAPES = {
    "gru": Shape(("gru",), (13,), seed=1),
    "mixed": Shape(("rnn", "gru_reset_before", "lstm"), (6, 9, 5), inputs=4, outputs=3, seed=13),
}
BYTES = {"int8_t": 1, "uint8_t": 1, "int32_t": 4, "int64_t": 8}


@pytest.mark.parametrize("name", SHAPES)
def test_memory_is_what_the_generated_c_asserts_of_itself(name, tmp_path):
    models = source(SHAPES[name])
    EXPORTER.export(models, tmp_path)
    folder, own = tmp_path / "c", models.model.name
    text = (folder / f"{own}_data.c").read_text()
    arrays = dict.fromkeys(("weights", "biases", "multipliers", "shifts"), 0)
    in_blocks = re.findall(r"sizeof (\w+)_weights == (\d+),", text)
    assert len(in_blocks) == len(models.model.matrices)
    arrays["weights"] = sum(int(count) for _, count in in_blocks)
    for array, count, kind in re.findall(r"sizeof (\w+) == (\d+) \* sizeof\((\w+_t)\)", text):
        if array.endswith("_weights"):
            continue
        ending = array.rsplit("_", 1)[1].replace("bias", "biases")
        arrays[ending] += int(count) * BYTES[kind]
    found = memory_of(models.model)
    assert {key: found[key] for key in arrays} == arrays
    assert found["constants"] == sum(arrays.values())

    header = (folder / f"{own}_data.h").read_text()
    sizes = {key: int(n) for key, n in re.findall(rf"{own.upper()}_(\w+) (\d+) ", header)}
    assert found["state"] == 2 * sizes["STATE_VALUES"]
    assert found["scratch"] == 2 * sizes["SCRATCH_VALUES"]
    assert found["state"] + found["scratch"] == sizes["STATE_BYTES"]
    assert (found["frame"], found["result"]) == (2 * sizes["INPUTS"], 2 * sizes["OUTPUTS"])
    assert found["saved_state"] == sizes["BLOB_BYTES"]


def test_every_step_is_compared_with_the_model_before_it():
    right = {
        name: np.arange(40) % 40 < count
        for name, count in (
            ("float, no teacher", 20),
            ("float", 30),
            ("int8 after training", 29),
            ("int8", 32),
        )
    }
    found = compare_steps({name: {"unreset": v, "reset": v[:10]} for name, v in right.items()})
    assert [(c["title"], c["with"], c["without"]) for c in found] == list(STEPS)
    assert [[row["measure"] for row in c["rows"]] for c in found] == [["unreset", "reset"]] * 4
    changed = [(c["rows"][0]["gained"], c["rows"][0]["lost"]) for c in found]
    assert changed == [(10, 0), (0, 1), (3, 0), (2, 0)]
    assert [c["rows"][0]["pairs"] for c in found] == [40] * 4
    assert found[0]["rows"][1]["difference"] == 0.0


def test_what_was_not_measured_is_not_compared():
    counts = np.ones((6, 3), np.int64)
    verdicts = {name: {"f1": counts} for _, *pair in STEPS for name in pair}
    verdicts["int8"] = {}
    rows = {c["title"]: c["rows"] for c in compare_steps(verdicts)}
    assert rows["Float to int8"] == rows["Quantization-aware training"] == []
    assert rows["Rounding after training"][0]["p_value"] == 1.0
