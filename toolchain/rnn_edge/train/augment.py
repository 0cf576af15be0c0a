"""A class-balanced pool of altered copies of audio clips: shift, speed, gain, noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class AugmentConfig:
    """How far a copy may be from its clip.

    Attributes:
        copies: Pool entries per clip for a class of median size; every keyword gets as many
            entries as that class.
        others: Entries of a class that is no keyword, for one of a keyword.
        noise_as_silence: Clips of "silence" are cut out of further noise, too, as many again.
        shift_ms: Largest shift in time, either way; what leaves one end is lost.
        speed: Largest relative change of speed (and pitch), either way.
        gain_db: Largest change of level, either way.
        noise_probability: Share of copies that get noise.
        speech_as_noise: Share of these whose noise is other people's words; of what is said only.
        snr_low_db: Loudest noise relative to the clip.
        snr_high_db: Quietest noise.
    """

    copies: int = 10
    others: float = 1.0
    noise_as_silence: bool = False
    shift_ms: float = 100.0
    speed: float = 0.1
    gain_db: float = 6.0
    noise_probability: float = 0.5
    speech_as_noise: float = 0.0
    snr_low_db: float = 10.0
    snr_high_db: float = 30.0


@dataclass(frozen=True, eq=False)
class Speech:
    """What other people say, to be heard under a clip.

    Attributes:
        words: float32 [n], one word behind the other, as long as a clip at least.
        mute_label: The class in which nobody speaks, if there is one.
    """

    words: npt.NDArray[np.float32]
    mute_label: int | None


def pool_indices(
    labels: npt.NDArray[np.int64],
    config: AugmentConfig,
    other_labels: Sequence[int],
    generator: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Chooses which clip each pool entry is made from, equally many entries per keyword.

    Args:
        labels: int64 [N], class of each clip.
        config: How many copies.
        other_labels: Classes that are no keyword.
        generator: Source of the order.

    Returns:
        int64 [entries of all classes], indices into the clips, shuffled.
    """
    classes, counts = np.unique(labels, return_counts=True)
    entries = config.copies * int(np.median(counts))
    chosen = []
    for label in classes:
        members = generator.permutation(np.flatnonzero(labels == label))
        share = config.others if label in other_labels else 1.0
        chosen.append(np.resize(members, max(1, round(share * entries))))
    return generator.permutation(np.concatenate(chosen))


def change_speed(
    pcm: npt.NDArray[np.float32], factor: float, start: float
) -> npt.NDArray[np.float32]:
    """Plays a clip faster or slower within its own length, by linear interpolation.

    Args:
        pcm: float32 [n].
        factor: Input samples per output sample; above 1 is faster and higher.
        start: Input position of output sample 0; positions outside the clip are silent.

    Returns:
        float32 [n].
    """
    positions = start + factor * np.arange(pcm.size)
    values = np.interp(positions, np.arange(pcm.size), pcm, left=0.0, right=0.0)
    return np.asarray(values, dtype=np.float32)


