"""Keywords of one's own, spoken by a synthesizer, beside what sounds like them and what does not.

For a keyword that nobody has recorded. It is spoken by some seventy vocal tracts, with eight
pronunciations of English and the accents of other languages, at many speeds and pitches, in rooms
and noise, through all kinds of microphones. So is what is no keyword: phrases that differ from it
by a few phonemes, its parts, its beginning cut short, frequent words, and sentences.

A clip is as long as what is said. Clips of keywords end soon after the keyword: a model that is
asked at the end of a clip is asked where it has to decide. Vocal tracts are the speakers, and none
is in two parts of the data.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from rnn_edge.data import common_phrases
from rnn_edge.data.audio_file import SAMPLE_RATE_HZ
from rnn_edge.data.base import DataSource
from rnn_edge.data.espeak import ACCENTS, Utterance, pronounce
from rnn_edge.data.noise import generator, in_noise
from rnn_edge.data.options import SILENCE_LABEL, UNKNOWN_LABEL, SyntheticPhrasesOptions
from rnn_edge.data.phonemes import (
    FOREIGN,
    Phrase,
    accented,
    is_vowel,
    mnemonics,
    near_phrases,
    parse_phrase,
    partial_phrases,
    phrase_distance,
)
from rnn_edge.data.recorded_phrases import read_recorded_phrases
from rnn_edge.data.resample import resample, to_pcm
from rnn_edge.data.room import reverberate, trim
from rnn_edge.data.silence import silence_clips
from rnn_edge.data.spoken_clips import SpokenPlan, noises_by_part, spoken_clips
from rnn_edge.data.synthetic_keywords import background_noise, voices_by_part
from rnn_edge.errors import DataError
from rnn_edge.types import SPLITS, Array, AudioClip, AudioDataset, Split

NEAR_STEPS = (2.5, 7.0)
"""Articulatory steps between a keyword and what sounds like it: at fewer it may be the keyword."""
FOREIGN_SHARE = 0.25
"""Of clips that are spoken with the accent of another language."""
RATE_WPM = (110, 260)
PITCH = (15, 90)
PITCH_RANGE = (20, 85)
SIZE = (0.88, 1.12)
"""Of the speaker: vocal tract and pitch together, by playing faster or slower."""
TILT_DB = 5.0
"""Standard deviation of the microphone's response at each of a few frequencies."""
TILT_HZ = (60.0, 150.0, 400.0, 1000.0, 2500.0, 5000.0, 8000.0)
PEAK_DB = (-20.0, 0.0)
T60_S = (0.1, 0.7)
DIRECT_DB = (0.0, 15.0)
LEAD_S = (0.05, 0.6)
TAIL_S = (0.1, 0.4)
"""Before and after what is said."""
MOST_CLIP_S = 2.2
"""What is no keyword is cut there, in the middle of a word if need be; of the noise before a
keyword less is left."""
CUT_SHARES = (0.25, 0.6)
"""Part of a keyword that is heard of one that is cut short."""
SILENCE_S = 1.5
LEAST_PIECE_SAMPLES = 8000
"""What is left at the end of a recording that is cut into pieces counts from this length on."""
RECORDED_SHARE = 0.4
MOST_COPIES = 20
LONGEST_ABBREVIATION = 3

Kind = Literal["keyword", "near", "part", "cut", "word", "sentence"]
KINDS: tuple[tuple[Kind, float], ...] = (
    ("near", 0.2), ("part", 0.1), ("cut", 0.1), ("word", 0.25), ("sentence", 0.35),
)  # fmt: skip
"""What the class "unknown" is made of."""


@dataclass(frozen=True)
class _Plan(SpokenPlan):
    """One clip to come, and which kind of phrase is spoken."""

    kind: Kind


@dataclass(frozen=True)
class _Phrases:
    """What can be said, by kind; each with its phonemes, and as text where there is one.

    Attributes:
        keywords: Of each keyword.
        others: Of "unknown".
    """

    keywords: dict[str, Phrase]
    others: dict[Kind, list[tuple[str, Phrase]]]


