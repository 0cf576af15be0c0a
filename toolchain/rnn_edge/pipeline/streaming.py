"""A keyword bundle on continuous sound: calibrated on one part of the data, measured on another."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge import __version__
from rnn_edge.data.mixtures import (
    Mixture,
    MixtureConfig,
    background_mixtures,
    command_mixtures,
    distinct_seconds,
)
from rnn_edge.data.noise_recordings import read_noise
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import DataError
from rnn_edge.evaluation import Runner, integer_runner
from rnn_edge.evaluation.keyword_calibration import CalibrationRequest, calibrate, moved
from rnn_edge.evaluation.keyword_streams import detections, posteriors
from rnn_edge.evaluation.streaming import (
    TOLERANCE_S,
    FrameClock,
    HeardStream,
    Outcome,
    TrueWord,
    judge,
    together,
)
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.detections import (
    KeptLimits,
    bundle_limits,
    keep_limits,
    keyword_decisions,
)
from rnn_edge.pipeline.evaluate import engine_runner
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.pipeline.recordings import read_dataset_of
from rnn_edge.reference.decisions import KeywordNumbers
from rnn_edge.registry import lookup
from rnn_edge.spec import ModelSpec
from rnn_edge.types import Array, AudioClip, AudioDataset, QuantizedModel, Split
from rnn_edge.types.frames import padded

FORMAT = "rnn-edge streaming 1"
INT8 = "int8"
FOLDS = (0, 1)
CURVE_STEPS = tuple(k / 4 for k in range(-20, 21))
"""How far a curve moves all thresholds, in log-odds of the mean probability."""


@dataclass(frozen=True)
class StreamingRequest:
    """What is measured.

    Attributes:
        data: Folder or archive of recordings; None for a bundle of synthetic data.
        noise: Folder or archive of further noise, or None.
        engines: Names of the engines.
        per_hour: False accepts per hour to calibrate for before; None leaves the bundle as it is.
        mixtures: What is made of the recordings.
    """

    data: Path | None
    noise: Path | None = None
    engines: tuple[str, ...] = (INT8,)
    per_hour: float | None = None
    mixtures: MixtureConfig = field(default_factory=MixtureConfig)


def evaluate_streams(
    bundle: Bundle, request: StreamingRequest, tell: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Return misses, false accepts per hour and delays of a bundle in continuous sound.

    Args:
        bundle: A finished bundle of a keyword model; with a rate to calibrate for its limits are
            chosen anew on the validation part, and kept in it.
        request: What is measured.
        tell: Told what goes on.

    Raises:
        DataError: If the task is another one, or the recordings do not do.
        RnnEdgeError: If an engine cannot be had, or the bundle cannot be written.
    """
    spec, model = bundle.spec(), bundle.model()
    if spec.model.task != "kws":
        raise DataError(
            f"Bundle {bundle.path} detects anomalies; streams with commands are for keywords.",
            "leave out --streaming",
        )
    features = FrontEnd.load(bundle.file(FRONT_END))
    dataset = stream_dataset(spec, features, model.labels, request.data)
    noise = () if request.noise is None else _noise_of(request.noise)
    if request.per_hour is not None:
        tell(f"Calibrating for {request.per_hour:g} false accepts per hour.")
        limits = calibrated(
            spec, features, model, dataset, noise, request.per_hour, request.mixtures
        )
        bundle = keep_limits(bundle, limits)
    kept = bundle_limits(bundle, model)
    rule = keyword_decisions(spec, model, kept)
    kinds = {name: lookup(all_engines(), name, "engine") for name in request.engines}
    found: dict[str, Any] = {}
    clock = frame_clock(features)
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as work:
        source = EngineSource(bundle.float_model(), model, bundle.exports, Path(work), bundle.path)
        for name, kind in kinds.items():
            tell(f"Listening with {name}.")
            mixed = _mixtures(dataset, "test", request.mixtures, noise)
            heard = listen(engine_runner(kind, source), features, model, rule, mixed)
            found[name] = _measured(rule, heard, clock)
    return {
        "format": FORMAT,
        "rnn_edge": __version__,
        "bundle": spec.model.name,
        "task": spec.model.task,
        "model_digest": model.digest(),
        "data": {
            "source": dataset.source,
            "is_synthetic": dataset.is_synthetic,
            "noise": None if request.noise is None else request.noise.name,
            "part": "test",
            "distinct_seconds": distinct_seconds(dataset, "test", noise),
            "mixtures": {**asdict(request.mixtures), "snrs_db": [*request.mixtures.snrs_db]},
        },
        "wanted_false_accepts_per_hour": None if kept is None else kept.per_hour,
        "calibration": None if kept is None else dict(kept.reached),
        "keywords": _limits_in_words(model.labels, rule, clock),
        "tolerance_s": TOLERANCE_S,
        "engines": found,
    }


