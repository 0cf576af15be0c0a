from dataclasses import asdict, fields
from pathlib import Path

import pytest

from rnn_edge.data.base import all_sources, load_dataset
from rnn_edge.data.options import (
    SensorTableOptions,
    SpeechCommandsOptions,
    SyntheticKeywordsOptions,
    SyntheticMachineOptions,
)
from rnn_edge.errors import DataError, RnnEdgeError, SpecError
from rnn_edge.spec.data import DATA_KINDS, PLACES, STATEMENTS

SMALL = SyntheticMachineOptions(
    recording_s=60.0, train_recordings=1, validation_recordings=1, test_recordings=1
)


def test_every_kind_of_a_spec_has_a_source_with_its_keys_and_defaults():
    assert set(all_sources()) == set(DATA_KINDS)
    for kind, source in all_sources().items():
        section = DATA_KINDS[kind].model_fields
        keys = {field.name for field in fields(source.options)}
        assert keys == set(section) - {"kind", *PLACES, *STATEMENTS}
        defaults = {} if kind != "sensor-table" else {"sample_rate_hz": 1.0}
        for key, value in asdict(source.options(**defaults)).items():
            assert key in defaults or section[key].default == value


def test_loading_by_name():
    dataset = load_dataset("synthetic-machine", options=SMALL, seed=3)
    assert len(dataset.recordings) == 3
    assert dataset.digest() != load_dataset("synthetic-machine", options=SMALL, seed=4).digest()


def test_unknown_kind_lists_the_known_ones():
    with pytest.raises(RnnEdgeError, match="'mp3'; known are sensor-table, speech-commands"):
        load_dataset("mp3")


def test_path_where_it_is_needed_only():
    with pytest.raises(DataError, match="speech-commands has no path"):
        load_dataset("speech-commands")
    with pytest.raises(DataError, match="has no meaning there") as refused:
        load_dataset("synthetic-machine", Path("x"), SMALL)
    assert "rnn-edge evaluate BUNDLE --data x" in refused.value.hint


def test_options_of_another_source():
    with pytest.raises(TypeError, match="takes SyntheticKeywordsOptions"):
        load_dataset("synthetic-keywords", options=SMALL)


def test_lists_become_tuples():
    assert SpeechCommandsOptions(keywords=["a", "b"]).keywords == ("a", "b")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpeechCommandsOptions(keywords=()), "Option keywords"),
        (lambda: SpeechCommandsOptions(keywords=("a", "a")), "Option keywords"),
        (lambda: SpeechCommandsOptions(keywords=("a", "silence")), "'silence' is the name"),
        (lambda: SpeechCommandsOptions(unknown_share=-1), "Option unknown_share"),
        (lambda: SpeechCommandsOptions(split="random"), "known are lists, hash"),
        (lambda: SpeechCommandsOptions(validation_share=0.5, test_share=0.5), "over 0.9"),
        (lambda: SensorTableOptions(), "sample_rate_hz: 0 without a time column"),
        (lambda: SensorTableOptions(time_column="t", delimiter=";;"), "Option delimiter"),
        (lambda: SensorTableOptions(time_column="t", files=()), "Option files"),
        (lambda: SensorTableOptions(time_column="t", gaps="ignore"), "Option gaps"),
        (lambda: SensorTableOptions(time_column="t", train_share=0.95), "sum is over 1"),
        (lambda: SensorTableOptions(time_column="t", head_rows=9), "Option head_rows"),
        (
            lambda: SensorTableOptions(time_column="t", split_by="time", test_files=("a",)),
            "Options train_files",
        ),
        (lambda: SyntheticKeywordsOptions(keywords=("left",)), "'left' is a keyword too"),
        (lambda: SyntheticKeywordsOptions(train_clips=0), "Option train_clips"),
        (lambda: SyntheticKeywordsOptions(snr_min_db=50), "over snr_max_db"),
        (lambda: SyntheticMachineOptions(recording_s=1.0), "Option recording_s"),
    ],
)
def test_bad_options(make, message):
    with pytest.raises(SpecError, match=message):
        make()
