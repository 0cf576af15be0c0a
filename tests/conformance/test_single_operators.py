"""Every operator at every scale that a lowered program has, alone, in every runtime.

Operators of one operand are run over all 65,536 inputs; those of two over every int16 on one side,
and over corners and the neighbours of powers of two on both.
"""

from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from onnx_step import model_of, session_of
from program_scales import scales

from rnn_edge import fixedpoint
from rnn_edge.engines import tflite_runtime, tflm, worker_program
from rnn_edge.engines.environment import interpreter_of
from rnn_edge.engines.tflite_interpreter import DEFAULT_KERNELS, REFERENCE_KERNELS
from rnn_edge.engines.worker import Worker
from rnn_edge.engines.worker_engine import RemoteSession
from rnn_edge.errors import MissingDependencyError, ModelError
from rnn_edge.exporters.tflite import INT32_MAX, IntegerFormat
from rnn_edge.exporters.tflite_program import write_program
from rnn_edge.types import QuantizedMatrix
from rnn_edge.types.program import Binary, FullyConnected, Program, Tensor, Unary

FOUND = scales()
# TFLM's arena is sized for models, whose tensors are small.
SIZE = 4096
EVERY = np.arange(-32768, 32768).astype(np.int16)
ELSEWHERE = {"tflite-runtime": tflite_runtime.ENVIRONMENT, "tflm": tflm.ENVIRONMENT}
KERNELS = {"litert": DEFAULT_KERNELS, "litert-ref": REFERENCE_KERNELS}


def pairs():
    """Return operands int16 (T, SIZE)."""
    rng = np.random.default_rng(0)
    powers = (1 << np.arange(15)).astype(np.int16)
    near = np.concatenate([powers - 1, powers, powers + 1, -powers, 1 - powers, -powers - 1])
    near = np.concatenate([near, np.array([-32768, -32767, 0, 32766, 32767], np.int16)])
    a = np.concatenate([EVERY, np.repeat(near, len(near))])
    b = np.concatenate([rng.permutation(EVERY), np.tile(near, len(near))])
    left = -len(a) % SIZE
    a = np.concatenate([a, rng.integers(-32768, 32768, left)])
    b = np.concatenate([b, rng.integers(-32768, 32768, left)])
    return a.astype(np.int16).reshape(-1, SIZE), b.astype(np.int16).reshape(-1, SIZE)


A, B = pairs()
X = EVERY.reshape(-1, SIZE)


def unary(kind, x_exponent, out_exponent):
    tensors = {"x": Tensor("x", SIZE, x_exponent), "y": Tensor("y", SIZE, out_exponent)}
    ops = (Unary(kind, "x", "y"),)
    return Program("one", MappingProxyType(tensors), ops, "x", "y", MappingProxyType({}))


def binary(kind, a_exponent, b_exponent, out_exponent):
    """A program reads one frame; the other operand is a state, here one that stays."""
    exponents = {"x": a_exponent, "b_in": b_exponent, "b_out": b_exponent, "y": out_exponent}
    tensors = {name: Tensor(name, SIZE, exponent) for name, exponent in exponents.items()}
    ops = (Binary(kind, "x", "b_in", "y"), Unary("quantize", "b_in", "b_out"))
    states = MappingProxyType({"b": ("b_in", "b_out")})
    return Program("one", MappingProxyType(tensors), ops, "x", "y", states)


def cases():
    """Yield a name, a program, its operands and the reference's result."""
    for kind, x_exponent, out in FOUND.tables:
        expected = getattr(fixedpoint, kind)(X, x_exponent)
        yield f"{kind} {x_exponent}", unary(kind, x_exponent, out), (X,), expected
    for x_exponent, out in FOUND.conversions:
        expected = fixedpoint.requantize(X, x_exponent, out)
        program = unary("quantize", x_exponent, out)
        yield f"quantize {x_exponent} {out}", program, (X,), expected
    for a, b, out, sign in FOUND.sums:
        kind = "add" if sign == 1 else "subtract"
        expected = getattr(fixedpoint, kind)(A, a, B, b, out)
        yield f"{kind} {a} {b} {out}", binary(kind, a, b, out), (A, B), expected
    for a, b, out in FOUND.products:
        expected = fixedpoint.multiply(A, a, B, b, out)
        yield f"multiply {a} {b} {out}", binary("multiply", a, b, out), (A, B), expected


def tflite_of(program):
    return write_program(program, IntegerFormat(), "one operator", {})


def run_session(session, operands):
    """Run chunk by chunk: the second operand goes in as the state before each."""
    rows = []
    for k in range(len(operands[0])):
        state = {"b": operands[1][k]} if len(operands) == 2 else {}
        y, after = session.run(operands[0][k : k + 1], state)
        rows.append(y[0])
        if state:
            np.testing.assert_array_equal(after["b"][0], state["b"])
    return np.stack(rows)


@contextmanager
def runner(name):
    """Yield a function that runs a program on operands, int16 (T, SIZE)."""
    if name == "onnx-int8":
        pytest.importorskip("onnxruntime")

        def run_onnx(program, operands):
            feeds = dict(zip(("x", "b_in"), operands, strict=False))
            return session_of(model_of(program)).run(["y"], feeds)[0]

        yield run_onnx
    elif name in KERNELS:
        package = pytest.importorskip("ai_edge_litert.interpreter")

        def run_here(program, operands):
            return run_session(Interpreted(package, KERNELS[name], tflite_of(program)), operands)

        yield run_here
    else:
        pytest.importorskip("ai_edge_litert")
        try:
            python = interpreter_of(ELSEWHERE[name])
        except MissingDependencyError as error:
            pytest.skip(str(error))
        program_file = str(Path(worker_program.__file__).resolve())
        worker = Worker([str(python), "-I", program_file], f"engine {name!r}")

        def run_there(program, operands):
            session = RemoteSession(worker, name, tflite_of(program), Path("one operator"))
            return run_session(session, operands)

        try:
            yield run_there
        finally:
            worker.close()


