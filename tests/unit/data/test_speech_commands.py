from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from rnn_edge.data.options import SpeechCommandsOptions
from rnn_edge.data.speech_commands import hash_split, load_speech_commands
from rnn_edge.errors import DataError

TWO = SpeechCommandsOptions(
    keywords=("yes", "no"), unknown_share=0.5, unknown_train_share=0.5, silence_share=0.5
)


def counts(dataset):
    return Counter((clip.label, clip.split) for clip in dataset.clips)


def test_classes_and_counts(words_folder):
    dataset = load_speech_commands(words_folder, TWO)
    assert dataset.classes == ("yes", "no", "unknown", "silence")
    assert not dataset.is_synthetic
    found = counts(dataset)
    assert [found["yes", s] for s in ("train", "validation", "test")] == [6, 2, 2]
    assert [found["unknown", s] for s in ("train", "validation", "test")] == [6, 2, 2]
    assert [found["silence", s] for s in ("train", "validation", "test")] == [6, 2, 2]
    unknown = {c.clip_id.split("/")[0] for c in dataset.clips if c.label == "unknown"}
    assert unknown == {"bird", "cat"}
    speakers = {c.speaker: c.split for c in dataset.clips if c.speaker}
    assert speakers["a2"] == "train"
    assert speakers["b1"] == "validation"
    assert speakers["c1"] == "test"


