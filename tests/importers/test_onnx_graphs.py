"""Graphs round the layers: what only moves axes comes through exactly, all else is refused.

Refusals are asked for with the comparison with onnxruntime switched off: the structure has to
tell by itself, as where onnxruntime is not installed.
"""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from rnn_edge.errors import ModelError  # noqa: E402
from rnn_edge.importers import from_onnx, onnx_comparison, onnx_reader  # noqa: E402
from rnn_edge.reference import FloatReference  # noqa: E402

INPUTS, UNITS, OUTPUTS, STEPS = 4, 8, 3, 12
END = np.iinfo(np.int64).max
BLOCKS = {"RNN": 1, "GRU": 3, "LSTM": 4}


class Chain:
    """A graph grown operator by operator: each reads what the one before it gave."""

    def __init__(self, shape=("T", 1, INPUTS), opset=17, element=TensorProto.FLOAT):
        self.nodes, self.constants, self.at = [], {}, "x"
        self.inputs = [helper.make_tensor_value_info("x", element, shape)]
        self.outputs = []
        self.opset, self.random = opset, np.random.default_rng(len(shape))

    def store(self, value, name=None):
        name = name or f"k{len(self.constants)}"
        value = np.asarray(value)
        self.constants[name] = value.astype(np.float32) if value.dtype.kind == "f" else value
        return name

    def then(self, kind, *constants, outputs=(), before=(), **attributes):
        name = f"{kind.lower()}_{len(self.nodes)}"
        names = [item if isinstance(item, str) else self.store(item) for item in constants]
        outputs = [f"{name}_out", *outputs]
        self.nodes.append(
            helper.make_node(kind, [*before, self.at, *names], outputs, name=name, **attributes)
        )
        self.at = outputs[0]
        return self

    def layer(self, kind="LSTM", width=INPUTS, extra=(), squeeze=True, outputs=(), **attributes):
        rows = BLOCKS[kind] * UNITS
        weights = [0.4 * self.random.normal(size=(1, rows, n)) for n in (width, UNITS)]
        bias = 0.2 * self.random.normal(size=(1, 2 * rows))
        attributes = {"hidden_size": UNITS, **attributes}
        self.then(kind, *weights, bias, *extra, outputs=outputs, **attributes)
        return self.then("Squeeze", [1]) if squeeze else self

    def dense(self):
        self.then("MatMul", self.random.normal(size=(UNITS, OUTPUTS)))
        return self.then("Add", self.random.normal(size=OUTPUTS))

    def model(self, also=()):
        element = TensorProto.INT64 if self.nodes[-1].op_type == "ArgMax" else TensorProto.FLOAT
        outputs = [helper.make_tensor_value_info(n, element, None) for n in (self.at, *also)]
        constants = [numpy_helper.from_array(value, name) for name, value in self.constants.items()]
        graph = helper.make_graph(self.nodes, "chain", self.inputs, outputs, constants)
        opsets = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


@pytest.fixture
def no_runtime(monkeypatch):
    monkeypatch.setattr(onnx_comparison.importlib.util, "find_spec", lambda name: None)


def refusal(model):
    with pytest.raises(ModelError) as caught:
        from_onnx(model)
    assert len(caught.value.message) < 500
    return caught.value.message


def sliced(chain, start, end, axis, step):
    return chain.then("Slice", [start], [end], [axis], [step])


IN_FRONT = {
    "time reversed": lambda c: sliced(c, -1, -END, 0, -1),
    "every second frame": lambda c: sliced(c, 0, END, 0, 2),
    "the first frame left out": lambda c: sliced(c, 1, END, 0, 1),
    "a thousand frames": lambda c: sliced(c, 0, 1000, 0, 1),
    "seven frames": lambda c: sliced(c, 0, 7, 0, 1),
    "features permuted": lambda c: c.then("Gather", [3, 2, 1, 0], axis=2),
    "features repeated": lambda c: c.then("Gather", [0, 0, 1, 2], axis=2),
    "frames of one long vector": lambda c: c.then("Reshape", [INPUTS, 1, -1]).then(
        "Transpose", perm=[2, 1, 0]
    ),
    "scaled": lambda c: c.then("Mul", np.float32(2)),
    "rounded": lambda c: c.then("Cast", to=TensorProto.INT32).then("Cast", to=TensorProto.FLOAT),
    "half the precision": lambda c: c.then("Cast", to=TensorProto.FLOAT16),
    "padded": lambda c: c.then("Pad", [1, 0, 0, 0, 0, 0]),
    "told by the frames": lambda c: c.then("Gather", before=["table"]),
    "at random": lambda c: c.then("Dropout", np.float32(0.5), np.array(True)),
}


