"""`rnn-edge commission` writes a bundle that other commands take."""

import numpy as np
from live_bundles import SENSOR, make_bundle

INTEGER = SENSOR.replace('kind = "channels"', 'kind = "channels"\narithmetic = "integer"\n')


def test_a_machine_gets_a_bundle_of_its_own(rnn_edge, tmp_path):
    make_bundle(tmp_path / "pump", INTEGER)
    values = np.random.default_rng(0).normal(size=(120, 2)) * 0.2 + 1.0
    rows = [f"{k / 2},{a!r},{b!r}" for k, (a, b) in enumerate(values.tolist())]
    (tmp_path / "rows.csv").write_text("\n".join(["time,pressure,current", *rows]) + "\n")
    arguments = ("--data", tmp_path / "rows.csv", "--out", tmp_path / "own")
    told = rnn_edge("commission", tmp_path / "pump", *arguments, "--samples", 100)
    assert told.code == 0, told.err
    assert "Commissioned with 100 samples" in told.out
    assert "thresholds: float " in told.out
    # Frame 0 has no forecast, and the first two do not count.
    assert "warning: the threshold is the quantile 0.99 of " in told.out
    assert "scores, near the greatest of them; 100 and more tell it better" in told.out
    found = rnn_edge("commission", tmp_path / "pump", *arguments, "--json").json
    assert found["samples"] == 120
    assert (found["scores"] >= 100) is (found["warning"] is None)
    assert found["bundle"] == str(tmp_path / "own")
    scored = rnn_edge(
        "run", tmp_path / "own", "--source", tmp_path / "rows.csv", "--engine", "int8", "--fast"
    )
    assert scored.code == 0, scored.err
    assert '"frames": 120' in scored.out
    refused = rnn_edge("commission", tmp_path / "pump", *arguments[:2], "--out", tmp_path / "pump")
    assert refused.code == 1
    assert "is the bundle itself" in refused.err
