"""A saved state as bytes, the form that the generated C writes and reads (docs/c_api.md)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import numpy as np

from rnn_edge.errors import EngineError
from rnn_edge.exporters.c_source import DIGEST_BYTES
from rnn_edge.types import Array, QuantizedModel

MAGIC = b"RNES"
VERSION = 1
_HEAD = struct.Struct(f"<4sI{DIGEST_BYTES}s")
_CRC = struct.Struct("<I")


def digest_bytes(model: QuantizedModel) -> bytes:
    """Return the part of a model's digest that stands in saved states and in images."""
    return bytes.fromhex(model.digest())[:DIGEST_BYTES]


def blob_size(model: QuantizedModel) -> int:
    """Return the bytes of a saved state."""
    return _HEAD.size + 2 * sum(model.state_sizes.values()) + _CRC.size


def pack_state(model: QuantizedModel, state: Mapping[str, Array]) -> bytes:
    """Return a whole state, int16 vectors (H,) by name, as bytes."""
    values = b"".join(state[name].astype("<i2").tobytes() for name in model.state_sizes)
    content = _HEAD.pack(MAGIC, VERSION, digest_bytes(model)) + values
    return content + _CRC.pack(zlib.crc32(content))


def unpack_state(model: QuantizedModel, blob: bytes) -> dict[str, Array]:
    """Return the state in a blob, int16 vectors (H,) by name.

    Raises:
        EngineError: If it is damaged, or of another model or layout.
    """
    if len(blob) != blob_size(model):
        raise EngineError(
            f"Saved state of {model.name}: {len(blob)} bytes; expected {blob_size(model)}."
        )
    magic, version, digest = _HEAD.unpack_from(blob)
    if (magic, version, digest) != (MAGIC, VERSION, digest_bytes(model)):
        raise EngineError(
            f"Saved state of {model.name}: begins with {blob[: _HEAD.size].hex()}; expected "
            f"{_HEAD.pack(MAGIC, VERSION, digest_bytes(model)).hex()}."
        )
    content, (crc,) = blob[: -_CRC.size], _CRC.unpack(blob[-_CRC.size :])
    if crc != zlib.crc32(content):
        raise EngineError(
            f"Saved state of {model.name}: CRC {crc:08x}; expected {zlib.crc32(content):08x}."
        )
    values = np.frombuffer(content, "<i2", offset=_HEAD.size).astype(np.int16)
    parts, at = {}, 0
    for name, size in model.state_sizes.items():
        parts[name] = values[at : at + size]
        at += size
    return parts