@pytest.mark.parametrize("name", IN_FRONT)
def test_frames_that_do_not_arrive_whole_are_refused(no_runtime, name):
    chain = Chain()
    chain.store(np.ones((3, 1, INPUTS)), "table")
    guilty = IN_FRONT[name](chain).nodes[-1].op_type
    message = refusal(chain.layer().dense().model())
    assert f"({guilty})" in message or "(LSTM) reads the values of its input in another" in message


def test_streams_taken_for_steps_are_refused(no_runtime):
    # The numbers of [B, T, D] in rows of [T, B, D]: frames of one stream end up in another.
    chain = Chain(("B", "T", INPUTS))
    chain.nodes.append(helper.make_node("Shape", ["x"], ["shape"]))
    chain.store(np.array([1, 0, 2]), "order")
    chain.nodes.append(helper.make_node("Gather", ["shape", "order"], ["turned"]))
    message = refusal(chain.then("Reshape", "turned").layer().dense().model())
    assert "in another order" in message


BEHIND = {
    "the first step": lambda c: c.then("Gather", [0], axis=0),
    "the seventh step": lambda c: c.then("Gather", [6], axis=0),
    "all but the last": lambda c: sliced(c, 0, -1, 0, 1),
    "time reversed": lambda c: sliced(c, -1, -END, 0, -1),
    "units permuted": lambda c: c.then("Gather", np.arange(UNITS)[::-1].copy(), axis=2),
    "units for steps": lambda c: c.then("Reshape", [UNITS, 1, -1]),
    "a mean": lambda c: c.then("ReduceMean", axes=[0]),
}


@pytest.mark.parametrize("name", BEHIND)
def test_hidden_states_that_do_not_arrive_whole_are_refused(no_runtime, name):
    chain = BEHIND[name](Chain().layer())
    guilty = chain.nodes[-1].op_type
    message = refusal(chain.dense().model())
    assert f"({guilty})" in message or "(MatMul) reads values of shape (8, 1, 7)" in message


LAST = {
    "classes reversed": (lambda c: sliced(c, -1, -END, 2, -1), "Slice"),
    "classes permuted": (lambda c: c.then("Gather", [2, 0, 1], axis=2), "Gather"),
    "a class left out": (lambda c: c.then("Gather", [0, 1], axis=2), "Gather"),
    "classes for steps": (lambda c: c.then("Transpose", perm=[2, 1, 0]), "another order"),
    "classes in the middle": (lambda c: c.then("Transpose", perm=[0, 2, 1]), "another order"),
    "classes in other rows": (lambda c: c.then("Reshape", [OUTPUTS, 1, -1]), "another order"),
    "softmax over time": (lambda c: c.then("Softmax", axis=0), "(Softmax) goes along axis 0"),
    "softmax over streams": (lambda c: c.then("Softmax", axis=1), "(Softmax) goes along axis 1"),
    "arg max over time": (lambda c: c.then("ArgMax", axis=0), "(ArgMax) goes along axis 0"),
    "arg max by default": (lambda c: c.then("ArgMax"), "(ArgMax) goes along axis 0"),
    "softmax behind a turn": (
        lambda c: c.then("Transpose", perm=[2, 1, 0]).then("Softmax", axis=2), "whose last axis"
    ),
    "a reshape that cannot run": (lambda c: c.then("Reshape", [5, 5]), "(Reshape) cannot run on"),
    "a bias for every step": (lambda c: c.then("Add", np.ones((STEPS, 1, 1))), "adds values of"),
    "relu": (lambda c: c.then("Relu"), "(Relu)"),
    "its own graph": (
        lambda c: c.then("Loop", body=helper.make_graph([], "b", [], [])), "(Loop)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAST)
def test_outputs_that_do_not_leave_whole_are_refused(no_runtime, name):
    change, expected = LAST[name]
    assert expected in refusal(change(Chain().layer().dense()).model())


def test_softmax_of_old_opsets_is_over_all_that_follows_its_axis(no_runtime):
    chain = Chain(opset=11)
    chain.layer(squeeze=False).then("Squeeze", axes=[1]).dense()
    assert "along axis 1 of 3" in refusal(chain.then("Softmax").model())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"hidden_size": UNITS + 1}, "has hidden_size 9; expected 8"),
        ({"width": INPUTS + 1}, "reads values of shape"),
        ({"extra": ["lengths"]}, "has sequence_lens 'lengths'"),
        ({"extra": ["", "", "", np.ones((1, 3 * UNITS))]}, "has peepholes"),
        ({"clip": 0.0}, "has clip 0.0"),
        ({"layout": 1}, "of one step and starts each from zero"),
    ],
)
def test_layers_that_are_not_what_they_say_are_refused(no_runtime, options, expected):
    chain = Chain()
    if "extra" in options:
        chain.inputs.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, [1]))
    options = {"squeeze": "layout" not in options, **options}
    assert expected in refusal(chain.layer(**options).dense().model())