def _noise_of(path: Path) -> tuple[AudioClip, ...]:
    """Return further noise, some of it for calibration and some for tests.

    Raises:
        DataError: If there is too little of it for both.
    """
    noise = read_noise(path)
    if len({clip.split for clip in noise}) < 2:
        raise DataError(
            f"Noise {path} has {len(noise)} sound file; expected two at least, one to calibrate on "
            "and one for tests.",
            "cut it in two files, or leave --noise out",
        )
    return noise


def stream_dataset(
    spec: ModelSpec, features: FrontEnd, labels: Sequence[str], data: Path | None
) -> AudioDataset:
    """Return the data of a bundle with all of its other words, which are what beds are made of."""
    dataset = read_dataset_of(spec, features, labels, data)
    if not isinstance(dataset, AudioDataset) or dataset.classes != tuple(labels):
        raise DataError(
            f"Data {data} has other classes than the model; expected {', '.join(labels)}."
        )
    return dataset


def calibrated(
    spec: ModelSpec,
    features: FrontEnd,
    model: QuantizedModel,
    dataset: AudioDataset,
    noise: Sequence[AudioClip],
    per_hour: float,
    mixtures: MixtureConfig,
) -> KeptLimits:
    """Return the limits of every keyword for a wanted rate, chosen on the validation part.

    Args:
        spec: Of the bundle.
        features: Its front end.
        model: Its quantized model, in integers.
        dataset: As from `stream_dataset`.
        noise: Further noise.
        per_hour: Wanted false accepts per hour in sound without commands.
        mixtures: What the material is made into.

    Raises:
        DataError: If the material is too little.
    """
    rule = keyword_decisions(spec, model, None)
    request = CalibrationRequest(model.labels, frame_clock(features), per_hour, spec.release)
    # Each half of the speakers has as much sound as allows for two false accepts.
    enough = replace(mixtures, minutes=max(mixtures.minutes, 60.0 / per_hour))
    halves = []
    for fold in FOLDS:
        mixed = _mixtures(dataset, "validation", replace(enough, fold=fold), noise)
        halves.append(listen(integer_runner(model), features, model, rule, mixed))
    found = calibrate(request, rule, halves)
    reached = {
        **found.to_json(),
        "distinct_seconds": distinct_seconds(dataset, "validation", noise),
        "mixtures": {**asdict(enough), "snrs_db": [*enough.snrs_db]},
    }
    return KeptLimits(model.digest(), per_hour, model.labels, found.keywords, reached)


def frame_clock(features: FrontEnd) -> FrameClock:
    """Return when the frames of a front end are complete."""
    rate_hz, config = features.sample_rate_hz, features.config
    return FrameClock(config.hop_samples / rate_hz, config.window_samples / rate_hz)


def _mixtures(
    dataset: AudioDataset, split: Split, config: MixtureConfig, noise: Sequence[AudioClip]
) -> Iterator[Mixture]:
    yield from command_mixtures(dataset, split, config, noise)
    yield from background_mixtures(dataset, split, config, noise)


def listen(
    run: Runner,
    features: FrontEnd,
    model: QuantizedModel,
    rule: KeywordNumbers,
    mixtures: Iterable[Mixture],
) -> list[HeardStream]:
    """Return what a model makes of streams, each from a zero state and never reset.

    Args:
        run: The model, whatever runs it; outputs in floating point are rounded to those of the
            integer model.
        features: Its front end.
        model: Its labels and the scale of its outputs.
        rule: What its outputs are.
        mixtures: The streams.
    """
    heard: list[HeardStream] = []
    waiting: list[tuple[Mixture, Array]] = []

    def step() -> None:
        x, lengths = padded([frames for _, frames in waiting])
        y = np.rint(run(x) * 2.0**-model.output_exponent).clip(-32768, 32767).astype(np.int16)
        for (mixture, _), outputs, length in zip(waiting, y, lengths, strict=True):
            heard.append(_heard(mixture, features, model, posteriors(rule, outputs[:length])))
        waiting.clear()

    for mixture in mixtures:
        # Streams of the same kind are about as long, and are stepped together.
        if waiting and (waiting[0][0].bed, not waiting[0][0].words) != (
            mixture.bed,
            not mixture.words,
        ):
            step()
        waiting.append((mixture, features.frames(mixture.pcm)))
    step()
    return heard


