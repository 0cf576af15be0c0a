from dataclasses import replace

import numpy as np
import pytest

from rnn_edge.data.options import SensorTableOptions
from rnn_edge.data.sensor_table import load_sensor_table
from rnn_edge.errors import DataError

PLAIN = SensorTableOptions(
    time_column="t",
    time_format="number",
    split_by="time",
    train_share=0.5,
    validation_share=0.25,
    min_rows=2,
)
HEADER = "t,a,b,label"


def line(second, label=0):
    return f"{second},{second * 0.5},{100 - second},{label}"


def write(folder, name="run.csv", lines=None, header=HEADER):
    lines = [line(s) for s in range(40)] if lines is None else lines
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def spans(dataset):
    """First and last value of channel a, times two: the seconds each recording covers."""
    return {
        r.recording_id: (2 * r.values[0, 0], 2 * r.values[-1, 0], len(r.values))
        for r in dataset.recordings
    }


LABELLED = replace(PLAIN, label_columns=("label",))


def test_split_by_time(tmp_path):
    dataset = load_sensor_table(write(tmp_path), LABELLED)
    assert dataset.channels == ("a", "b")
    assert dataset.sample_rate_hz == 1.0
    assert spans(dataset) == {
        "run.csv#train": (0, 19, 20),
        "run.csv#validation": (20, 29, 10),
        "run.csv#test": (30, 39, 10),
    }


def test_head_rows_and_normal_files(tmp_path):
    write(tmp_path, "faults/1.csv")
    write(tmp_path, "normal/1.csv", [f"{s},{s},{s}" for s in range(30)], "t,a,b")
    options = replace(LABELLED, head_rows=10, train_share=0.8, validation_share=0.2,
                      normal_files=("normal/*",))  # fmt: skip
    found = {r.recording_id: len(r.values) for r in load_sensor_table(tmp_path, options).recordings}
    assert found == {
        "faults/1.csv#train": 8,
        "faults/1.csv#validation": 2,
        "faults/1.csv#test": 30,
        "normal/1.csv#train": 24,
        "normal/1.csv#validation": 6,
    }


def test_anomalous_rows_are_cut_out_of_training(tmp_path):
    lines = [line(s, int(8 <= s < 12 or s == 25 or s >= 35)) for s in range(40)]
    dataset = load_sensor_table(write(tmp_path, lines=lines), LABELLED)
    assert spans(dataset) == {
        "run.csv#train.0": (0, 7, 8),
        "run.csv#train.1": (12, 19, 8),
        "run.csv#validation.0": (20, 24, 5),
        "run.csv#validation.1": (26, 29, 4),
        "run.csv#test": (30, 39, 10),
    }
    assert "5 anomalous row(s) cut out of training and validation." in dataset.notes
    labels = next(r.anomalous for r in dataset.recordings if r.split == "test")
    assert labels.tolist() == [False] * 5 + [True] * 5
    kept = load_sensor_table(tmp_path, replace(LABELLED, validation_normal_only=False))
    assert spans(kept)["run.csv#validation"] == (20, 29, 10)


def test_labels_as_words(tmp_path):
    lines = [line(s, "bad" if s >= 35 else "ok") for s in range(40)]
    path = write(tmp_path, lines=lines)
    dataset = load_sensor_table(path, replace(LABELLED, anomalous_values=("bad",)))
    assert sum(int(r.anomalous.sum()) for r in dataset.recordings) == 5
    with pytest.raises(DataError, match="line 2, column 'label': ok") as caught:
        load_sensor_table(path, LABELLED)
    assert "anomalous_values" in caught.value.hint


def test_short_pieces_are_left_out(tmp_path):
    lines = [line(s, int(s == 3)) for s in range(40)]
    dataset = load_sensor_table(write(tmp_path, lines=lines), replace(LABELLED, min_rows=5))
    assert spans(dataset)["run.csv#train"] == (4, 19, 16)
    assert any("1 piece(s) shorter than 5 rows left out, 3 row(s)" in n for n in dataset.notes)


def test_gap_is_refused_filled_or_cut(tmp_path):
    lines = [line(s) for s in range(40) if s not in (5, 6)]
    path = write(tmp_path, lines=lines)
    with pytest.raises(DataError, match=r"line 7, column 't': 7; .* 2 row\(s\) are missing"):
        load_sensor_table(path, LABELLED)
    filled = load_sensor_table(path, replace(LABELLED, gaps="interpolate", max_gap=2))
    train = filled.recordings[0]
    assert np.array_equal(train.values[:, 0] * 2, np.arange(21))
    assert "2 missing row(s) filled by linear interpolation." in filled.notes
    for options in (
        replace(LABELLED, gaps="interpolate", max_gap=1),
        replace(LABELLED, gaps="split"),
    ):
        cut = load_sensor_table(path, options)
        assert spans(cut)["run.csv#train.0"] == (0, 4, 5)
        assert spans(cut)["run.csv#train.1"] == (7, 20, 14)
        assert "1 gap(s) cut a recording in two." in cut.notes


