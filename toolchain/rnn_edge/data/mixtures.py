"""Continuous sound with known words in it: commands in noise, commands in other speech, neither.

What a keyword spotter hears in a day, made of clips: beds of noise or of words that are no
keywords, and commands laid over them at known times and a known signal-to-noise ratio. Nothing is
written anywhere; the same data set and seed give the same samples.

The level of a command is its own; the bed is turned up and down between commands, in decibels along
a straight line, so that each has the ratio that is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from rnn_edge.data.noise import coloured_noise, generator
from rnn_edge.data.options import SILENCE_LABEL, UNKNOWN_LABEL
from rnn_edge.errors import DataError
from rnn_edge.types import SPLITS, Array, AudioClip, AudioDataset, Split

BedKind = Literal["noise", "speech"]
BEDS: tuple[BedKind, ...] = ("noise", "speech")
SNRS_DB = (20.0, 10.0, 5.0, 0.0)

GAP_S = (0.6, 2.4)
"""Between the end of a command's clip and the beginning of the next one."""
PIECE_S = (4.0, 10.0)
"""Length of a piece of one noise recording."""
FADE_S = 0.02
"""Over which a piece of a bed begins and ends."""
PIECE_GAIN_DB = (-20.0, 0.0)
"""Of a piece of noise where nothing else is heard: recordings of it are louder than most rooms."""
FLOOR_DB = -25.0
"""Noise under other speech where no command is laid over both."""
WORD_RANGE_DB = 25.0
"""A word lasts while its power is within this range of its loudest 20 ms."""
_STEP_S = 0.02
_LEAST_POWER = 1e-10
_GAIN_RANGE_DB = (-80.0, 30.0)


@dataclass(frozen=True)
class SpokenWord:
    """A command in a mixture.

    Attributes:
        label: Its class.
        start: First sample of the word, not of its clip.
        end: One past its last sample.
        clip_id: Of the clip.
    """

    label: str
    start: int
    end: int
    clip_id: str


@dataclass(frozen=True, eq=False)
class Mixture:
    """A stream of sound.

    Attributes:
        bed: What it is laid over, or made of where no command is in it.
        snr_db: Of every command, power over power while its word lasts; None without commands.
        pcm: int16 (N,).
        words: In the order they are spoken.
    """

    bed: BedKind
    snr_db: float | None
    pcm: Array
    words: tuple[SpokenWord, ...]


@dataclass(frozen=True)
class MixtureConfig:
    """What is made of a part of the data.

    Attributes:
        streams: Streams of each kind; a model carries its state through each of them.
        snrs_db: Ratios at which all commands are laid over each bed.
        minutes: Of each bed without commands, over all its streams.
        seed: Same seed, same sound.
        fold: 0 or 1 for one half of the speakers and noise recordings; None for all of them.
    """

    streams: int = 4
    snrs_db: tuple[float, ...] = SNRS_DB
    minutes: float = 30.0
    seed: int = 0
    fold: int | None = None


def command_mixtures(
    dataset: AudioDataset,
    split: Split,
    config: MixtureConfig,
    noise: Sequence[AudioClip] = (),
) -> Iterator[Mixture]:
    """Yield streams in which every command of a part is spoken once per bed and ratio.

    Args:
        dataset: Its clips of other labels than "unknown" and "silence" are commands.
        split: The part.
        config: What is made of it.
        noise: Further noise recordings, of which those of the part are used.

    Raises:
        DataError: If the part has no commands or no other words.
    """
    material = _Material(dataset, split, noise, config.fold)
    for number, bed in enumerate(BEDS):
        for snr_db in config.snrs_db:
            # The same order and times at every ratio: only the ratio differs.
            rng = generator(config.seed, SPLITS.index(split), 0x6D, number)
            order = rng.permutation(len(material.commands))
            for part in np.array_split(order, min(config.streams, len(order))):
                chosen = [material.commands[k] for k in part]
                yield material.laid_over(bed, snr_db, chosen, rng)


