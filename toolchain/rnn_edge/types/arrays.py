"""Read-only arrays and digests: what the frozen types are made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]


def read_only(value: object, dtype: DTypeLike) -> Array:
    """Return a contiguous read-only copy of ``value`` with the given dtype.

    Raises:
        ValueError: If a value does not survive the conversion to an integer dtype.
    """
    source = np.asarray(value)
    array = np.array(source, dtype=dtype, order="C", copy=True)
    if np.issubdtype(array.dtype, np.integer) and not np.array_equal(array, source):
        raise ValueError(f"values do not fit {array.dtype}")
    array.setflags(write=False)
    return array


def digest_of(meta: Mapping[str, object], arrays: Iterable[tuple[str, Array]]) -> str:
    """Return the SHA-256 of metadata and named arrays, as 64 hexadecimal digits.

    Args:
        meta: JSON-serialisable values; the order of keys does not matter.
        arrays: Name and array; dtype, shape, values and order all count. Bytes are hashed in
            little-endian order, so that the digest is the same on every host.
    """
    hasher = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name, array in arrays:
        little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
        hasher.update(f"\0{name}\0{little.dtype.str}\0{little.shape}\0".encode())
        hasher.update(little.tobytes())
    return hasher.hexdigest()
