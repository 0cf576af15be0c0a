"""What the stages of a build need besides their inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from rnn_edge.engines import c_float, c_host
from rnn_edge.engines.base import EngineKind, all_engines
from rnn_edge.engines.c_host import host_compiler
from rnn_edge.extras import require_extras
from rnn_edge.pipeline import formats
from rnn_edge.registry import lookup
from rnn_edge.spec import ModelSpec
from rnn_edge.train.embedding import EXTRA, PURPOSE

_DATA: Mapping[str, tuple[str, str]] = {
    "synthetic-keywords": ("synth", "synthetic speech"),
    "synthetic-phrases": ("synth", "synthetic speech"),
    "speech-commands": ("audio", "reading recordings"),
}
_COMPILED_HERE = (c_host.ENGINE.name, c_float.ENGINE.name)
_TRAINING = ("teacher", "student", "baseline", "quantize")


def require_everything(spec: ModelSpec, stages: Collection[str]) -> None:
    """Ask for all packages and programs of some stages, before the first one runs.

    A package that is missed after an hour of training is missed too late.

    Raises:
        RnnEdgeError: If an engine is unknown.
        MissingDependencyError: Naming everything that is not installed.
    """
    # Every look at the kinds reads the files of all devices.
    known_kinds = all_engines()
    kinds = [lookup(known_kinds, name, "engine") for name in spec.replay.engines]
    require_extras(_extras(spec, stages, kinds))
    for kind in kinds:
        if "prove" in stages and kind.name in _COMPILED_HERE:
            host_compiler(kind.name)


def _extras(
    spec: ModelSpec, stages: Collection[str], kinds: Sequence[EngineKind]
) -> Iterator[tuple[str, str]]:
    if "data" in stages and spec.data.kind in _DATA:
        yield _DATA[spec.data.kind]
        if spec.data.kind == "synthetic-phrases" and spec.data.place is not None:
            yield _DATA["speech-commands"]
    if "data" in stages and spec.teacher.kind == "embedding":
        yield EXTRA, PURPOSE
    if any(name in stages for name in _TRAINING):
        yield "train", "training"
    if "export" in stages:
        for exporter in formats.chosen_exporters(spec):
            yield exporter.extra, f"the format {exporter.name}"
    if "prove" in stages:
        for kind in kinds:
            yield kind.extra, f"the engine {kind.name}"
    if "report" in stages:
        yield "report", "the plots of the report"
