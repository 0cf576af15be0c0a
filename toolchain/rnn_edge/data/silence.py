"""The class "silence": background noise without speech, at any volume."""

from __future__ import annotations

import numpy as np

from rnn_edge.data.noise import coloured_noise, generator
from rnn_edge.data.options import SILENCE_LABEL
from rnn_edge.data.resample import to_pcm
from rnn_edge.types import SPLITS, AudioClip, Split

GAIN_DB = (-40.0, 0.0)
"""Range of the gain of a crop; background recordings are louder than most rooms."""
QUIET_SHARE = 0.1
"""Share of clips that hold a microphone's own noise alone."""
QUIET_RMS_LSB = (0.3, 30.0)
"""Range of the RMS of that noise; below about 0.3 every sample rounds to zero."""


def silence_clips(
    background: tuple[AudioClip, ...], split: Split, count: int, samples: int, seed: int
) -> list[AudioClip]:
    """Cut clips out of background noise.

    Args:
        background: Noise recordings; only those of the split are used. Without any that is long
            enough, every clip is microphone noise.
        split: The part the clips belong to.
        count: Clips to make.
        samples: Length of each.
        seed: Same seed, same clips.
    """
    rng = generator(seed, SPLITS.index(split), 0x51)
    usable = [b for b in background if b.split == split and len(b.pcm) >= samples]
    clips = []
    for k in range(count):
        if not usable or rng.random() < QUIET_SHARE:
            low, high = np.log(QUIET_RMS_LSB)
            rms = np.exp(rng.uniform(low, high)) / 32768.0
            pcm = to_pcm(rms * coloured_noise(rng, samples, rng.uniform(0.0, 1.0)))
        else:
            source = usable[int(rng.integers(len(usable)))].pcm
            start = int(rng.integers(len(source) - samples + 1))
            gain = 10.0 ** (rng.uniform(*GAIN_DB) / 20.0)
            pcm = to_pcm(source[start : start + samples] / 32768.0 * gain)
        name = f"{SILENCE_LABEL}/{split}/{k:05d}"
        clips.append(AudioClip(name, pcm, SILENCE_LABEL, "", split, is_generated=True))
    return clips
