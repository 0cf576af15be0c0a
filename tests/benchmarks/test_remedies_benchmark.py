import json

import numpy as np
import pytest
from random_models import Shape, float_model
from untrained import SPEC, untrained_bundle

from rnn_edge.quantize import calibrate, quantize_model
from rnn_edge.reference import IntegerReference

WORD = "after training, "

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    longer = SPEC.replace("calibration_steps = 100", "calibration_steps = 300")
    return untrained_bundle(tmp_path_factory.mktemp("remedies"), longer).path


def printed(part, bundle, monkeypatch, capsys):
    from remedies import main

    arguments = ["remedies.py", str(bundle), "--parts", part, "--steps", "60", "--json"]
    monkeypatch.setattr("sys.argv", arguments)
    main()
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {row["row"]: row["figures"] for row in rows}


def test_every_rounding_is_measured(benchmarks, bundle, monkeypatch, capsys):
    rows = printed("rounding", bundle, monkeypatch, capsys)
    nearest, learned = rows[WORD + "nearest"], rows[WORD + "compensated"]
    assert 0.0 < learned[0] < nearest[0] < 0.1
    assert learned[1] > 0.9
    assert rows["final, nearest"] == nearest


def test_wider_rows_cost_bytes_and_take_drift_away(benchmarks, bundle, monkeypatch, capsys):
    rows = printed("rows", bundle, monkeypatch, capsys)
    narrow, wide = rows[WORD + "nearest, all rows of 8 bits"], []
    for share in ("5%", "40%", "100%"):
        wide.append(rows[f"{WORD}nearest, {share} of the rows of 16 bits"])
    assert wide[2][0] < 0.5 * narrow[0]
    sizes = [row[2] for row in (narrow, *wide)]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 4
    # The second plane of every recurrent weight, and none of the head's.
    assert wide[2][2] - narrow[2] == wide[2][3] - narrow[3] < narrow[3]


def test_a_wide_row_of_the_same_weights_gives_the_same_bits(benchmarks):
    from remedies import WideReference

    model = float_model(Shape(("gru",), (6,)))
    x = np.random.default_rng(0).normal(size=(1, 80, 5)).astype(np.float32)
    quantized = quantize_model(model, calibrate(model, x))
    matrix, rows = quantized.matrices["layer0.h"], np.array([1, 7, 17])
    codes = matrix.weight[rows].astype(np.float64) * 256
    wide = {"layer0.h": (rows, codes, matrix.bias[rows])}
    integers = np.rint(x * 4096).astype(np.int16)
    expected = IntegerReference(quantized).run(integers)
    same = WideReference(quantized, wide, 8).run(integers)
    assert (same.states["h0"] == expected.states["h0"]).all()
    codes += 100
    other = WideReference(quantized, wide, 8).run(integers)
    assert (other.states["h0"] != expected.states["h0"]).any()
