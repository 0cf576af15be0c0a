"""A step in two TFLite files: the layers advance, the head answers when it is asked."""

import numpy as np
import pytest
from conformance_cases import frames_of, integer_trace, models_of

from rnn_edge.exporters.base import all_exporters
from rnn_edge.exporters.tflite_parts import HEAD_FILE, LAYERS_FILE

KERNELS = ("BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF")


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("case", ["rnn-before-lstm-gru", "softmax", "argmax"])
def test_two_files_give_the_bits_of_one(tmp_path, case, kernels):
    package = pytest.importorskip("ai_edge_litert.interpreter")
    models = models_of(case)
    assert all_exporters()["tflite-parts"].export(models, tmp_path).files == (
        LAYERS_FILE,
        HEAD_FILE,
    )

    def runner(file):
        resolver = getattr(package.OpResolverType, kernels)
        running = package.Interpreter(
            str(tmp_path / file), num_threads=1, experimental_op_resolver_type=resolver
        )
        return running.get_signature_runner()

    layers, head = runner(LAYERS_FILE), runner(HEAD_FILE)
    trace = integer_trace(case, "random")
    state = {f"{n}_in": np.zeros((1, h), np.int16) for n, h in models.model.state_sizes.items()}
    last = f"h{len(models.model.layers) - 1}_out"
    for t, frame in enumerate(frames_of(case, "random")[:200]):
        after = layers(x=frame[None], **state)
        assert set(after) == {f"{name}_out" for name in models.model.state_sizes}
        state = {name.replace("_out", "_in"): value for name, value in after.items()}
        for name, expected in trace.states.items():
            np.testing.assert_array_equal(after[f"{name}_out"][0], expected[0, t])
        if t % 20 == 19:
            found = head(h=after[last])
            np.testing.assert_array_equal(found["y"][0], trace.outputs[0, t])
            if models.model.head_kind == "argmax":
                assert found["label"] == trace.outputs[0, t].argmax()
