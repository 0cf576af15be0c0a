"""What a stream is at one moment, as a file: a process that begins with it goes on bit by bit.

A file is the four bytes "RNLS", its version and the length of the facts as little-endian uint32,
the facts as JSON, the saved state of the model (docs/state.md), and the CRC-32 of all before.
"""

from __future__ import annotations

import base64
import json
import os
import struct
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import EnvironmentFailureError, SavedStateError
from rnn_edge.types import Array

MAGIC = b"RNLS"
VERSION = 1
_HEAD = struct.Struct("<4sII")
_CRC = struct.Struct("<I")
_HINT = "begin anew with --new-state, which keeps this file under another name"


@dataclass(frozen=True, eq=False)
class LiveState:
    """A stream between two frames.

    Attributes:
        model: Name of the model.
        digest: Of the model, 64 hexadecimal digits.
        engine: That stepped it.
        blob: Saved state of the model.
        step: Number of the next frame.
        age: Frames since the state was zero.
        policy: Reset policy in words.
        counter: Of the policy.
        source: Identity of a rewindable source, or empty.
        position: Sample of the source that the next frame begins with.
        rule: What the rule of decisions remembers.
        drift: What the watch over the inputs remembers; empty where there is none.
        active: Detection that goes on: its number, first step and largest score; or None.
        front: What the front end remembers besides samples; empty where that is nothing.
    """

    model: str
    digest: str
    engine: str
    blob: bytes
    step: int
    age: int
    policy: str
    counter: int
    source: str
    position: int
    rule: Mapping[str, Array]
    drift: Mapping[str, Array]
    active: Mapping[str, Any] | None
    front: Mapping[str, Array] = field(default_factory=dict)

    def pack(self) -> bytes:
        """Return the state as bytes."""
        facts = {
            **{name: value for name, value in asdict(self).items() if name != "blob"},
            "rule": _plain(self.rule),
            "drift": _plain(self.drift),
            "front": _plain(self.front),
        }
        text = json.dumps(facts, separators=(",", ":"), sort_keys=True).encode()
        content = _HEAD.pack(MAGIC, VERSION, len(text)) + text + self.blob
        return content + _CRC.pack(zlib.crc32(content))

    @classmethod
    def unpack(cls, content: bytes, where: str) -> LiveState:
        """Read what `pack` returned.

        Args:
            content: The bytes.
            where: What messages call them.

        Raises:
            SavedStateError: If they are damaged, or of another version.
        """
        if len(content) < _HEAD.size + _CRC.size or content[: len(MAGIC)] != MAGIC:
            raise SavedStateError(f"{where} is no saved stream; expected one.", _HINT)
        (expected,) = _CRC.unpack(content[-_CRC.size :])
        found = zlib.crc32(content[: -_CRC.size])
        if found != expected:
            raise SavedStateError(
                f"{where} is damaged: its CRC is {found:08x}; expected {expected:08x}.", _HINT
            )
        _, version, length = _HEAD.unpack_from(content)
        if version != VERSION:
            raise SavedStateError(f"{where} has version {version}; expected {VERSION}.", _HINT)
        end = _HEAD.size + length
        try:
            facts = json.loads(content[_HEAD.size : end])
            facts |= {name: _arrays(facts[name]) for name in ("rule", "drift")}
            facts["front"] = _arrays(facts.get("front", {}))
            return cls(**facts, blob=content[end : -_CRC.size])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SavedStateError(f"{where} is no saved stream: {error}.", _HINT) from error


def read_state(path: Path) -> LiveState | None:
    """Return the state in a file, or None if there is no file.

    Raises:
        SavedStateError: If it is damaged, or of another version.
        EnvironmentFailureError: If it cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentFailureError(
            f"Saved stream {path} cannot be read: {error.strerror}."
        ) from error
    return LiveState.unpack(content, f"Saved stream {path}")


def write_state(path: Path, state: LiveState) -> None:
    """Put a state into a file: afterwards it holds the new one or the old one, whatever happens.

    Raises:
        OSError: If it cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(state.pack())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def set_aside(path: Path) -> Path:
    """Give a saved state another name, and return it."""
    k = 1
    while (other := path.with_name(f"{path.name}.old{k}")).exists():
        k += 1
    return path.rename(other)


def _plain(arrays: Mapping[str, Array]) -> dict[str, Any]:
    return {
        name: {
            "dtype": value.dtype.newbyteorder("<").str,
            "shape": list(value.shape),
            "data": base64.b64encode(
                np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
            ).decode(),
        }
        for name, value in arrays.items()
    }


def _arrays(found: Mapping[str, Any]) -> dict[str, Array]:
    return {
        name: np.frombuffer(base64.b64decode(each["data"]), each["dtype"])
        .reshape(each["shape"])
        .astype(np.dtype(each["dtype"]).newbyteorder("="))
        for name, each in found.items()
    }
