"""Whether the frames of a log are inputs of a model, and what they are held against."""

from __future__ import annotations

import numpy as np

from rnn_edge.errors import BundleError, DataError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.input_drift import InputReference
from rnn_edge.logs import LogHeader, LogReader
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.input_reference import input_reference
from rnn_edge.types import QuantizedModel


def refuse_other_inputs(log: LogReader, model: QuantizedModel, front_end: FrontEnd) -> None:
    """Refuse a log whose frames are no inputs of the model.

    Raises:
        DataError: Saying what does not fit.
    """
    header = log.header
    wrong: list[str] = []
    if header.input_exponent != model.input_exponent:
        wrong.append(f"input_exponent {header.input_exponent}; expected {model.input_exponent}")
    if header.is_of(model.digest()) and header.output_exponent != model.output_exponent:
        wrong.append(f"output_exponent {header.output_exponent}; expected {model.output_exponent}")
    if not np.isclose(header.frame_rate_hz, front_end.frame_rate_hz, rtol=1e-3):
        wrong.append(
            f"{header.frame_rate_hz:g} frames per second; expected {front_end.frame_rate_hz:g}"
        )
    if header.features and header.features != front_end.feature_names:
        found, expected = len(header.features), len(front_end.feature_names)
        names = "features of other names" if found == expected else f"{found} features"
        wrong.append(f"{names}; expected {expected}: {', '.join(front_end.feature_names[:4])}, ...")
    elif not header.features and not header.is_of(model.digest()):
        width = log.peek_inputs()
        if width is not None and width != model.inputs:
            wrong.append(f"{width} features; expected {model.inputs}")
    if not wrong:
        return
    other = "" if header.is_of(model.digest()) else "of another model, and "
    raise DataError(
        f"Log {log.path} is {other}no input of {model.name}: {'; '.join(wrong)}.",
        f"replay it with the bundle of {header.model!r} with digest {header.model_digest[:12]}...",
    )


def reference_for(
    bundle: Bundle, model: QuantizedModel, header: LogHeader
) -> tuple[InputReference | None, str, str]:
    """Return the calibration's distribution, or None with the reason and what to do."""
    if not header.has_frames:
        return None, "the frames were taken out of this log.", "use the log as it was recorded"
    try:
        found = input_reference(bundle)
    except (DataError, BundleError) as error:
        return None, error.message, error.hint
    if len(found.names) != model.inputs or found.exponent != model.input_exponent:
        return None, "the distribution in the bundle is of other inputs.", "build the bundle again"
    return found, "", ""
