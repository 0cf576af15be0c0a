"""Reads the weights of a hand-authored w8a16 TFLite graph into a QuantizedModel."""

import os
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from rnn_edge.types import QuantizedLayer, QuantizedMatrix, QuantizedModel

GOLDEN = Path(os.environ.get("RNN_EDGE_GOLDEN", Path(__file__).parents[3] / "shared" / "golden"))

# The graphs have Keras's order of GRU gates (z r n).
ROW_ORDER = {"gru": (1, 0, 2), "lstm": (0, 1, 2, 3)}


def load(kind: str) -> QuantizedModel:
    model = schema.ModelT.InitFromPackedBuf((GOLDEN / f"{kind}_w8a16.tflite").read_bytes(), 0)
    tensors = {t.name.decode(): t for t in model.subgraphs[0].tensors}

    def exponent(name):
        return int(np.log2(tensors[name].quantization.scale[0]))

    def matrix(name, x, order=None):
        weight, bias = tensors[f"{name}_w"], tensors[f"{name}_b"]
        values = np.frombuffer(bytes(model.buffers[weight.buffer].data), np.int8)
        values = values.reshape(weight.shape)
        scale = np.asarray(weight.quantization.scale, np.float32)
        offsets = np.frombuffer(bytes(model.buffers[bias.buffer].data), np.int64)
        if order is not None:
            blocks = np.split(np.arange(len(scale)), len(order))
            rows = np.concatenate([blocks[k] for k in order])
            values, scale, offsets = values[rows], scale[rows], offsets[rows]
        return QuantizedMatrix(values, scale, offsets, exponent(x), exponent(name))

    order = ROW_ORDER[kind]
    layer = QuantizedLayer(
        kind,
        matrix("gx", "x", order),
        matrix("gh", "h_in", order),
        exponent("c_in") if kind == "lstm" else None,
    )
    head = matrix("y", "h_out")
    labels = tuple(f"class_{k}" for k in range(head.rows))
    return QuantizedModel(f"golden_{kind}", "kws", (layer,), head, labels)


def vectors(kind: str) -> dict:
    with np.load(GOLDEN / f"{kind}_w8a16_vectors.npz") as file:
        return {name: file[name] for name in file.files}
