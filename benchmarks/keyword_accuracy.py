"""How many keywords of a test part are heard right: reset, never reset, and in noise.

python benchmarks/keyword_accuracy.py --data kws-sc.tar --noise noise-esc10.tar BUNDLE...

Each bundle in floating point and as the exported C, whose bits are those of the integer reference.
Noise is the last fold of --noise, at the same power ratio in every clip, and the same pieces for
every bundle. Of several bundles, seeds of one spec for example, the last rows are their means.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.data.noise_recordings import read_noise
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import DataError
from rnn_edge.evaluation.keyword import classify_clips, speaker_interval, speakers_of
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


@dataclass(frozen=True)
class Row:
    """Shares of clips that are heard right, with 95 % intervals over speakers."""

    bundle: str
    engine: str
    reset: float
    reset_interval: tuple[float, float]
    unreset: float
    unreset_interval: tuple[float, float]
    in_noise: float


def in_noise(clips: Sequence[AudioClip], noises: Sequence[Array], snr_db: float) -> Iterator[Array]:
    """Yield the samples of each clip with a piece of noise over it, int16 [n]."""
    generator = np.random.default_rng(10)
    for clip in clips:
        pcm = clip.pcm.astype(np.float32) / FULL_SCALE
        noise = noise_crop(noises, pcm.size, generator)
        mixed = np.clip(add_noise(pcm, noise, snr_db), -1.0, 1.0 - 1.0 / FULL_SCALE)
        yield np.rint(mixed * FULL_SCALE).astype(np.int16)


def rows_of(path: Path, data: Path, noises: Sequence[Array], snr_db: float) -> Iterator[Row]:
    """Yield one row for each engine.

    Raises:
        DataError: If the bundle spots no keywords, or the data has no test part.
    """
    bundle = Bundle.open(path)
    spec, features = bundle.spec(), FrontEnd.load(bundle.file(FRONT_END))
    dataset = read_dataset(spec, data)
    if not isinstance(dataset, AudioDataset):
        raise DataError(f"Bundle {path} is of the task {spec.model.task}; expected kws.")
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
    noisy = frames(in_noise(clips, noises, snr_db))
    labels = np.array([clip.label for clip in clean])
    speakers = speakers_of(clean)
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as work:
        source = EngineSource(
            bundle.float_model(), bundle.model(), bundle.exports, Path(work), bundle.path
        )
        for name in ENGINES:
            run = engine_runner(all_engines()[name], source)
            reset = classify_clips(run, clean, reset=True) == labels
            unreset = classify_clips(run, clean, reset=False) == labels
            loud = classify_clips(run, noisy, reset=True) == labels
            yield Row(
                path.name,
                name,
                float(reset.mean()),
                speaker_interval(reset, speakers),
                float(unreset.mean()),
                speaker_interval(unreset, speakers),
                float(loud.mean()),
            )


def percent(share: float, interval: tuple[float, float]) -> str:
    """Return a share and its interval."""
    return f"{100 * share:.1f} ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    parser.add_argument("--data", type=Path, required=True, help="Speech Commands")
    parser.add_argument("--noise", type=Path, required=True, help="folders of noise")
    parser.add_argument("--snr", type=float, default=10.0, help="dB, of clip to noise")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    noises = [
        clip.pcm.astype(np.float32) / FULL_SCALE
        for clip in read_noise(asked.noise)
        if clip.split == "test"
    ]
    rows = [row for path in asked.bundles for row in rows_of(path, asked.data, noises, asked.snr)]
    if asked.json:
        json.dump([asdict(row) for row in rows], sys.stdout, indent=1)
        return 0
    print(f"| bundle | engine | reset, % | never reset, % | at {asked.snr:g} dB, % | points less |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row.bundle} | {row.engine} | {percent(row.reset, row.reset_interval)} "
            f"| {percent(row.unreset, row.unreset_interval)} | {100 * row.in_noise:.1f} "
            f"| {100 * (row.reset - row.in_noise):.1f} |"
        )
    for engine in ENGINES if len(asked.bundles) > 1 else ():
        own = [(row.reset, row.unreset, row.in_noise) for row in rows if row.engine == engine]
        reset, unreset, loud = 100 * np.mean(own, axis=0)
        print(
            f"| mean | {engine} | {reset:.1f} | {unreset:.1f} | {loud:.1f} | {reset - loud:.1f} |"
        )
    return 0


if __name__ == "__main__":
    with explained_errors():
        sys.exit(main())