def background_mixtures(
    dataset: AudioDataset,
    split: Split,
    config: MixtureConfig,
    noise: Sequence[AudioClip] = (),
) -> Iterator[Mixture]:
    """Yield streams without any command: noise alone, and other speech over quiet noise.

    Args:
        dataset: As of `command_mixtures`.
        split: The part.
        config: What is made of it.
        noise: As of `command_mixtures`.

    Raises:
        DataError: If the part has no commands or no other words.
    """
    material = _Material(dataset, split, noise, config.fold)
    samples = round(config.minutes * 60.0 / config.streams * dataset.sample_rate_hz)
    for number, bed in enumerate(BEDS):
        rng = generator(config.seed, SPLITS.index(split), 0x6E, number)
        for _ in range(config.streams):
            yield material.alone(bed, samples, rng)


def distinct_seconds(
    dataset: AudioDataset, split: Split, noise: Sequence[AudioClip] = ()
) -> dict[str, float]:
    """Return how much different material beds are made of; they repeat it in other orders.

    Returns:
        Seconds of "noise" and of "speech"; 0 of noise where there is no recording of it, and beds
        are generated.
    """
    material = _Material(dataset, split, noise)
    recorded = 0 if material.is_generated else sum(map(len, material.noises))
    return {
        "noise": recorded / dataset.sample_rate_hz,
        "speech": sum(map(len, material.others)) / dataset.sample_rate_hz,
    }


def other_speech(dataset: AudioDataset, split: Split, seconds: float, seed: int) -> Array:
    """Return words that are no command, one behind the other, float32 (N,) in [-1, 1).

    Args:
        dataset: As of `command_mixtures`.
        split: The part.
        seconds: How much of it; words come again only after all others.
        seed: Of the order.

    Raises:
        DataError: If the part has no commands or no other words.
    """
    material = _Material(dataset, split, ())
    rng = generator(seed, SPLITS.index(split), 0x70)
    samples = round(seconds * dataset.sample_rate_hz)
    return np.asarray(material.speech(samples, rng), np.float32)


class _Material:
    """What streams of one part are made of."""

    def __init__(
        self,
        dataset: AudioDataset,
        split: Split,
        noise: Sequence[AudioClip],
        fold: int | None = None,
    ) -> None:
        self.rate_hz = dataset.sample_rate_hz
        own = _of_fold([clip for clip in dataset.clips if clip.split == split], fold)
        nothing = (UNKNOWN_LABEL, SILENCE_LABEL)
        # Of a clip of digital silence there is no word to be heard, and no ratio.
        self.commands = [c for c in own if c.label not in nothing and c.pcm.any()]
        self.others = [_unit(c.pcm) for c in own if c.label == UNKNOWN_LABEL and c.pcm.any()]
        recorded = [
            *_of_fold([c for c in dataset.background if c.split == split], fold),
            *_of_fold([c for c in noise if c.split == split], fold),
        ]
        least = round(FADE_S * 4 * self.rate_hz)
        self.noises = [_unit(c.pcm) for c in recorded if len(c.pcm) >= least and c.pcm.any()]
        missing = {"command": self.commands, "other word": self.others}
        for what, found in missing.items():
            if not found:
                raise DataError(
                    f"Data has no {what} in its {split} part; mixtures need some.",
                    "give data with keywords and other words in every part",
                )
        self.is_generated = not self.noises
        if self.is_generated:
            rng = generator(0, SPLITS.index(split), 0x6F)
            slopes = (0.0, 1.0, 2.0)
            self.noises = [0.01 * coloured_noise(rng, 10 * self.rate_hz, s) for s in slopes]

    def laid_over(
        self,
        bed: BedKind,
        snr_db: float,
        clips: Sequence[AudioClip],
        rng: np.random.Generator,
    ) -> Mixture:
        """Return commands, one after the other, over a bed."""
        gaps = np.rint(rng.uniform(*GAP_S, len(clips) + 1) * self.rate_hz).astype(int)
        total = int(gaps.sum()) + sum(len(clip.pcm) for clip in clips)
        under = self._bed(bed, total, rng)
        over = np.zeros(total)
        words: list[SpokenWord] = []
        gains_db: list[float] = []
        at = 0
        for clip, gap in zip(clips, gaps, strict=False):
            at += int(gap)
            pcm = _unit(clip.pcm)
            first, last = word_bounds(pcm, self.rate_hz)
            over[at : at + len(pcm)] = pcm
            power = _power(pcm[first:last]) / _power(under[at + first : at + last])
            gains_db.append(float(np.clip(10.0 * np.log10(power) - snr_db, *_GAIN_RANGE_DB)))
            words.append(SpokenWord(clip.label, at + first, at + last, clip.clip_id))
            at += len(pcm)
        edges = [edge for word in words for edge in (word.start, word.end)]
        decibels = np.interp(np.arange(total), edges, np.repeat(gains_db, 2))
        return Mixture(bed, snr_db, _pcm(over + under * 10.0 ** (decibels / 20.0)), tuple(words))

    def alone(self, bed: BedKind, samples: int, rng: np.random.Generator) -> Mixture:
        """Return a bed without commands."""
        if bed == "noise":
            return Mixture(bed, None, _pcm(self._noise(samples, rng, PIECE_GAIN_DB)), ())
        speech, noise = self.speech(samples, rng), self._noise(samples, rng, (0.0, 0.0))
        gain = np.sqrt(_power(speech) / _power(noise)) * 10.0 ** (FLOOR_DB / 20.0)
        return Mixture(bed, None, _pcm(speech + gain * noise), ())

    def _bed(self, bed: BedKind, samples: int, rng: np.random.Generator) -> Array:
        if bed == "noise":
            return self._noise(samples, rng, (0.0, 0.0))
        return self.speech(samples, rng)

    def speech(self, samples: int, rng: np.random.Generator) -> Array:
        """Return other words, one behind the other, float64 (samples,)."""
        return self._joined(self._words(rng), samples)

    def _words(self, rng: np.random.Generator) -> Iterator[Array]:
        """Yield other words for ever, each once before any of them again."""
        while True:
            for k in rng.permutation(len(self.others)):
                yield self.others[k]

    def _noise(self, samples: int, rng: np.random.Generator, gain_db: tuple[float, float]) -> Array:
        def pieces() -> Iterator[Array]:
            while True:
                for k in rng.permutation(len(self.noises)):
                    source = self.noises[k]
                    length = min(len(source), round(rng.uniform(*PIECE_S) * self.rate_hz))
                    start = int(rng.integers(len(source) - length + 1))
                    gain = 10.0 ** (rng.uniform(*gain_db) / 20.0)
                    yield gain * source[start : start + length]

        return self._joined(pieces(), samples)

    def _joined(self, pieces: Iterator[Array], samples: int) -> Array:
        """Return pieces one behind the other, each faded in and out."""
        fade = round(FADE_S * self.rate_hz)
        ramp = (np.arange(fade) + 0.5) / fade
        found = np.empty(samples)
        at = 0
        while at < samples:
            piece = next(pieces).copy()
            piece[:fade] *= ramp[: len(piece)]
            piece[-fade:] *= ramp[::-1][-len(piece) :]
            length = min(len(piece), samples - at)
            found[at : at + length] = piece[:length]
            at += length
        return found


