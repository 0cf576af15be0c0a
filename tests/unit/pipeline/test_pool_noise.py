"""Noise that comes beside a data set and is mixed into altered copies."""

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.pipeline.build import build_bundle
from rnn_edge.pipeline.pool import (
    further_silence,
    noise_place,
    pool_noises,
    speech_beneath,
)
from rnn_edge.spec import load_spec, resolved_toml
from rnn_edge.types import AudioClip, AudioDataset

SPEC = """
[model]
name = "door"
task = "kws"
hidden = 4
[data]
kind = "speech-commands"
keywords = ["open", "close"]
noise_recordings = "rooms"
"""


def write_wav(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.full(800, value, "<i2").tobytes())


def spec_file(folder: Path) -> Path:
    file = folder / "door.toml"
    file.write_text(SPEC)
    return file


def dataset(parts: dict[str, int]) -> AudioDataset:
    """A set whose only sound is the noise of its parts, each of one value."""
    background = tuple(
        AudioClip(f"_background_noise_/{part}", np.full(800, value, np.int16), "", "", part)
        for part, value in parts.items()
    )
    return AudioDataset("here", False, 16_000, ("open", "close"), (), background, ())


def test_further_noise_is_as_likely_as_that_of_the_set_and_its_last_folder_is_kept_for_tests(
    tmp_path: Path,
) -> None:
    pytest.importorskip("soundfile", reason="recordings are read with soundfile")
    for k in range(3):
        write_wav(tmp_path / "rooms" / "a" / f"{k}.wav", 3277)
    write_wav(tmp_path / "rooms" / "b" / "0.wav", 16_384)
    spec = load_spec(spec_file(tmp_path))
    assert noise_place(spec) == tmp_path / "rooms"
    found = pool_noises(spec, dataset({"train": 6554, "test": 9830}))
    assert sorted(round(float(noise[0]), 2) for noise in found) == [0.1] * 3 + [0.2] * 3


def test_without_further_noise_there_is_that_of_the_training_part(tmp_path: Path) -> None:
    spec = load_spec(spec_file(tmp_path), ["model.hidden=5"])
    spec = spec.model_copy(update={"data": spec.data.model_copy(update={"noise_recordings": None})})
    found = pool_noises(spec, dataset({"train": 6554, "test": 9830}))
    assert [round(float(noise[0]), 2) for noise in found] == [0.2]


def test_further_noise_is_silence_too_where_it_is_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("soundfile", reason="recordings are read with soundfile")
    write_wav(tmp_path / "rooms" / "a" / "0.wav", 3277)
    write_wav(tmp_path / "rooms" / "b" / "0.wav", 16_384)
    own = [AudioClip(f"s/{k}", np.ones(400, np.int16), "silence", "", "train") for k in range(40)]
    word = AudioClip("open/0", np.ones(800, np.int16), "open", "", "train")
    made = further_silence(load_spec(spec_file(tmp_path)), [*own, word])
    assert [len(clip.pcm) for clip in made] == [400] * 40
    assert {(clip.label, clip.split) for clip in made} == {("silence", "train")}
    assert len({clip.clip_id for clip in [*own, *made]}) == 80
    loudest = [int(np.abs(clip.pcm).max()) for clip in made]
    # Of the folder that is no test's, at any volume up to its own; some are a microphone's noise.
    assert 2000 < max(loudest) <= 3277
    assert np.mean([np.ptp(clip.pcm) == 0 for clip in made]) > 0.6


@pytest.mark.parametrize(
    ("place", "labels", "lacking"),
    [(None, ["silence"], "noise_recordings"), ("rooms", ["open"], 'class "silence"')],
)
def test_silence_out_of_nothing_is_refused(tmp_path: Path, place, labels, lacking) -> None:
    spec = load_spec(spec_file(tmp_path))
    spec = spec.model_copy(
        update={"data": spec.data.model_copy(update={"noise_recordings": place})}
    )
    clips = [AudioClip("0", np.ones(400, np.int16), label, "", "train") for label in labels]
    with pytest.raises(DataError, match=f"noise_as_silence = true without {lacking}"):
        further_silence(spec, clips)


def test_other_words_of_the_training_part_are_heard_under_copies(tmp_path: Path) -> None:
    spec = load_spec(spec_file(tmp_path), ["augment.speech_as_noise=0.5"])
    parts = {"train": 3277, "validation": 16_384}
    spoken = tuple(
        AudioClip(f"{label}/{part}", np.full(8000, value, np.int16), label, "", part)
        for label in ("open", "unknown")
        for part, value in parts.items()
    )
    words = replace(dataset({}), clips=spoken, classes=("open", "close", "unknown", "silence"))
    found = speech_beneath(spec, words)
    assert found is not None
    assert found.mute_label == 3
    assert len(found.words) == 1200 * 16_000
    assert float(found.words.max()) == pytest.approx(0.1, abs=1e-4)
    assert speech_beneath(load_spec(spec_file(tmp_path)), words) is None
    silent = replace(words, clips=spoken[:2], classes=("open", "close"))
    with pytest.raises(DataError, match=r"speech_as_noise = 0.5 without sound in clips"):
        speech_beneath(spec, silent)


def test_where_noise_lies_is_no_part_of_a_model_and_a_wrong_place_is_told_at_once(
    tmp_path: Path,
) -> None:
    (tmp_path / "words").mkdir()
    place = tmp_path / "words"
    spec = load_spec(spec_file(tmp_path), [f"data.path={place}"])
    assert "rooms" not in resolved_toml(spec)
    with pytest.raises(DataError, match="rooms does not exist"):
        build_bundle(spec, tmp_path / "out", progress=lambda *_: None)
