"""Everything that a report says, gathered from the stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rnn_edge
from rnn_edge.engines.base import engines_here
from rnn_edge.exporters.c_arrays import c_matrix
from rnn_edge.pipeline import material, training
from rnn_edge.pipeline.c_memory import macs_of, memory_of
from rnn_edge.pipeline.card import card_facts
from rnn_edge.pipeline.files import read_json
from rnn_edge.spec import ModelSpec
from rnn_edge.types import QuantizedModel
from rnn_edge.types.frames import FrameSet
from rnn_edge.types.local import widths

FORMAT = "rnn-edge report 1"


def assemble_report(
    spec: ModelSpec, measured: Mapping[str, Any], folders: Mapping[str, Path]
) -> dict[str, Any]:
    """Return the content of report.json; it holds no times, so that builds can be compared.

    Args:
        spec: The spec.
        measured: From `measure_models`.
        folders: Of the finished stages.
    """
    model = QuantizedModel.load(folders["quantize"] / training.MODEL)
    proof = read_json(folders["prove"] / "proof.json")
    exports = folders["export"]
    used = set(spec.replay.engines)
    heard = widths(spec.model.locals, model.inputs)
    return {
        "format": FORMAT,
        "tool_version": rnn_edge.__version__,
        "name": spec.model.name,
        "task": spec.model.task,
        "cell": " + ".join(dict.fromkeys(spec.model.cells)),
        "hidden": spec.model.hidden,
        "layers": spec.model.layers,
        "local": [
            {"stretches": layer.stretches(own), "units": layer.units}
            for layer, own in zip(spec.model.locals, heard, strict=False)
        ],
        "inputs": model.inputs,
        "outputs": model.outputs,
        "labels": list(model.labels),
        "macs": model.macs,
        "c_macs": macs_of(model),
        "weight_bytes": model.weight_bytes,
        "memory": memory_of(model, spec.c.choices()),
        "frame_rate_hz": FrameSet.load(folders["data"] / material.FRAMES).frame_rate_hz,
        "detector": asdict(training.detector_config(spec))
        if spec.model.task == "anomaly"
        else None,
        "offsets": list(spec.model.offsets) if spec.model.task == "anomaly" else None,
        "model_digest": model.digest(),
        "seed": spec.seed,
        "data": read_json(folders["data"] / material.DATA),
        "training": [
            read_json(folders[name] / training.CURVES)
            for name in ("teacher", "student", "baseline", "quantize")
        ],
        "quantization": _with_c_sums(read_json(folders["quantize"] / training.QUANTIZATION), model),
        **measured,
        **proof,
        "exports": [
            {"file": path.relative_to(exports).as_posix(), "bytes": path.stat().st_size}
            for path in sorted(exports.rglob("*"))
            if path.is_file() and path.name != "stage.json"
        ],
        "card": card_facts(spec, folders),
        "not_run": _not_run([name for name in engines_here() if name not in used]),
    }


def _with_c_sums(quantization: dict[str, Any], model: QuantizedModel) -> dict[str, Any]:
    """Return it with the width of the sums in the generated C beside the proof of each matrix."""
    matrices = [
        {
            **row,
            "c_sums": "int32"
            if c_matrix(model.matrices[row["matrix"]], row["matrix"]).is_narrow
            else "int64",
        }
        for row in quantization["ranges"]["matrices"]
    ]
    return {**quantization, "ranges": {**quantization["ranges"], "matrices": matrices}}


def _not_run(engines: Sequence[str]) -> list[str]:
    reasons = ["hardware: no board is part of a build"]
    if engines:
        listed = ", ".join(engines)
        reasons.append(
            f"engines that are not among replay.engines of the spec: {listed}; "
            "rnn-edge replay runs them on the finished bundle"
        )
    return reasons
