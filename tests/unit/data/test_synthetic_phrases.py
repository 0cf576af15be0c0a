"""Keywords of one's own from synthetic voices, with recordings and without."""

from collections import Counter

import numpy as np
import pytest

from rnn_edge.data.espeak import Utterance, pronounce, speak
from rnn_edge.data.options import SyntheticPhrasesOptions
from rnn_edge.data.phonemes import CONSONANTS, FOREIGN, VOWELS, accented, mnemonics, parse_phrase
from rnn_edge.data.recorded_phrases import cut_to_phrase, read_recorded_phrases
from rnn_edge.data.synthetic_phrases import check_keywords, in_pieces, synthetic_phrases
from rnn_edge.errors import DataError, SpecError
from rnn_edge.types import AudioClip

pytest.importorskip("espeakng_loader")
pytest.importorskip("soxr")

FEW = SyntheticPhrasesOptions(
    keywords=("hey pico", "alexa"),
    near_phrases=10,
    train_clips=12,
    validation_clips=4,
    test_clips=4,
    recordings_clips=2,
)


@pytest.fixture(scope="module")
def phrases():
    return synthetic_phrases(FEW, 7)


def write_tone(path, seconds, start_s, end_s):
    """Write a recording in which something sounds between two times."""
    soundfile = pytest.importorskip("soundfile")
    time = np.arange(round(seconds * 16_000)) / 16_000
    tone = 0.3 * np.sin(2 * np.pi * 440 * time) * ((time >= start_s) & (time < end_s))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone, 16_000, subtype="PCM_16")


def test_counts_lengths_and_voices(phrases):
    assert phrases.is_synthetic
    assert phrases.classes == ("hey pico", "alexa", "unknown", "silence")
    counts = Counter((c.label, c.split) for c in phrases.clips)
    for keyword in FEW.keywords:
        assert [counts[keyword, s] for s in ("train", "validation", "test")] == [12, 4, 4]
    assert 34 <= counts["unknown", "train"] <= 38
    lengths = {len(c.pcm) for c in phrases.clips if c.label == "hey pico"}
    assert len(lengths) > 10
    assert 0.5 * 16_000 < min(lengths) < max(lengths) < 3.5 * 16_000
    homes = {}
    for clip in phrases.clips:
        if clip.speaker:
            assert homes.setdefault(clip.speaker, clip.split) == clip.split
    kinds = {c.clip_id.split("/")[1].split("_")[0] for c in phrases.clips if c.label == "unknown"}
    assert kinds == {"near", "part", "cut", "word", "sentence"}
    assert "synthetic speech alone" in phrases.notes[0]


def test_the_same_seed_gives_the_same_samples(phrases):
    assert synthetic_phrases(FEW, 7).digest() == phrases.digest()
    assert synthetic_phrases(FEW, 8).digest() != phrases.digest()


def test_every_phoneme_is_spoken_by_every_voice():
    utterances, short = [], []
    for symbol in (*CONSONANTS, *VOWELS):
        around = f"s'a{symbol}'a" if symbol in CONSONANTS else f"s{symbol}s"
        utterances.append(Utterance(f"[[s'as {around} s'as]]", "en-us", "Mario", 160, 50, 50))
    for language in FOREIGN:
        for symbol in (*CONSONANTS, *VOWELS):
            own = mnemonics(accented(parse_phrase(f"s_'a_{symbol}_'a_s"), language))[2:-2]
            text = f"[[s'as {own} s'as]]"
            utterances.append(Utterance(text, language, "Mario", 160, 50, 50))
    for accent in ("en-us", *FOREIGN):
        short.append(Utterance("[[s'as s'as]]", accent, "Mario", 160, 50, 50))
    _, spoken = speak([*utterances, *short])
    least = dict(zip(("en-us", *FOREIGN), map(len, spoken[len(utterances) :]), strict=True))
    # A voice stops at a phoneme that it does not know.
    for utterance, pcm in zip(utterances, spoken, strict=False):
        assert len(pcm) > 1.1 * least[utterance.accent], utterance


def test_phonemes_in_brackets_are_what_a_word_sounds_like():
    (said,) = pronounce(["alexa"])
    assert [p.symbol for p in parse_phrase(said)[0]] == ["a#", "l", "E", "k", "s", "@"]
    word = Utterance("alexa", "en-us", "Mario", 160, 50, 50)
    _, (first, second) = speak([word, Utterance("[[a#l'Eks@]]", "en-us", "Mario", 160, 50, 50)])
    assert abs(len(first) - len(second)) < 0.2 * len(first)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (("xqzt",), "would spell its letters"),
        (("a",), "is the single sound"),
        (("right", "write"), "sound alike"),
    ],
)
def test_keywords_that_voices_cannot_say_or_tell_apart(keywords, message):
    with pytest.raises(DataError, match=message):
        check_keywords(keywords)