def noise_crop(
    noises: Sequence[npt.NDArray[np.float32]], length: int, generator: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Cuts a random piece of a random noise recording; a short recording is repeated."""
    noise = noises[int(generator.integers(len(noises)))]
    if noise.size < length:
        return np.resize(noise, length).astype(np.float32)
    start = int(generator.integers(noise.size - length + 1))
    return np.asarray(noise[start : start + length], dtype=np.float32)


def add_noise(
    pcm: npt.NDArray[np.float32], noise: npt.NDArray[np.float32], snr_db: float
) -> npt.NDArray[np.float32]:
    """Adds noise at a ratio of clip power to noise power.

    Args:
        pcm: float32 [n].
        noise: float32 [n].
        snr_db: 10 log10 of the power ratio.

    Returns:
        float32 [n], not clipped.
    """
    signal_rms = float(np.sqrt(np.mean(np.square(pcm)) + 1e-12))
    noise_rms = float(np.sqrt(np.mean(np.square(noise)) + 1e-12))
    scale = signal_rms / noise_rms * 10.0 ** (-snr_db / 20.0)
    return (pcm + np.float32(scale) * noise).astype(np.float32)


def alter(
    pcm: npt.NDArray[np.float32],
    noises: Sequence[npt.NDArray[np.float32]],
    config: AugmentConfig,
    sample_rate_hz: int,
    generator: np.random.Generator,
    speech: npt.NDArray[np.float32] | None = None,
) -> npt.NDArray[np.float32]:
    """Makes one altered copy of a clip.

    Args:
        pcm: float32 [n] in [-1, 1).
        noises: Recordings to mix in; none means no noise.
        config: How far the copy may be from the clip.
        sample_rate_hz: Sampling rate of the clip.
        generator: Source of the draw.
        speech: float32, other words one behind the other, for `AugmentConfig.speech_as_noise`; None
            for a clip in which nobody speaks.

    Returns:
        float32 [n] in [-1, 1).
    """
    factor = 1.0 + config.speed * float(generator.uniform(-1.0, 1.0))
    shift = config.shift_ms * sample_rate_hz / 1000.0 * float(generator.uniform(-1.0, 1.0))
    # The middle of the clip stays in the middle, so that speed alone does not move the word.
    centre = (pcm.size - 1) / 2.0
    copy = change_speed(pcm, factor, centre - factor * (centre + shift))
    has_any = bool(noises) or speech is not None
    if has_any and generator.uniform() < config.noise_probability:
        snr_db = float(generator.uniform(config.snr_low_db, config.snr_high_db))
        beneath = noises
        if speech is not None and generator.uniform() < config.speech_as_noise:
            beneath = [speech]
        if beneath:
            copy = add_noise(copy, noise_crop(beneath, pcm.size, generator), snr_db)
    gain = 10.0 ** (config.gain_db * float(generator.uniform(-1.0, 1.0)) / 20.0)
    louder = np.clip(copy * np.float32(gain), -1.0, 32767.0 / 32768.0)
    return np.asarray(louder, dtype=np.float32)


def altered_pool(
    clips: Sequence[npt.NDArray[np.float32]],
    labels: npt.NDArray[np.int64],
    noises: Sequence[npt.NDArray[np.float32]],
    config: AugmentConfig,
    sample_rate_hz: int,
    seed: int,
    other_labels: Sequence[int] = (),
    speech: Speech | None = None,
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Yields a class-balanced pool of altered copies, one at a time.

    Args:
        clips: float32 clips in [-1, 1), any lengths.
        labels: int64 [N], class of each clip.
        noises: Recordings to mix in, float32.
        config: How many copies and how far from their clip.
        sample_rate_hz: Sampling rate.
        seed: Seed of every draw.
        other_labels: Classes that are no keyword.
        speech: For `AugmentConfig.speech_as_noise`; None leaves all noise what it is.

    Yields:
        (index of the clip, float32 PCM of the copy).
    """
    generator = np.random.default_rng(seed)
    for index in pool_indices(labels, config, other_labels, generator):
        words = None if speech is None or labels[index] == speech.mute_label else speech.words
        yield int(index), alter(clips[index], noises, config, sample_rate_hz, generator, words)


def hide_stretches(
    x: npt.NDArray[np.float32], frames: int, bands: int, generator: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Sets one stretch of frames and one of bands of every sequence to 0, the normalised mean.

    Args:
        x: float32 [B, T, D].
        frames: Longest stretch in time; the length is uniform from 0.
        bands: Widest stretch in frequency.
        generator: Source of the draw.

    Returns:
        float32 [B, T, D], a copy.

    Source:
        Park et al., "SpecAugment" (2019), one mask each way.
    """
    B, T, D = x.shape
    keep_t = ~_stretch(B, T, frames, generator)
    keep_d = ~_stretch(B, D, bands, generator)
    return np.asarray(x * keep_t[:, :, None] * keep_d[:, None, :], dtype=np.float32)


def mixing_shares(
    count: int, concentration: float, generator: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Draws the share of the first clip in each mixture of two; the first is the larger part.

    Args:
        count: Number of mixtures B.
        concentration: Both parameters of the beta distribution; small values mix rarely.
        generator: Source of the draw.

    Returns:
        float32 [B], 0.5..1.
    """
    share = generator.beta(concentration, concentration, count).astype(np.float32)
    return np.asarray(np.maximum(share, np.float32(1.0) - share))


def _stretch(
    count: int, size: int, longest: int, generator: np.random.Generator
) -> npt.NDArray[np.bool_]:
    lengths = generator.integers(0, longest + 1, size=(count, 1))
    starts = generator.integers(0, size, size=(count, 1)) - lengths // 2
    places = np.arange(size)[None, :]
    return np.asarray((places >= starts) & (places < starts + lengths))
