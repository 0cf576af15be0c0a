"""TFLite, w8a16, with the state in resource variables: frames in, outputs out.

``model_stateful.tflite`` has the step of `rnn_edge.exporters.tflite`; the state stays in the
runtime. The signature ``serving_default`` takes ``x`` and gives ``y``. Three more are for the
state: ``reset`` sets it to zero, ``get_state`` gives ``h0_out`` (``c0_out``, ...) and ``set_state``
takes ``h0_in`` (``c0_in``, ...).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rnn_edge.cells import lower_model
from rnn_edge.exporters.base import Artifact, Exporter, ExportSource
from rnn_edge.exporters.output import write_bytes
from rnn_edge.exporters.tflite import IntegerFormat, metadata_of
from rnn_edge.exporters.tflite_graph import SIGNATURE, FileWriter, GraphWriter, Operator
from rnn_edge.exporters.tflite_program import declare, label_of, write_operators
from rnn_edge.types.program import Program

FILE = "model_stateful.tflite"
RESET, GET_STATE, SET_STATE = "reset", "get_state", "set_state"
RESET_SUBGRAPH = 1
"""Index in the file; the main subgraph is 0."""

_READ = Operator("READ_VARIABLE", 1, "ReadVariableOptions")
_ASSIGN = Operator("ASSIGN_VARIABLE", 1, "AssignVariableOptions")


class _StateGraph:
    """A subgraph in which the variables can be read and assigned by state name."""

    def __init__(self, graph: GraphWriter, program: Program) -> None:
        self.graph = graph
        self._program = program
        self._numbers = IntegerFormat()

    def initialise_once(self) -> None:
        """Have the variables set to zero if nothing has been run in this interpreter yet."""
        once = (("initSubgraphIndex", RESET_SUBGRAPH),)
        self.graph.operator(Operator("CALL_ONCE", 1, "CallOnceOptions", once), [], [])

    def handles(self) -> None:
        """Declare the handle of every variable under the name of its state."""
        for name in self._program.states:
            self.graph.tensor(name, (1,), "resource")
            fields = (("container", self._program.name), ("sharedName", name))
            self.graph.operator(Operator("VAR_HANDLE", 1, "VarHandleOptions", fields), [], [name])

    def declare(self, names: Iterable[str]) -> None:
        """Declare tensors of the program."""
        for name in names:
            declare(self.graph, self._program, self._numbers, name)

    def read(self, suffix: str) -> None:
        """Read every variable into the tensor of its name with a suffix, which it declares."""
        for name, tensor in self._tensors(suffix):
            self.declare([tensor])
            self.graph.operator(_READ, [name], [tensor])

    def assign(self, suffix: str) -> None:
        """Assign the tensors with a suffix to their variables."""
        for name, tensor in self._tensors(suffix):
            self.graph.operator(_ASSIGN, [name, tensor], [])

    def assign_zero(self) -> None:
        """Assign zeros to every variable."""
        for name, (entering, _) in self._program.states.items():
            tensor = self._program.tensors[entering]
            zeros = np.zeros((1, tensor.size), np.int16)
            self.graph.constant(f"{name}_zero", zeros, self._numbers.scale(tensor.exponent))
            self.graph.operator(_ASSIGN, [name, f"{name}_zero"], [])

    def _tensors(self, suffix: str) -> list[tuple[str, str]]:
        pairs = self._program.states.items()
        return [(name, pair[("in", "out").index(suffix)]) for name, pair in pairs]


def build(source: ExportSource) -> bytes:
    """Return the file.

    Raises:
        MissingDependencyError: If the flatbuffer schema is not installed.
    """
    program = lower_model(source.model)
    file = FileWriter("rnn-edge w8a16 step, state in resource variables")
    main, reset, get_state, set_state = (
        _StateGraph(file.subgraph(name), program) for name in ("main", RESET, GET_STATE, SET_STATE)
    )
    main.declare([program.x])
    main.initialise_once()
    main.handles()
    main.read("in")
    write_operators(main.graph, program, IntegerFormat())
    main.assign("out")

    # It is both the initialiser of all the others, which may have no inputs and no outputs, and a
    # signature of its own.
    reset.handles()
    reset.assign_zero()

    get_state.initialise_once()
    get_state.handles()
    get_state.read("out")

    entering = [tensor for tensor, _ in program.states.values()]
    leaving = [tensor for _, tensor in program.states.values()]
    set_state.declare(entering)
    # Or else the first step after it would set the variables to zero.
    set_state.initialise_once()
    set_state.handles()
    set_state.assign("in")

    leaving_now = {program.y: program.y, **label_of(program)}
    file.signature(SIGNATURE, main.graph, {program.x: program.x}, leaving_now)
    file.signature(RESET, reset.graph, {}, {})
    file.signature(GET_STATE, get_state.graph, {}, {name: name for name in leaving})
    file.signature(SET_STATE, set_state.graph, {name: name for name in entering}, {})
    return file.pack({**metadata_of(source), "format": "rnn-edge stateful tflite 1"})


def export(source: ExportSource, folder: Path) -> Artifact:
    """Write `FILE` into ``folder``.

    Raises:
        MissingDependencyError: If the flatbuffer schema is not installed.
    """
    write_bytes(folder / FILE, build(source))
    return Artifact("tflite-stateful", (FILE,), source.model.digest())


EXPORTER = Exporter(
    "tflite-stateful", "TFLite step with the state in resource variables (w8a16)", "export", export
)
