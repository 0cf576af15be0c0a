import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from random_models import Shape, float_model, quantized_model

from rnn_edge.errors import BundleError, ModelError
from rnn_edge.types import (
    DenseWeights,
    FloatModel,
    QuantizedLayer,
    QuantizedMatrix,
    QuantizedModel,
    RecurrentWeights,
)
from rnn_edge.types.archive import load_archive, save_archive
from rnn_edge.types.arrays import digest_of, read_only

SHAPE = Shape(("lstm", "gru"), (3, 2))


def small():
    return float_model(SHAPE)


def small_quantized():
    return quantized_model(small(), -10)


def changed(array):
    copy = np.array(array)
    copy.flat[0] = copy.flat[0] + 1 if copy.dtype.kind == "i" else copy.flat[0] * 2
    return copy


def test_arrays_are_copies_that_cannot_be_written():
    source = np.zeros((3, 2))
    array = read_only(source, np.float32)
    source[0, 0] = 1.0
    assert array[0, 0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1.0
    for matrix in small_quantized().matrices.values():
        assert not matrix.weight.flags.writeable
        assert not matrix.weight_scale.flags.writeable
        assert not matrix.bias.flags.writeable
    for layer in small().layers:
        assert not layer.w_h.flags.writeable


@pytest.mark.parametrize("value", [[128], [1.5], [-129]])
def test_integers_that_do_not_fit_are_refused(value):
    with pytest.raises(ValueError, match="do not fit int8"):
        read_only(value, np.int8)


def float_variants():
    model = small()
    lstm, gru = model.layers
    for name in ("w_x", "w_h", "b_x", "b_h"):
        for k, layer in enumerate((lstm, gru)):
            other = dataclasses.replace(layer, **{name: changed(getattr(layer, name))})
            layers = (other, gru) if k == 0 else (lstm, other)
            yield f"layer{k}.{name}", dataclasses.replace(model, layers=layers)
    for name in ("w", "b"):
        head = dataclasses.replace(model.head, **{name: changed(getattr(model.head, name))})
        yield f"head.{name}", dataclasses.replace(model, head=head)
    yield "name", dataclasses.replace(model, name="other")
    yield "task", dataclasses.replace(model, task="anomaly")
    yield "labels", dataclasses.replace(model, labels=tuple(reversed(model.labels)))


def quantized_variants():
    model = small_quantized()
    lstm, gru = model.layers
    for part in ("x", "h"):
        for name in ("weight", "weight_scale", "bias"):
            matrix = getattr(lstm, part)
            other = dataclasses.replace(matrix, **{name: changed(getattr(matrix, name))})
            layers = (dataclasses.replace(lstm, **{part: other}), gru)
            yield f"{part}.{name}", dataclasses.replace(model, layers=layers)
    cell = dataclasses.replace(lstm, cell_exponent=-9)
    yield "cell_exponent", dataclasses.replace(model, layers=(cell, gru))
    finer = dataclasses.replace(lstm, x=dataclasses.replace(lstm.x, input_exponent=-13))
    yield "input_exponent", dataclasses.replace(model, layers=(finer, gru))
    head = dataclasses.replace(model.head, output_exponent=-12)
    yield "output_exponent", dataclasses.replace(model, head=head)
    yield "name", dataclasses.replace(model, name="other")
    yield "task", dataclasses.replace(model, task="anomaly")
    yield "labels", dataclasses.replace(model, labels=tuple(reversed(model.labels)))


@pytest.mark.parametrize(
    ("model", "variants"),
    [(small(), dict(float_variants())), (small_quantized(), dict(quantized_variants()))],
    ids=["float", "quantized"],
)
def test_every_field_is_in_the_digest(model, variants):
    digests = {name: other.digest() for name, other in variants.items()}
    assert model.digest() not in digests.values()
    assert len(set(digests.values())) == len(digests)


def test_the_digest_tells_dtype_shape_name_and_order_apart():
    a, b = np.zeros(4, np.int16), np.ones(4, np.int16)
    seen = {
        digest_of({}, [("a", a), ("b", b)]),
        digest_of({}, [("b", b), ("a", a)]),
        digest_of({}, [("b", a), ("a", b)]),
        digest_of({}, [("a", a.reshape(2, 2)), ("b", b)]),
        digest_of({}, [("a", a.view(np.uint16)), ("b", b)]),
        digest_of({"k": 1}, [("a", a), ("b", b)]),
    }
    assert len(seen) == 6
    # The byte order of the host does not count.
    assert digest_of({}, [("b", b.astype(">i2"))]) == digest_of({}, [("b", b)])


@pytest.mark.parametrize("model", [small(), small_quantized()], ids=["float", "quantized"])
def test_saved_models_come_back_whole(model, tmp_path):
    model.save(tmp_path / "m.npz")
    loaded = type(model).load(tmp_path / "m.npz")
    assert loaded.digest() == model.digest()
    assert type(model).load(str(tmp_path / "m.npz")).digest() == model.digest()
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()


def test_another_process_writes_the_same_bytes(tmp_path):
    code = (
        "import sys; from pathlib import Path; from random_models import *;"
        "m = float_model(Shape(('lstm', 'gru'), (3, 2)));"
        "m.save(Path(sys.argv[1])); quantized_model(m, -10).save(Path(sys.argv[2]))"
    )
    names = [tmp_path / "f.npz", tmp_path / "q.npz"]
    support = next(p for p in sys.path if p.endswith("tests/support"))
    subprocess.run(
        [sys.executable, "-c", code, *map(str, names)],
        check=True,
        env={"PYTHONPATH": support, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
    )
    for name, model in zip(names, (small(), small_quantized()), strict=True):
        model.save(tmp_path / "here.npz")
        assert (tmp_path / "here.npz").read_bytes() == name.read_bytes()


@pytest.mark.parametrize("model", [small(), small_quantized()], ids=["float", "quantized"])
def test_a_damaged_archive_is_refused_or_whole(model, tmp_path):
    path, whole = tmp_path / "m.npz", model.digest()
    model.save(path)
    content = path.read_bytes()
    for end in range(0, len(content), len(content) // 60):
        path.write_bytes(content[:end])
        with pytest.raises(BundleError, match=r"m\.npz cannot be read"):
            type(model).load(path)
    refused = 0
    tail = len(content) - 400
    for place in [*range(0, tail, 29), *range(tail, len(content))]:
        flipped = bytearray(content)
        flipped[place] ^= 0x5A
        path.write_bytes(flipped)
        try:
            # Some bytes of a zip say nothing (times, attributes).
            assert type(model).load(path).digest() == whole
        except BundleError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04", b"\x80\x04}."])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "m.npz").write_bytes(content)
    with pytest.raises(BundleError, match=r"m\.npz cannot be read.*'rnn-edge float model 1'"):
        FloatModel.load(tmp_path / "m.npz")


def test_missing_files_folders_and_arrays_are_refused(tmp_path):
    with pytest.raises(BundleError, match="No such file"):
        FloatModel.load(tmp_path / "m.npz")
    with pytest.raises(BundleError, match="cannot be read"):
        FloatModel.load(tmp_path)
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(BundleError, match="cannot be read"):
        FloatModel.load(tmp_path / "a.npy")
    np.savez(tmp_path / "b.npz", weights=np.zeros(3))
    with pytest.raises(BundleError, match="cannot be read"):
        FloatModel.load(tmp_path / "b.npz")


def test_one_kind_of_archive_is_not_taken_for_another(tmp_path):
    small().save(tmp_path / "m.npz")
    with pytest.raises(BundleError, match="has format 'rnn-edge float model 1'; expected"):
        QuantizedModel.load(tmp_path / "m.npz")


@pytest.mark.parametrize("lost", ["layer0.w_x", "head.b"])
def test_a_readable_archive_without_an_array_is_refused(tmp_path, lost):
    small().save(tmp_path / "m.npz")
    meta, arrays = load_archive(tmp_path / "m.npz", "rnn-edge float model 1")
    arrays.pop(lost)
    save_archive(tmp_path / "m.npz", meta, arrays.items())
    with pytest.raises(BundleError, match=rf"'{lost}' is missing; expected a .* archive"):
        FloatModel.load(tmp_path / "m.npz")


@pytest.mark.parametrize(
    "change",
    [
        {"cell_exponents": [None, None]},
        {"cell_exponents": [-10]},
        {"kinds": ["lstm", "vanilla"]},
        {"labels": ["one"]},
        {"exponents": {}},
        {"exponents": 3},
        {"name": "no name"},
    ],
)
def test_a_readable_archive_with_wrong_metadata_is_refused(tmp_path, change):
    small_quantized().save(tmp_path / "m.npz")
    meta, arrays = load_archive(tmp_path / "m.npz", "rnn-edge quantized model 1")
    save_archive(tmp_path / "m.npz", meta | change, arrays.items())
    with pytest.raises(BundleError, match=r"m\.npz cannot be read"):
        QuantizedModel.load(tmp_path / "m.npz")


def recurrent(kind="gru", w_x=(6, 3), w_h=(6, 2), b_x=(6,), b_h=(6,)):
    return RecurrentWeights(kind, *(np.zeros(shape) for shape in (w_x, w_h, b_x, b_h)))


@pytest.mark.parametrize(
    "shapes",
    [
        {"w_x": (8, 3)},
        {"w_h": (8, 2)},
        {"w_h": (6, 3)},
        {"b_x": (5,)},
        {"b_h": (6, 1)},
        {"kind": "lstm"},
        {"w_h": (6,)},
        {"w_x": (6,)},
        {"w_x": (6, 3, 1)},
    ],
)
def test_recurrent_weights_of_wrong_shape_are_refused(shapes):
    assert recurrent().hidden == 2
    with pytest.raises(ModelError):
        recurrent(**shapes)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(value):
    good = recurrent()
    for name in ("w_x", "w_h", "b_x", "b_h"):
        with pytest.raises(ModelError, match=f"{name} of a gru layer are not finite"):
            dataclasses.replace(good, **{name: np.full(getattr(good, name).shape, value)})
    with pytest.raises(ModelError, match="w of the dense head are not finite"):
        DenseWeights(np.full((2, 2), value), np.zeros(2))
    with pytest.raises(ModelError, match="b of the dense head are not finite"):
        DenseWeights(np.zeros((2, 2)), np.full(2, value))


def test_parts_of_a_float_model_must_fit():
    head = DenseWeights(np.zeros((4, 2)), np.zeros(4))
    labels = tuple("abcd")
    assert FloatModel("m", "kws", (recurrent(),), head, labels).outputs == 4
    with pytest.raises(ModelError, match="no recurrent layer"):
        FloatModel("m", "kws", (), head, labels)
    with pytest.raises(ModelError, match="do not fit"):
        FloatModel("m", "kws", (recurrent(), recurrent()), head, labels)
    with pytest.raises(ModelError, match="3 labels for 4 outputs"):
        FloatModel("m", "kws", (recurrent(),), head, labels[:3])
    with pytest.raises(ModelError, match="Dense head"):
        DenseWeights(np.zeros((4, 2)), np.zeros(3))
    with pytest.raises(ModelError, match="Dense head"):
        DenseWeights(np.zeros(4), np.zeros(4))


@pytest.mark.parametrize(
    ("weight", "scale", "bias"),
    [
        (np.zeros(3), np.ones(3), np.zeros(3)),
        (np.zeros((3, 2)), np.ones(2), np.zeros(3)),
        (np.zeros((3, 2)), np.ones(3), np.zeros(2)),
        (np.zeros(()), np.ones(1), np.zeros(1)),
        (np.zeros((1, 2)), np.zeros(1), np.zeros(1)),
        (np.zeros((1, 2)), -np.ones(1), np.zeros(1)),
        (np.zeros((1, 2)), np.array([np.nan]), np.zeros(1)),
        (np.zeros((1, 2)), np.array([np.inf]), np.zeros(1)),
        (np.zeros((1, 2)), np.array([1.0 + 2.0**-15]), np.zeros(1)),
        (np.full((1, 2), -128), np.ones(1), np.zeros(1)),
    ],
)
def test_quantized_matrices_that_break_the_scheme_are_refused(weight, scale, bias):
    with pytest.raises(ModelError, match="Quantized matrix"):
        QuantizedMatrix(weight, scale, bias, -12, -11)


def test_quantized_layers_that_break_the_scheme_are_refused():
    def matrix(rows, columns, into=-15, out=-11):
        return QuantizedMatrix(np.zeros((rows, columns)), np.ones(rows), np.zeros(rows), into, out)

    x, h = matrix(6, 3, -12), matrix(6, 2)
    layer = QuantizedLayer("gru", x, h, None)
    assert (layer.hidden, layer.inputs) == (2, 3)
    for kind, a, b, cell in [
        ("gru", x, h, -10),
        ("lstm", x, h, -10),
        ("lstm", matrix(8, 3, -12), matrix(8, 2), None),
        ("gru", matrix(9, 3), h, None),
        ("gru", matrix(6, 3, -12, -12), h, None),
        ("gru", x, matrix(6, 2, -14), None),
    ]:
        with pytest.raises(ModelError, match="Quantized"):
            QuantizedLayer(kind, a, b, cell)
    head, labels = matrix(2, 2, -15, -10), ("a", "b")
    assert QuantizedModel("m", "kws", (layer,), head, labels).state_sizes == {"h0": 2}
    for name, layers, top, names in [
        ("1m", (layer,), head, labels),
        ("é", (layer,), head, labels),
        ("m", (), head, labels),
        ("m", (layer, layer), head, labels),
        ("m", (layer,), matrix(2, 3), labels),
        ("m", (layer,), matrix(2, 2, -14), labels),
        ("m", (layer,), head, ("a",)),
    ]:
        with pytest.raises(ModelError):
            QuantizedModel(name, "kws", layers, top, names)
