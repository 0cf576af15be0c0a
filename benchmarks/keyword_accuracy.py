"""How many keywords of a test part are heard right: reset, never reset, and in noise.

python benchmarks/keyword_accuracy.py --data kws-sc.tar --noise noise-esc10.tar BUNDLE...

Each bundle in floating point and as the exported C, whose bits are those of the integer reference.
Never reset is the mean over several orders of the clips, the first of them that of reports: what a
clip is heard behind is chance. Noise is the last fold of --noise, at the same power ratio in every
clip, the mean over several draws of its pieces, the same for every bundle. In brackets what 95 % of
redrawn sets of test speakers give. Of several bundles, seeds of one spec for example, the last rows
are their means.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.data.noise_recordings import read_noise
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import DataError
from rnn_edge.evaluation.keyword import classify_clips, speaker_interval, speakers_of
from rnn_edge.evaluation.runners import Runner
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.evaluate import engine_runner
from rnn_edge.pipeline.material import FRONT_END, read_dataset
from rnn_edge.pipeline.measure import test_order
from rnn_edge.train.augment import add_noise, noise_crop
from rnn_edge.types import Array, AudioClip, AudioDataset
from rnn_edge.types.frames import FrameSequence

ENGINES = ("float", "c")
FULL_SCALE = 32768.0
PARTS = ("reset", "unreset", "in_noise")
FIRST_DRAW = 10
"""Seed of the first draw of noise."""


@dataclass(frozen=True, eq=False)
class Heard:
    """How often each clip of the test part is heard right.

    Attributes:
        bundle: Its name.
        engine: What ran it.
        speakers: Who speaks in each clip.
        reset: float64 (N,), 0 or 1.
        unreset: float64 (N,), the mean over orders.
        in_noise: float64 (N,), the mean over draws.
    """

    bundle: str
    engine: str
    speakers: tuple[str, ...]
    reset: Array
    unreset: Array
    in_noise: Array

    def shares(self) -> dict[str, tuple[float, float, float]]:
        """Return share and 95 % interval of what is heard, and of what is lost of it."""
        parts = {
            "reset": self.reset,
            "unreset": self.unreset,
            "unreset_loses": self.reset - self.unreset,
            "in_noise": self.in_noise,
            "noise_loses": self.reset - self.in_noise,
        }
        return {
            name: (float(each.mean()), *speaker_interval(each, self.speakers))
            for name, each in parts.items()
        }


def in_noise(
    clips: Sequence[AudioClip], noises: Sequence[Array], snr_db: float, draw: int = 0
) -> Iterator[Array]:
    """Yield the samples of each clip with a piece of noise over it, int16 [n]."""
    generator = np.random.default_rng(FIRST_DRAW + draw)
    for clip in clips:
        pcm = clip.pcm.astype(np.float32) / FULL_SCALE
        noise = noise_crop(noises, pcm.size, generator)
        mixed = np.clip(add_noise(pcm, noise, snr_db), -1.0, 1.0 - 1.0 / FULL_SCALE)
        yield np.rint(mixed * FULL_SCALE).astype(np.int16)


def never_reset(run: Runner, clips: Sequence[FrameSequence], orders: int) -> Array:
    """Return how often each clip is heard right, float64 (N,), in so many orders.

    The first order is that of the clips as they are given.
    """
    generator = np.random.default_rng(0)
    labels = np.array([clip.label for clip in clips])
    right = np.zeros(len(clips))
    for k in range(orders):
        order = generator.permutation(len(clips)) if k else np.arange(len(clips))
        decided = classify_clips(run, [clips[i] for i in order], reset=False)
        right[order] += decided == labels[order]
    return np.asarray(right / orders)


def heard_by(
    path: Path, data: Path, noises: Sequence[Array], asked: argparse.Namespace
) -> Iterator[Heard]:
    """Yield what each engine hears.

    Raises:
        DataError: If the bundle spots no keywords, or the data has no test part.
    """
    bundle = Bundle.open(path)
    spec = bundle.spec()
    if spec.model.task != "kws":
        raise DataError(f"Bundle {path} is of the task {spec.model.task}; expected kws.")
    features = FrontEnd.load(bundle.file(FRONT_END))
    dataset = read_dataset(spec, data)
    assert isinstance(dataset, AudioDataset), "a keyword model hears sound"
    clips = [clip for clip in dataset.clips if clip.split == "test"]
    if not clips:
        raise DataError(f"Data {data} has no test part; expected at least one clip.")

    def frames(samples: Iterator[Array]) -> list[FrameSequence]:
        made = [
            FrameSequence(
                c.clip_id, features.frames(pcm), dataset.classes.index(c.label), None, c.split
            )
            for c, pcm in zip(clips, samples, strict=True)
        ]
        return test_order(made)

    clean = frames(clip.pcm for clip in clips)
    noisy = [frames(in_noise(clips, noises, asked.snr, draw)) for draw in range(asked.draws)]
    labels = np.array([clip.label for clip in clean])

    def fresh(run: Runner, heard: Sequence[FrameSequence]) -> Array:
        return np.asarray(classify_clips(run, heard, reset=True) == labels, np.float64)

    speakers = speakers_of(clean)
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as work:
        source = EngineSource(
            bundle.float_model(), bundle.model(), bundle.exports, Path(work), bundle.path
        )
        for name in ENGINES:
            run = engine_runner(all_engines()[name], source)
            loud = np.mean([fresh(run, each) for each in noisy], axis=0)
            unreset = never_reset(run, clean, asked.orders)
            yield Heard(path.name, name, speakers, fresh(run, clean), unreset, loud)


def mean_of(rows: Sequence[Heard]) -> Heard:
    """Return the clips of several bundles together: words of one speaker are drawn together."""
    parts = (np.concatenate([getattr(row, name) for row in rows]) for name in PARTS)
    speakers = tuple(speaker for row in rows for speaker in row.speakers)
    return Heard("mean", rows[0].engine, speakers, *parts)


def percent(share: tuple[float, float, float]) -> str:
    """Return a share and its interval."""
    return f"{100 * share[0]:.1f} [{100 * share[1]:.1f}, {100 * share[2]:.1f}]"


def at_least_one(text: str) -> int:
    """Return a number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}; expected a whole number from 1 on")
    return int(text)