def test_abbreviations_may_be_spelled():
    assert set(check_keywords(("hey tv", "okay nabu"))) == {"hey tv", "okay nabu"}


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (("",), "is empty"),
        (("alexa", "alexa"), "different words"),
        (("hey  pico",), "one space between words"),
        (("Hey pico",), "small letters"),
        (("приве́т",), "small letters"),
        ((" ".join(["word"] * 20),), "has 20 words"),
        (("unknown",), "class of its own"),
    ],
)
def test_phrases_that_are_no_keywords(keywords, message):
    with pytest.raises(SpecError, match=message):
        SyntheticPhrasesOptions(keywords=keywords)


def test_recordings_are_added_with_a_number_and_tested_alone(tmp_path):
    pytest.importorskip("soundfile")
    for k in range(5):
        for folder in ("hey_pico", "alexa", "other"):
            write_tone(tmp_path / folder / f"anna{k}_nohash_0.wav", 2.0, 0.6, 1.2)
    (tmp_path / "validation_list.txt").write_text("hey_pico/anna0_nohash_0.wav\n")
    tests = [f"{f}/anna1_nohash_0.wav" for f in ("hey_pico", "alexa", "other")]
    (tmp_path / "testing_list.txt").write_text("\n".join(tests))
    dataset = synthetic_phrases(FEW, 7, tmp_path)
    assert not dataset.is_synthetic
    recorded = [c for c in dataset.clips if c.clip_id.startswith("recorded/")]
    counts = Counter((c.label, c.split) for c in recorded if not c.is_generated)
    assert counts["hey pico", "train"] == counts["alexa", "train"] == 2
    assert counts["unknown", "train"] == 2
    assert counts["hey pico", "validation"] == counts["hey pico", "test"] == 1
    tested = [c for c in dataset.clips if c.split == "test" and c.label in FEW.keywords]
    assert all(c.clip_id.startswith("recorded/") for c in tested)
    assert "tested on recordings alone" in " ".join(dataset.notes)
    copies = [c for c in recorded if c.is_generated]
    assert {c.split for c in copies} == {"train"}
    assert len({c.pcm.tobytes() for c in copies}) == len(copies) > 4


def test_a_keyword_without_recordings_is_named(tmp_path):
    write_tone(tmp_path / "alexa" / "anna_nohash_0.wav", 1.0, 0.2, 0.8)
    with pytest.raises(DataError, match=r"'hey pico' has no recordings.*alexa"):
        read_recorded_phrases(tmp_path, FEW.keywords, 10, 1)


def test_long_recordings_of_other_words_train_in_pieces():
    def clip(label, split, seconds):
        pcm = np.arange(round(seconds * 16_000)).astype(np.int16)
        return AudioClip(f"{label}/{split}/{seconds}", pcm, label, "", split)

    long, odd = clip("unknown", "train", 5.0), clip("unknown", "train", 2.5)
    kept = [clip("unknown", "train", 2.0), clip("alexa", "train", 3.0), clip("unknown", "test", 9)]
    pieces = in_pieces([long, *kept, odd])
    assert [len(p.pcm) for p in pieces] == [35_200, 35_200, 9_600, 32_000, 48_000, 144_000, 35_200]
    assert list(pieces[3:6]) == kept
    assert np.array_equal(np.concatenate([p.pcm for p in pieces[:3]]), long.pcm)
    assert len({p.clip_id for p in pieces}) == len(pieces)


def test_recordings_that_are_one_file_are_refused_before_anything_is_spoken(tmp_path, monkeypatch):
    def speaks(*_):
        raise AssertionError("something was spoken")

    monkeypatch.setattr("rnn_edge.data.synthetic_phrases.pronounce", speaks)
    (tmp_path / "notes.txt").write_text("no recordings")
    with pytest.raises(DataError, match=r"notes.txt are a single file; expected a folder or a tar"):
        synthetic_phrases(FEW, 7, tmp_path / "notes.txt")


def test_recordings_of_keywords_end_soon_after_the_keyword():
    time = np.arange(4 * 16_000) / 16_000
    pcm = (8000 * np.sin(2 * np.pi * 440 * time) * ((time > 1.0) & (time < 1.5))).astype(np.int16)
    assert len(cut_to_phrase(pcm)) == pytest.approx((0.2 + 0.5 + 0.25) * 16_000, abs=700)
    silent = np.zeros(100, np.int16)
    assert len(cut_to_phrase(silent)) == 100


def test_noise_does_not_hide_where_a_keyword_is():
    time = np.arange(4 * 16_000) / 16_000
    noise = 400 * np.random.default_rng(1).standard_normal(len(time))
    speech = 4000 * np.sin(2 * np.pi * 440 * time) * ((time > 1.0) & (time < 1.5))
    assert len(cut_to_phrase((speech + noise).astype(np.int16))) == pytest.approx(
        (0.2 + 0.5 + 0.25) * 16_000, abs=1500
    )
