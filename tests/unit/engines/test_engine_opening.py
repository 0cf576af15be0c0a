import dataclasses
import sys
import types

import pytest
from random_models import Shape, source

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import EngineError, MissingDependencyError
from rnn_edge.exporters.base import all_exporters

FILES = {
    "litert": "model.tflite",
    "litert-ref": "model.tflite",
    "litert-float": "model_float.tflite",
    "onnx": "model_float.onnx",
    "onnx-int8": "model_int8.onnx",
}


@pytest.fixture
def opened(tmp_path):
    models = source(Shape(("gru",), (5,)))
    return EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work"), models


def export(engine, models, folder):
    try:
        all_exporters()[all_engines()[engine].exporter].export(models, folder)
    except MissingDependencyError as error:
        pytest.skip(str(error))


def open_or_skip(engine, from_source):
    try:
        return all_engines()[engine].open(from_source)
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("engine", FILES)
def test_a_missing_export_is_named(opened, engine):
    with pytest.raises(EngineError, match=FILES[engine]) as caught:
        open_or_skip(engine, opened[0])
    assert "export the model again" in str(caught.value)


@pytest.mark.parametrize("engine", FILES)
def test_an_export_of_another_model_is_refused(opened, engine):
    from_source, models = opened
    export(engine, models, from_source.exports)
    other = source(Shape(("gru",), (5,), seed=1))
    stale = dataclasses.replace(from_source, float_model=other.float_model, model=other.model)
    with pytest.raises(EngineError, match="of another model"):
        open_or_skip(engine, stale)


@pytest.mark.parametrize("engine", FILES)
def test_a_damaged_export_is_refused(opened, engine):
    from_source, models = opened
    digest = models.model.digest() + models.float_model.digest()
    (from_source.exports / FILES[engine]).write_bytes(b"not a model " + digest.encode())
    with pytest.raises(EngineError, match="is refused by"):
        open_or_skip(engine, from_source)


def test_a_file_with_other_tensors_is_refused(opened):
    from_source, models = opened
    export("litert", models, from_source.exports)
    path = from_source.exports / "model.tflite"
    path.write_bytes(path.read_bytes().replace(b"h0_in\0", b"h9_in\0"))
    with pytest.raises(EngineError, match="h9_in"):
        open_or_skip("litert", from_source)


@pytest.mark.parametrize(
    ("engine", "module"),
    [
        ("litert", "ai_edge_litert.interpreter"),
        ("litert-ref", "ai_edge_litert.interpreter"),
        ("litert-float", "ai_edge_litert.interpreter"),
        ("onnx", "onnxruntime"),
        ("onnx-int8", "onnxruntime"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(opened, monkeypatch, engine, module):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, module.partition(".")[0], None)
    extra = all_engines()[engine].extra
    with pytest.raises(MissingDependencyError, match=rf"rnn-edge\[{extra}\]"):
        all_engines()[engine].open(opened[0])


def test_interpreters_run_on_one_thread_without_delegates(opened, monkeypatch):
    from_source, models = opened
    export("litert", models, from_source.exports)
    real = pytest.importorskip("ai_edge_litert.interpreter")
    asked = []

    def recording(**options):
        asked.append(options)
        return real.Interpreter(**options)

    fake = types.SimpleNamespace(
        Interpreter=recording, OpResolverType=real.OpResolverType, __name__="fake"
    )
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", fake)
    all_engines()["litert"].open(from_source).close()
    all_engines()["litert-ref"].open(from_source).close()
    resolvers = [options["experimental_op_resolver_type"].name for options in asked]
    assert resolvers == ["BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF"]
    assert [options["num_threads"] for options in asked] == [1, 1]
