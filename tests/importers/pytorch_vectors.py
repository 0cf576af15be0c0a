"""Writes what PyTorch itself computes: weights, inputs and outputs of small seeded modules.

    python tests/importers/pytorch_vectors.py FOLDER

Run by any Python that has PyTorch; `vectors/pytorch.npz` was written with the version it names, and
`vectors/pytorch.onnx` was exported by it.
"""

import sys

import numpy as np
import torch

STEPS, STREAMS, INPUTS, OUTPUTS = 25, 3, 4, 3
MODULES = {
    "gru": lambda: [torch.nn.GRU(INPUTS, 5)],
    "gru-2": lambda: [torch.nn.GRU(INPUTS, 5, num_layers=2)],
    "lstm": lambda: [torch.nn.LSTM(INPUTS, 5)],
    "rnn": lambda: [torch.nn.RNN(INPUTS, 5)],
    "gru-without-bias": lambda: [torch.nn.GRU(INPUTS, 5, bias=False)],
    "lstm-gru-rnn": lambda: [
        torch.nn.LSTM(INPUTS, 6),
        torch.nn.GRU(6, 5),
        torch.nn.RNN(5, 4),
    ],
}


class Stack(torch.nn.Module):
    """Recurrent layers and a linear head, registered in the order in which they are used."""

    def __init__(self, layers):
        super().__init__()
        self.layers = torch.nn.ModuleList(layers)
        self.head = torch.nn.Linear(layers[-1].hidden_size, OUTPUTS)

    def forward(self, x):
        for layer in self.layers:
            x, _ = layer(x)
        return self.head(x)


def stack(name):
    """Return a seeded module whose biases are not near zero."""
    torch.manual_seed(sorted(MODULES).index(name))
    module = Stack(MODULES[name]())
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1.7)
    return module


def inputs():
    """Return float32 (T, B, D)."""
    generator = np.random.default_rng(0)
    return generator.normal(0, 1.5, (STEPS, STREAMS, INPUTS)).astype(np.float32)


class LastStep(torch.nn.Module):
    """What PyTorch's own ONNX export makes of batch-first layers, a last step and a softmax."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(100)
        self.layers = torch.nn.LSTM(INPUTS, 5, num_layers=2, batch_first=True)
        self.head = torch.nn.Linear(5, OUTPUTS)

    def forward(self, x):
        h, _ = self.layers(x)
        return torch.softmax(self.head(h[:, -1]), -1)


def main(folder):
    """Write the vectors."""
    arrays = {"version": np.array(torch.__version__), "x": inputs()}
    for name in MODULES:
        module = stack(name)
        for key, value in module.state_dict().items():
            arrays[f"{name}/{key}"] = value.numpy()
        with torch.no_grad():
            arrays[f"{name}/y"] = module(torch.from_numpy(inputs())).numpy()
    last, x = LastStep(), torch.from_numpy(inputs().transpose(1, 0, 2).copy())
    arrays["last/y"] = last(x).detach().numpy()
    axes = {"x": {0: "B", 1: "T"}}
    path = f"{folder}/pytorch.onnx"
    torch.onnx.export(last, x, path, opset_version=14, input_names=["x"], dynamic_axes=axes)
    np.savez(f"{folder}/pytorch.npz", **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
