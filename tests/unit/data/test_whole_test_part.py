import numpy as np

from rnn_edge.data.options import SensorTableOptions, SpeechCommandsOptions
from rnn_edge.data.sensor_table import load_sensor_table
from rnn_edge.data.speech_commands import load_speech_commands


def test_a_table_can_be_all_test_with_its_anomalous_rows_in_place(tmp_path):
    rows = [f"{np.sin(k):.3f},1.5,{int(60 <= k < 80)}" for k in range(120)]
    (tmp_path / "run.csv").write_text("\n".join(["a,b,anomaly", *rows]) + "\n")
    options = SensorTableOptions(label_columns=("anomaly",), sample_rate_hz=1.0, test_files=("*",))
    dataset = load_sensor_table(tmp_path, options)
    assert [r.split for r in dataset.recordings] == ["test"]
    (recording,) = dataset.recordings
    assert recording.values.shape == (120, 2)
    assert recording.anomalous is not None
    assert np.flatnonzero(recording.anomalous).tolist() == list(range(60, 80))


def test_clips_without_lists_can_all_be_test(words_folder):
    for name in ("validation_list.txt", "testing_list.txt"):
        (words_folder / name).unlink()
    options = SpeechCommandsOptions(keywords=("yes", "no"), split="test")
    dataset = load_speech_commands(words_folder, options)
    assert {clip.split for clip in dataset.clips} == {"test"}
    keywords = [c for c in dataset.clips if c.label in ("yes", "no")]
    files = [p for word in ("yes", "no") for p in (words_folder / word).glob("*.wav")]
    assert len(keywords) == len(files) > 0