def synthetic_phrases(
    options: SyntheticPhrasesOptions, seed: int = 0, recordings: Path | None = None
) -> AudioDataset:
    """Make the data set; same options, seed and recordings, same samples.

    Args:
        options: What is said.
        seed: Of everything that is drawn.
        recordings: Folder or archive of recordings to add, see `read_recorded_phrases`.

    Raises:
        DataError: If a keyword cannot be spoken, or the recordings do not do.
        MissingDependencyError: If the synthesizer or the resampler is not installed.
        EnvironmentFailureError: If the synthesizer fails.
    """
    recorded: tuple[AudioClip, ...] = ()
    if recordings is not None:
        # First, so that whoever named the wrong place need not wait.
        most = options.recordings_clips
        recorded = read_recorded_phrases(recordings, options.keywords, most, seed)
    phrases = _phrases(options, seed)
    voices = voices_by_part(seed)
    background = tuple(clip for split in SPLITS for clip in background_noise(split, seed))
    plans = [p for split in SPLITS for p in _plans(options, phrases, split, voices[split], seed)]
    noises = noises_by_part(background)
    clips = spoken_clips(
        plans,
        noises,
        lambda plan, pcm, rate_hz, nearby: _record(plan, pcm, rate_hz, options, nearby),
    )
    classes = (*options.keywords, UNKNOWN_LABEL)
    if options.silence:
        classes = (*classes, SILENCE_LABEL)
        for split in SPLITS:
            count = _counts(options)[split]
            samples = round(SILENCE_S * SAMPLE_RATE_HZ)
            clips += silence_clips(background, split, count, samples, seed)
    notes = [
        "Voices: "
        + ", ".join(f"{split} {len(voices[split])}" for split in SPLITS)
        + "; none is in two parts.",
        "Unknown: "
        + ", ".join(f"{len(own)} of kind {kind}" for kind, own in phrases.others.items() if own)
        + ", spoken in turn.",
    ]
    clips, said = _joined(clips, in_pieces(recorded), options)
    clips += altered_recordings(recorded, options, noises["train"], seed)
    clips.sort(key=lambda clip: (classes.index(clip.label), clip.clip_id))
    return AudioDataset(
        source="synthetic (espeak-ng)"
        + (f", and recorded: {recordings.name}" if recordings else ""),
        is_synthetic=not recorded,
        sample_rate_hz=SAMPLE_RATE_HZ,
        classes=classes,
        clips=tuple(clips),
        background=background,
        notes=(*said, *notes),
    )


def check_keywords(keywords: tuple[str, ...]) -> dict[str, Phrase]:
    """Return the phonemes of keywords, if a voice can say them as words.

    Raises:
        DataError: Naming one that it cannot.
        MissingDependencyError: If the synthesizer is not installed.
    """
    words = sorted({word for keyword in keywords for word in keyword.split()})
    spelled = [" ".join(word.replace("'", "").replace("-", "")) for word in words]
    said = pronounce([*keywords, *words, *spelled])
    phrases = dict(zip(keywords, map(parse_phrase, said), strict=False))
    rest = said[len(keywords) :]
    for word, as_word, as_letters in zip(words, rest, rest[len(words) :], strict=False):
        sounds = [p.symbol for part in parse_phrase(as_word) for p in part]
        letters = [p.symbol for part in parse_phrase(as_letters) for p in part]
        if not sounds:
            raise DataError(
                f"Keyword {word!r} makes no sound; expected an English word.",
                "write it as it is spoken",
            )
        if sounds == letters and len(word) > LONGEST_ABBREVIATION:
            raise DataError(
                f"Keyword {word!r} cannot be said: the voices would spell its letters; expected "
                "an English word.",
                "write it as it is spoken, with vowels",
            )
    for keyword, phrase in phrases.items():
        symbols = [p.symbol for word in phrase for p in word]
        if len(symbols) < 2 or not any(map(is_vowel, symbols)):
            raise DataError(
                f"Keyword {keyword!r} is the single sound {''.join(symbols)!r}; expected at least "
                "a syllable.",
                "choose a keyword of two syllables or more, which others seldom say",
            )
    pairs = [(a, b) for k, a in enumerate(keywords) for b in keywords[:k]]
    for first, second in pairs:
        if phrase_distance(phrases[first], phrases[second]) < NEAR_STEPS[0]:
            raise DataError(
                f"Keywords {second!r} and {first!r} sound alike; expected keywords that can be "
                "told apart.",
                "leave one of them out",
            )
    return phrases