@pytest.mark.parametrize(("ending", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz")])
def test_archive_gives_the_same_clips(words_folder, pack, ending, mode):
    folder = load_speech_commands(words_folder, TWO)
    archive = load_speech_commands(pack(words_folder, f"w.{ending}", mode), TWO)
    assert archive.digest() == folder.digest()


def test_seed_decides_what_is_drawn(words_folder):
    options = SpeechCommandsOptions(keywords=("yes", "no"), unknown_share=0.2)
    digests = {load_speech_commands(words_folder, options, seed).digest() for seed in (0, 0, 1)}
    assert len(digests) == 2


def test_training_draws_its_own_share_of_unknown(words_folder):
    options = replace(TWO, unknown_train_share=0.25)
    found = counts(load_speech_commands(words_folder, options))
    assert [found["unknown", s] for s in ("train", "validation", "test")] == [3, 2, 2]


def test_every_other_clip_is_as_likely_in_unknown(words_folder):
    for n in range(40):
        (words_folder / "bird" / f"a1_nohash_{n + 10}.wav").write_bytes(
            (words_folder / "bird" / "a1_nohash_0.wav").read_bytes()
        )
    words = Counter(
        c.clip_id.split("/")[0]
        for seed in range(20)
        for c in load_speech_commands(words_folder, TWO, seed).clips
        if c.label == "unknown" and c.split == "train"
    )
    assert words.total() == 120
    # 46 of the 52 training clips are of one word; 20 draws of 6 miss that share by little.
    assert 95 <= words["bird"] <= 118
    dataset = load_speech_commands(words_folder, TWO)
    assert any("6 of 52 clips" in note for note in dataset.notes)


def test_background_ranges_do_not_overlap(words_folder):
    dataset = load_speech_commands(words_folder, TWO)
    parts = {clip.split: clip.pcm for clip in dataset.background}
    assert [len(parts[s]) for s in ("train", "validation", "test")] == [153_600, 19_200, 19_200]
    joined = np.concatenate([parts["train"], parts["validation"], parts["test"]])
    import soundfile

    whole, _ = soundfile.read(words_folder / "_background_noise_" / "rain.wav", dtype="int16")
    assert np.array_equal(joined, whole)


def test_silence_is_a_scaled_crop_of_its_own_split(words_folder):
    dataset = load_speech_commands(words_folder, TWO)
    own = {b.split: b.pcm.astype(float) for b in dataset.background}
    matched = 0
    for clip in dataset.clips:
        if clip.label != "silence":
            continue
        assert len(clip.pcm) == 16_000
        window = clip.pcm[:200].astype(float)
        for split, noise in own.items():
            views = np.lib.stride_tricks.sliding_window_view(noise, 200)
            cosine = views @ window / (np.linalg.norm(views, axis=1) * np.linalg.norm(window))
            if cosine.max() > 0.95:
                assert split == clip.split
                matched += 1
    assert matched >= 6


def test_silence_without_background_is_low_noise_and_said_so(words_folder):
    (words_folder / "_background_noise_" / "rain.wav").unlink()
    dataset = load_speech_commands(words_folder, TWO)
    silent = [c.pcm for c in dataset.clips if c.label == "silence"]
    assert max(np.sqrt(np.mean(p.astype(float) ** 2)) for p in silent) <= 31
    assert any("all its clips are generated low noise" in note for note in dataset.notes)


def test_short_background_stays_in_training(words_folder, wav):
    (words_folder / "_background_noise_" / "click.wav").write_bytes(wav())
    dataset = load_speech_commands(words_folder, TWO)
    assert [b.split for b in dataset.background if "click" in b.clip_id] == ["train"]
    assert any("click is shorter than 10 s" in note for note in dataset.notes)


def test_classes_can_be_left_out(words_folder):
    options = SpeechCommandsOptions(keywords=("no",), unknown_share=0, silence_share=0)
    assert load_speech_commands(words_folder, options).classes == ("no",)


def test_missing_keyword_lists_the_words_there_are(words_folder):
    with pytest.raises(DataError, match=r"'stop' has no recordings .* bird, cat, no, yes"):
        load_speech_commands(words_folder, SpeechCommandsOptions(keywords=("yes", "stop")))


def test_empty_class_in_one_split(words_folder):
    for name in ("c1_nohash_0.wav", "c1_nohash_1.wav"):
        (words_folder / "no" / name).unlink()
    with pytest.raises(DataError, match="Class 'no' has no test clips"):
        load_speech_commands(words_folder, TWO)


def test_unknown_needs_other_words(words_folder):
    options = SpeechCommandsOptions(keywords=("yes", "no", "bird", "cat"))
    with pytest.raises(DataError, match="every word is a keyword"):
        load_speech_commands(words_folder, options)


def test_folder_without_audio(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(DataError, match="no folder of audio files"):
        load_speech_commands(tmp_path, TWO)


def test_list_entries_are_compared_without_ending_and_counted(words_folder):
    path = words_folder / "testing_list.txt"
    path.write_text(path.read_text().replace(".wav", ".flac") + "yes/ghost_nohash_0.flac\n")
    dataset = load_speech_commands(words_folder, TWO)
    assert counts(dataset)["yes", "test"] == 2
    assert "testing_list.txt: 1 of 9 entries match no file." in dataset.notes


def test_list_without_any_match(words_folder):
    (words_folder / "testing_list.txt").write_text("a/b.wav\nc/d.wav\n")
    with pytest.raises(DataError, match=r"testing_list\.txt .* none of its 2 entries"):
        load_speech_commands(words_folder, TWO)


def test_list_missing_or_not_text(words_folder):
    (words_folder / "testing_list.txt").write_bytes(b"\xff\xfe\x00yes")
    with pytest.raises(DataError, match=r"testing_list\.txt is not text"):
        load_speech_commands(words_folder, TWO)
    (words_folder / "testing_list.txt").unlink()
    with pytest.raises(DataError, match=r"has no testing_list\.txt") as caught:
        load_speech_commands(words_folder, TWO)
    assert 'split = "hash"' in caught.value.hint


def test_file_in_both_lists(words_folder):
    with (words_folder / "testing_list.txt").open("a") as file:
        file.write("yes/b1_nohash_0.wav\n")
    with pytest.raises(DataError, match=r"yes/b1_nohash_0\.wav .* in both lists"):
        load_speech_commands(words_folder, TWO)


def test_speaker_in_two_splits(words_folder):
    with (words_folder / "testing_list.txt").open("a") as file:
        file.write("yes/a1_nohash_0.wav\n")
    with pytest.raises(DataError, match=r"Speaker a1 .* is in test and train"):
        load_speech_commands(words_folder, TWO)
    allowed = SpeechCommandsOptions(keywords=("yes", "no"), allow_speaker_leak=True)
    notes = load_speech_commands(words_folder, allowed).notes
    assert any("1 speaker(s) are in more than one split, e.g. a1" in note for note in notes)


def test_speakers_that_are_not_named_are_mentioned(words_folder, wav):
    (words_folder / "yes" / "clip.wav").write_bytes(wav())
    dataset = load_speech_commands(words_folder, TWO)
    assert any("1 file(s) without _nohash_" in note for note in dataset.notes)


def test_conversions_are_noted(words_folder, wav):
    (words_folder / "yes" / "a1_nohash_0.wav").write_bytes(wav(rate_hz=8000))
    stereo = np.full((4000, 2), 500, np.int16)
    (words_folder / "yes" / "a1_nohash_1.wav").write_bytes(wav(stereo))
    dataset = load_speech_commands(words_folder, TWO)
    assert "1 file(s) resampled from 8,000 Hz to 16,000 Hz." in dataset.notes
    assert "1 file(s) with several channels averaged to one." in dataset.notes
    lengths = {c.clip_id: len(c.pcm) for c in dataset.clips}
    assert lengths["yes/a1_nohash_0"] == 16_000


@pytest.mark.parametrize("content", [b"", b"RIFF0000WAVEgarbage"])
def test_bad_file_is_named_or_skipped(words_folder, content):
    (words_folder / "yes" / "a2_nohash_0.wav").write_bytes(content)
    with pytest.raises(DataError, match=r"yes/a2_nohash_0\.wav"):
        load_speech_commands(words_folder, TWO)
    skip = SpeechCommandsOptions(keywords=("yes", "no"), on_bad_file="skip")
    dataset = load_speech_commands(words_folder, skip)
    assert counts(dataset)["yes", "train"] == 5
    assert any(
        note.startswith("1 bad file(s) skipped, the first yes/a2_nohash_0.wav")
        for note in dataset.notes
    )


def test_two_files_for_one_clip(words_folder, wav):
    (words_folder / "yes" / "a1_nohash_0.flac").write_bytes(wav(kind="FLAC"))
    with pytest.raises(DataError, match=r"has both yes/a1_nohash_0\.flac and yes/a1"):
        load_speech_commands(words_folder, TWO)


def test_hash_split_keeps_a_speaker_together_and_meets_the_shares():
    splits = Counter(hash_split(f"speaker{k}", 0.1, 0.2) for k in range(5000))
    assert abs(splits["validation"] / 5000 - 0.1) < 0.02
    assert abs(splits["test"] / 5000 - 0.2) < 0.02


def test_hash_split_needs_no_lists(words_folder, wav):
    (words_folder / "testing_list.txt").unlink()
    for word in ("yes", "no", "bird", "cat"):
        for k in range(30):
            (words_folder / word / f"s{k}_nohash_0.wav").write_bytes(wav())
    options = SpeechCommandsOptions(keywords=("yes", "no"), split="hash", test_share=0.3)
    dataset = load_speech_commands(words_folder, options)
    assert all(
        clip.split == hash_split(clip.speaker, 0.1, 0.3) for clip in dataset.clips if clip.speaker
    )
