"""Keywords that were learned from synthetic speech, heard in real speech.

python benchmarks/spoken_keywords.py --wake kws-wake.tar --words kws-sc.tar --noise noise-esc10.tar

Trains the spec of `rnn-edge new kws --keyword alexa --keyword jarvis` on synthetic speech alone,
and with 10, 50 and all recordings of each keyword that --wake has for training, and prints how many
keywords of its test part are missed at one false accept per hour. The teacher is heads on a frozen
embedding of speech, trained anew for each row. To train four models in little time training clips
are taken as they are, where a build alters copies of them, and the student is quantized after
training; what was made of synthetic speech, and of recordings, serves all rows.

With recordings of keywords go as many of other speech from --wake, and --others training words of
--words: a model that knows no people but those who say the keyword takes anybody for it.

Each keyword is a detector of its own: sound without it is other speech with the test words of
--words, the last fold of --noise, and the other keyword. The threshold is the lowest that keeps to
the rate on validation sound of the same kinds. --work keeps what was trained, and goes on there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.cli.commands.new import STARTERS
from rnn_edge.cli.scripts import explained_errors
from rnn_edge.data.audio_file import SAMPLE_RATE_HZ, decode_audio
from rnn_edge.data.mixtures import (
    Mixture,
    MixtureConfig,
    background_mixtures,
    command_mixtures,
    distinct_seconds,
)
from rnn_edge.data.noise_recordings import read_noise
from rnn_edge.data.options import SILENCE_LABEL, UNKNOWN_LABEL, SyntheticPhrasesOptions
from rnn_edge.data.recorded_phrases import read_recorded_phrases
from rnn_edge.data.speech_commands import BACKGROUND_FOLDER, LISTS
from rnn_edge.data.synthetic_keywords import background_noise
from rnn_edge.data.synthetic_phrases import RECORDED_SHARE, altered_recording, in_pieces
from rnn_edge.data.tree import open_tree
from rnn_edge.evaluation import integer_runner
from rnn_edge.evaluation.keyword_streams import detections
from rnn_edge.evaluation.streaming import HeardStream, Outcome, judge, poisson_interval, together
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.pipeline import material, training
from rnn_edge.pipeline.embedded_clips import EmbeddedClips, EmbeddedPool
from rnn_edge.pipeline.streaming import frame_clock, listen
from rnn_edge.pipeline.training_sets import POOL
from rnn_edge.quantize import calibrate
from rnn_edge.reference.decisions import KeywordNumbers, keyword_limits, keyword_rule
from rnn_edge.replay import concatenate
from rnn_edge.spec import ModelSpec, load_spec
from rnn_edge.statistics import wilson_interval
from rnn_edge.types import Array, AudioClip, AudioDataset, FloatModel, QuantizedModel, Split
from rnn_edge.types.archive import save_archive
from rnn_edge.types.frames import FrameSequence, FrameSet, padded

KEYWORDS = ("alexa", "jarvis")
CLASSES = (*KEYWORDS, UNKNOWN_LABEL, SILENCE_LABEL)
TAUGHT = (
    "teacher.kind=embedding", "teacher.hidden=64", "teacher.steps=400", "teacher.batch=64",
    "teacher.learning_rate=2e-3", "student.embedding_weight=1.0",
)  # fmt: skip
"""What the starter says in comments, of the teacher that hears an embedding."""
ENTRIES = "entries.npz"
RECORDED = "recorded.json"
"""What a folder holds once its frames are made: how many recordings are among them."""
COPIES = ((10, 19), (50, 6), (10_000, 1))
"""Altered copies of a recording, by its number in its keyword."""
RECORDED_SHARE_OF_MADE = RECORDED_SHARE / (1.0 - RECORDED_SHARE)
FITTED_EVERY, VALIDATED_EVERY = 4, 2
"""Clips that the normaliser is fitted to, and that training validates on: to save time not all."""
CALIBRATED_ON = 400
PER_HOUR = 1.0
RATES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
SMOOTHING_S = 0.2
LEAST_S = 0.04
REFRACTORY_S = 0.8
SNRS_DB = (20.0, 10.0)
ODDS = tuple(k / 4 for k in range(-12, 41))
"""Thresholds that are tried, in log-odds of the mean probability."""


@dataclass(frozen=True)
class Trained:
    """A model and what it was trained on.

    Attributes:
        clips: Recordings of each keyword; None for all.
        recorded: How many that were, of both keywords.
        features: Its front end.
        model: In integers.
    """

    clips: int | None
    recorded: int
    features: FrontEnd
    model: QuantizedModel


def train(
    wake: Path,
    clips: int | None,
    seed: int,
    overrides: Sequence[str],
    work: Path,
    others: Sequence[AudioClip] = (),
) -> Trained:
    """Train with so many recordings of each keyword, unless that was done before.

    Args:
        wake: Recordings of the keywords and of other speech.
        clips: Training recordings of each; None for all.
        seed: Of data and training.
        overrides: Of the starter's spec.
        work: Folder that keeps what was made.
        others: Further recordings of other words, where there are recordings of keywords.
    """
    own = [f"data.keywords={json.dumps(KEYWORDS)}", f"seed={seed}"]
    spec = load_spec(STARTERS / "keyword" / "spec.toml", [*own, *TAUGHT, *overrides])
    synthetic, recorded = work / f"synthetic-{seed}", work / f"recorded-{seed}"
    folder = work / f"{'all' if clips is None else clips}-{seed}"
    if not (synthetic / ENTRIES).is_file():
        _make_synthetic(spec, synthetic)
    if clips != 0 and not (recorded / ENTRIES).is_file():
        _make_recorded(spec, synthetic, recorded, wake, others)
    if not (folder / RECORDED).is_file():
        _choose(spec, synthetic, recorded, folder, clips)
    if not (folder / training.MODEL).is_file():
        _train(spec, folder)
    meta = json.loads((folder / RECORDED).read_text())
    return Trained(
        clips,
        int(meta["recorded"]),
        HeardOnce.of(FrontEnd.load(folder / material.FRONT_END)),
        QuantizedModel.load(folder / training.MODEL),
    )


def _train(spec: ModelSpec, folder: Path) -> None:
    """Train the teacher and its student, and round this."""
    frames = FrameSet.load(folder / material.FRAMES)
    if not (folder / training.SOFT).is_file():
        training.make_teacher(spec, frames, folder, folder, _tell)
    training.make_student(spec, frames, folder, folder, folder, _tell)
    student = FloatModel.load(folder / training.STUDENT)
    sequences = [s.frames for s in frames.part("train")]
    steps = spec.quantize.calibration_steps
    streams = np.stack([concatenate(sequences, steps, seed)[:steps] for seed in range(4)])
    training.round_model(spec, student, calibrate(student, streams), streams).save(
        folder / training.MODEL
    )


@dataclass(frozen=True, eq=False)
class Entries:
    """Training clips as the student hears them; what the teacher hears lies beside them.

    Attributes:
        x: float32 (N, T, D).
        lengths: int64 (N,).
        labels: int64 (N,), of `CLASSES`.
        ranks: int64 (N,), which recording of its keyword each is made of; -1 of other clips.
    """

    x: Array
    lengths: Array
    labels: Array
    ranks: Array

    @classmethod
    def load(cls, folder: Path) -> Entries:
        """Read them from a folder."""
        with np.load(folder / ENTRIES, allow_pickle=False) as file:
            return cls(*(file[name] for name in ("x", "lengths", "labels", "ranks")))

    def save(self, folder: Path) -> None:
        """Write them into a folder."""
        arrays = [(name, getattr(self, name)) for name in ("x", "lengths", "labels", "ranks")]
        save_archive(folder / ENTRIES, {"format": "entries 1"}, arrays)


def _write_entries(
    features: FrontEnd, clips: Sequence[AudioClip], ranks: Sequence[int], folder: Path
) -> None:
    """Write training clips as frames and as embeddings.

    Args:
        features: With its normaliser.
        clips: Those of the training part are the entries; those of the others are embedded too.
        ranks: Of the training clips, see `Entries`.
        folder: Where to.
    """
    own = [c for c in clips if c.split == "train"]
    pool = EmbeddedPool([replace(c, clip_id=_origin(c)) for c in own], len(own))
    frames = []
    for k, clip in enumerate(own):
        frames.append(features.frames(clip.pcm))
        pool.add(k, k, clip.pcm)
        if k % 500 == 0:
            print(f"{folder.name} {k}/{len(own)}", file=sys.stderr, flush=True)
    x, lengths = padded(frames)
    labels = np.array([CLASSES.index(c.label) for c in own], np.int64)
    dataset = AudioDataset("", True, SAMPLE_RATE_HZ, CLASSES, tuple(clips), ())
    pool.save(folder, dataset)
    Entries(x, lengths, labels, np.array(ranks, np.int64)).save(folder)


def _origin(clip: AudioClip) -> str:
    """Return the recording that a clip is made of; two copies have one speaker."""
    return clip.clip_id.split("#")[0].split("@")[0]


def _make_synthetic(spec: ModelSpec, folder: Path) -> None:
    """Write what the data stage of a build makes of synthetic speech, no copy altered."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset = material.read_dataset(spec, None)
    assert isinstance(dataset, AudioDataset)
    assert dataset.classes == CLASSES
    training_clips = [c for c in dataset.clips if c.split == "train"]
    features = material.front_end(spec, dataset)
    raw = [features.raw_frames(c.pcm) for c in training_clips[::FITTED_EVERY]]
    features = replace(features, normaliser=Normaliser.fit(np.concatenate(raw)))
    features.save(folder / material.FRONT_END)
    validation = [c for c in dataset.clips if c.split == "validation"][::VALIDATED_EVERY]
    sequences = [
        FrameSequence(c.clip_id, features.frames(c.pcm), CLASSES.index(c.label), None, "validation")
        for c in validation
    ]
    FrameSet(CLASSES, features.frame_rate_hz, tuple(sequences)).save(folder / material.FRAMES)
    _write_entries(features, [*training_clips, *validation], [-1] * len(training_clips), folder)