def _phrases(options: SyntheticPhrasesOptions, seed: int) -> _Phrases:
    """Return everything that can be said."""
    keywords = check_keywords(options.keywords)
    own = list(keywords.values())
    near: dict[Phrase, None] = {}
    parts: dict[Phrase, None] = {}
    for k, phrase in enumerate(own):
        rng = generator(seed, k, 0x75)
        near |= dict.fromkeys(near_phrases(phrase, own, options.near_phrases, NEAR_STEPS, rng))
        parts |= dict.fromkeys(partial_phrases(phrase, own, NEAR_STEPS[0]))
    words = list(dict.fromkeys((*common_phrases.WORDS, *options.other_phrases)))
    sentences = list(common_phrases.SENTENCES)
    spoken = dict(zip([*words, *sentences], pronounce([*words, *sentences]), strict=True))

    def apart(texts: list[str]) -> list[tuple[str, Phrase]]:
        parsed = [(text, parse_phrase(spoken[text])) for text in texts]
        return [
            (text, phrase)
            for text, phrase in parsed
            if not any(_holds(phrase, keyword) for keyword in own)
        ]

    return _Phrases(
        keywords,
        {
            "near": [("", phrase) for phrase in near],
            "part": [("", phrase) for phrase in parts],
            "cut": [(text, phrase) for text, phrase in keywords.items()],
            "word": apart(words),
            "sentence": apart(sentences),
        },
    )


def _holds(phrase: Phrase, keyword: Phrase) -> bool:
    """Return whether as many words of a phrase as a keyword has sound like it."""
    size = len(keyword)
    return any(
        phrase_distance(phrase[k : k + size], keyword) < NEAR_STEPS[0]
        for k in range(max(1, len(phrase) - size + 1))
    )


def _counts(options: SyntheticPhrasesOptions) -> dict[Split, int]:
    return {
        "train": options.train_clips,
        "validation": options.validation_clips,
        "test": options.test_clips,
    }


def _plans(
    options: SyntheticPhrasesOptions,
    phrases: _Phrases,
    split: Split,
    voices: list[str],
    seed: int,
) -> list[_Plan]:
    """Plan the spoken clips of a part; every keyword meets every voice equally often."""
    s = SPLITS.index(split)
    count = _counts(options)[split]
    plans = []
    for c, (text, phrase) in enumerate(phrases.keywords.items()):
        rng = generator(seed, s, c, 0x71)
        first = int(rng.integers(len(voices)))
        for k in range(count):
            said = _utterance(text, phrase, voices[(first + k) % len(voices)], rng)
            name = f"{text.replace(' ', '_')}/{said.variant}_{split}_{k:05d}"
            plans.append(_Plan(name, text, split, said, (seed, s, c, k, 0x72), "keyword"))
    rng = generator(seed, s, 0x76)
    kinds = [(kind, share) for kind, share in KINDS if phrases.others[kind]]
    total = round(count * options.unknown_share)
    at = 0
    for kind, share in kinds:
        own = phrases.others[kind]
        order = rng.permutation(len(own))
        for k in range(round(total * share / sum(s for _, s in kinds))):
            text, phrase = own[int(order[k % len(own)])]
            said = _utterance(text, phrase, voices[int(rng.integers(len(voices)))], rng)
            name = f"{UNKNOWN_LABEL}/{kind}_{said.variant}_{split}_{k:05d}"
            plans.append(_Plan(name, UNKNOWN_LABEL, split, said, (seed, s, at, 0x74), kind))
            at += 1
    return plans