def decibels(text: str) -> float:
    """Return a ratio from -60 to 100 dB."""
    try:
        ratio = float(text)
    except ValueError:
        ratio = np.nan
    if not -60.0 <= ratio <= 100.0:
        raise argparse.ArgumentTypeError(f"{text}; expected a number from -60 to 100")
    return ratio


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    parser.add_argument("--data", type=Path, required=True, help="Speech Commands")
    parser.add_argument("--noise", type=Path, required=True, help="folders of noise")
    parser.add_argument("--snr", type=decibels, default=10.0, help="dB, of clip to noise")
    parser.add_argument("--orders", type=at_least_one, default=8, help="of clips never reset")
    parser.add_argument("--draws", type=at_least_one, default=4, help="of noise")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    noises = [
        clip.pcm.astype(np.float32) / FULL_SCALE
        for clip in read_noise(asked.noise)
        if clip.split == "test"
    ]
    if not noises:
        raise DataError(
            f"Noise {asked.noise} has no part for tests; expected several folders, or two files."
        )
    rows = [row for path in asked.bundles for row in heard_by(path, asked.data, noises, asked)]
    if len(asked.bundles) > 1:
        rows += [mean_of([row for row in rows if row.engine == engine]) for engine in ENGINES]
    table = [(row.bundle, row.engine, row.shares()) for row in rows]
    if asked.json:
        named = [{"bundle": b, "engine": e, **shares} for b, e, shares in table]
        json.dump(named, sys.stdout, indent=1)
        return 0
    print(
        f"{len(rows[0].speakers)} clips of each bundle; never reset: mean of "
        f"{asked.orders} orders, noise: of {asked.draws} draws; in percent and points\n"
    )
    print(f"| bundle | engine | reset | never reset | loses | at {asked.snr:g} dB | loses |")
    print("|---|---|---|---|---|---|---|")
    for bundle, engine, shares in table:
        print(f"| {bundle} | {engine} | {' | '.join(map(percent, shares.values()))} |")
    return 0


if __name__ == "__main__":
    with explained_errors():
        sys.exit(main())
