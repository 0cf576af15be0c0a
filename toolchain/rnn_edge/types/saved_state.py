"""A saved state: the same bytes here and in the generated C (docs/state.md)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from rnn_edge.errors import SavedStateError
from rnn_edge.types.arrays import Array, read_only
from rnn_edge.types.quantized_model import QuantizedModel

MAGIC = b"RNES"
LAYOUT_VERSION = 1
DIGEST_BYTES = 16
"""Of the model's SHA-256: enough to tell models apart, and half the bytes."""

_HEAD = struct.Struct(f"<4sI{DIGEST_BYTES}s")
_CRC = struct.Struct("<I")
_HINT = "start again from zero with reset(), or use a state that this model saved"


class BlobStatus(IntEnum):
    """What a blob is to a model; the numbers are those of ``rnn_edge_status`` in C."""

    OK = 0
    BAD_LENGTH = -1
    BAD_MAGIC = -2
    BAD_VERSION = -3
    BAD_MODEL = -4
    BAD_CRC = -5


def digest_bytes(model: QuantizedModel) -> bytes:
    """Return the part of a model's digest that stands in saved states and in images."""
    return bytes.fromhex(model.digest())[:DIGEST_BYTES]


def blob_bytes(model: QuantizedModel) -> int:
    """Return the length of a model's blob in bytes."""
    return _HEAD.size + 2 * sum(model.state_sizes.values()) + _CRC.size


def bytes_of(model: QuantizedModel, blob: object) -> bytes:
    """Return what was given as a blob as bytes.

    Raises:
        SavedStateError: If it is no bytes at all.
    """
    if not isinstance(blob, bytes | bytearray | memoryview):
        raise SavedStateError(
            f"Saved state for {model.name}: {type(blob).__name__} {blob!r:.40}; "
            "expected the bytes that save() returned.",
            "to start again from zero, call reset()",
        )
    return bytes(blob)


def blob_status(model: QuantizedModel, blob: bytes) -> BlobStatus:
    """Return whether a model may take a blob; the checks and their order are those of the C.

    The model is asked for before the length: a blob of another model is long or short because it
    is another model's.
    """
    if len(blob) < _HEAD.size + _CRC.size:
        return BlobStatus.BAD_LENGTH
    magic, version, digest = _HEAD.unpack_from(blob)
    if magic != MAGIC:
        return BlobStatus.BAD_MAGIC
    if version != LAYOUT_VERSION:
        return BlobStatus.BAD_VERSION
    if digest != digest_bytes(model):
        return BlobStatus.BAD_MODEL
    if len(blob) != blob_bytes(model):
        return BlobStatus.BAD_LENGTH
    if _CRC.unpack(blob[-_CRC.size :])[0] != zlib.crc32(blob[: -_CRC.size]):
        return BlobStatus.BAD_CRC
    return BlobStatus.OK


@dataclass(frozen=True, eq=False)
class SavedState:
    """The state of one stream, bound to the model that it belongs to.

    Attributes:
        model_digest: First `DIGEST_BYTES` bytes of the model's SHA-256.
        values: int16 (V,), every state vector one after the other, in the order of
            ``QuantizedModel.state_sizes``.
    """

    model_digest: bytes
    values: Array

    def __post_init__(self) -> None:
        if len(self.model_digest) != DIGEST_BYTES:
            raise SavedStateError(
                f"Saved state: a digest of {len(self.model_digest)} bytes; expected {DIGEST_BYTES}."
            )
        object.__setattr__(self, "values", read_only(self.values, np.int16))

    @classmethod
    def of(cls, model: QuantizedModel, state: Mapping[str, Array]) -> SavedState:
        """Return a state as a thing of its model.

        Args:
            model: The model.
            state: int16 vectors (H,) by name, all of them.

        Raises:
            SavedStateError: If a name, dtype or length is not the model's.
        """
        sizes = model.state_sizes
        found = {name: (value.dtype.name, value.shape) for name, value in state.items()}
        wanted = {name: ("int16", (size,)) for name, size in sizes.items()}
        if found != wanted:
            raise SavedStateError(f"State of {model.name}: {found}; expected {wanted}.")
        return cls(digest_bytes(model), np.concatenate([state[name] for name in sizes]))

    @classmethod
    def unpack(cls, model: QuantizedModel, blob: bytes) -> SavedState:
        """Read the bytes that `pack` or the C of the same model wrote.

        Raises:
            SavedStateError: If they are damaged, or of another model or layout version.
        """
        status = blob_status(model, blob)
        if status is not BlobStatus.OK:
            raise refusal(model, blob, status)
        values = np.frombuffer(blob[_HEAD.size : -_CRC.size], "<i2")
        return cls(digest_bytes(model), values)

    def pack(self) -> bytes:
        """Return the state as bytes, the same on every machine."""
        head = _HEAD.pack(MAGIC, LAYOUT_VERSION, self.model_digest)
        content = head + self.values.astype("<i2").tobytes()
        return content + _CRC.pack(zlib.crc32(content))

    def vectors(self, model: QuantizedModel) -> dict[str, Array]:
        """Return copies of the vectors by name, int16 (H,).

        Raises:
            SavedStateError: If the state is of another model.
        """
        sizes = model.state_sizes
        if self.model_digest != digest_bytes(model) or len(self.values) != sum(sizes.values()):
            raise refusal(model, self.pack(), BlobStatus.BAD_MODEL)
        parts, at = {}, 0
        for name, size in sizes.items():
            parts[name] = self.values[at : at + size].copy()
            at += size
        return parts


def refusal(model: QuantizedModel, blob: bytes, status: BlobStatus) -> SavedStateError:
    """Return the error for a blob that a model does not take.

    Args:
        model: The model.
        blob: The bytes.
        status: What `blob_status`, or the C, says of them; not OK.
    """
    if status is BlobStatus.BAD_LENGTH:
        reason = f"{len(blob)} bytes; expected {blob_bytes(model)}"
    elif status is BlobStatus.BAD_CRC:
        (found,) = _CRC.unpack(blob[-_CRC.size :])
        reason = f"damaged, its CRC is {found:08x}; expected {zlib.crc32(blob[: -_CRC.size]):08x}"
    else:
        magic, version, digest = _HEAD.unpack_from(blob)
        reason = {
            BlobStatus.BAD_MAGIC: f"begins with {magic!r}; expected {MAGIC!r}",
            BlobStatus.BAD_VERSION: f"layout version {version}; expected {LAYOUT_VERSION}",
            BlobStatus.BAD_MODEL: (
                f"of another model, {digest.hex()}; expected {digest_bytes(model).hex()}"
            ),
        }[status]
    return SavedStateError(f"Saved state for {model.name}: {reason}.", _HINT)
