"""Writes a log as the frames come."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.logs.header import FRAME_FIELDS, LogHeader, encode, is_number
from rnn_edge.types import Array, QuantizedModel
from rnn_edge.types.closing import Closing

PACKED = ".gz"


class LogWriter(Closing):
    """A log that grows frame by frame.

    It is written where it stays, line by line: what was logged before a loss of power is there
    afterwards, and a reader tells a line that was cut off. Compressed ones keep what was written
    until `flush` or `close`.

    Args:
        path: The file, compressed if it ends with ``.gz``; it must not be there.
        header: Its first line.

    Raises:
        DataError: If the file is there already, or cannot be made.
    """

    def __init__(self, path: Path, header: LogHeader) -> None:
        self.path = path
        self._next = 0
        self._is_first = True
        try:
            self._raw: IO[bytes] = path.open("xb")
        except FileExistsError as error:
            raise DataError(
                f"Log {path} is there already; expected a new file.", "choose another name"
            ) from error
        except OSError as error:
            raise DataError(
                f"Log {path} cannot be written: {error.strerror}; expected a place for a new file.",
                "choose another place",
            ) from error
        self._file = packed(self._raw) if path.name.endswith(PACKED) else self._raw
        self._file.write(encode(header.to_json()))

    @staticmethod
    def header_of(
        model: QuantizedModel,
        frame_rate_hz: float,
        features: Sequence[str] = (),
        **further: Any,  # noqa: ANN401 - any JSON value
    ) -> LogHeader:
        """Return the header of a log of a model.

        Args:
            model: The model.
            frame_rate_hz: Frames per second.
            features: Names of the inputs, or none.
            further: Fields of your own.
        """
        return LogHeader(
            model.name,
            model.digest(),
            model.input_exponent,
            model.output_exponent,
            frame_rate_hz,
            model.labels,
            tuple(features),
            further=further,
        )

    def write(
        self,
        x: Array,
        y: Array | None = None,
        *,
        step: int | None = None,
        reset: bool | None = None,
        label: str | int | None = None,
        score: float | None = None,
        time_ms: float | None = None,
        **further: Any,  # noqa: ANN401 - any JSON value
    ) -> None:
        """Write one frame.

        Args:
            x: (D,), int16 at the scale of the model's input, or floating point in real units.
            y: int16 (C,), what the model gave.
            step: Counter; None for the one after the last.
            reset: Whether the state was zero before the frame; None for the first frame only.
            label: The decision.
            score: Its value in real units.
            time_ms: When, on any clock.
            further: Fields of your own; none of those that have a meaning.

        Raises:
            DataError: If a value cannot be logged.
        """
        if set(further) & set(FRAME_FIELDS):
            names = ", ".join(sorted(set(further) & set(FRAME_FIELDS)))
            raise DataError(f"Log {self.path}: {names} cannot be a field of your own.")
        number = self._next if step is None else step
        record: dict[str, Any] = {"step": number}
        if np.issubdtype(x.dtype, np.integer):
            record["x"] = _int16("x", x)
        else:
            record["xf"] = [float(value) for value in x.tolist()]
        if y is not None:
            record["y"] = _int16("y", y)
        for name, value in (("label", label), ("score", score), ("time_ms", time_ms)):
            if value is not None:
                record[name] = value
        if self._is_first if reset is None else reset:
            record["reset"] = True
        if score is not None and not is_number(score):
            raise DataError(f"Log {self.path}: score {score}; expected a finite number.")
        try:
            line = encode({**record, **further})
        except (TypeError, ValueError) as error:
            raise DataError(f"Log {self.path}, step {number}: {error}.") from error
        self._file.write(line)
        if self._file is self._raw:
            self._raw.flush()
        self._next, self._is_first = number + 1, False

    def flush(self) -> None:
        """Hand over to the operating system what was written so far."""
        self._file.flush()
        self._raw.flush()

    def close(self) -> None:
        """End the log; calling it twice is fine."""
        self._file.close()
        self._raw.close()


def packed(raw: IO[bytes]) -> IO[bytes]:
    """Return a compressed file in another; the same content gives the same bytes."""
    return gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)  # type: ignore[return-value]


def _int16(name: str, values: Array) -> list[int]:
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
        raise DataError(f"Log: {name} is {values.dtype} {values.shape}; expected int16 (N,).")
    if values.size and (values.min() < -32768 or values.max() > 32767):
        raise DataError(f"Log: {name} has a value beyond int16; expected -32768 to 32767.")
    return [int(value) for value in values.tolist()]
