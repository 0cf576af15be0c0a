"""How the keywords of a bundle are detected: its own limits, or the same for all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnn_edge.errors import BundleError
from rnn_edge.pipeline.bundle import STAGES, Bundle, publish
from rnn_edge.pipeline.card import renewed_card
from rnn_edge.pipeline.files import explained, write_json
from rnn_edge.reference.decisions import (
    KeywordLimits,
    KeywordNumbers,
    keyword_numbers,
    keyword_rule,
)
from rnn_edge.spec import ModelSpec
from rnn_edge.types import QuantizedModel

DETECTIONS = "detections.json"
FORMAT = "rnn-edge detections 1"


@dataclass(frozen=True)
class KeptLimits:
    """Limits as a bundle keeps them.

    Attributes:
        model: Digest of the model that they were chosen for.
        per_hour: False accepts per hour that were wanted.
        labels: Names of the outputs.
        keywords: For each output; None for one that is never detected.
        reached: What became of the material that they were chosen on, for reports.
    """

    model: str
    per_hour: float
    labels: tuple[str, ...]
    keywords: tuple[KeywordLimits | None, ...]
    reached: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [
            {"label": label, **({} if limits is None else asdict(limits))}
            for label, limits in zip(self.labels, self.keywords, strict=True)
        ]
        return {
            "format": FORMAT,
            "model": self.model,
            "false_accepts_per_hour": self.per_hour,
            "keywords": rows,
            "reached": dict(self.reached),
        }

    @classmethod
    def load(cls, path: Path) -> KeptLimits:
        """Read what was kept.

        Raises:
            BundleError: If the file is none of those.
        """
        try:
            content = json.loads(path.read_text())
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']!r}; expected {FORMAT!r}")
            rows = content["keywords"]
            keywords = []
            for row in rows:
                values = {key: int(value) for key, value in row.items() if key != "label"}
                keywords.append(KeywordLimits(**values) if values else None)
            return cls(
                str(content["model"]),
                float(content["false_accepts_per_hour"]),
                tuple(str(row["label"]) for row in rows),
                tuple(keywords),
                dict(content["reached"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(
                f"Detections {path} cannot be read: {error}.",
                "calibrate them again with: rnn-edge evaluate BUNDLE --streaming --calibrate",
            ) from error


def kept_limits(folder: Path, model: QuantizedModel) -> KeptLimits | None:
    """Return the limits that a folder keeps for a model, or None if it has none.

    Raises:
        BundleError: If they cannot be read.
    """
    path = folder / DETECTIONS
    if not path.is_file():
        return None
    kept = KeptLimits.load(path)
    return kept if kept.model == model.digest() and kept.labels == model.labels else None


def bundle_limits(bundle: Bundle, model: QuantizedModel) -> KeptLimits | None:
    """Return the limits that a bundle keeps for its model, or None if they were not calibrated."""
    return kept_limits(bundle.path, model) if DETECTIONS in bundle.manifest["files"] else None


def keyword_decisions(
    spec: ModelSpec, model: QuantizedModel, kept: KeptLimits | None
) -> KeywordNumbers:
    """Return the rule for keywords that firmware, run, listen and evaluate share.

    Args:
        spec: Of the bundle.
        model: Its quantized model.
        kept: Its calibrated limits; None treats all keywords alike, as [drift] says.

    Raises:
        ModelError: If the integers of a device do not hold it.
    """
    if kept is not None:
        return keyword_rule(model.head_kind, model.output_exponent, kept.keywords)
    return keyword_numbers(
        model.labels,
        model.head_kind,
        model.output_exponent,
        spec.drift.smoothing_frames,
        spec.drift.threshold,
        spec.release,
    )


def keep_limits(bundle: Bundle, limits: KeptLimits) -> Bundle:
    """Put limits into a finished bundle, where later builds of the same model leave them.

    Raises:
        RnnEdgeError: If the bundle cannot be written.
    """
    stages = bundle.path / STAGES
    with explained(f"Writing {bundle.path / DETECTIONS}"):
        stages.mkdir(exist_ok=True)
        write_json(stages / DETECTIONS, limits.to_json())
    files = {name: bundle.path / name for name in bundle.manifest["files"]}
    files[DETECTIONS] = stages / DETECTIONS
    files |= renewed_card(bundle, limits.to_json())
    facts = {key: value for key, value in bundle.manifest.items() if key not in ("files", "format")}
    return publish(bundle.path, files, facts)