def _heard(
    mixture: Mixture, features: FrontEnd, model: QuantizedModel, probabilities: Array
) -> HeardStream:
    rate_hz = features.sample_rate_hz
    words = [
        TrueWord(model.labels.index(word.label), word.start / rate_hz, word.end / rate_hz)
        for word in mixture.words
    ]
    seconds = len(mixture.pcm) / rate_hz
    return HeardStream(mixture.bed, mixture.snr_db, probabilities, tuple(words), seconds)


def _measured(
    rule: KeywordNumbers, heard: Sequence[HeardStream], clock: FrameClock
) -> dict[str, Any]:
    """Return the conditions at the limits of the rule, the keywords, and the curve around it."""
    streams = [stream.probabilities for stream in heard]
    rules = [rule, *(moved(rule, step) for step in CURVE_STEPS)]
    outcomes = [
        [judge(stream, begun, clock) for stream, begun in zip(heard, of_rule, strict=True)]
        for of_rule in detections(rules, streams)
    ]
    here = outcomes[0]
    kinds = sorted({(s.snr_db is None, s.bed, -(s.snr_db or 0.0)) for s in heard})
    conditions = []
    for is_background, bed, below in kinds:
        snr_db = None if is_background else -below
        of_kind = _together(heard, here, bed, snr_db)
        conditions.append({"bed": bed, "snr_db": snr_db, **of_kind.to_json()})
    with_words = [o for s, o in zip(heard, here, strict=True) if s.words]
    without = [o for s, o in zip(heard, here, strict=True) if not s.words]
    curve = [
        {
            "moved": moved,
            "false_accepts_per_hour": together(
                o for s, o in zip(heard, found, strict=True) if not s.words
            ).per_hour,
            "miss_rate": {
                bed: _miss_rate(_together(heard, found, bed, ...)) for bed in ("noise", "speech")
            },
        }
        for moved, found in zip(CURVE_STEPS, outcomes[1:], strict=True)
    ]
    return {
        "commands": together(with_words).to_json(),
        "background": together(without).to_json(),
        "conditions": conditions,
        "keywords": _by_keyword(rule, together(with_words), together(without)),
        "curve": curve,
    }


def _together(
    heard: Sequence[HeardStream], outcomes: Sequence[Outcome], bed: str, snr_db: object
) -> Outcome:
    """Return the outcome of the streams over a bed: of a ratio, None, or ... for any."""
    return together(
        outcome
        for stream, outcome in zip(heard, outcomes, strict=True)
        if stream.bed == bed
        and (stream.snr_db == snr_db if snr_db is not ... else bool(stream.words))
    )


def _miss_rate(outcome: Outcome) -> float:
    return outcome.missed / len(outcome.labels)


def _by_keyword(rule: KeywordNumbers, commands: Outcome, background: Outcome) -> list[Any]:
    rows = []
    for k, limits in enumerate(rule.keywords):
        if limits is None:
            continue
        own = [d for d, label in zip(commands.delays_s, commands.labels, strict=True) if label == k]
        wrong = (*commands.confused, *commands.repeated, *commands.elsewhere)
        rows.append(
            {
                "output": k,
                "words": len(own),
                "missed": int(np.isnan(own).sum()),
                "false_accepts_in_commands": wrong.count(k),
                "false_accepts_in_background": background.elsewhere.count(k),
            }
        )
    return rows


def _limits_in_words(
    labels: Sequence[str], rule: KeywordNumbers, clock: FrameClock
) -> list[dict[str, Any]]:
    """Return the limits of each keyword, in integers and in units."""
    rows = []
    for k, (label, limits) in enumerate(zip(labels, rule.keywords, strict=True)):
        if limits is not None:
            scale = limits.frames * 32768.0
            rows.append(
                {
                    "output": k,
                    "label": label,
                    **asdict(limits),
                    "smoothing_s": limits.frames * clock.hop_s,
                    "mean_probability": limits.threshold / scale,
                    "least_length_s": limits.least_frames * clock.hop_s,
                    "refractory_s": limits.refractory_frames * clock.hop_s,
                }
            )
    return rows
