"""The first line of a log: of which model it is, and at which scales."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rnn_edge.errors import DataError

FORMAT = "rnn-edge log 1"
FAMILY = "rnn-edge log"

FRAMES = ("x", "xf")
"""The two forms of a frame: integers, or numbers in real units."""

FRAME_FIELDS = ("step", "x", "xf", "y", "label", "score", "reset", "time_ms")
"""Fields of a frame that have a meaning here; every other one is carried along."""

LONGEST_NAME = 200

_DIGEST = re.compile(r"[0-9a-f]{32,64}")
_EXPONENTS = range(-31, 32)
_DECODER = json.JSONDecoder(parse_constant=lambda name: _refuse_constant(name))


class NotJsonError(ValueError):
    """A line that is no JSON; the message says why, and quotes nothing of it."""


def _refuse_constant(name: str) -> float:
    raise NotJsonError(f"no JSON ({name} is no number there)")


def decode(line: bytes) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return the JSON value of a line.

    Raises:
        NotJsonError: If it is none. The message quotes nothing of the line.
    """
    try:
        return _DECODER.decode(line.decode("utf-8"))
    except NotJsonError:
        raise
    except UnicodeDecodeError as error:
        raise NotJsonError("no UTF-8") from error
    except json.JSONDecodeError as error:
        raise NotJsonError(f"no JSON ({error.msg} at character {error.pos + 1})") from error
    except ValueError as error:
        raise NotJsonError("no JSON (a number with too many digits)") from error
    except RecursionError as error:
        raise NotJsonError("no JSON (too many brackets in each other)") from error


def encode(value: Mapping[str, Any]) -> bytes:
    """Return a line, its end included.

    Raises:
        ValueError: If a value is no JSON, NaN among them.
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # Half of a surrogate pair is a Python string, and no UTF-8.
    return text.encode("utf-8", "backslashreplace") + b"\n"


@dataclass(frozen=True)
class LogHeader:
    """What holds for all frames of a log.

    Attributes:
        model: Name of the model.
        model_digest: SHA-256 of the quantized model, 64 hexadecimal digits or, from a device, the
            first 32 of them.
        input_exponent: ``x`` is in units of 2**input_exponent.
        output_exponent: ``y`` is in units of 2**output_exponent.
        frame_rate_hz: Frames per second.
        labels: Names of the outputs; empty if not told.
        features: Names of the features; empty if not told.
        dropped: Fields that were taken out of the log.
        hashed: Fields whose values were replaced by keyed hashes.
        further: Any other fields.
    """

    model: str
    model_digest: str
    input_exponent: int
    output_exponent: int
    frame_rate_hz: float
    labels: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ()
    further: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        reason = _complaint(self.to_json())
        if reason:
            raise DataError(f"Log header: {reason}.", "docs/logs.md has the format")

    @property
    def has_frames(self) -> bool:
        """Whether the frames themselves are in the log: they may have been taken out."""
        return not set(FRAMES) & set(self.dropped)

    def is_of(self, digest: str) -> bool:
        """Return whether the log is of the model with a digest of 64 digits."""
        return digest.startswith(self.model_digest)

    def to_json(self) -> dict[str, Any]:
        """Return the header as it stands in the first line."""
        named = {
            "format": FORMAT,
            "model": self.model,
            "model_digest": self.model_digest,
            "input_exponent": self.input_exponent,
            "output_exponent": self.output_exponent,
            "frame_rate_hz": self.frame_rate_hz,
        }
        lists = {
            name: list(getattr(self, name))
            for name in ("labels", "features", "dropped", "hashed")
            if getattr(self, name)
        }
        return {**self.further, **named, **lists}

    @classmethod
    def of_line(cls, line: bytes, source: str) -> LogHeader:
        """Read the first line of a log.

        Args:
            line: The line.
            source: What messages call the log.

        Raises:
            DataError: If it is no header, or one of another version.
        """
        hint = f'a log begins with a line {{"format": "{FORMAT}", ...}}; see docs/logs.md'
        try:
            value = decode(line)
        except NotJsonError as error:
            raise DataError(
                f"Log {source}: the first line is {error}; expected a header.", hint
            ) from error
        if not isinstance(value, dict) or "format" not in value:
            raise DataError(
                f'Log {source}: the first line is no header; expected an object with "format".',
                hint,
            )
        if value["format"] != FORMAT:
            shown = str(value["format"])[:40]
            raise DataError(f"Log {source} has format {shown!r}; expected {FORMAT!r}.", hint)
        reason = _complaint(value)
        if reason:
            raise DataError(f"Log {source}: the header's {reason}.", hint)
        lists: dict[str, Any] = {
            name: tuple(value.get(name, ())) for name in ("labels", "features", "dropped", "hashed")
        }
        known = {"format", *_REQUIRED, *lists}
        return cls(
            **{name: value[name] for name in _REQUIRED},
            **lists,
            further={name: item for name, item in value.items() if name not in known},
        )


_REQUIRED = ("model", "model_digest", "input_exponent", "output_exponent", "frame_rate_hz")


def _complaint(value: Mapping[str, Any]) -> str:
    """Return what is wrong with the fields of a header, without their values, or nothing."""
    missing = [name for name in _REQUIRED if name not in value]
    if missing:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    name = value["model"]
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        return f"model is no name; expected up to {LONGEST_NAME} printable characters"
    if not isinstance(value["model_digest"], str) or not _DIGEST.fullmatch(value["model_digest"]):
        return "model_digest is none; expected 32 to 64 hexadecimal digits in small letters"
    for name in ("input_exponent", "output_exponent"):
        if type(value[name]) is not int or value[name] not in _EXPONENTS:
            return f"{name} is none; expected a whole number from -31 to 31"
    if not is_number(value["frame_rate_hz"]) or value["frame_rate_hz"] <= 0:
        return "frame_rate_hz is none; expected a positive number"
    for name in ("labels", "features", "dropped", "hashed"):
        names = value.get(name, [])
        if not isinstance(names, list) or not all(isinstance(item, str) for item in names):
            return f"{name} are no names; expected a list of texts"
        if len(set(names)) != len(names):
            return f"{name} repeat a name; expected each once"
    return ""


def is_number(value: object) -> bool:
    """Return whether a JSON value is a finite number."""
    if type(value) is int:
        return abs(value) <= 1 << 63
    return type(value) is float and math.isfinite(value)
