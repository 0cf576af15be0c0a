"""Clips that a synthesizer speaks, from what is planned to what is heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rnn_edge.data.espeak import Utterance, speak
from rnn_edge.types import SPLITS, Array, AudioClip, Split


@dataclass(frozen=True)
class SpokenPlan:
    """One clip to come.

    Attributes:
        clip_id: Its name.
        label: Its class.
        split: Its part of the data.
        utterance: What is spoken, and by which vocal tract, which is the speaker.
        seed: Of everything that is done to it after it is spoken.
    """

    clip_id: str
    label: str
    split: Split
    utterance: Utterance
    seed: tuple[int, ...]


Plan = TypeVar("Plan", bound=SpokenPlan)


def noises_by_part(background: Sequence[AudioClip]) -> dict[Split, list[Array]]:
    """Return recordings of noise in -1..1, those of each part apart."""
    return {split: [b.pcm / 32768.0 for b in background if b.split == split] for split in SPLITS}


def spoken_clips(
    plans: Sequence[Plan],
    noises: Mapping[Split, list[Array]],
    record: Callable[[Plan, Array, int, list[Array]], Array],
) -> list[AudioClip]:
    """Speak what is planned and record it.

    Args:
        plans: Of every clip.
        noises: As of `noises_by_part`.
        record: From a plan, what was spoken (int16), its rate in Hz and the noises of its part to
            the clip, int16 (n,).

    Raises:
        MissingDependencyError: If the synthesizer is not installed.
        EnvironmentFailureError: If it fails.
    """
    rate_hz, spoken = speak([plan.utterance for plan in plans])
    return [
        AudioClip(
            plan.clip_id,
            record(plan, pcm, rate_hz, noises[plan.split]),
            plan.label,
            plan.utterance.variant,
            plan.split,
        )
        for plan, pcm in zip(plans, spoken, strict=True)
    ]