def test_a_state_from_another_layer_is_refused(no_runtime):
    chain = Chain().layer(squeeze=False, outputs=["h", "c"]).then("Squeeze", [1])
    assert "starts from another layer" in refusal(
        chain.layer("GRU", UNITS, extra=["", "h"]).dense().model()
    )
    chain = Chain().layer(squeeze=False, outputs=["h", "c"])
    chain.at = "c"
    assert "computes with a state" in refusal(chain.dense().model())


def test_a_second_layer_behind_a_last_step_is_refused(no_runtime):
    chain = Chain().layer().then("Gather", [-1], axis=0).layer("GRU", UNITS).dense()
    assert "or the last step alone" in refusal(chain.model())


def test_versions_and_operators_of_others_are_refused(no_runtime):
    assert "opset 99; expected 7 to" in refusal(Chain(opset=99).layer().dense().model())
    chain = Chain().layer().dense()
    chain.nodes[-1].domain = "com.microsoft"
    assert "is of domain 'com.microsoft'" in refusal(chain.model())
    assert "has elements INT32" in refusal(Chain(element=TensorProto.INT32).layer().dense().model())


def test_incomplete_graphs_are_refused(no_runtime):
    model = Chain().layer().dense().model()
    names = [item.name for item in model.graph.initializer]
    del model.graph.initializer[names.index("k0")]
    assert "reads 'k0', which nothing gives" in refusal(model)
    model = Chain().layer().dense().model()
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-4]
    assert "ONNX initializer 'k0': " in refusal(model)
    model = Chain().layer().dense().model()
    model.graph.output[0].name = "nowhere"
    assert "'nowhere' is made by nothing" in refusal(model)
    model = Chain().layer().dense().model()
    model.graph.output[0].name = model.graph.node[0].output[0]
    assert "no output of the graph" in refusal(model)


SAME = {
    "batch first": (
        ("B", "T", INPUTS),
        lambda c: c.then("Transpose", perm=[1, 0, 2]).layer().then("Transpose", perm=[1, 0, 2]),
    ),
    "one stream, no axis": (
        ("T", INPUTS), lambda c: c.then("Unsqueeze", [1]).layer().then("Squeeze", [1])
    ),
    "features on two axes": (("T", "B", 2, 2), lambda c: c.then("Reshape", [0, 0, -1]).layer()),
    "every length fixed": ((STEPS, 2, INPUTS), lambda c: c.layer()),
    "rows": (("T", 1, INPUTS), lambda c: c.layer().then("Reshape", [-1, UNITS])),
    "a slice of everything": (("T", 1, INPUTS), lambda c: sliced(c, 0, END, 0, 1).layer()),
    "dropout, cast, identity": (
        ("T", "B", INPUTS),
        lambda c: c.then("Dropout").then("Cast", to=TensorProto.FLOAT).layer().then("Identity"),
    ),
    "no clip": (("T", 1, INPUTS), lambda c: c.layer("GRU", clip=float("inf"))),
    "peepholes of zero": (
        ("T", 1, INPUTS), lambda c: c.layer(extra=["", "", "", np.zeros((1, 3 * UNITS))])
    ),
    "old operators": (
        ("T", 1, INPUTS), lambda c: c.layer("GRU", squeeze=False).then("Squeeze", axes=[1])
    ),
    "last step": (("T", "B", INPUTS), lambda c: c.layer().then("Gather", np.array(-1), axis=0)),
    "last of fixed steps": ((STEPS, 1, INPUTS), lambda c: sliced(c.layer(), 11, 12, 0, 1)),
    "last of a split": (
        (STEPS, 1, INPUTS), lambda c: split_off(c.layer(), [STEPS - 1, 1])
    ),
}  # fmt: skip