def test_row_filled_beside_an_anomaly_is_anomalous(tmp_path):
    lines = [line(s, int(s >= 34)) for s in range(40) if s != 33]
    options = replace(LABELLED, gaps="interpolate")
    dataset = load_sensor_table(write(tmp_path, lines=lines), options)
    test = dataset.recordings[-1]
    index = np.flatnonzero(test.values[:, 0] == 16.5)[0]
    assert test.anomalous[index]
    assert not test.anomalous[index - 1]


def test_nan_is_refused_filled_or_dropped(tmp_path):
    lines = [line(s) for s in range(40)]
    lines[4] = "4,nan,96,0"
    lines[5] = "5,,95,0"
    lines[10] = "10,5,NA,0"
    path = write(tmp_path, lines=lines)
    with pytest.raises(DataError, match=r"line 6, column 'a': nan; .* 3 cell\(s\)"):
        load_sensor_table(path, LABELLED)
    filled = load_sensor_table(path, replace(LABELLED, missing_values="interpolate"))
    assert np.array_equal(filled.recordings[0].values[:, 0] * 2, np.arange(20))
    assert np.array_equal(filled.recordings[0].values[:, 1], 100 - np.arange(20))
    assert "3 missing cell(s) filled by linear interpolation." in filled.notes
    part = load_sensor_table(path, replace(LABELLED, missing_values="interpolate", max_gap=1))
    assert spans(part)["run.csv#train.1"] == (6, 19, 14)
    dropped = load_sensor_table(path, replace(LABELLED, missing_values="drop"))
    assert [spans(dropped)[f"run.csv#train.{k}"] for k in range(3)] == [
        (0, 3, 4),
        (6, 9, 4),
        (11, 19, 9),
    ]
    assert "3 row(s) with missing cells left out." in dropped.notes


def test_nan_at_the_ends_is_never_invented(tmp_path):
    lines = [line(s) for s in range(40)]
    lines[0] = "0,nan,100,0"
    lines[39] = "39,19.5,nan,0"
    options = replace(LABELLED, missing_values="interpolate")
    found = spans(load_sensor_table(write(tmp_path, lines=lines), options))
    assert found["run.csv#train"] == (1, 19, 19)
    assert found["run.csv#test"] == (30, 38, 9)


@pytest.mark.parametrize(("second", "shown"), [(9, "9"), (3, "3")])
def test_time_that_does_not_move_on(tmp_path, second, shown):
    lines = [line(s) for s in range(40)]
    lines[10] = line(second)
    with pytest.raises(DataError, match=f"line 12, column 't': {shown}; expected a time after 9"):
        load_sensor_table(write(tmp_path, lines=lines), LABELLED)


@pytest.mark.parametrize(
    ("start", "step", "rate"),
    [(0.0, 0.1, 10.0), (1.7e9, 0.1, 10.0), (1.7e9, 300.0, 1 / 300), (0.0, 0.3, 1 / 0.3)],
)
def test_times_as_they_are_rounded_give_the_rate_that_was_meant(tmp_path, start, step, rate):
    lines = [f"{start + k * step:.1f},{k},{k % 7},0" for k in range(40)]
    found = load_sensor_table(write(tmp_path, lines=lines), LABELLED).sample_rate_hz
    assert found == (rate if step != 0.3 else pytest.approx(rate))


def test_iso_times(tmp_path):
    lines = [f"2024-03-31 01:59:{s:02d},{s * 0.5},{s},0" for s in range(20, 60)]
    options = replace(LABELLED, time_format="iso")
    assert load_sensor_table(write(tmp_path, lines=lines), options).sample_rate_hz == 1.0
    lines[3] = "31.03.2024 02:00,1,1,0"
    with pytest.raises(DataError, match=r"line 5, column 't': 31\.03\.2024 02:00; expected an ISO"):
        load_sensor_table(write(tmp_path, lines=lines), options)


def test_local_midnight_jumps_do_not_matter(tmp_path):
    lines = [f"2024-03-31 {1 + s // 60:02d}:{s % 60:02d}:00,{s},{-s},0" for s in range(120)]
    options = replace(LABELLED, time_format="iso")
    assert load_sensor_table(write(tmp_path, lines=lines), options).sample_rate_hz == 1 / 60


def test_rate_must_fit_the_times(tmp_path):
    with pytest.raises(DataError, match="has 1 rows per second; expected 10"):
        load_sensor_table(write(tmp_path), replace(LABELLED, sample_rate_hz=10.0))


