"""Runtimes that are broken for real: what they are made of is what works elsewhere."""

import textwrap
from pathlib import Path

from rnn_edge.engines import worker_program
from rnn_edge.engines.c_host import CEngine, build_library
from rnn_edge.engines.environment import interpreter_of
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.engines.numbers import AffineIntegers, SameIntegers
from rnn_edge.engines.numpy_reference import ReferenceEngine
from rnn_edge.engines.runtime_state import (
    LocalSession,
    RemoteStatefulSession,
    RuntimeStateEngine,
)
from rnn_edge.engines.tflm import ENVIRONMENT
from rnn_edge.engines.worker import Worker
from rnn_edge.exporters import tflite_stateful, tflite_w8a8
from rnn_edge.reference import IntegerReference

RECREATED_TFLM = """
    import importlib.util
    import sys

    found = importlib.util.spec_from_file_location("worker_program", sys.argv[1])
    worker_program = importlib.util.module_from_spec(found)
    found.loader.exec_module(worker_program)

    class Recreated(worker_program.MicroStatefulSession):
        def __init__(self, *made):
            super().__init__(*made)
            self.made = made

        def run(self, x, state):
            self.__init__(*self.made)
            return super().run(x, state)

    worker_program.STATEFUL_RUNTIMES["tflm-stateful"] = ("tflite_micro", Recreated)
    worker_program.main()
"""


class ReallocatedInterpreter(worker_program.LiteVariablesSession):
    """Allocates its tensors before each invocation, and with them its resource variables."""

    def __init__(self, *made):
        super().__init__(*made)
        self._made = made

    def run(self, x, state):
        super().__init__(*self._made)
        return super().run(x, state)


class StuckVariables(worker_program.LiteVariablesSession):
    """Takes a reset for a success and does nothing."""

    def reset(self, state):
        del state


class UnheardState(worker_program.LiteVariablesSession):
    """Takes zero, and any other state for a success while it does nothing."""

    def reset(self, state):
        if not state:
            super().reset(state)


class ZeroedTensors(worker_program.LiteTensorsSession):
    """Zeroes the variable tensors of its operators before each invocation.

    TFLM with the kernels of CMSIS-NN does that to the fused LSTM.
    """

    def run(self, x, state):
        self._zero()
        return super().run(x, state)


def fused_engine(session, source):
    """A session over the file with the fused LSTM in ai-edge-litert, as an engine."""
    import ai_edge_litert.interpreter as package

    layout = StreamLayout.of_float(source.float_model, source.model)
    path = source.exports / tflite_w8a8.FILE
    made = session(package, path.read_bytes(), list(layout.states))
    return RuntimeStateEngine(layout, AffineIntegers(made.scales), LocalSession(made), path)


def variables_engine(session, source):
    """A session over the file with resource variables in ai-edge-litert, as an engine."""
    import ai_edge_litert.interpreter as package

    layout = StreamLayout.of_integer(source.model)
    path = source.exports / tflite_stateful.FILE
    made = session(package, path.read_bytes(), list(layout.states))
    return RuntimeStateEngine(layout, SameIntegers(), LocalSession(made), path)


def recreated_tflm(source):
    """TFLM in its worker, with an interpreter that is made anew before each invocation."""
    program = source.work / "recreated.py"
    program.parent.mkdir(exist_ok=True)
    program.write_text(textwrap.dedent(RECREATED_TFLM))
    command = [interpreter_of(ENVIRONMENT), "-I", program, Path(worker_program.__file__).resolve()]
    worker = Worker([str(part) for part in command], "engine 'tflm-recreated'")
    layout = StreamLayout.of_integer(source.model)
    path = source.exports / tflite_stateful.FILE
    session = RemoteStatefulSession(
        worker, "tflm-stateful", path.read_bytes(), list(layout.states), path
    )
    return RuntimeStateEngine(layout, SameIntegers(), session, path)


class InitialisedEachStep(CEngine):
    """The exported C in a program that calls the init function inside its loop."""

    def step(self, x):
        self._init(self._addresses[0])
        return super().step(x)


def initialised_each_step(source):
    return InitialisedEachStep(
        source.model, build_library(source.model, source.exports, source.work)
    )


class LosesSome(ReferenceEngine):
    """A host loop that forgets to feed back some of the state tensors."""

    def __init__(self, source, lost):
        layout = StreamLayout.of_integer(source.model)
        super().__init__(layout, IntegerReference(source.model))
        self._lost = lost

    def _advance(self, x, state):
        kept = {n: v * 0 if n in self._lost else v for n, v in state.items()}
        return super()._advance(x, kept)


class ShiftsOutputs(ReferenceEngine):
    """Carries its state and gives one output that is off by one."""

    def __init__(self, source):
        super().__init__(StreamLayout.of_integer(source.model), IntegerReference(source.model))

    def _advance(self, x, state):
        y, state = super()._advance(x, state)
        y = y.copy()
        y[0] ^= 1
        return y, state
