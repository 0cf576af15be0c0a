"""One builtin operator as a TFLite file, run in ai-edge-litert."""

import numpy as np

from rnn_edge.exporters.tflite_graph import SIGNATURE, FileWriter


def run_operator(operator, inputs, output, kernels, constants=()):
    """Run one operator on int16 vectors.

    ``inputs`` are (value, exponent) pairs, ``constants`` (value, scales) pairs that follow them,
    ``output`` is (size, exponent).
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    file = FileWriter("one operator")
    writer = file.subgraph("main")
    names, constant_names = [], []
    for k, (value, exponent) in enumerate(inputs):
        names.append(f"in{k}")
        writer.tensor(names[-1], (1, len(value)), "int16", (2.0**exponent,))
    for k, (value, scales) in enumerate(constants):
        constant_names.append(f"constant{k}")
        writer.constant(constant_names[-1], value, scales)
    writer.tensor("out", (1, output[0]), "int16", (2.0 ** output[1],))
    writer.operator(operator, [*names, *constant_names], ["out"])
    file.signature(SIGNATURE, writer, {name: name for name in names}, {"out": "out"})
    content = file.pack({})
    interpreter = Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=getattr(OpResolverType, kernels),
    )
    interpreter.allocate_tensors()
    index = {item["name"]: item["index"] for item in interpreter.get_input_details()}
    for name, (value, _) in zip(names, inputs, strict=True):
        interpreter.set_tensor(index[name], np.asarray(value, np.int16)[None])
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
