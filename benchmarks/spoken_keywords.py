"""Keywords that were learned from synthetic speech, heard in real speech.

python benchmarks/spoken_keywords.py --wake kws-wake.tar --words kws-sc.tar --noise noise-esc10.tar

Trains the spec of `rnn-edge new kws --keyword alexa --keyword jarvis` on synthetic speech alone,
and with 10, 50 and all recordings of each keyword that --wake has for training, and prints how many
keywords of its test part are missed at one false accept per hour. To train four models in little
time it takes the student of the spec without its teacher, and quantizes it after training; what was
made of synthetic speech serves all of them.

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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.cli.commands.new import STARTERS
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
from rnn_edge.data.synthetic_phrases import altered_recordings
from rnn_edge.data.tree import open_tree
from rnn_edge.evaluation import integer_runner
from rnn_edge.evaluation.keyword_streams import detections
from rnn_edge.evaluation.streaming import HeardStream, Outcome, judge, poisson_interval, together
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline import material, training
from rnn_edge.pipeline.streaming import frame_clock, listen
from rnn_edge.pipeline.training_sets import POOL, load_pool
from rnn_edge.quantize import calibrate
from rnn_edge.reference.decisions import KeywordNumbers, keyword_limits, keyword_rule
from rnn_edge.replay import concatenate
from rnn_edge.spec import ModelSpec, load_spec
from rnn_edge.statistics import wilson_interval
from rnn_edge.train.augment import AugmentConfig, altered_pool
from rnn_edge.types import AudioClip, AudioDataset, FloatModel, QuantizedModel, Split
from rnn_edge.types.archive import save_archive
from rnn_edge.types.frames import FrameSequence, FrameSet

KEYWORDS = ("alexa", "jarvis")
RECORDED = "recorded.json"
"""What a folder holds once its frames are made: how many recordings are among them."""
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
    if clips:
        own += [f"data.recordings={wake}", f"data.recordings_clips={clips}"]
    elif clips is None:
        own.append(f"data.recordings={wake}")
    spec = load_spec(STARTERS / "keyword" / "spec.toml", [*own, *overrides])
    synthetic = work / f"0-{seed}"
    folder = work / f"{'all' if clips is None else clips}-{seed}"
    if not (synthetic / RECORDED).is_file():
        _make_synthetic(
            load_spec(STARTERS / "keyword" / "spec.toml", [*own[:2], *overrides]), synthetic
        )
    if not (folder / RECORDED).is_file():
        _add_recordings(spec, synthetic, folder, others)
    if not (folder / training.MODEL).is_file():
        _train(spec, folder)
    meta = json.loads((folder / RECORDED).read_text())
    return Trained(
        clips,
        int(meta["recorded"]),
        FrontEnd.load(folder / material.FRONT_END),
        QuantizedModel.load(folder / training.MODEL),
    )


def _train(spec: ModelSpec, folder: Path) -> None:
    """Train the student without a teacher, and round it."""
    frames = FrameSet.load(folder / material.FRAMES)
    training.make_student(spec, frames, folder, None, folder, _tell)
    student = FloatModel.load(folder / training.STUDENT)
    sequences = [s.frames for s in frames.part("train")]
    steps = spec.quantize.calibration_steps
    streams = np.stack([concatenate(sequences, steps, seed)[:steps] for seed in range(4)])
    training.round_model(spec, student, calibrate(student, streams), streams).save(
        folder / training.MODEL
    )


def _make_synthetic(spec: ModelSpec, folder: Path) -> None:
    """Write the data stage of a build from synthetic speech alone."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset = material.read_dataset(spec, None)
    material.make_frames(spec, dataset, folder, lambda done, total: None)
    (folder / RECORDED).write_text(json.dumps({"recorded": 0}))


def _add_recordings(
    spec: ModelSpec, synthetic: Path, folder: Path, others: Sequence[AudioClip]
) -> None:
    """Write the frames of synthetic speech with those of recordings behind them.

    A build does the same in one go; here the front end stays that of the synthetic speech, and what
    was made of that once serves all models.
    """
    folder.mkdir(parents=True, exist_ok=True)
    assert spec.augment is not None
    options = SyntheticPhrasesOptions(**spec.data.options())
    features = FrontEnd.load(synthetic / material.FRONT_END)
    frames = FrameSet.load(synthetic / material.FRAMES)
    recorded = read_recorded_phrases(
        Path(spec.data.place or ""), options.keywords, options.recordings_clips, spec.seed
    )
    noises = [c.pcm / 32768.0 for c in background_noise("train", spec.seed)]
    copies = altered_recordings(recorded, options, noises, spec.seed)
    own = [c for c in (*recorded, *copies, *others) if c.split == "train"]
    pool = load_pool(synthetic)
    labels = np.array([frames.labels.index(c.label) for c in own], np.int64)
    made = altered_pool(
        [(c.pcm / 32768.0).astype(np.float32) for c in own],
        labels,
        [noise.astype(np.float32) for noise in noises],
        AugmentConfig(**spec.augment.model_dump()),
        SAMPLE_RATE_HZ,
        spec.seed,
    )
    added = [(features.frames(pcm), labels[k]) for k, pcm in made]
    # Silence is not recorded: what there is of it comes as often as the other classes.
    silence = np.flatnonzero(pool.target == frames.labels.index(SILENCE_LABEL))
    silence = np.resize(silence, len(added) // len(set(labels.tolist())))
    longest = max(pool.x.shape[1], *(len(x) for x, _ in added))
    x = np.zeros((len(pool) + len(silence) + len(added), longest, pool.x.shape[2]), np.float32)
    x[: len(pool), : pool.x.shape[1]] = pool.x
    x[len(pool) : len(pool) + len(silence), : pool.x.shape[1]] = pool.x[silence]
    for row, (own_frames, _) in enumerate(added, len(pool) + len(silence)):
        x[row, : len(own_frames)] = own_frames
    lengths = [*pool.lengths, *pool.lengths[silence], *(len(x) for x, _ in added)]
    targets = [*pool.target, *pool.target[silence], *(label for _, label in added)]
    arrays = [("x", x), ("lengths", np.array(lengths)), ("labels", np.array(targets))]
    save_archive(folder / POOL, {"format": "rnn-edge pool 1"}, arrays)
    beside = tuple(
        FrameSequence(
            c.clip_id, features.frames(c.pcm), frames.labels.index(c.label), None, c.split
        )
        for c in recorded
    )
    replace(frames, sequences=(*frames.sequences, *beside)).save(folder / material.FRAMES)
    features.save(folder / material.FRONT_END)
    count = sum(c.split == "train" and c.label in KEYWORDS for c in recorded)
    (folder / RECORDED).write_text(json.dumps({"recorded": count}))


def _tell(stage: str, step: int, total: int, metrics: Any) -> None:  # noqa: ANN401 - any numbers
    said = " ".join(f"{name} {value:.3f}" for name, value in metrics.items())
    print(f"{stage} {step}/{total} {said}", file=sys.stderr, flush=True)


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
    others = other_words(given.words, given.others, given.seed)
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
    main()