class Interpreted:
    """A file in ai-edge-litert with one of its two sets of kernels."""

    def __init__(self, package, kernels, content):
        resolver = getattr(package.OpResolverType, kernels)
        self._interpreter = package.Interpreter(
            model_content=content, num_threads=1, experimental_op_resolver_type=resolver
        )
        self._interpreter.allocate_tensors()
        details = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._index = {item["name"]: item["index"] for items in details for item in items}

    def run(self, x, state):
        self._interpreter.set_tensor(self._index["x"], x)
        for name, value in state.items():
            self._interpreter.set_tensor(self._index[f"{name}_in"], value[None])
        self._interpreter.invoke()
        after = {name: self._interpreter.get_tensor(self._index[f"{name}_out"]) for name in state}
        return self._interpreter.get_tensor(self._index["y"]), after


EVERYWHERE = pytest.mark.parametrize(
    "name",
    [*KERNELS, "onnx-int8", *(pytest.param(n, marks=pytest.mark.slow) for n in ELSEWHERE)],
)


@EVERYWHERE
def test_operators_have_the_bits_of_the_reference(name):
    wrong, seen = {}, 0
    with runner(name) as run:
        for case, program, operands, expected in cases():
            actual = run(program, operands)
            assert actual.dtype == np.int16
            seen += 1
            if not np.array_equal(actual, expected):
                at = tuple(np.argwhere(actual != expected)[0])
                values = [int(operand[at]) for operand in operands]
                wrong[case] = f"{values}: actual {actual[at]}, expected {expected[at]}"
    kinds = (FOUND.tables, FOUND.conversions, FOUND.sums, FOUND.products)
    assert seen == sum(map(len, kinds))
    assert not wrong


# FULLY_CONNECTED: sums that a bias brings, as inputs alone do not reach every one.

SHIFTS = range(1, 47)
LARGEST_SUM = 1 << 46


def product_of(sums, mantissas, shifts):
    """Return a product whose rows give these sums whatever goes in, and the factors asked for."""
    scale = np.ldexp(np.array(mantissas) / 2.0**15, 15 - np.array(shifts) + 15 - 11)
    weight = np.zeros((len(sums), 1))
    matrix = QuantizedMatrix(weight, scale, np.array(sums, np.int64), -15, -11)
    tensors = {"x": Tensor("x", 1, -15), "y": Tensor("y", len(sums), -11)}
    ops = (FullyConnected("y", "x", matrix, "y"),)
    return Program("one", MappingProxyType(tensors), ops, "x", "y", MappingProxyType({}))


def sums_of_every_shift():
    """Return (sum, mantissa, shift): results in int16, beyond it, at its ends and near zero."""
    rng, found = np.random.default_rng(5), []
    for shift in SHIFTS:
        for mantissa in [0x4001, 0x7FFF, *(2 * rng.integers(1 << 13, 1 << 14, 6) + 1).tolist()]:
            room = min(LARGEST_SUM, (INT32_MAX << shift) // mantissa) - 1
            wanted = [*rng.integers(-33000, 33000, 6).tolist(), -32768, 32767, 0, 1, -1]
            sums = [(value << shift) // mantissa + step for value in wanted for step in (0, 1)]
            sums += [room, -room, *rng.integers(-room, room, 4, endpoint=True).tolist()]
            found += [(total, mantissa, shift) for total in sums if abs(total) <= room]
    return found


def is_middle(total, mantissa, shift):
    return total * mantissa % (1 << shift) == 1 << (shift - 1)


@EVERYWHERE
def test_products_at_every_shift(name):
    found = sums_of_every_shift()
    exact = [(total * m + (1 << (s - 1))) >> s for total, m, s in found]
    if name in KERNELS:
        # LiteRT alone rounds a negative middle away from zero, see docs/decisions/0004.
        exact = [
            value - (value < 0 and is_middle(*row)) for value, row in zip(exact, found, strict=True)
        ]
    expected = np.clip(exact, -32768, 32767)
    with runner(name) as run:
        actual = run(product_of(*zip(*found, strict=True)), (np.zeros((1, 1), np.int16),))[0]
    wrong = [
        (*row, got, wanted)
        for row, got, wanted in zip(found, actual.tolist(), expected.tolist(), strict=True)
        if got != wanted
    ]
    assert not wrong
    assert {shift for *_, shift in found} == set(SHIFTS)
    assert len(np.unique(actual)) > 1000


@pytest.mark.parametrize("sign", [-1, 1])
def test_sums_that_would_change_their_sign_in_tflite_are_refused(sign):
    pytest.importorskip("ai_edge_litert")
    # 0x4001 / 2^1 times the sum, and half of the last place.
    largest = (2 * INT32_MAX - 1) // 0x4001
    tflite_of(product_of([sign * largest], [0x4001], [1]))
    with pytest.raises(ModelError, match=r"Matrix y, row 1: rescaled sums reach 2,147,\d+,\d+;"):
        tflite_of(product_of([0, sign * (largest + 1)], [0x4001] * 2, [1, 1]))


def test_without_the_refusal_they_do(monkeypatch):
    package = pytest.importorskip("ai_edge_litert.interpreter")
    monkeypatch.setattr("rnn_edge.exporters.tflite.refuse_wrapping", lambda step: None)
    content = tflite_of(product_of([(2 * INT32_MAX) // 0x4001 + 1], [0x4001], [1]))
    session = Interpreted(package, DEFAULT_KERNELS, content)
    assert session.run(np.zeros((1, 1), np.int16), {})[0][0, 0] == -32768