def _of_fold(clips: Sequence[AudioClip], fold: int | None) -> list[AudioClip]:
    """Return every second speaker's clips; where nobody speaks every second folder or file."""
    if fold is None:
        return list(clips)
    folders = {PurePosixPath(clip.clip_id).parent for clip in clips}

    def group(clip: AudioClip) -> str:
        if clip.speaker or len(folders) == 1:
            return clip.speaker or clip.clip_id
        return PurePosixPath(clip.clip_id).parent.as_posix()

    places = {name: k for k, name in enumerate(sorted({group(clip) for clip in clips}))}
    return [clip for clip in clips if places[group(clip)] % 2 == fold]


def word_bounds(pcm: Array, rate_hz: int) -> tuple[int, int]:
    """Return where the word of a clip begins and ends, by its power.

    Args:
        pcm: float64 (N,), not all zero.
        rate_hz: Samples per second.

    Returns:
        First sample and one past the last: of all 20 ms that are within `WORD_RANGE_DB` of the
        loudest.
    """
    step = max(1, round(_STEP_S * rate_hz))
    count = -(-len(pcm) // step)
    power = np.square(np.pad(pcm, (0, count * step - len(pcm)))).reshape(count, step).mean(axis=1)
    loud = np.flatnonzero(power >= power.max() * 10.0 ** (-WORD_RANGE_DB / 10.0))
    return int(loud[0]) * step, min(len(pcm), (int(loud[-1]) + 1) * step)


def _power(samples: Array) -> float:
    return max(_LEAST_POWER, float(np.square(samples).mean()))


def _unit(pcm: Array) -> Array:
    return np.asarray(pcm / 32768.0)


def _pcm(samples: Array) -> Array:
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
