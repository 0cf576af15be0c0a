"""Opens what a stream needs: lanes from bundles, sources from the words that mean them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.data.audio_stream import SUFFIXES
from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.engines.c_frontend import CFrontEnd
from rnn_edge.engines.c_host import ENGINE as C_ENGINE
from rnn_edge.engines.c_sensor import CSensor
from rnn_edge.engines.front_library import build_front_end
from rnn_edge.errors import BundleError, DataError
from rnn_edge.evaluation.detections import AlarmRule
from rnn_edge.exporters.front_library import SENSOR_LIBRARY, SOUND_LIBRARY
from rnn_edge.features.fixed_point import IntegerLogMelConfig, IntegerWindowConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.live.keyword_rule import LiveKeywords
from rnn_edge.live.lane import Lane, LaneParts, SampleStream
from rnn_edge.live.source import Source
from rnn_edge.live.told import Teller
from rnn_edge.pipeline.bundle import Bundle, bundle_detector
from rnn_edge.pipeline.detections import bundle_limits, keyword_decisions
from rnn_edge.pipeline.input_reference import input_reference
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.pipeline.measure import INT8
from rnn_edge.registry import lookup
from rnn_edge.spec import ModelSpec
from rnn_edge.types import QuantizedModel

STDIN = "-"
MICROPHONE, SERIAL, MQTT = "microphone", "serial:", "mqtt://"

PACED_FRAMES, FAST_FRAMES = 1, 64
"""Frames of the largest piece of a table, and of any recording that does not wait for time."""


def open_lane(bundle: Bundle, engine: str, work: Path, port: str | None = None) -> Lane:
    """Open a bundle's model, at state zero.

    Args:
        bundle: The bundle.
        engine: Name of the engine.
        work: Folder for what the engine builds.
        port: Of a board.

    Raises:
        RnnEdgeError: If the engine cannot be had, or the bundle lacks a part.
    """
    kind = lookup(all_engines(), engine, "engine")
    spec, model = bundle.spec(), bundle.model()
    front_end = FrontEnd.load(bundle.file(FRONT_END))
    if front_end.normaliser is None:
        raise BundleError(f"Bundle {bundle.path} has a front end without a normaliser.")
    reference, why = None, ""
    try:
        reference = input_reference(bundle)
    except (DataError, BundleError) as error:
        why = error.message
    source = EngineSource(bundle.float_model(), model, bundle.exports, work, bundle.path, port)
    opened = kind.open(source)
    try:
        rule = _rule(bundle, spec, model)
        policy = spec.reset.resolved(spec.model.task)
        samples = _samples(bundle, front_end, model, engine, work)
        return Lane(
            LaneParts(model, kind, opened, front_end, samples, rule, policy, reference, why)
        )
    except BaseException:
        opened.close()
        raise


def _samples(
    bundle: Bundle, front_end: FrontEnd, model: QuantizedModel, engine: str, work: Path
) -> SampleStream:
    """Return what turns samples into features: in C where the engine is, if it was exported."""
    if isinstance(front_end.config, IntegerLogMelConfig) and engine == C_ENGINE.name:
        library = build_front_end(SOUND_LIBRARY, model, bundle.exports, work)
        return CFrontEnd(front_end.config, model.name, library)
    if isinstance(front_end.config, IntegerWindowConfig) and engine == C_ENGINE.name:
        library = build_front_end(SENSOR_LIBRARY, model, bundle.exports, work)
        return CSensor(front_end.config, model.name, library)
    return front_end.stream()


def _rule(bundle: Bundle, spec: ModelSpec, model: QuantizedModel) -> LiveKeywords | AlarmRule:
    """Return the rule of decisions, at the start of a stream: of keywords that of devices."""
    if spec.model.task == "anomaly":
        return AlarmRule(bundle_detector(bundle, INT8))
    return LiveKeywords(keyword_decisions(spec, model, bundle_limits(bundle, model)))


@dataclass(frozen=True)
class SourceRequest:
    """What a command line says about the source.

    Attributes:
        words: Files, or one of the words above.
        is_fast: Whether recordings are stepped as fast as can be, and what comes through a pipe is
            one.
        repeat: How often recordings are delivered; 0 for ever.
        baud: Of a serial port.
        delimiter: Between cells; None for that of the spec.
        front_end_hops: Of sound that are waited for before frames are made of them at once; None
            for what the front end says, or one where time does not matter.
        descriptor: Of standard input.
        speed: Times as fast as real time that recordings are played.
    """

    words: tuple[str, ...]
    is_fast: bool = False
    repeat: int = 1
    baud: int = 115_200
    delimiter: str | None = None
    front_end_hops: int | None = None
    descriptor: int | None = None
    speed: float = 1.0


def check_word(word: str) -> None:
    """Refuse a source whose address says nothing, wherever it would be opened.

    Raises:
        RnnEdgeError: Saying what is expected.
    """
    from rnn_edge.live.broker import BrokerAddress

    if word.startswith(SERIAL) and not word.removeprefix(SERIAL).strip():
        raise DataError(
            f"Source {word!r} names no port; expected {SERIAL}PORT, e.g. {SERIAL}/dev/ttyACM0.",
            '"rnn-edge devices detect" lists the ports of boards that are plugged in',
        )
    if word.startswith(MQTT):
        BrokerAddress.of(word)


def open_source(
    bundle: Bundle, front_end: FrontEnd, request: SourceRequest, tell: Teller
) -> Source:
    """Return the source that a request means.

    Args:
        bundle: Its spec says how the rows of a table are written.
        front_end: What the samples are for.
        request: What was asked for.
        tell: Told of what is wrong with single lines.

    Raises:
        DataError: If the words mean no source, or one that does not fit the model.
        RnnEdgeError: If the source cannot be opened.
    """
    words = request.words
    if len(words) > 1 and (STDIN in words or any(not Path(w).is_file() for w in words)):
        odd = next(w for w in words if w == STDIN or not Path(w).is_file())
        raise DataError(f"Source {odd!r} among {len(words)}; expected files only, or one source.")
    is_sound = isinstance(front_end.config, LogMelConfig)
    # Another word is a file that is not there: what it is opened as says so.
    is_live = words[0] == MICROPHONE or words[0].startswith((f"{MICROPHONE}:", SERIAL, MQTT))
    if request.repeat != 1 and (is_live or words[0] == STDIN):
        raise DataError(f"Source {words[0]!r} cannot be repeated; expected files.")
    if request.is_fast and is_live:
        raise DataError(
            f"Source {words[0]!r} cannot be read faster than its samples come; expected files or "
            "standard input with --fast."
        )
    if request.speed != 1.0 and (is_live or words[0] == STDIN):
        raise DataError(
            f"Source {words[0]!r} at {request.speed:g} times its speed; expected files.",
            "leave --speed out",
        )
    if is_sound:
        usual = 1 if request.is_fast else front_end.hops_at_once
        return _sound(front_end, request, request.front_end_hops or usual)
    if request.front_end_hops is not None:
        raise DataError(
            f"{request.front_end_hops} hops at once: {bundle.model().name} takes sensor rows; "
            "expected a model of sound.",
            "leave --front-end-hops out",
        )
    return _rows(bundle, front_end, request, tell)


def _sound(front_end: FrontEnd, request: SourceRequest, hops: int) -> Source:
    from rnn_edge.live.audio_files import AudioFiles
    from rnn_edge.live.microphone import Microphone
    from rnn_edge.live.pcm_pipe import PcmPipe

    rate_hz, hop = round(front_end.sample_rate_hz), front_end.config.hop_samples
    piece = hops * hop
    first = request.words[0]
    source: Source
    if first == STDIN:
        source = PcmPipe(_descriptor(request), piece, is_waiting=hops > 1)
        source.hops_at_once = hops
        return _timed(source, request)
    if first == MICROPHONE or first.startswith(f"{MICROPHONE}:"):
        source = Microphone(first[len(MICROPHONE) + 1 :], rate_hz, piece)
        source.hops_at_once = hops
        return source
    files = _files(request.words, SUFFIXES, "a model of sound takes WAV or FLAC files")
    if not files:
        raise DataError(
            f"Source {first!r} is no file, and no source of sound; expected WAV or FLAC files, "
            f"{STDIN!r} for PCM on standard input, or {MICROPHONE}[:NAME].",
        )
    if request.is_fast:
        piece = FAST_FRAMES * hop
    source = AudioFiles(
        files,
        rate_hz,
        piece,
        is_paced=not request.is_fast,
        repeat=request.repeat,
        speed=request.speed,
    )
    source.hops_at_once = hops
    return source


def _rows(bundle: Bundle, front_end: FrontEnd, request: SourceRequest, tell: Teller) -> Source:
    from rnn_edge.live.broker import BrokerAddress, BrokerRows
    from rnn_edge.live.line_sources import LineSource, SerialRows
    from rnn_edge.live.rows import RowFormat
    from rnn_edge.live.table_files import TableFiles

    data, config = bundle.spec().data, front_end.config
    form = RowFormat(
        front_end.channels,
        front_end.sample_rate_hz,
        request.delimiter or str(getattr(data, "delimiter", ",")),
        str(getattr(data, "time_column", None) or ""),
        getattr(data, "time_format", "iso"),
        config.hold_samples if isinstance(config, IntegerWindowConfig) else None,
        getattr(data, "label_columns", None),
        tuple(getattr(data, "anomalous_values", ())),
    )
    first = request.words[0]
    if first == STDIN:
        return _timed(LineSource("standard input", _descriptor(request), form, tell), request)
    if first.startswith(SERIAL):
        return SerialRows(first.removeprefix(SERIAL), request.baud, form, tell)
    if first.startswith(MQTT):
        return BrokerRows(BrokerAddress.of(first), form, tell)
    files = _files(request.words, (), "")
    if not files:
        raise DataError(
            f"Source {first!r} is no file, and no source of rows; expected CSV files, {STDIN!r} "
            f"for rows on standard input, {SERIAL}PORT or {MQTT}HOST[:PORT]/TOPIC.",
        )
    for path in files:
        if path.suffix.lower() in SUFFIXES:
            raise DataError(f"Source {path} is sound; {bundle.model().name} takes sensor rows.")
    frames = FAST_FRAMES if request.is_fast else PACED_FRAMES
    return TableFiles(
        files,
        form,
        max(1, frames * front_end.config.hop_samples),
        tell,
        is_paced=not request.is_fast,
        repeat=request.repeat,
        speed=request.speed,
    )


def _timed(source: Source, request: SourceRequest) -> Source:
    """Say whether what comes through a pipe comes as it happens."""
    source.is_paced = not request.is_fast
    return source


def _files(words: Sequence[str], suffixes: Sequence[str], expected: str) -> list[Path]:
    paths = [Path(word) for word in words]
    if not all(path.is_file() for path in paths):
        return []
    for path in paths:
        if suffixes and path.suffix.lower() not in suffixes:
            raise DataError(f"Source {path} is no sound; {expected}.")
    return paths


def _descriptor(request: SourceRequest) -> int:
    return sys.stdin.fileno() if request.descriptor is None else request.descriptor
