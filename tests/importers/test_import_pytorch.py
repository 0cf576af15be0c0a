"""PyTorch's own outputs, from vectors that it wrote and, where it is installed, live."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_edge.errors import ModelError
from rnn_edge.importers import from_pytorch
from rnn_edge.reference import FloatReference

VECTORS = Path(__file__).with_name("vectors") / "pytorch.npz"
NAMES = ("gru", "gru-2", "lstm", "rnn", "gru-without-bias", "lstm-gru-rnn")
KINDS = {
    "gru": ["gru"],
    "gru-2": ["gru", "gru"],
    "lstm": ["lstm"],
    "rnn": ["rnn"],
    "gru-without-bias": ["gru"],
    "lstm-gru-rnn": ["lstm", "gru", "rnn"],
}


@pytest.fixture(scope="module")
def vectors():
    with np.load(VECTORS) as file:
        return {name: file[name] for name in file.files}


def state_of(vectors, name):
    own = {tuple(key.split("/")): value for key, value in vectors.items() if "/" in key}
    return {key: v.copy() for (owner, key), v in own.items() if owner == name and key != "y"}


def outputs_of(model, x):
    """Run frames (T, B, D); return (T, B, C)."""
    trace = FloatReference(model, x.shape[1]).run(x.transpose(1, 0, 2))
    return trace.outputs.transpose(1, 0, 2)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_of_pytorch(vectors, name):
    model = from_pytorch(state_of(vectors, name))
    assert [layer.kind for layer in model.layers] == KINDS[name]
    found = outputs_of(model, vectors["x"])
    np.testing.assert_allclose(found, vectors[f"{name}/y"], atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_state_dict_stays_as_it_was(vectors, name):
    state = state_of(vectors, name)
    before = {key: value.copy() for key, value in state.items()}
    model = from_pytorch(state)
    for value in state.values():
        value += 1.0
    assert model.digest() == from_pytorch(before).digest()


@pytest.mark.parametrize("name", ["gru", "lstm", "rnn"])
def test_cells_have_the_same_tensors_under_shorter_names(vectors, name):
    state = state_of(vectors, name)
    cells = {key.removesuffix("_l0"): value for key, value in state.items()}
    assert set(cells) != set(state)
    assert from_pytorch(cells).digest() == from_pytorch(state).digest()


def test_swapped_gates_would_be_noticed(vectors):
    state = state_of(vectors, "gru")
    key = next(key for key in state if "weight_hh" in key)
    r, z, n = np.split(state[key], 3)
    state[key] = np.concatenate([z, r, n])
    apart = outputs_of(from_pytorch(state), vectors["x"]) - vectors["gru/y"]
    assert np.abs(apart).max() > 0.01


def test_what_a_state_cannot_be_is_refused(vectors):
    state = state_of(vectors, "gru")
    reverse = {key.replace("_l0", "_l0_reverse"): value for key, value in state.items()}
    with pytest.raises(ModelError, match="only after the last input") as caught:
        from_pytorch({**state, **reverse})
    assert "use forward layers" in caught.value.hint
    for key, value, expected in [
        ("layers.0.weight_hr_l0", np.zeros((2, 5)), "is a projection"),
        ("norm.running_mean", np.zeros(5), "'norm.running_mean'"),
        ("conv.weight", np.zeros((5, 5, 3)), "a weight (5, 5, 3)"),
        ("more.weight", np.zeros((5, 3)), "is a second dense layer"),
    ]:
        with pytest.raises(ModelError) as caught:
            from_pytorch({**state, key: value})
        assert expected in caught.value.message
    with pytest.raises(ModelError, match=r"expected a torch\.nn\.Module"):
        from_pytorch(3)


class GRU(SimpleNamespace):
    """Stands in for a module where PyTorch is not installed: the attributes that are read."""


class Parent(SimpleNamespace):
    def named_modules(self):
        return [("", self), ("rnn", self.rnn)]

    def state_dict(self):
        return self.state


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"bidirectional": True}, "bidirectional = True: the backward half"),
        ({"bidirectional": False, "nonlinearity": "relu"}, "nonlinearity 'relu'; expected 'tanh'"),
    ],
)
def test_options_that_a_state_does_not_show_are_refused(vectors, options, expected):
    module = Parent(rnn=GRU(**options), state=state_of(vectors, "gru"))
    with pytest.raises(ModelError, match=expected):
        from_pytorch(module)


def test_head_and_labels_are_taken_over(vectors):
    state = state_of(vectors, "lstm")
    model = from_pytorch(state, "door", ["open", "shut", "none"], head="softmax")
    assert (model.name, model.labels, model.head_kind) == (
        "door", ("open", "shut", "none"), "softmax"
    )  # fmt: skip
    y = vectors["lstm/y"].astype(np.float64)
    wanted = np.exp(y) / np.exp(y).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(outputs_of(model, vectors["x"]), wanted, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_live_modules(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; its vectors are")
    import pytorch_vectors

    module, x = pytorch_vectors.stack(name), pytorch_vectors.inputs()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    found = outputs_of(from_pytorch(module), x)
    with torch.no_grad():
        np.testing.assert_allclose(found, module(torch.from_numpy(x)).numpy(), atol=2e-6)
    for key, value in module.state_dict().items():
        assert torch.equal(value, before[key])


def test_live_options_are_refused():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; its vectors are")
    for layer, expected in [
        (torch.nn.GRU(4, 5, bidirectional=True), "the backward half"),
        (torch.nn.RNN(4, 5, nonlinearity="relu"), "nonlinearity 'relu'"),
        (torch.nn.LSTM(4, 5, proj_size=2), "is a projection"),
    ]:
        with pytest.raises(ModelError, match=expected):
            from_pytorch(torch.nn.ModuleList([layer, torch.nn.Linear(5, 2)]))
    modules = [torch.nn.GRU(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2)]
    with pytest.raises(ModelError, match="ReLU"):
        from_pytorch(torch.nn.ModuleList(modules))
