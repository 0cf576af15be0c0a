"""The distribution of the calibration frames: made by a build, found by whoever watches inputs."""

from __future__ import annotations

from pathlib import Path

from rnn_edge.errors import BundleError, DataError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import INPUT_EXPONENT
from rnn_edge.input_drift import InputReference
from rnn_edge.pipeline.bundle import STAGES, Bundle
from rnn_edge.pipeline.files import TEMPORARY, explained
from rnn_edge.pipeline.material import FRAMES, FRONT_END
from rnn_edge.pipeline.stages import StageOutput, StageStore
from rnn_edge.quantize import quantize_input
from rnn_edge.types.frames import FrameSet

INPUT_REFERENCE = "input_reference.npz"
NOT_THERE = "This bundle does not hold the distribution of the frames it was calibrated on"
"""Said where a bundle of an earlier version has lost its stages."""


def reference_of_stage(data: StageOutput) -> InputReference:
    """Measure the training frames of a build.

    Args:
        data: The finished data stage.
    """
    frames = FrameSet.load(data.folder / FRAMES)
    front_end = FrontEnd.load(data.folder / FRONT_END)
    part = frames.part("train")
    return InputReference.fit(
        [quantize_input(s.frames, INPUT_EXPONENT) for s in part],
        front_end.feature_names,
        exponent=INPUT_EXPONENT,
        frame_rate_hz=frames.frame_rate_hz,
        origin=data.digest,
    )


def write_reference(data: StageOutput, path: Path) -> None:
    """Write the reference of a data stage, unless the file holds it already.

    Args:
        data: The finished data stage.
        path: The file.
    """
    try:
        if InputReference.load(path).origin == data.digest:
            return
    except BundleError:
        # Not there, damaged, or of another version: made anew.
        pass
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    with explained(f"Writing {path}"):
        try:
            reference_of_stage(data).save(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def input_reference(bundle: Bundle) -> InputReference:
    """Return the calibration's distribution of a bundle.

    A bundle of an earlier version has none; it is measured then, if the frames of the build are
    still beside it.

    Raises:
        DataError: If they are not.
        BundleError: If the file is damaged.
    """
    if INPUT_REFERENCE in bundle.manifest["files"]:
        return InputReference.load(bundle.file(INPUT_REFERENCE))
    name = str(bundle.manifest.get("stages", {}).get("data", ""))
    kept = StageStore(bundle.path / STAGES).find("data", name) if name else None
    if kept is None:
        raise DataError(
            f"{NOT_THERE}: {bundle.path} has no {INPUT_REFERENCE}.",
            f"rnn-edge build {bundle.path}",
        )
    return reference_of_stage(kept)
