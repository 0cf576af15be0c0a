"""Converts one model with TensorFlow's converter, in a process that may die of it.

    python benchmarks/converter_worker.py MODEL.npz FRAMES.npy FORM NUMBERS STATES OUT.tflite

FORM and STATES are those of `converter_keras`; NUMBERS is ``float``, ``dynamic``, ``int8`` or
``16x8``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from converter_keras import keras_model, samples

from rnn_edge.types import Array, FloatModel


def convert(model: FloatModel, frames: Array, form: str, numbers: str, states: str) -> bytes:
    """Return the converted file; for the arguments see the description of this program."""
    converter = tf.lite.TFLiteConverter.from_keras_model(keras_model(model, form))
    sets = tf.lite.OpsSet
    # Operators of TensorFlow are allowed where there is no builtin one, so that the table can
    # name them; full-integer files cannot have any.
    supported = [sets.TFLITE_BUILTINS, sets.SELECT_TF_OPS]
    if numbers != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if numbers in ("int8", "16x8"):
        element = tf.int8 if numbers == "int8" else tf.int16
        supported = [
            sets.TFLITE_BUILTINS_INT8
            if numbers == "int8"
            else sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
        converter.inference_input_type = element
        converter.inference_output_type = element
        converter.representative_dataset = lambda: samples(model, frames, form, states)
    converter.target_spec.supported_ops = supported
    return bytes(converter.convert())


def main() -> None:
    weights, frames, form, numbers, states, out = sys.argv[1:]
    content = convert(FloatModel.load(Path(weights)), np.load(frames), form, numbers, states)
    partial = Path(f"{out}.part")
    partial.write_bytes(content)
    partial.replace(out)


if __name__ == "__main__":
    main()
