"""Keywords spoken by a synthesizer: a data set that needs no download and no microphone.

Each clip is one word by one of some seventy vocal tracts of espeak-ng in one of eight accents,
with its own speed, pitch, level, room and noise. Vocal tracts are the speakers: none is in two
splits. It shows that a build works; what a model learns from it says little about people.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rnn_edge.data.audio_file import SAMPLE_RATE_HZ
from rnn_edge.data.base import DataSource
from rnn_edge.data.espeak import ACCENTS, VARIANTS, Utterance
from rnn_edge.data.noise import coloured_noise, generator, in_noise
from rnn_edge.data.options import SILENCE_LABEL, UNKNOWN_LABEL, SyntheticKeywordsOptions
from rnn_edge.data.resample import resample, to_pcm
from rnn_edge.data.room import reverberate, trim
from rnn_edge.data.silence import silence_clips
from rnn_edge.data.spoken_clips import SpokenPlan, noises_by_part, spoken_clips
from rnn_edge.errors import DataError
from rnn_edge.types import SPLITS, Array, AudioClip, AudioDataset, Split

CLIP_SAMPLES = SAMPLE_RATE_HZ
"""A clip lasts 1 s, longer only where the word itself does."""
VALIDATION_VOICES = 0.15
TEST_VOICES = 0.2
RATE_WPM = (120, 220)
PITCH = (25, 75)
PITCH_RANGE = (30, 70)
PEAK_DB = (-24.0, -1.0)
"""Peak of the speech relative to full scale."""
T60_S = (0.15, 0.5)
DIRECT_DB = (3.0, 15.0)
BACKGROUND_RMS_DB = -23.0
BACKGROUND_S: dict[Split, float] = {"train": 12.0, "validation": 6.0, "test": 6.0}
_BACKGROUND_LABEL = "_background_noise_"


def synthetic_keywords(options: SyntheticKeywordsOptions, seed: int = 0) -> AudioDataset:
    """Make the data set; same options and seed, same samples.

    Raises:
        DataError: If a word makes no sound.
        MissingDependencyError: If the synthesizer or the resampler is not installed.
        EnvironmentFailureError: If the synthesizer fails.
    """
    voices = voices_by_part(seed)
    background = tuple(clip for split in SPLITS for clip in background_noise(split, seed))
    plans = [plan for split in SPLITS for plan in _plans(options, split, voices[split], seed)]
    clips = spoken_clips(
        plans,
        noises_by_part(background),
        lambda plan, pcm, rate_hz, nearby: _record(plan, pcm, rate_hz, options, nearby),
    )
    classes = (*options.keywords, *([UNKNOWN_LABEL] if options.unknown_words else []))
    if options.silence:
        classes = (*classes, SILENCE_LABEL)
        for split in SPLITS:
            count = _counts(options)[split]
            clips += silence_clips(background, split, count, CLIP_SAMPLES, seed)
    clips.sort(key=lambda clip: (classes.index(clip.label), clip.clip_id))
    return AudioDataset(
        source="synthetic (espeak-ng)",
        is_synthetic=True,
        sample_rate_hz=SAMPLE_RATE_HZ,
        classes=classes,
        clips=tuple(clips),
        background=background,
        notes=(
            "Speech is synthetic (espeak-ng) and noise is generated; no person was recorded.",
            "Voices: "
            + ", ".join(f"{split} {len(voices[split])}" for split in SPLITS)
            + "; none is in two splits.",
        ),
    )


def _counts(options: SyntheticKeywordsOptions) -> dict[Split, int]:
    return {
        "train": options.train_clips,
        "validation": options.validation_clips,
        "test": options.test_clips,
    }


def voices_by_part(seed: int) -> dict[Split, list[str]]:
    """Return the vocal tracts of every part; none is in two."""
    order = [VARIANTS[k] for k in generator(seed, 0x70).permutation(len(VARIANTS))]
    validation = round(len(order) * VALIDATION_VOICES)
    test = round(len(order) * TEST_VOICES)
    return {
        "validation": order[:validation],
        "test": order[validation : validation + test],
        "train": order[validation + test :],
    }


def _plans(
    options: SyntheticKeywordsOptions, split: Split, voices: list[str], seed: int
) -> list[SpokenPlan]:
    """Plan the spoken clips of a split; every class meets every voice equally often."""
    s = SPLITS.index(split)
    groups = [(word, [word]) for word in options.keywords]
    if options.unknown_words:
        groups.append((UNKNOWN_LABEL, list(options.unknown_words)))
    plans = []
    for c, (label, words) in enumerate(groups):
        rng = generator(seed, s, c, 0x71)
        first = int(rng.integers(len(voices)))
        for k in range(_counts(options)[split]):
            utterance = Utterance(
                text=words[k % len(words)],
                accent=ACCENTS[int(rng.integers(len(ACCENTS)))],
                variant=voices[(first + k) % len(voices)],
                rate_wpm=int(rng.integers(*RATE_WPM, endpoint=True)),
                pitch=int(rng.integers(*PITCH, endpoint=True)),
                pitch_range=int(rng.integers(*PITCH_RANGE, endpoint=True)),
            )
            clip_id = f"{utterance.text}/{utterance.variant}_{split}_{k:05d}"
            plans.append(SpokenPlan(clip_id, label, split, utterance, (seed, s, c, k, 0x72)))
    return plans


def _record(
    plan: SpokenPlan,
    spoken: Array,
    rate_hz: int,
    options: SyntheticKeywordsOptions,
    noises: list[Array],
) -> Array:
    """Put a spoken word into a room, with noise, at some moment of a clip; int16."""
    if not spoken.any():
        raise DataError(
            f"Word {plan.utterance.text!r} makes no sound; expected an English word.",
            "correct keywords or unknown_words",
        )
    rng = generator(*plan.seed)
    speech = trim(resample(spoken / 32768.0, rate_hz, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    length = max(CLIP_SAMPLES, len(speech))
    if rng.random() < options.reverberation:
        speech = reverberate(
            speech, SAMPLE_RATE_HZ, rng.uniform(*T60_S), rng.uniform(*DIRECT_DB), rng
        )[:length]
    speech = speech * 10.0 ** (rng.uniform(*PEAK_DB) / 20.0) / np.abs(speech).max()
    start = int(rng.integers(length - len(speech) + 1))
    clip = np.zeros(length)
    clip[start : start + len(speech)] = speech
    clip = in_noise(clip, speech, noises, (options.snr_min_db, options.snr_max_db), rng)
    return to_pcm(clip)


def background_noise(split: Split, seed: int) -> list[AudioClip]:
    """Generate one recording of each kind of noise."""
    samples = round(BACKGROUND_S[split] * SAMPLE_RATE_HZ)
    rng = generator(seed, SPLITS.index(split), 0x73)
    time = np.arange(samples) / SAMPLE_RATE_HZ
    mains_hz = float(rng.choice([50.0, 60.0]))
    hum = sum(
        (1.0 / k) * np.sin(2 * np.pi * (k * mains_hz * time + rng.random())) for k in range(1, 9)
    )
    beat_hz = rng.uniform(3.0, 12.0)
    swell = 1.0 + 0.5 * np.sin(2 * np.pi * (beat_hz * time + rng.random()))
    kinds = {
        "white": coloured_noise(rng, samples, 0.0),
        "pink": coloured_noise(rng, samples, 1.0),
        "brown": coloured_noise(rng, samples, 2.0),
        "hum": np.asarray(hum) + 0.3 * coloured_noise(rng, samples, 1.0),
        "fan": swell * coloured_noise(rng, samples, 1.5),
        "clatter": _clatter(rng, samples),
    }
    return [
        AudioClip(
            f"{_BACKGROUND_LABEL}/{kind}#{split}",
            to_pcm(noise / np.sqrt(np.mean(noise**2)) * 10.0 ** (BACKGROUND_RMS_DB / 20.0)),
            _BACKGROUND_LABEL,
            "",
            split,
        )
        for kind, noise in kinds.items()
    ]


def _clatter(rng: np.random.Generator, samples: int) -> Array:
    """Return struck objects: decaying tones at random times over faint noise."""
    sound = 0.02 * coloured_noise(rng, samples, 1.0)
    strike = np.arange(SAMPLE_RATE_HZ // 4) / SAMPLE_RATE_HZ
    for _ in range(samples // 3200):
        start = int(rng.integers(samples))
        decay_s = rng.uniform(0.01, 0.06)
        tone = np.exp(-strike / decay_s) * np.sin(2 * np.pi * rng.uniform(300, 5000) * strike)
        end = min(samples, start + len(strike))
        sound[start:end] += rng.uniform(0.1, 1.0) * tone[: end - start]
    return sound


def _load(path: Path | None, options: SyntheticKeywordsOptions, seed: int) -> AudioDataset:
    assert path is None, "the source takes no path"
    return synthetic_keywords(options, seed)


SOURCE = DataSource(
    name="synthetic-keywords",
    summary="Words spoken by a synthesizer in some seventy voices; needs no download.",
    extra="synth",
    needs_path=False,
    options=SyntheticKeywordsOptions,
    load=_load,
)
