"""Thousands of damaged blobs: the C, under sanitizers, judges each as Python does."""

import struct
import zlib
from collections import Counter

import numpy as np
import pytest
from c_models import WARNINGS, Recipe, build, export, succeed, tool

from rnn_edge.types import SavedState
from rnn_edge.types.saved_state import BlobStatus, blob_status

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")
RECIPE = Recipe(kinds=("lstm", "gru"), units=(4, 3))
VALUES = 4 + 4 + 3
HEAD = 24
BLOBS = 6000


def sealed(body):
    return body + zlib.crc32(body).to_bytes(4, "little")


def blob_of(model, rng):
    state = {
        name: rng.integers(-32768, 32768, size).astype(np.int16)
        for name, size in model.state_sizes.items()
    }
    return SavedState.of(model, state).pack()


def flipped(blob, rng):
    damaged = bytearray(blob)
    for at in rng.integers(0, len(blob), rng.integers(1, 4)):
        damaged[at] ^= 1 << rng.integers(0, 8)
    return bytes(damaged)


def cut(blob, rng):
    return blob[: rng.integers(0, len(blob))]


def extended(blob, rng):
    return blob + rng.bytes(rng.integers(1, 40))


def resealed(blob, rng):
    """Damage that the checksum does not show; in the values it is not damage at all."""
    return sealed(flipped(blob[:-4], rng))


def resized(blob, rng):
    """The right model and checksum with too few or too many values."""
    return sealed(blob[:HEAD] + rng.bytes(rng.integers(0, 60)))


def noise(blob, rng):
    return rng.bytes(rng.integers(0, 2 * len(blob)))


def untouched(blob, rng):
    del rng
    return blob


DAMAGES = (flipped, cut, extended, resealed, resized, noise, untouched)


@pytest.fixture(scope="module")
def program(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("fuzz")
    model = build(RECIPE)
    code = sorted(export(model, folder).glob("*.c"))
    binary = folder / "restore_many"
    main = request.path.with_name("restore_many.c")
    succeed(tool("cc"), *WARNINGS, *SANITIZERS, f"-I{folder / 'c'}", *code, main, "-o", binary)
    return binary, model


def test_c_and_python_judge_every_blob_alike(program):
    binary, model = program
    rng = np.random.default_rng(8)
    own = [model, build(Recipe(kinds=("lstm", "gru"), units=(4, 3), seed=9))]
    blobs = []
    for k in range(BLOBS):
        # Every tenth begins as a blob of another model.
        blobs.append(DAMAGES[k % len(DAMAGES)](blob_of(own[k % 10 == 0], rng), rng))
    stream = b"".join(struct.pack("=I", len(blob)) + blob for blob in blobs)
    answer = succeed(binary, input=stream)
    rows = np.frombuffer(answer, np.dtype([("status", "=i4"), ("state", "=i2", VALUES)]))
    assert len(rows) == BLOBS
    for blob, (status, state) in zip(blobs, rows, strict=True):
        wanted = blob_status(model, blob)
        assert status == wanted, blob.hex()
        if wanted is BlobStatus.OK:
            values = SavedState.unpack(model, blob).values
        else:
            values = np.full(VALUES, 77)
        np.testing.assert_array_equal(state, values, err_msg=blob.hex())
    counts = Counter(BlobStatus(int(status)) for status in rows["status"])
    assert all(counts[status] > 20 for status in BlobStatus), counts
