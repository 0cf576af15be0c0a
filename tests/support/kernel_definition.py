"""The definition of the kernels' rounding, compiled from C, on numpy arrays and whole programs.

The texts in ``tests/unit/c/rounding_definition.*`` follow the runtimes' definitions and share no
line with ``fixedpoint`` or the kernel library.
"""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from rnn_edge.cells import lower_model
from rnn_edge.resources import data_folder
from rnn_edge.types import Trace
from rnn_edge.types.program import Binary, FullyConnected, Split, Unary

SOURCES = Path(__file__).parent.parent / "unit" / "c"


def compiler():
    path = shutil.which("cc")
    if path is None:
        pytest.skip("cc is not installed")
    return path


def compile_c(*arguments):
    done = subprocess.run([compiler(), "-std=c11", *map(str, arguments)], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@functools.cache
def _library():
    common = data_folder("firmware_templates") / "common"
    # The file may go once it is loaded.
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "definition.so"
        sources = SOURCES / "rounding_definition.c", common / "rnn_edge_activation.c"
        compile_c("-O2", "-fPIC", "-shared", f"-I{common}", *sources, "-lm", "-o", output)
        return ctypes.CDLL(str(output))


def _call(function, arrays, numbers, out):
    """Call a function on (arrays..., count, ints..., out)."""
    inputs = [np.ascontiguousarray(a) for a in arrays]
    addresses = [ctypes.c_void_p(a.ctypes.data) for a in inputs]
    ints = [ctypes.c_int(n) for n in numbers]
    count = ctypes.c_size_t(inputs[0].size)
    _library()[function](*addresses, count, *ints, ctypes.c_void_p(out.ctypes.data))
    return out


def factor(real):
    """Return the multiplier of a positive real number: q31 and exponent."""
    q31, exponent = ctypes.c_int32(), ctypes.c_int32()
    _library().definition_factor(ctypes.c_double(real), ctypes.byref(q31), ctypes.byref(exponent))
    return q31.value, exponent.value


def operands(x, a_exponent, b_exponent, is_b):
    """Return one operand of ADD at the common scale, int32."""
    out = np.empty(x.shape, np.int32)
    return _call("definition_operands", [x], (a_exponent, b_exponent, int(is_b)), out)


def totals(x, a_exponent, b_exponent, out_exponent):
    """Return the results of ADD for sums of its operands, int32 at the common scale."""
    numbers = a_exponent, b_exponent, out_exponent
    return _call("definition_totals", [x], numbers, np.empty(x.shape, np.int16))


def sums(a, b, a_exponent, b_exponent, out_exponent, sign):
    numbers = a_exponent, b_exponent, out_exponent, sign
    return _call("definition_sums", [a, b], numbers, np.empty(a.shape, np.int16))


def products(x, a_exponent, b_exponent, out_exponent):
    """Return the results of MUL for products of its operands, int32."""
    numbers = a_exponent, b_exponent, out_exponent
    return _call("definition_products", [x], numbers, np.empty(x.shape, np.int16))


def requantized(x, in_exponent, out_exponent):
    out = np.empty(x.shape, np.int16)
    return _call("definition_requantized", [x], (in_exponent, out_exponent), out)


def table(kind, x, exponent):
    return _call(f"definition_{kind}", [x], (exponent,), np.empty(x.shape, np.int16))


def rows(sums, weight_scale, in_exponent, out_exponent, is_reduced):
    """Return FULLY_CONNECTED from its sums, int64 (B, N), with 31 or, reduced, 16 bits."""
    inputs = np.ascontiguousarray(sums, np.int64), np.ascontiguousarray(weight_scale, np.float32)
    out = np.empty(sums.shape, np.int16)
    _library().definition_rows(
        ctypes.c_void_p(inputs[0].ctypes.data),
        ctypes.c_size_t(sums.shape[0]),
        ctypes.c_size_t(sums.shape[1]),
        ctypes.c_void_p(inputs[1].ctypes.data),
        *(ctypes.c_int(n) for n in (in_exponent, out_exponent, int(is_reduced))),
        ctypes.c_void_p(out.ctypes.data),
    )
    return out


class DefinitionRun:
    """Runs a lowered program operator by operator as the kernels are defined.

    Args:
        model: The model.
        is_reduced: Whether matrix products round as tflite-runtime does, or as the others do.
    """

    def __init__(self, model, is_reduced=False):
        self._program = lower_model(model)
        self._exponent = {name: t.exponent for name, t in self._program.tensors.items()}
        self._is_reduced = is_reduced

    def run(self, x, state):
        """Return the trace of frames x int16 (B, T, D) from a state, int16 (B, H) by name."""
        outputs, states = [], {name: [] for name in self._program.states}
        for t in range(x.shape[1]):
            values = {self._program.x: x[:, t]}
            values.update({e: state[name] for name, (e, _) in self._program.states.items()})
            for op in self._program.ops:
                self._step(op, values)
            state = {name: values[leaves] for name, (_, leaves) in self._program.states.items()}
            outputs.append(values[self._program.y])
            for name, value in state.items():
                states[name].append(value)
        return Trace(np.stack(outputs, 1), {n: np.stack(v, 1) for n, v in states.items()})

    def _step(self, op, values):
        scale = self._exponent
        match op:
            case FullyConnected(_, x, matrix, out):
                # int64: numpy multiplies integers without a library that could round.
                total = values[x].astype(np.int64) @ matrix.weight.T.astype(np.int64) + matrix.bias
                values[out] = rows(
                    total, matrix.weight_scale, scale[x], scale[out], self._is_reduced
                )
            case Split(x, outs):
                values.update(zip(outs, np.split(values[x], len(outs), axis=-1), strict=True))
            case Binary("multiply", a, b, out):
                product = values[a].astype(np.int32) * values[b].astype(np.int32)
                values[out] = products(product, scale[a], scale[b], scale[out])
            case Binary(kind, a, b, out):
                sign = {"add": 1, "subtract": -1}[kind]
                values[out] = sums(values[a], values[b], scale[a], scale[b], scale[out], sign)
            case Unary("quantize", x, out):
                values[out] = requantized(values[x], scale[x], scale[out])
            case Unary(kind, x, out):
                values[out] = table(kind, values[x], scale[x])
            case _:
                raise AssertionError(f"no definition of {op}")