def test_second_file_at_another_rate(tmp_path):
    write(tmp_path, "1.csv")
    write(tmp_path, "2.csv", [line(s * 2) for s in range(40)])
    with pytest.raises(DataError, match=r"2\.csv has 0\.5 rows per second; expected 1"):
        load_sensor_table(tmp_path, LABELLED)


@pytest.mark.parametrize("key", ["channels", "label_columns"])
def test_missing_column(tmp_path, key):
    options = replace(LABELLED, **{key: ("flow",)})
    with pytest.raises(DataError, match="no column 'flow'; its columns are t, a, b, label"):
        load_sensor_table(write(tmp_path), options)


def test_missing_time_column(tmp_path):
    with pytest.raises(DataError, match="no column 'datetime'"):
        load_sensor_table(write(tmp_path), replace(LABELLED, time_column="datetime"))


def test_constant_channel_is_judged_on_training(tmp_path):
    lines = [f"{s},{s},{7 if s < 30 else s},0" for s in range(40)]
    path = write(tmp_path, lines=lines)
    with pytest.raises(DataError, match="Channel 'b' is constant in training: 7"):
        load_sensor_table(path, LABELLED)
    dropped = load_sensor_table(path, replace(LABELLED, constant_channels="drop"))
    assert dropped.channels == ("a",)
    assert all(r.values.shape[1] == 1 for r in dropped.recordings)
    assert "Channel(s) dropped as constant in training: b." in dropped.notes


def test_all_channels_constant_is_an_error_either_way(tmp_path):
    path = write(tmp_path, lines=[f"{s},1,2,0" for s in range(40)])
    with pytest.raises(DataError, match="'a' is constant"):
        load_sensor_table(path, replace(LABELLED, constant_channels="drop"))


def test_cell_that_is_no_number(tmp_path):
    lines = [line(s) for s in range(40)]
    lines[7] = "7,broken,1,0"
    with pytest.raises(DataError, match="line 9, column 'a': broken; expected a finite number"):
        load_sensor_table(write(tmp_path, lines=lines), LABELLED)


def test_text_columns_are_left_out_and_said_so(tmp_path):
    lines = [f"{line(s)},pump" for s in range(40)]
    dataset = load_sensor_table(write(tmp_path, lines=lines, header=HEADER + ",unit"), LABELLED)
    assert dataset.channels == ("a", "b")
    assert "Column(s) left out: unit." in dataset.notes


@pytest.mark.parametrize(
    ("header", "row", "message", "advised"),
    [
        ("t,a,b,label", "{},NaN,,0", r"no number in any of the 2 column.* a, b; ", "readings"),
        ("t,label", "{},0", r"no column left for a channel: t, label are ", "the roles"),
        ("t;a;b;label", "{};1;2;0", "no numeric column; its columns are t;a;b;label", "delimiter"),
    ],
    ids=["no readings", "no column", "delimiter"],
)
def test_a_file_without_a_channel_says_why(tmp_path, header, row, message, advised):
    folder = write(tmp_path, lines=[row.format(s) for s in range(40)], header=header)
    with pytest.raises(DataError, match=message) as caught:
        load_sensor_table(folder, LABELLED)
    assert advised in caught.value.hint
    assert ("delimiter" in caught.value.hint) == (advised == "delimiter")


def test_files_with_other_channels(tmp_path):
    write(tmp_path, "1.csv")
    write(tmp_path, "2.csv", [f"{s},{s},0" for s in range(40)], "t,a,label")
    with pytest.raises(DataError, match=r"2\.csv has channels a; .* differ in b"):
        load_sensor_table(tmp_path, LABELLED)


def test_order_of_columns_does_not_matter(tmp_path):
    write(tmp_path, "1.csv")
    write(tmp_path, "2.csv", [f"{100 - s},0,{s},{s * 0.5}" for s in range(40)], "b,label,t,a")
    one, two = load_sensor_table(tmp_path, LABELLED).recordings[::3]
    assert np.array_equal(one.values, two.values)


def test_file_without_labels_must_be_called_normal(tmp_path):
    write(tmp_path, "1.csv")
    write(tmp_path, "2.csv", [f"{s},{s},{s}" for s in range(40)], "t,a,b")
    with pytest.raises(DataError, match=r"2\.csv has no column 'label'"):
        load_sensor_table(tmp_path, LABELLED)


def test_label_that_is_missing(tmp_path):
    lines = [line(s) for s in range(40)]
    lines[3] = "3,1,1,"
    with pytest.raises(DataError, match="line 5, column 'label': ; expected a label"):
        load_sensor_table(write(tmp_path, lines=lines), LABELLED)


