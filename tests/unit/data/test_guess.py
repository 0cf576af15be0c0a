"""A first look guesses a [data] section that a build can begin with."""

import numpy as np
import pytest

from rnn_edge.data.first_look import REMEDIES, refusals
from rnn_edge.data.guess import guess_data
from rnn_edge.data.options import SPEECH_COMMANDS_KEYWORDS, SensorTableOptions
from rnn_edge.data.sensor_table import load_sensor_table
from rnn_edge.data.speech_commands import SpeechCommandsOptions, load_speech_commands
from rnn_edge.errors import DataError


def touch(folder, word, clips):
    """Write empty files: a guess goes by their names alone."""
    (folder / word).mkdir(parents=True, exist_ok=True)
    for k in range(clips):
        (folder / word / f"s{k:03}_nohash_0.wav").write_bytes(b"")


def write_rows(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n")


def waves(count, step=1):
    return [f"{k * step},{np.sin(k / 9):.4f},{np.cos(k / 9):.4f}" for k in range(count)]


def test_the_ten_commands_are_the_keywords_where_they_are_there(tmp_path):
    for word in (*SPEECH_COMMANDS_KEYWORDS, "bed", "cat"):
        touch(tmp_path, word, 60)
    guess = guess_data(tmp_path)
    assert guess.table == {
        "kind": "speech-commands",
        "keywords": SPEECH_COMMANDS_KEYWORDS,
        "split": "hash",
    }
    assert guess.notes == ("The class unknown is drawn from: bed (60), cat (60).",)


def test_otherwise_every_word_is_a_keyword_and_protections_stay_on(tmp_path):
    for word in ("open", "close"):
        touch(tmp_path, word, 60)
    touch(tmp_path, "rare", 3)
    table = guess_data(tmp_path).table
    assert table["keywords"] == ("close", "open")
    assert table["unknown_share"] == 0.0
    options = SpeechCommandsOptions(**{k: v for k, v in table.items() if k != "kind"})
    assert not options.allow_speaker_leak
    assert options.on_bad_file == "error"
    assert options.silence_share == SpeechCommandsOptions().silence_share


def test_few_clips_are_shown_and_the_number_needed_is_told(tmp_path):
    touch(tmp_path, "open", 5)
    (tmp_path / "close").mkdir()
    guess = guess_data(tmp_path)
    assert guess.table["split"] == "test"
    assert guess.table["keywords"] == ("open",)
    assert guess.warnings[0] == "Folder(s) without any file: close."
    assert "open has the most, 5 by 5 speaker(s); expected at least 30" in guess.warnings[1]


def test_many_clips_of_one_speaker_are_not_divisible(tmp_path):
    (tmp_path / "open").mkdir()
    for k in range(60):
        (tmp_path / "open" / f"ann_nohash_{k}.wav").write_bytes(b"")
    assert "60 by 1 speaker(s)" in guess_data(tmp_path).warnings[0]


def test_sound_without_a_folder_per_word_is_refused(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(DataError, match=r"has sound, e\.g\. a\.wav, but no folder of it per word"):
        guess_data(tmp_path)


def test_an_invented_rate_is_said_to_be_one(tmp_path):
    write_rows(tmp_path / "a.csv", "x,y", [row.split(",", 1)[1] for row in waves(200)])
    guess = guess_data(tmp_path)
    assert guess.table["sample_rate_hz"] == 1.0
    assert guess.warnings[0].startswith("sample_rate_hz = 1.0 is invented")


def read(path):
    guess = guess_data(path)
    options = {key: value for key, value in guess.lenient.items() if key != "kind"}
    return guess, load_sensor_table(path, SensorTableOptions(**options))


@pytest.mark.parametrize("files", [1, 2, 4])
def test_few_files_are_divided_by_time_so_that_no_part_is_empty(tmp_path, files):
    for k in range(files):
        write_rows(tmp_path / f"{k}.csv", "time,x,y", waves(300))
    guess, dataset = read(tmp_path)
    assert guess.table["split_by"] == "time"
    assert {r.split for r in dataset.recordings} == {"train", "validation", "test"}
    assert refusals(dataset) == []


def test_many_files_are_divided_whole(tmp_path):
    for k in range(12):
        write_rows(tmp_path / f"{k}.csv", "time,x,y", waves(60))
    guess, dataset = read(tmp_path)
    assert "split_by" not in guess.table
    assert {r.split for r in dataset.recordings} == {"train", "validation", "test"}


def test_a_part_that_stays_empty_is_warned_of(tmp_path):
    write_rows(tmp_path / "a.csv", "time,x,y", waves(60))
    warnings = refusals(read(tmp_path)[1])
    assert warnings[0].startswith("The validation part is empty; a build needs all three.")
    assert "The test part is empty" in warnings[1]


def test_what_a_build_stops_at_is_read_and_told(tmp_path):
    rows = waves(300)
    del rows[50:52], rows[100:140]
    rows[10] = "10,,0.5"
    rows[200:220] = [f"{row.split(',')[0]},,0.5" for row in rows[200:220]]
    write_rows(tmp_path / "a.csv", "time,x,y,flat", [f"{row},3" for row in rows])
    guess, dataset = read(tmp_path)
    for key in ("gaps", "missing_values", "constant_channels"):
        assert key not in guess.table
    told = "\n".join(refusals(dataset))
    for mark in list(REMEDIES)[2:]:
        assert mark in told
    assert 'Set gaps = "interpolate" or "split".' in told


def test_leaks_and_bad_files_are_read_and_told(words_folder):
    (words_folder / "testing_list.txt").write_text("yes/a1_nohash_0.wav\nno/a1_nohash_1.wav\n")
    (words_folder / "yes" / "a3_nohash_1.wav").write_bytes(b"")
    options = SpeechCommandsOptions(
        keywords=("yes", "no"),
        unknown_share=0,
        silence_share=0,
        allow_speaker_leak=True,
        on_bad_file="skip",
    )
    told = refusals(load_speech_commands(words_folder, options))
    assert any("allow_speaker_leak = true" in line for line in told)
    assert any('on_bad_file = "skip"' in line for line in told)
