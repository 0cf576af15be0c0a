import re
import shutil

import numpy as np
import pytest

from rnn_edge.data.options import SensorTableOptions, SpeechCommandsOptions
from rnn_edge.data.sensor_table import load_sensor_table
from rnn_edge.data.speech_commands import load_speech_commands
from rnn_edge.errors import DataError


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


def trial(folder, **options):
    """Read a folder the way a finished model of two words is tried on it."""
    return load_speech_commands(
        folder, SpeechCommandsOptions(keywords=("yes", "no"), split="test", **options)
    )


def test_every_clip_of_other_words_is_tried_and_none_is_drawn(words_folder):
    dataset = trial(words_folder, unknown_share=0.1)
    unknown = [clip.clip_id for clip in dataset.clips if clip.label == "unknown"]
    assert sorted(unknown) == sorted(
        f"{word}/{path.stem}"
        for word in ("bird", "cat")
        for path in (words_folder / word).iterdir()
    )
    assert "Class unknown: all 20 clip(s) of bird, cat." in dataset.notes


def test_clips_without_a_class_are_left_out_with_a_note(words_folder):
    dataset = trial(words_folder, unknown_share=0.0, silence_share=0.0)
    assert {clip.label for clip in dataset.clips} == {"yes", "no"}
    assert any(note.startswith("20 clip(s) left out: ") for note in dataset.notes)


def test_classes_may_be_missing_and_are_named(words_folder):
    for word in ("no", "bird", "cat", "_background_noise_"):
        shutil.rmtree(words_folder / word)
    for name in ("validation_list.txt", "testing_list.txt"):
        (words_folder / name).unlink()
    dataset = trial(words_folder)
    assert dataset.classes == ("yes", "no", "unknown", "silence")
    assert [clip.label for clip in dataset.clips] == ["yes"] * 10
    # Nothing is said of parts and speakers, which mean nothing here.
    assert dataset.notes == (
        "Every clip is a test clip.",
        "No clips of no, unknown, silence: not judged.",
    )


def test_silence_is_generated_from_background_alone_and_marked(words_folder):
    dataset = trial(words_folder, silence_share=0.25)
    generated = [clip for clip in dataset.clips if clip.is_generated]
    assert [clip.label for clip in generated] == ["silence"] * 5
    assert any("5 clip(s) generated from _background_noise_" in note for note in dataset.notes)
    assert sum(len(noise.pcm) for noise in dataset.background) == 12 * 16_000
    shutil.rmtree(words_folder / "_background_noise_")
    assert not [clip for clip in trial(words_folder).clips if clip.is_generated]


def test_recorded_silence_is_silence_and_none_is_generated(words_folder):
    (words_folder / "cat").rename(words_folder / "silence")
    dataset = trial(words_folder)
    assert sum(clip.label == "silence" for clip in dataset.clips) == 10
    assert not [clip for clip in dataset.clips if clip.is_generated]


def test_a_folder_of_no_class_is_refused(words_folder):
    with pytest.raises(DataError, match="no clip of any class; expected a folder named like one"):
        load_speech_commands(
            words_folder,
            SpeechCommandsOptions(
                keywords=("open",), split="test", unknown_share=0, silence_share=0
            ),
        )


def test_files_that_are_all_damaged_leave_no_clip_and_one_is_named(words_folder, tmp_path):
    (tmp_path / "yes").mkdir()
    for name in "ab":
        (tmp_path / "yes" / f"{name}.wav").write_bytes(b"")
    # Sound noise is no clip.
    shutil.copytree(words_folder / "_background_noise_", tmp_path / "_background_noise_")
    with pytest.raises(DataError) as caught:
        trial(tmp_path, on_bad_file="skip")
    expected = r"no clip left: 2 bad file\(s\) skipped, the first: .*yes/a\.wav is empty"
    assert re.search(expected, caught.value.message)
    assert "on_bad_file" not in caught.value.hint


def test_nothing_is_said_of_parts_that_a_trial_does_not_have(tmp_path):
    rows = [f"{np.sin(k):.3f},{np.cos(k):.3f}" for k in range(60)]
    (tmp_path / "run.csv").write_text("\n".join(["a,b", *rows]) + "\n")
    options = SensorTableOptions(sample_rate_hz=1.0, test_files=("*",))
    assert load_sensor_table(tmp_path, options).notes == ()