RECORDINGS = SensorTableOptions(
    sample_rate_hz=5.0, ignore_columns=("t",), label_columns=("label",), min_rows=2
)


def test_split_by_recording_with_shares(tmp_path):
    for k in range(10):
        write(tmp_path, f"{k}.csv")
    first = load_sensor_table(tmp_path, RECORDINGS, 3)
    splits = [r.split for r in first.recordings]
    assert [splits.count(s) for s in ("train", "validation", "test")] == [7, 1, 2]
    assert first.sample_rate_hz == 5.0
    assert load_sensor_table(tmp_path, RECORDINGS, 3).digest() == first.digest()
    assert any(
        load_sensor_table(tmp_path, RECORDINGS, seed).digest() != first.digest()
        for seed in range(4, 8)
    )


def test_split_by_patterns(tmp_path):
    write(tmp_path, "ok/1.csv", [f"{s},{s},{s}" for s in range(20)], "t,a,b")
    write(tmp_path, "ok/2.csv", [f"{s},{s},{s}" for s in range(20)], "t,a,b")
    write(tmp_path, "bad/1.csv")
    options = replace(
        RECORDINGS,
        train_files=("ok/1*",),
        validation_files=("ok/2*",),
        test_files=("bad/*",),
    )
    dataset = load_sensor_table(tmp_path, options)
    assert {r.recording_id: r.split for r in dataset.recordings} == {
        "bad/1.csv": "test",
        "ok/1.csv": "train",
        "ok/2.csv": "validation",
    }
    with pytest.raises(DataError, match=r"bad/1\.csv matches none of the pattern lists"):
        load_sensor_table(tmp_path, replace(options, test_files=()))
    with pytest.raises(DataError, match="matches train_files and validation_files"):
        load_sensor_table(tmp_path, replace(options, train_files=("ok/*",)))
    with pytest.raises(DataError, match="Patterns validation_files match no file"):
        load_sensor_table(
            tmp_path, replace(options, validation_files=("x*",), train_files=("ok/*",))
        )


def test_no_file_matches(tmp_path):
    write(tmp_path, "run.txt")
    with pytest.raises(DataError, match=r"no file like \*\.csv, .* files there are run\.txt"):
        load_sensor_table(tmp_path, RECORDINGS)


def test_nothing_left_for_training(tmp_path):
    path = write(tmp_path, lines=[line(s, 1) for s in range(40)])
    with pytest.raises(DataError, match="leaves no training rows"):
        load_sensor_table(path, LABELLED)


def test_missing_splits_are_noted(tmp_path):
    options = replace(PLAIN, ignore_columns=("label",), train_share=1.0, validation_share=0.0)
    notes = load_sensor_table(write(tmp_path), options).notes
    assert "There are no validation recordings." in notes
    assert "There are no test recordings." in notes


@pytest.mark.parametrize(("ending", "mode"), [("tar", "w"), ("tar.xz", "w:xz")])
def test_archive_gives_the_same_recordings(tmp_path, pack, ending, mode):
    write(tmp_path / "set", "1.csv")
    write(tmp_path / "set", "deep/2.csv")
    archive = load_sensor_table(pack(tmp_path / "set", f"s.{ending}", mode), LABELLED)
    assert archive.digest() == load_sensor_table(tmp_path / "set", LABELLED).digest()


def test_npz_recording(tmp_path):
    values = np.random.Generator(np.random.PCG64(2)).standard_normal((60, 3))
    np.savez(tmp_path / "run.npz", x=values, bad=np.arange(60) >= 50)
    options = SensorTableOptions(
        sample_rate_hz=8.0, label_columns=("bad",), split_by="time", min_rows=2
    )
    dataset = load_sensor_table(tmp_path / "run.npz", options)
    assert dataset.channels == ("x_0", "x_1", "x_2")
    assert np.array_equal(np.concatenate([r.values for r in dataset.recordings]), values)
    assert dataset.recordings[-1].anomalous.sum() == 10


def test_a_value_beyond_float32_is_refused(tmp_path):
    lines = [line(s) for s in range(40)]
    lines[3] = "3,1e300,97,0"
    with pytest.raises(DataError) as caught:
        load_sensor_table(write(tmp_path, lines=lines), LABELLED)
    assert caught.value.message == (
        "File run.csv, line 5, column 'a': 1e300; expected a value from -1e+18 to 1e+18."
    )


def test_another_delimiter_is_told_by_the_columns_there_are(tmp_path):
    rows = [line(s).replace(",", ";") for s in range(40)]
    with pytest.raises(DataError, match="its columns are t;a;b;label; expected sensor") as caught:
        load_sensor_table(write(tmp_path, lines=rows, header=HEADER.replace(",", ";")), LABELLED)
    assert "delimiter" in caught.value.hint