def split_off(chain, lengths):
    chain.then("Split", lengths, outputs=["rest"], axis=0)
    chain.at = "rest"
    return chain


@pytest.mark.parametrize("name", SAME)
def test_what_moves_axes_alone_comes_through(name):
    onnxruntime = pytest.importorskip("onnxruntime")
    shape, change = SAME[name]
    opset = 11 if name == "old operators" else 17
    model = change(Chain(shape, opset)).dense().model()
    before = model.SerializeToString()
    imported = from_onnx(model)
    assert model.SerializeToString() == before
    # What the graph's axes mean is written down here once more, independent of the importer.
    sizes = [{"T": STEPS, "B": 2}.get(length, length) for length in shape]
    x = np.random.default_rng(5).normal(0, 1, sizes).astype(np.float32)
    session = onnxruntime.InferenceSession(before, providers=["CPUExecutionProvider"])
    theirs = session.run(None, {"x": x})[0]
    batch_first = x if name == "batch first" else x.reshape(STEPS, -1, INPUTS).transpose(1, 0, 2)
    ours = FloatReference(imported, len(batch_first)).run(batch_first).outputs
    if name.startswith("last"):
        ours = ours[:, -1:]
    if name != "batch first":
        ours = ours.transpose(1, 0, 2)
    np.testing.assert_allclose(theirs.reshape(ours.shape), ours, atol=3e-6)


def test_states_that_come_in_and_go_out_together():
    chain = Chain(("T", "B", INPUTS))
    chain.inputs.append(
        helper.make_tensor_value_info("h", TensorProto.FLOAT, [2, "streams", UNITS])
    )
    for k in range(2):
        bounds = [chain.store(np.array([n])) for n in (k, k + 1, 0)]
        chain.nodes.append(helper.make_node("Slice", ["h", *bounds], [f"h{k}"]))
    chain.layer("GRU", squeeze=False, extra=["", "h0"], outputs=["h0_out"]).then("Squeeze", [1])
    chain.layer("GRU", UNITS, squeeze=False, extra=["", "h1"], outputs=["h1_out"])
    chain.then("Squeeze", [1]).dense()
    chain.nodes.append(helper.make_node("Concat", ["h0_out", "h1_out"], ["h_out"], axis=0))
    assert len(from_onnx(chain.model(also=["h_out"])).layers) == 2


def test_what_a_runtime_computes_is_the_last_word(monkeypatch):
    pytest.importorskip("onnxruntime")
    model = Chain().layer().dense().then("ArgMax", axis=-1).model()
    assert from_onnx(model).head_kind == "argmax"
    monkeypatch.setattr(onnx_reader, "ONNX", {"lstm": "ifog"})
    model = Chain().layer().dense().model()
    assert "away from onnxruntime's on 7 random frames" in refusal(model)


def test_other_things_than_files_are_refused_by_their_type(tmp_path):
    model = Chain().layer().dense().model()
    assert refusal(model.SerializeToString()).startswith("Import: bytes; expected the path of")
    assert refusal(model.graph).startswith("Import: GraphProto; expected the path of")
    (tmp_path / "empty.onnx").write_bytes(b"")
    assert "empty.onnx: empty file; expected an ONNX file." in refusal(tmp_path / "empty.onnx")
    onnx.save(model, tmp_path / "m.onnx")
    assert from_onnx(str(tmp_path / "m.onnx")).digest() == from_onnx(model).digest()
