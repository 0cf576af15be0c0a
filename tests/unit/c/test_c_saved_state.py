"""The saved state: its bytes, and what restoring refuses."""

import ctypes
import zlib

import numpy as np
import pytest
from c_models import Recipe, build, export, frames, tool

from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.c_host import ENGINE, CEngine, build_library
from rnn_edge.errors import EngineError

RECIPE = Recipe(kinds=("lstm", "gru"), units=(4, 3))
VALUES = 4 + 4 + 3
OK, BAD_LENGTH, BAD_MAGIC, BAD_VERSION, BAD_MODEL, BAD_CRC = 0, -1, -2, -3, -4, -5


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The library, a state after some steps and its blob."""
    tool("cc")
    folder = tmp_path_factory.mktemp("saved")
    model = build(RECIPE)
    export(model, folder)
    with ENGINE.open(EngineSource(None, model, folder, folder / "work")) as engine:
        engine.run(frames(RECIPE, 30)[:12])
        values = np.concatenate(list(engine.state().values()))
    library = ctypes.CDLL(str(build_library(model, folder, folder / "work")))
    memory = np.concatenate([values, np.zeros(4, np.int16)])
    blob = np.zeros(28 + 2 * VALUES, np.uint8)
    assert library.sample_save(memory.ctypes, blob.ctypes) == len(blob)
    return library, values, blob.tobytes(), model


def restore(library, blob):
    memory = np.full(VALUES + 4, 77, np.int16)
    data = np.frombuffer(blob + b"\0", np.uint8).copy()
    size = ctypes.c_size_t(len(blob))
    return library.sample_restore(memory.ctypes, data.ctypes, size), memory[:VALUES]


def sealed(body):
    return body + zlib.crc32(body).to_bytes(4, "little")


def test_layout_is_the_documented_one(saved):
    _, values, blob, model = saved
    assert np.unique(values).size > 5
    body = b"RNES" + (1).to_bytes(4, "little") + bytes.fromhex(model.digest())[:16]
    assert blob == sealed(body + values.astype("<i2").tobytes())


def test_restored_state_is_the_saved_one(saved):
    library, values, blob, _ = saved
    status, state = restore(library, blob)
    assert status == OK
    np.testing.assert_array_equal(state, values)


def test_every_int16_survives(saved):
    library, _, blob, _ = saved
    extremes = np.array([-32768, -32767, -256, -255, -129, -1, 0, 127, 128, 255, 32767], "<i2")
    status, state = restore(library, sealed(blob[:24] + extremes.tobytes()))
    assert status == OK
    np.testing.assert_array_equal(state, extremes)


@pytest.mark.parametrize(
    ("damage", "status"),
    [
        (lambda b: b"", BAD_LENGTH),
        (lambda b: b[:27], BAD_LENGTH),
        (lambda b: b[:-1], BAD_LENGTH),
        (lambda b: b + b"\0", BAD_LENGTH),
        (lambda b: b"RNEX" + b[4:], BAD_MAGIC),
        (lambda b: sealed(b[:4] + b"\2" + b[5:-4]), BAD_VERSION),
        (lambda b: sealed(b[:7] + b"\1" + b[8:-4]), BAD_VERSION),
        (lambda b: sealed(b[:8] + bytes([b[8] ^ 1]) + b[9:-4]), BAD_MODEL),
        (lambda b: sealed(b[:23] + bytes([b[23] ^ 128]) + b[24:-4]), BAD_MODEL),
        (lambda b: b[:24] + bytes([b[24] ^ 1]) + b[25:], BAD_CRC),
        (lambda b: b[:-1] + bytes([b[-1] ^ 128]), BAD_CRC),
    ],
)
def test_refusal_names_the_reason_and_changes_nothing(saved, damage, status):
    library, _, blob, _ = saved
    found, state = restore(library, damage(blob))
    assert found == status
    assert (state == 77).all()


def test_blob_of_other_weights_is_refused(saved, tmp_path):
    library, _, _, _ = saved
    other = build(Recipe(kinds=("lstm", "gru"), units=(4, 3), seed=1))
    body = b"RNES" + (1).to_bytes(4, "little") + bytes.fromhex(other.digest())[:16]
    assert restore(library, sealed(body + bytes(2 * VALUES)))[0] == BAD_MODEL


def test_a_library_of_a_larger_model_of_the_same_name_touches_no_memory(tmp_path):
    tool("cc")
    small, large = (build(Recipe(kinds=("gru",), units=(units,))) for units in (3, 64))
    export(large, tmp_path)
    library = build_library(large, tmp_path, tmp_path / "work")
    with pytest.raises(EngineError, match=large.digest()[:32]):
        CEngine(small, library)
