import json

import numpy as np
import pytest
from random_models import Shape, source

from rnn_edge.exporters import tflite, tflite_stateful

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
interpreters = pytest.importorskip("ai_edge_litert.interpreter")

STACK = Shape(("gru", "lstm"), (6, 5), seed=3)


@pytest.fixture(scope="module")
def content():
    return tflite_stateful.build(source(STACK))


def model_of(content):
    return schema.ModelT.InitFromPackedBuf(content, 0)


def metadata_of(content):
    model = model_of(content)
    (entry,) = model.metadata
    return json.loads(bytes(model.buffers[entry.buffer].data))


def open_runner(content):
    interpreter = interpreters.Interpreter(model_content=content)
    return {key: interpreter.get_signature_runner(key) for key in interpreter.get_signature_list()}


def state_of(runner):
    return {name: value.copy() for name, value in runner["get_state"]().items()}


def test_signatures_and_names_are_stable(content):
    found = {s.signatureKey.decode(): s for s in model_of(content).signatureDefs}
    names = {
        key: tuple([t.name.decode() for t in tensors] for tensors in (s.inputs, s.outputs))
        for key, s in found.items()
    }
    assert names == {
        "serving_default": (["x"], ["y"]),
        "reset": ([], []),
        "get_state": ([], ["h0_out", "h1_out", "c1_out"]),
        "set_state": (["h0_in", "h1_in", "c1_in"], []),
    }
    assert [found[key].subgraphIndex for key in names] == [0, 1, 2, 3]


def test_its_step_is_that_of_the_file_with_explicit_state(content, tmp_path):
    tflite.export(source(STACK), tmp_path)
    explicit = model_of((tmp_path / tflite.FILE).read_bytes())
    own = ("CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE")
    skipped = {getattr(schema.BuiltinOperator, name) for name in own}

    def steps(model):
        graph = model.subgraphs[0]
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            if code.builtinCode not in skipped:
                tensors = (*operator.inputs, *operator.outputs)
                yield code.builtinCode, code.version, [graph.tensors[k].name for k in tensors]

    assert list(steps(model_of(content))) == list(steps(explicit))


def test_the_metadata_is_that_of_the_explicit_file_but_for_the_format(content):
    found = metadata_of(content)
    expected = tflite.metadata_of(source(STACK))
    assert found["format"] != expected["format"]
    assert {**found, "format": ""} == json.loads(json.dumps({**expected, "format": ""}))


def test_a_state_that_is_set_before_the_first_step_is_not_wiped_by_it(content):
    state = {"h0_in": np.full((1, 6), 900, np.int16), "h1_in": np.full((1, 5), -700, np.int16)}
    state["c1_in"] = np.full((1, 5), 80, np.int16)
    runner = open_runner(content)
    runner["set_state"](**state)
    given = {name.replace("_in", "_out"): value for name, value in state.items()}
    for name, value in state_of(runner).items():
        np.testing.assert_array_equal(value, given[name])
    x = np.full((1, 5), 300, np.int16)
    from_state = runner["serving_default"](x=x)["y"].copy()
    assert not np.array_equal(open_runner(content)["serving_default"](x=x)["y"], from_state)


def test_the_runtimes_own_reset_leaves_variables_alone(content):
    # This is why the file has a signature for it.
    interpreter = interpreters.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    index = interpreter.get_input_details()[0]["index"]
    interpreter.set_tensor(index, np.full((1, 5), 300, np.int16))
    interpreter.invoke()
    interpreter.reset_all_variables()
    kept = interpreter.get_signature_runner("get_state")()
    assert kept["h0_out"].any()
    interpreter.get_signature_runner("reset")()
    zeroed = interpreter.get_signature_runner("get_state")()
    assert not any(value.any() for value in zeroed.values())


def test_two_interpreters_of_one_file_have_states_of_their_own(content):
    one, other = open_runner(content), open_runner(content)
    one["serving_default"](x=np.full((1, 5), 300, np.int16))
    assert any(value.any() for value in state_of(one).values())
    assert not any(value.any() for value in state_of(other).values())
