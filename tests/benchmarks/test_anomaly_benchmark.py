"""What the benchmark of anomalies takes for normal, and what it scores."""

import json

import numpy as np
import pytest


@pytest.fixture
def sets(benchmarks, monkeypatch):
    monkeypatch.syspath_prepend(str(benchmarks / "anomaly"))
    import anomaly_sets

    return anomaly_sets


def lines(*rows):
    return "\n".join(rows) + "\n"


def test_skab_is_fitted_on_400_rows_and_scored_on_those_after(sets, tmp_path):
    (tmp_path / "valve1").mkdir()
    rows = [f"2020-03-09 10:14:{k % 60:02d};{k};{-k};{int(k >= 500)};0" for k in range(600)]
    head = "datetime;Current;Pressure;anomaly;changepoint"
    (tmp_path / "valve1" / "0.csv").write_text(lines(head, *rows))
    (tmp_path / "free.csv").write_text(lines("datetime;Current;Pressure", "x;1;2"))
    (machine,) = sets.read_machines(sets.SETS["skab-gru"], tmp_path)
    assert machine.normal[0].shape == (400, 2)
    assert machine.test[0].tolist() == [400.0, -400.0]
    assert machine.anomalous.tolist() == [False] * 100 + [True] * 100


def test_nab_learns_from_its_probation_and_labels_windows(sets, tmp_path):
    folder = tmp_path / "data" / "real"
    folder.mkdir(parents=True)
    rows = [f"2014-01-01 {k:02d}:00:00,{k}" for k in range(20)]
    (folder / "a.csv").write_text(lines("timestamp,value", *rows))
    window = ["2014-01-01 10:00:00.000000", "2014-01-01 12:00:00.000000"]
    (tmp_path / "combined_windows.json").write_text(json.dumps({"real/a.csv": [window]}))
    (machine,) = sets.read_machines(sets.SETS["nab"], tmp_path)
    assert machine.normal[0][:, 0].tolist() == [0.0, 1.0, 2.0]
    assert (np.flatnonzero(machine.anomalous) + 3).tolist() == [10, 11, 12]


def test_telemetry_is_the_first_column_and_segments_are_half_open(sets, tmp_path):
    for part, count in (("train", 5), ("test", 8)):
        (tmp_path / part).mkdir()
        values = np.arange(count * 2, dtype=np.float32).reshape(count, 2)
        for name in ("P-1", "T-10"):
            np.save(tmp_path / part / f"{name}.npy", values)
    (tmp_path / "labeled_anomalies.csv").write_text(
        lines(
            "chan_id,spacecraft,anomaly_sequences,class,num_values",
            'P-1,SMAP,"[[2, 4]]",[point],8',
            'P-1,SMAP,"[[2, 4], [6, 7]]",[point],8',
        )
    )
    (machine,) = sets.read_machines(sets.SETS["smap-msl"], tmp_path)
    assert machine.name == "P-1", "a channel without labels is left out"
    assert machine.normal[0][:, 0].tolist() == [0, 2, 4, 6, 8]
    assert np.flatnonzero(machine.anomalous).tolist() == [2, 3, 6]


def test_of_a_fan_the_balanced_configuration_is_normal(sets, tmp_path):
    rows = [f"{config},20,{config},0,0,{k}" for config in (2, 3) for k in range(2000)]
    (tmp_path / "fan.csv").write_text(lines("wconfid,pctid,x,y,z,n", *rows))
    (machine,) = sets.read_machines(sets.SETS["fan"], tmp_path)
    assert machine.normal[0].shape == (1200, 3)
    assert (machine.normal[0][:, 0] == 3).all()
    assert machine.anomalous.tolist() == [False] * 800 + [True] * 2000
    assert (machine.test[machine.anomalous, 0] == 2).all()


def test_of_an_ecg_the_normal_pieces_of_the_first_fifth_are_learned(sets, tmp_path):
    labels = np.zeros(5000, int)
    labels[300:320] = labels[4000:4010] = 1
    rows = [f"{k},{label}" for k, label in enumerate(labels)]
    (tmp_path / "svdb.csv").write_text(lines("value,label", *rows))
    (machine,) = sets.read_machines(sets.SETS["ecg"], tmp_path)
    assert [(int(p[0, 0]), int(p[-1, 0])) for p in machine.normal] == [(0, 299), (320, 999)]
    assert (np.flatnonzero(machine.anomalous) + 1000).tolist() == list(range(4000, 4010))


def test_every_set_has_a_spec_that_reads_what_is_written_for_it(sets, tmp_path):
    from rnn_edge.data.base import load_dataset
    from rnn_edge.data.options import SensorTableOptions
    from rnn_edge.spec import load_spec

    for name, chosen in sets.SETS.items():
        spec = load_spec(chosen.spec, [])
        assert bool(spec.features.commission_samples) == chosen.is_commissioned, name
        if chosen.spec.startswith("anomaly_skab"):
            continue
        wide = len(spec.data.channels)
        values = np.random.default_rng(1).standard_normal((300, wide))
        machine = sets.Machine("a/b 1.csv", (values,), values, np.zeros(300, bool))
        folder = tmp_path / name
        sets.write_normal([machine], spec.data.channels, folder)
        options = SensorTableOptions(**spec.data.options())
        dataset = load_dataset("sensor-table", folder, options, seed=1)
        parts = [r.values for r in dataset.recordings]
        assert {r.split for r in dataset.recordings} == {"train", "validation"}
        np.testing.assert_array_equal(np.concatenate(parts), values)


def test_what_is_best_on_all_others_judges_each_recording(sets):
    import margins

    # Right, wrongly alarmed, missed, rightly silent; two choices, three recordings.
    first = np.array([[10, 0, 0, 10], [10, 0, 0, 10], [0, 10, 10, 0]])
    second = np.array([[0, 0, 10, 10], [5, 5, 5, 5], [10, 0, 0, 10]])
    judged, chosen = margins.leave_one_out({"first": first, "second": second})
    # Without the third the first is best, without either of the others the second is.
    assert chosen == {"second": 2, "first": 1}
    assert judged.tolist() == [second[0].tolist(), second[1].tolist(), first[2].tolist()]
    assert margins.figures(judged)["f1"] == pytest.approx(2 * 5 / (2 * 5 + 15 + 25))


def test_a_table_says_which_front_end_made_its_frames(sets):
    import quality

    found = {"set": "fan", "machines": 2, "weight_bytes": 1680, "used": "this; that", "rows": []}
    told = {"arithmetic": "integer", "advice": "Use it.", "left_out": []}
    first = quality.table(found | told)[0]
    assert first == (
        "**fan** (2 recordings, 1,680 bytes of weights, integer front end). Normal; scored: "
        "this; that."
    )
