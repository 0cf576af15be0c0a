"""What a model card says beside the figures of a report, and the card as a file of the bundle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_edge.pipeline import training
from rnn_edge.pipeline.bundle import STAGES, Bundle
from rnn_edge.pipeline.files import explained, read_json, tree_digests, write_bytes
from rnn_edge.pipeline.stages import RECORD
from rnn_edge.pipeline.versions import package_versions
from rnn_edge.report import render_card
from rnn_edge.report.card import CARD
from rnn_edge.spec import (
    ModelSpec,
    SensorTableData,
    SpeechCommandsData,
    SyntheticKeywordsData,
    SyntheticMachineData,
    SyntheticPhrasesData,
)
from rnn_edge.spec.data import STATEMENTS
from rnn_edge.types import FloatModel, QuantizedModel

MODEL_CARD = "MODEL_CARD.md"
REPORT = "report.json"

_MADE = {
    "synthetic-keywords": {
        "source": "made on this machine: words spoken by the speech synthesizer espeak-ng (through "
        "espeakng-loader), with generated noise and rooms",
        "licence": "none needed: no recording is part of it",
        "description": "synthetic speech in many voices",
    },
    "synthetic-phrases": {
        "source": "made on this machine: keywords, and what sounds like them, spoken by the speech "
        "synthesizer espeak-ng (through espeakng-loader), with generated noise and rooms; "
        "recordings that were added are counted in the notes of the data",
        "licence": "none needed for synthetic speech; that of recordings that were added is not "
        "stated",
        "description": "synthetic speech in many voices",
    },
    "synthetic-machine": {
        "source": "made on this machine by the simulator of rnn-edge",
        "licence": "none needed: no recording is part of it",
        "description": "a simulated motor with a pump; the test part has faults",
    },
}
"""What is known of data that is made here, where the spec says nothing else."""


def card_facts(spec: ModelSpec, folders: Mapping[str, Path]) -> dict[str, Any]:
    """Return what a card needs to know besides the figures of the report, as JSON values.

    Args:
        spec: The spec.
        folders: Of the finished stages.
    """
    quantized = folders["quantize"]
    exports = {
        name: digest for name, digest in tree_digests(folders["export"]).items() if name != RECORD
    }
    return {
        **card_inputs(spec),
        "kind": spec.data.kind,
        "versions": package_versions(),
        "digests": {
            "samples and labels": read_json(folders["data"] / "data.json")["summary"]["digest"],
            "float model": FloatModel.load(quantized / training.FLOAT_MODEL).digest(),
            "int8 model": QuantizedModel.load(quantized / training.MODEL).digest(),
            "exported files": hashlib.sha256(
                json.dumps(exports, sort_keys=True).encode()
            ).hexdigest(),
            "spec": _spec_digest(spec),
        },
    }


def card_inputs(spec: ModelSpec) -> dict[str, Any]:
    """Return what of the spec a card holds that no stage before depends on."""
    said = {**_MADE.get(spec.data.kind, {}), **_statements(spec)}
    return {
        **{key: said.get(key) for key in STATEMENTS},
        "split": _split(spec),
        "commission_samples": getattr(spec.features, "commission_samples", 0),
        "keyword_rule": {
            "threshold": spec.drift.threshold,
            "smoothing_frames": spec.drift.smoothing_frames,
        },
    }


def write_card(
    folder: Path, report: Mapping[str, Any], limits: Mapping[str, Any] | None
) -> dict[str, Path]:
    """Write the card of a bundle beside its stages.

    Args:
        folder: Of the stages.
        report: Content of ``report.json``.
        limits: Content of ``detections.json``, or None.

    Returns:
        Its name in the bundle and where it lies; nothing for a report of an earlier version,
        which holds too little for a card.
    """
    if CARD not in report:
        return {}
    path = folder / MODEL_CARD
    with explained(f"Writing {path}"):
        folder.mkdir(exist_ok=True)
        write_bytes(path, render_card(report, limits).encode())
    return {MODEL_CARD: path}


def renewed_card(bundle: Bundle, limits: Mapping[str, Any]) -> dict[str, Path]:
    """Return the card of a finished bundle whose keywords get other limits, as `write_card` does.

    Raises:
        BundleError: If its report is not what was expected.
    """
    if REPORT not in bundle.manifest["files"]:
        return {}
    return write_card(bundle.path / STAGES, read_json(bundle.file(REPORT)), limits)


def _statements(spec: ModelSpec) -> dict[str, str]:
    stated = {key: getattr(spec.data, key) for key in STATEMENTS}
    return {key: value for key, value in stated.items() if value is not None}


def _spec_digest(spec: ModelSpec) -> str:
    """Return the digest of everything that the learned model depends on, wherever it lies."""
    facts = {"data": spec.data.as_inputs(), "model": spec.model.as_inputs(), "seed": spec.seed}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _split(spec: ModelSpec) -> str:
    """Return how the data is split into its parts, in words."""
    match spec.data:
        case SpeechCommandsData() as data:
            return {
                "lists": "by the lists of the data, validation_list.txt and testing_list.txt",
                "hash": f"by speaker, {_percent(data.validation_share)} of them for validation and "
                f"{_percent(data.test_share)} for the test",
                "test": "all of it is the test part",
            }[data.split]
        case SensorTableData() as data:
            return _table_split(data)
        case SyntheticKeywordsData() | SyntheticPhrasesData():
            return "by voice: no voice is in two parts"
        case SyntheticMachineData():
            return "by recording, each simulated with a seed of its own"
    return f'as data of the kind "{spec.data.kind}" is'


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _table_split(data: SensorTableData) -> str:
    rest = "the rest is the test part"
    if data.split_by == "recording" and (data.train_files or data.validation_files):
        return "by recording, as the spec names them"
    shares = (
        f"{_percent(data.train_share)} for training and {_percent(data.validation_share)} for "
        "validation"
    )
    if data.split_by == "recording":
        return f"by recording, {shares}; {rest}"
    of = f"the first {data.head_rows:,} rows of each recording" if data.head_rows else "the rows"
    words = f"in time: of {of} {shares}; {rest}"
    if data.normal_files:
        words += f"; of normal operation alone: {', '.join(data.normal_files)}"
    return words


def card_of(out: Path, stage: Path, limits: Path | None) -> dict[str, Path]:
    """Return the card of a build whose report is finished.

    Args:
        out: Folder of the stages.
        stage: Folder of the report's stage.
        limits: File of the limits of keywords, or None.
    """
    found = None if limits is None else read_json(limits)
    return write_card(out, read_json(stage / REPORT), found)