def _make_recorded(
    spec: ModelSpec, synthetic: Path, folder: Path, wake: Path, others: Sequence[AudioClip]
) -> None:
    """Write recordings with altered copies, more of those that are in the rows with few."""
    folder.mkdir(parents=True, exist_ok=True)
    options = SyntheticPhrasesOptions(**spec.data.options())
    found = read_recorded_phrases(wake, options.keywords, options.recordings_clips, spec.seed)
    noises = [c.pcm / 32768.0 for c in background_noise("train", spec.seed)]
    clips = [*in_pieces([c for c in found if c.split == "train" and c.label == UNKNOWN_LABEL])]
    clips += others
    ranks = [-1] * len(clips)
    for keyword in KEYWORDS:
        own = [c for c in found if c.split == "train" and c.label == keyword and c.pcm.any()]
        for rank, k in enumerate(np.random.default_rng(spec.seed).permutation(len(own))):
            times = next(times for most, times in COPIES if rank < most)
            made = [altered_recording(own[k], n, options, noises, spec.seed) for n in range(times)]
            clips += [own[k], *made]
            ranks += [rank] * (1 + times)
    _write_entries(FrontEnd.load(synthetic / material.FRONT_END), clips, ranks, folder)


def _choose(
    spec: ModelSpec, synthetic: Path, recorded: Path, folder: Path, clips: int | None
) -> None:
    """Write the data stage of a row: synthetic speech, and so many recordings of each keyword.

    Recordings are two fifths of each class that has any, by being there several times if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    features = FrontEnd.load(synthetic / material.FRONT_END)
    features.save(folder / material.FRONT_END)
    parts = [(Entries.load(synthetic), EmbeddedClips.load(synthetic))]
    rows = [np.arange(len(parts[0][0].labels))]
    count = 0
    if clips != 0:
        made = Entries.load(recorded)
        parts.append((made, EmbeddedClips.load(recorded)))
        chosen = []
        for label, name in enumerate(CLASSES[:-1]):
            own = np.flatnonzero(made.labels == label)
            if name in KEYWORDS:
                own = own[made.ranks[own] < (clips or len(made.ranks))]
                count += len(np.unique(made.ranks[own]))
            wanted = round((parts[0][0].labels == label).sum() * RECORDED_SHARE_OF_MADE)
            order = np.random.default_rng(spec.seed).permutation(own)
            chosen.append(np.resize(order, wanted))
        rows.append(np.concatenate(chosen))
    x = _stacked([part.x[row] for (part, _), row in zip(parts, rows, strict=True)])
    lengths, labels = (
        np.concatenate([getattr(p, name)[row] for (p, _), row in zip(parts, rows, strict=True)])
        for name in ("lengths", "labels")
    )
    arrays = [("x", x), ("lengths", lengths), ("labels", labels)]
    save_archive(folder / POOL, {"format": "rnn-edge pool 1"}, arrays)
    heard = [each for _, each in parts]
    groups, indices = [0], [0]
    for each in heard[:-1]:
        groups.append(groups[-1] + int(each.groups.max()) + 1)
        indices.append(indices[-1] + int(each.clips.max()) + 1)
    EmbeddedClips(
        _stacked([e.train[row] for e, row in zip(heard, rows, strict=True)]),
        np.concatenate([e.train_counts[row] for e, row in zip(heard, rows, strict=True)]),
        np.concatenate(
            [e.groups[row] + first for e, row, first in zip(heard, rows, groups, strict=True)]
        ),
        np.concatenate(
            [e.clips[row] + first for e, row, first in zip(heard, rows, indices, strict=True)]
        ),
        _stacked([heard[0].validation, heard[-1].train[:0]]),
        heard[0].validation_counts,
        heard[0].test,
        heard[0].test_counts,
    ).save(folder)
    frames = FrameSet.load(synthetic / material.FRAMES)
    drawn = np.random.default_rng(spec.seed).permutation(len(x))[:CALIBRATED_ON]
    beside = tuple(
        FrameSequence(f"entry {k}", x[k, : lengths[k]], int(labels[k]), None, "train")
        for k in drawn
    )
    replace(frames, sequences=(*frames.sequences, *beside)).save(folder / material.FRAMES)
    (folder / RECORDED).write_text(json.dumps({"recorded": count}))


def _stacked(arrays: Sequence[Array]) -> Array:
    """Return arrays (N, T, D) one behind the other, each filled up to the longest."""
    longest = max(a.shape[1] for a in arrays)
    return np.concatenate([np.pad(a, ((0, 0), (0, longest - a.shape[1]), (0, 0))) for a in arrays])


def _tell(stage: str, step: int, total: int, metrics: Any) -> None:  # noqa: ANN401 - any numbers
    said = " ".join(f"{name} {value:.3f}" for name, value in metrics.items())
    print(f"{stage} {step}/{total} {said}", file=sys.stderr, flush=True)


@dataclass(frozen=True, eq=False)
class HeardOnce(FrontEnd):
    """A front end that keeps the frames of what it heard; all rows hear the same."""

    kept: dict[int, tuple[Array, Array]] = field(default_factory=dict)

    @classmethod
    def of(cls, features: FrontEnd) -> HeardOnce:
        """Return one that shares what it keeps with all others."""
        return cls(**{f.name: getattr(features, f.name) for f in fields(features)}, kept=_KEPT)

    def frames(self, samples: Array) -> Array:
        """As of `FrontEnd`."""
        if id(samples) not in self.kept:
            # The samples too, so that nothing else gets their number.
            self.kept[id(samples)] = samples, super().frames(samples)
        return self.kept[id(samples)][1]


_KEPT: dict[int, tuple[Array, Array]] = {}


@dataclass(frozen=True, eq=False)
class Sound:
    """What detectors listen to: one part of the real recordings.

    Attributes:
        keywords: Streams with each keyword in noise.
        background: Streams without any.
        distinct_s: How much different material beds are made of, "noise" and "speech".
    """

    keywords: dict[str, tuple[Mixture, ...]]
    background: tuple[Mixture, ...]
    distinct_s: dict[str, float]


def real_sound(
    wake: Path, words: Path, noise: Path, split: str, minutes: float, streams: int
) -> Sound:
    """Make streams of one part of the recordings.

    Args:
        wake: Recordings of the keywords and of other speech, with lists.
        words: Speech Commands, with lists.
        noise: Noise in folders; the last one is for the test.
        split: "validation" or "test".
        minutes: Of noise and of other speech.
        streams: Of each.
    """
    spoken = read_whole(wake, (split,))
    other = [replace(clip, label=UNKNOWN_LABEL) for clip in read_whole(words, (split,))]
    others = [c for c in spoken if c.label == UNKNOWN_LABEL] + other
    recorded = read_noise(noise)
    part: Split = "validation" if split == "validation" else "test"
    config = MixtureConfig(streams=streams, snrs_db=SNRS_DB, minutes=minutes)

    def dataset(labels: Sequence[str]) -> AudioDataset:
        own = [c for c in spoken if c.label in labels]
        clips = tuple(replace(c, split=part) for c in (*own, *others))
        return AudioDataset(
            "real recordings", False, SAMPLE_RATE_HZ, (*KEYWORDS, UNKNOWN_LABEL), clips, ()
        )

    return Sound(
        {
            keyword: tuple(
                m
                for m in command_mixtures(dataset([keyword]), part, config, recorded)
                if m.bed == "noise"
            )
            for keyword in KEYWORDS
        },
        tuple(background_mixtures(dataset(KEYWORDS), part, config, recorded)),
        distinct_seconds(dataset(KEYWORDS), part, recorded),
    )


def other_words(words: Path, count: int, seed: int) -> tuple[AudioClip, ...]:
    """Return so many training recordings of Speech Commands as other words."""
    clips = read_whole(words, ("train",))
    chosen = np.random.default_rng(seed).permutation(len(clips))[:count]
    return tuple(replace(clips[k], label=UNKNOWN_LABEL, split="train") for k in sorted(chosen))


def read_whole(path: Path, parts: Sequence[str]) -> list[AudioClip]:
    """Return whole recordings of some parts; what is in no folder of a keyword is "unknown"."""
    tree = open_tree(path)
    lists = {
        split: set(dict(tree.read([name]))[name].decode().split()) for split, name in LISTS.items()
    }

    def part_of(name: str) -> str:
        return next((s for s, names in lists.items() if name in names), "train")

    wanted = [
        name
        for name in tree.names
        if name.endswith(".flac")
        and not name.startswith(BACKGROUND_FOLDER)
        and part_of(name) in parts
    ]
    clips = []
    for name, content in tree.read(wanted):
        folder = name.split("/")[0]
        label = folder if folder in KEYWORDS else UNKNOWN_LABEL
        clips.append(AudioClip(name, decode_audio(content, name).pcm, label, "", "test"))
    return sorted(clips, key=lambda clip: clip.clip_id)


@dataclass(frozen=True, eq=False)
class Heard:
    """What a model made of `Sound`."""

    keywords: dict[str, list[HeardStream]]
    background: list[HeardStream]


def hear(trained: Trained, sound: Sound) -> Heard:
    """Run a model over all streams, each from a zero state and never reset."""
    run, model, features = integer_runner(trained.model), trained.model, trained.features
    rule = _rule(model, 0, 0.5, 1, 1, 0)

    def heard(mixtures: Sequence[Mixture]) -> list[HeardStream]:
        return listen(run, features, model, rule, mixtures)

    own = {keyword: heard(streams) for keyword, streams in sound.keywords.items()}
    return Heard(own, heard(sound.background))


def _rule(
    model: QuantizedModel, keyword: int, mean: float, frames: int, least: int, rest: int
) -> KeywordNumbers:
    """Return the rule of a detector of one keyword alone."""
    limits = keyword_limits(frames, mean, 0.8, least, rest)
    each = [limits if k == keyword else None for k in range(len(model.labels))]
    return keyword_rule(model.head_kind, model.output_exponent, each)


@dataclass(frozen=True)
class Point:
    """A detector at one threshold.

    Attributes:
        odds: The threshold, in log-odds.
        words: What became of the keyword, by ratio in dB.
        wrong: False accepts where it is not.
        seconds: Of sound without it.
        other_keyword: Of these false accepts, those of the other keyword.
        spoken: How often that was said.
    """

    odds: float
    words: dict[float, Outcome]
    wrong: int
    seconds: float
    other_keyword: int
    spoken: int

    @property
    def per_hour(self) -> float:
        """False accepts per hour."""
        return 3600.0 * self.wrong / self.seconds


def curve(trained: Trained, heard: Heard, keyword: str) -> list[Point]:
    """Return a detector at all thresholds of `ODDS`, from the lowest."""
    clock = frame_clock(trained.features)
    label = trained.model.labels.index(keyword)
    times = (SMOOTHING_S, LEAST_S, REFRACTORY_S)
    frames = [max(1, round(time / clock.hop_s)) for time in times]
    means = 1.0 / (1.0 + np.exp(-np.array(ODDS)))
    rules = [_rule(trained.model, label, float(mean), *frames) for mean in means]
    other = [s for name, streams in heard.keywords.items() if name != keyword for s in streams]
    # At the better ratio, so that the other keyword is not counted twice.
    other = [s for s in other if s.snr_db == max(SNRS_DB)]
    negatives = [*heard.background, *other]
    positives = heard.keywords[keyword]
    begun = detections(rules, [s.probabilities for s in (*positives, *negatives)])
    points = []
    for odds, of_rule in zip(ODDS, begun, strict=True):
        found = of_rule[: len(positives)]
        by_ratio = {
            ratio: together(
                judge(s, d, clock)
                for s, d in zip(positives, found, strict=True)
                if s.snr_db == ratio
            )
            for ratio in SNRS_DB
        }
        accepts = [len(d) for d in of_rule[len(positives) :]]
        points.append(
            Point(
                odds,
                by_ratio,
                sum(accepts),
                sum(s.seconds for s in negatives),
                sum(accepts[len(heard.background) :]),
                sum(len(s.words) for s in other),
            )
        )
    return points


def at_rate(points: Sequence[Point], per_hour: float) -> Point | None:
    """Return the lowest threshold from which on the rate is kept; None if none keeps it."""
    kept = None
    for point in reversed(points):
        if point.per_hour > per_hour:
            break
        kept = point
    return kept


def measured(trained: Trained, sounds: dict[str, Sound]) -> list[dict[str, Any]]:
    """Return what each detector misses on the test part, threshold and all."""
    heard = {split: hear(trained, sound) for split, sound in sounds.items()}
    rows = []
    for keyword in KEYWORDS:
        on_validation, on_test = (curve(trained, heard[s], keyword) for s in sounds)
        chosen = at_rate(on_validation, PER_HOUR)
        row: dict[str, Any] = {
            "keyword": keyword,
            "recordings": "all" if trained.clips is None else trained.clips,
            "recordings_used": trained.recorded,
            "validation_hours": on_validation[0].seconds / 3600.0,
            "test_hours": on_test[0].seconds / 3600.0,
            "curve": [
                {"per_hour": rate, "missed": _misses(at_rate(on_test, rate))} for rate in RATES
            ],
        }
        if chosen is not None:
            there = next(p for p in on_test if p.odds == chosen.odds)
            low, high = poisson_interval(there.wrong)
            hours = there.seconds / 3600.0
            row |= {
                "threshold": float(1.0 / (1.0 + np.exp(-chosen.odds))),
                "missed": _misses(there),
                "interval": {
                    str(ratio): list(wilson_interval(o.missed, len(o.labels)))
                    for ratio, o in there.words.items()
                },
                "words": len(there.words[SNRS_DB[0]].labels),
                "false_accepts": there.wrong,
                "per_hour": there.per_hour,
                "per_hour_interval": [low / hours, high / hours],
                "other_keyword": there.other_keyword,
                "other_keyword_spoken": there.spoken,
            }
        rows.append(row)
    return rows


def _misses(point: Point | None) -> dict[str, float] | None:
    if point is None:
        return None
    return {str(ratio): o.missed / len(o.labels) for ratio, o in point.words.items()}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as a table in Markdown."""
    loud, quiet = map(str, SNRS_DB)
    rates = [f"missed at {rate:g}" for rate in RATES if rate >= 1.0]
    lines = [
        "| recordings | keyword | missed, 20 dB (95 %) | 10 dB | false accepts per hour (95 %) | "
        + " | ".join(rates)
        + " |",
        "|---" * (5 + len(rates)) + "|",
    ]
    for row in rows:
        points = [
            "-" if each["missed"] is None else f"{each['missed'][loud]:.1%}"
            for each in row["curve"]
            if each["per_hour"] >= 1.0
        ]
        if "missed" in row:
            low, high = row["interval"][loud]
            first, last = row["per_hour_interval"]
            here = [
                f"{row['missed'][loud]:.1%} ({low:.0%} to {high:.0%})",
                f"{row['missed'][quiet]:.1%}",
                f"{row['per_hour']:.1f} ({first:.1f} to {last:.1f})",
            ]
        else:
            here = ["no threshold keeps to the rate", "-", "-"]
        cells = [str(row["recordings"]), row["keyword"], *here, *points]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Train what is wanted, measure it and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wake", type=Path, required=True, help="recordings of the keywords")
    parser.add_argument("--words", type=Path, required=True, help="Speech Commands")
    parser.add_argument("--noise", type=Path, required=True, help="folders of noise")
    parser.add_argument("--recordings", nargs="+", default=["0", "10", "50", "all"])
    parser.add_argument("--others", type=int, default=1000, help="training words of --words")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0, help="of noise, and of speech")
    parser.add_argument("--streams", type=int, default=12)
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    parser.add_argument("--work", type=Path, default=Path("spoken_keywords"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    wake = given.wake.resolve()
    counts = [None if text == "all" else int(text) for text in given.recordings]
    made = given.work / f"recorded-{given.seed}" / ENTRIES
    is_heard = any(count != 0 for count in counts) and not made.is_file()
    others = other_words(given.words, given.others, given.seed) if is_heard else ()
    trained = [
        train(wake, count, given.seed, given.overrides, given.work, others) for count in counts
    ]
    sounds = {
        split: real_sound(wake, given.words, given.noise, split, given.minutes, given.streams)
        for split in ("validation", "test")
    }
    rows = [row for each in trained for row in measured(each, sounds)]
    distinct = {split: sound.distinct_s for split, sound in sounds.items()}
    if given.json:
        print(json.dumps({"rows": rows, "distinct_s": distinct}, indent=2))
    else:
        print(table(rows))
        for split, own in distinct.items():
            said = ", ".join(f"{name} {seconds / 3600.0:.2f} h" for name, seconds in own.items())
            print(f"different {split} material: {said}")


if __name__ == "__main__":
    with explained_errors():
        main()