def _utterance(text: str, phrase: Phrase, variant: str, rng: np.random.Generator) -> Utterance:
    is_foreign = rng.random() < FOREIGN_SHARE
    languages = tuple(FOREIGN)
    accent = ACCENTS[int(rng.integers(len(ACCENTS)))]
    said = text or mnemonics(phrase)
    if is_foreign:
        accent = languages[int(rng.integers(len(languages)))]
        said = mnemonics(accented(phrase, accent))
    return Utterance(
        text=said,
        accent=accent,
        variant=variant,
        rate_wpm=int(rng.integers(*RATE_WPM, endpoint=True)),
        pitch=int(rng.integers(*PITCH, endpoint=True)),
        pitch_range=int(rng.integers(*PITCH_RANGE, endpoint=True)),
    )


def _record(
    plan: _Plan,
    spoken: Array,
    rate_hz: int,
    options: SyntheticPhrasesOptions,
    noises: list[Array],
) -> Array:
    """Put what was spoken into a room, with noise, in front of a microphone; int16."""
    if not spoken.any():
        raise DataError(f"Phrase {plan.utterance.text!r} makes no sound; expected English words.")
    rng = generator(*plan.seed)
    size = rng.uniform(*SIZE)
    speech = trim(resample(spoken / 32768.0, round(rate_hz * size), SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    if plan.kind == "cut":
        speech = speech[: round(len(speech) * rng.uniform(*CUT_SHARES))]
    return to_pcm(_cut(_heard(speech, rng, options, noises), len(speech), plan.label))


def _cut(clip: Array, speech: int, label: str) -> Array:
    """Return what is kept of a clip: of a keyword all of it and of other things the beginning.

    Args:
        clip: float64 (N,).
        speech: Samples that are speech; before them is noise, and behind them at most `TAIL_S`.
        label: Of the clip.
    """
    most = round(MOST_CLIP_S * SAMPLE_RATE_HZ)
    if label == UNKNOWN_LABEL:
        return clip[:most]
    return clip[-max(most, speech + round(TAIL_S[1] * SAMPLE_RATE_HZ)) :]


def _heard(
    speech: Array, rng: np.random.Generator, options: SyntheticPhrasesOptions, noises: list[Array]
) -> Array:
    """Return speech float64 (N,) as some microphone hears it in some room and noise."""
    speech = _microphone(speech, rng)
    lead, tail = (round(rng.uniform(*each) * SAMPLE_RATE_HZ) for each in (LEAD_S, TAIL_S))
    length = lead + len(speech) + tail
    if rng.random() < options.reverberation:
        t60_s, direct_db = rng.uniform(*T60_S), rng.uniform(*DIRECT_DB)
        speech = reverberate(speech, SAMPLE_RATE_HZ, t60_s, direct_db, rng)
    speech = speech[: length - lead]
    speech = speech * 10.0 ** (rng.uniform(*PEAK_DB) / 20.0) / max(np.abs(speech).max(), 1e-9)
    clip = np.zeros(length)
    clip[lead : lead + len(speech)] = speech
    return in_noise(clip, speech, noises, (options.snr_min_db, options.snr_max_db), rng)


def altered_recordings(
    recorded: tuple[AudioClip, ...],
    options: SyntheticPhrasesOptions,
    noises: list[Array],
    seed: int,
) -> list[AudioClip]:
    """Return recordings for training in other rooms, noise and microphones.

    A few recordings among many synthetic clips would not be heard: there are so many copies of each
    that all of them are `RECORDED_SHARE` of the class, and at most `MOST_COPIES`.

    Args:
        recorded: All recordings; those for training are altered.
        options: Of the set.
        noises: Noise for training, float64.
        seed: Of everything that is drawn.
    """
    copies = []
    for label in (*options.keywords, UNKNOWN_LABEL):
        own = [c for c in recorded if c.label == label and c.split == "train" and c.pcm.any()]
        made = options.train_clips * (1.0 if label != UNKNOWN_LABEL else options.unknown_share)
        wanted = made * RECORDED_SHARE / (1.0 - RECORDED_SHARE)
        times = min(MOST_COPIES, round(wanted / max(1, len(own))))
        for clip in own:
            copies += [altered_recording(clip, k, options, noises, seed) for k in range(times)]
    return copies


def altered_recording(
    clip: AudioClip, number: int, options: SyntheticPhrasesOptions, noises: list[Array], seed: int
) -> AudioClip:
    """Return one copy of a recording, as of `altered_recordings`; each number gives another."""
    rng = generator(seed, zlib.crc32(clip.clip_id.encode()), number, 0x78)
    rate_hz = round(SAMPLE_RATE_HZ * rng.uniform(*SIZE))
    speech = resample(clip.pcm / 32768.0, rate_hz, SAMPLE_RATE_HZ)
    if clip.label == UNKNOWN_LABEL:
        most = round(MOST_CLIP_S * SAMPLE_RATE_HZ)
        start = int(rng.integers(max(1, len(speech) - most)))
        speech = speech[start : start + most]
    pcm = to_pcm(_cut(_heard(speech, rng, options, noises), len(speech), clip.label))
    return replace(clip, clip_id=f"{clip.clip_id}#{number:02d}", pcm=pcm, is_generated=True)


def in_pieces(recorded: Sequence[AudioClip]) -> tuple[AudioClip, ...]:
    """Return recordings, those of other words that train in pieces as long as made clips are.

    One clip of ten seconds would make every step of a training as long as itself.
    """
    most = round(MOST_CLIP_S * SAMPLE_RATE_HZ)
    pieces = []
    for clip in recorded:
        if clip.split != "train" or clip.label != UNKNOWN_LABEL or len(clip.pcm) <= most:
            pieces.append(clip)
            continue
        for k, start in enumerate(range(0, len(clip.pcm) - LEAST_PIECE_SAMPLES, most)):
            pcm = clip.pcm[start : start + most]
            pieces.append(replace(clip, clip_id=f"{clip.clip_id}@{k:02d}", pcm=pcm))
    return tuple(pieces)


def _microphone(speech: Array, rng: np.random.Generator) -> Array:
    """Return sound with the frequency response of some microphone, by a smooth random curve."""
    response_db = rng.standard_normal(len(TILT_HZ)) * TILT_DB
    spectrum = np.fft.rfft(speech)
    frequency = np.maximum(np.fft.rfftfreq(len(speech), 1.0 / SAMPLE_RATE_HZ), TILT_HZ[0])
    curve_db = np.interp(np.log(frequency), np.log(TILT_HZ), response_db)
    return np.asarray(np.fft.irfft(spectrum * 10.0 ** (curve_db / 20.0), len(speech)))


def _joined(
    made: list[AudioClip], recorded: Sequence[AudioClip], options: SyntheticPhrasesOptions
) -> tuple[list[AudioClip], list[str]]:
    """Return synthetic clips and recordings together, and what has to be said of them.

    Keywords are tested on recordings alone where there are some of every keyword.
    """
    if not recorded:
        return made, [
            "Speech is synthetic (espeak-ng) and noise is generated; no person was recorded. What "
            "is said of this model was found on synthetic speech alone."
        ]
    tested = {c.label for c in recorded if c.split == "test"}
    is_tested = tested >= set(options.keywords)
    kept = [
        c for c in made if not (is_tested and c.split == "test" and c.label in options.keywords)
    ]
    counts = {
        split: sum(c.split == split and c.label in options.keywords for c in recorded)
        for split in SPLITS
    }
    others = sum(c.label == UNKNOWN_LABEL for c in recorded)
    return [*kept, *recorded], [
        "Recordings of keywords: "
        + ", ".join(f"{split} {count}" for split, count in counts.items())
        + f"; of other words: {others}. All else is synthetic (espeak-ng), noise is generated.",
        (
            "Keywords are tested on recordings alone; other words also on synthetic speech."
            if is_tested
            else "There are no test recordings of every keyword: keywords are tested on synthetic "
            "speech too."
        ),
    ]


def _load(path: Path | None, options: SyntheticPhrasesOptions, seed: int) -> AudioDataset:
    return synthetic_phrases(options, seed, path)


SOURCE = DataSource(
    name="synthetic-phrases",
    summary="A keyword of one's own, spoken by a synthesizer, beside what sounds like it.",
    extra="synth",
    needs_path=False,
    options=SyntheticPhrasesOptions,
    load=_load,
    takes_path=True,
)
