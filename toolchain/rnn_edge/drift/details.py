"""Local error, saturation, dead units and distributions, from sampled steps of a stream."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_edge.cells import lower_model
from rnn_edge.drift.details_result import (
    DeadUnits,
    Details,
    Distribution,
    LocalError,
    Saturation,
    worst_units,
)
from rnn_edge.drift.details_values import DeadCounts, EndCounts, ErrorSums, Histogram
from rnn_edge.drift.mixed import MixedReference, require_pair
from rnn_edge.errors import DataError
from rnn_edge.quantize import quantize_input
from rnn_edge.quantize.squashing import squashing_functions
from rnn_edge.reference import IntegerReference
from rnn_edge.types import GATES, Array, CellKind, FloatModel, QuantizedModel
from rnn_edge.types.program import Softmax, Unary

_SIGMOID_GATES = "rzifo"


class StepDetails:
    """Collects the details of steps, in memory that does not grow with them.

    Args:
        float_model: The float model.
        model: The integer model.

    Raises:
        ModelError: If the models are not of one shape.
    """

    def __init__(self, float_model: FloatModel, model: QuantizedModel) -> None:
        require_pair(float_model, model)
        self._float_model, self._model = float_model, model
        self._program = lower_model(model)
        self._gates = gate_tensors(model)
        self._engines: tuple[int, MixedReference, IntegerReference] | None = None
        sizes = {**model.state_sizes, "y": model.outputs}
        self._local = {name: ErrorSums.empty(size) for name, size in sizes.items()}
        tensors = self._program.tensors
        self._ends = {name: EndCounts.empty(tensor.size) for name, tensor in tensors.items()}
        self._dead = {name: DeadCounts.empty(size) for name, size in model.state_sizes.items()}
        self._histograms = {name: Histogram(*self._range(name)) for name in self._named()}

    def __getstate__(self) -> dict[str, object]:
        # Sums travel between processes; what is derived from the models is made anew.
        return self.__dict__ | {"_program": None, "_engines": None}

    def __setstate__(self, state: Mapping[str, object]) -> None:
        self.__dict__.update(state)
        self._program = lower_model(self._model)

    def update(
        self, x: Array, float_before: Mapping[str, Array], integer_before: Mapping[str, Array]
    ) -> None:
        """Take in N steps, each given by its frame and by the states that lead into it.

        Args:
            x: float32 (N, D) in real units.
            float_before: Every state of the float model in closed loop, float (N, H).
            integer_before: Every state of the integer model in closed loop, int16 (N, H).

        Raises:
            DataError: If a state is missing or of another shape.
        """
        frames = np.asarray(x, np.float32)
        self._require(frames, float_before, integer_before)
        if not len(frames):
            return
        exact, integer = self._prepared(len(frames))
        quantized = quantize_input(frames, self._model.input_exponent)
        exponents = self._model.state_exponents
        # From the float state: its rounding to the grid is part of the local error.
        exact.reset(float_before)
        y = exact.step(frames)
        integer.reset(_on_grid(float_before, exponents))
        integer_y = integer.step(quantized) * 2.0**self._model.output_exponent
        self._local["y"].add(integer_y - y)
        for name, exponent in exponents.items():
            self._local[name].add(integer.state[name] * 2.0**exponent - exact.state[name])
        real = {name: exact.value(tensor) for name, tensor in self._named().items()}
        # From the integer state: what happens in closed loop.
        integer.reset(integer_before)
        integer.step(quantized)
        for name, ends in self._ends.items():
            ends.add(integer.values[name])
        for name, tensor in self._named().items():
            scale = 2.0 ** self._program.tensors[tensor].exponent
            self._histograms[name].add(real[name], integer.values[tensor] * scale)
        same = {n: np.asarray(integer_before[n], np.float64) * 2.0**e for n, e in exponents.items()}
        exact.reset(same)
        exact.step(frames)
        for name, exponent in exponents.items():
            update = exact.state[name] - same[name]
            before = np.asarray(integer_before[name])
            self._dead[name].add(before, integer.state[name], update, 2.0**exponent)

    def merge(self, other: object) -> None:
        """Take in what another `StepDetails` of the same models collected.

        Raises:
            DataError: If the models are others.
        """
        if not isinstance(other, StepDetails) or other._digests() != self._digests():
            raise DataError("Details of two models; expected those of one.")
        for name, sums in self._local.items():
            sums.merge(other._local[name])
        for name, ends in self._ends.items():
            ends.merge(other._ends[name])
        for name, dead in self._dead.items():
            dead.merge(other._dead[name])
        for name, histogram in self._histograms.items():
            histogram.merge(other._histograms[name])

    def result(self) -> Details:
        """Return what was found.

        Raises:
            DataError: If there was no step.
        """
        steps = self._local["y"].count
        if not steps:
            raise DataError("Details of no step; expected at least one.")
        saturation = [self._saturation(name) for name, e in self._ends.items() if e.at_end.any()]
        return Details(
            steps=steps,
            local=tuple(_local_error(name, sums) for name, sums in self._local.items()),
            saturation=tuple(sorted(saturation, key=lambda s: (s.is_harmless, -s.share))),
            dead=tuple(_dead_units(name, counts) for name, counts in self._dead.items()),
            distributions=tuple(
                Distribution(name, h.low, h.high, tuple(h.real.tolist()), tuple(h.integer.tolist()))
                for name, h in self._histograms.items()
            ),
        )

    def to_json(self) -> dict[str, object]:
        """Return plain values of `result`."""
        return self.result().to_json()

    def _digests(self) -> tuple[str, str]:
        return self._float_model.digest(), self._model.digest()

    def _named(self) -> dict[str, str]:
        """Return the tensors of states, as they leave the step, and of gates by their names."""
        states = {name: leaving for name, (_, leaving) in self._program.states.items()}
        return {**states, **self._gates}

    def _range(self, name: str) -> tuple[float, float]:
        if name in self._gates:
            return (0.0, 1.0) if name[-1] in _SIGMOID_GATES else (-1.0, 1.0)
        end = 2.0 ** (15 + self._model.state_exponents[name])
        return -end, end

    def _require(
        self, x: Array, float_before: Mapping[str, Array], integer_before: Mapping[str, Array]
    ) -> None:
        for name, size in {**self._model.state_sizes, "x": self._model.inputs}.items():
            given = [x] if name == "x" else [m.get(name) for m in (float_before, integer_before)]
            for value in given:
                shape = None if value is None else np.shape(value)
                if shape != (len(x), size):
                    raise DataError(
                        f"Details: {name} of shape {shape}; expected {(len(x), size)} for "
                        f"{len(x)} steps."
                    )

    def _prepared(self, streams: int) -> tuple[MixedReference, IntegerReference]:
        """Return engines for so many streams; those of the last call where they fit."""
        if self._engines is None or self._engines[0] != streams:
            exact = MixedReference(self._float_model, self._model, (), streams)
            self._engines = (streams, exact, IntegerReference(self._model, streams))
        return self._engines[1], self._engines[2]

    def _saturation(self, tensor: str) -> Saturation:
        ends = self._ends[tensor]
        total, values = int(ends.at_end.sum()), ends.count * len(ends.at_end)
        return Saturation(
            tensor, values, total, total / values, self._is_flat(tensor),
            worst_units(ends.at_end / ends.count),
        )  # fmt: skip

    def _is_flat(self, tensor: str) -> bool:
        makers = [op for op in self._program.ops if isinstance(op, Unary | Softmax)]
        if any(
            op.out == tensor and not (isinstance(op, Unary) and op.kind == "quantize")
            for op in makers
        ):
            return True
        return bool(squashing_functions(self._program, tensor))


def gate_tensors(model: QuantizedModel) -> dict[str, str]:
    """Return the tensor of every gate by its name, "l0.z"; that of an ``rnn`` is its state."""
    return {
        f"l{k}.{gate}": f"l{k}_{gate}"
        for k, layer in enumerate(model.layers)
        for gate in _gates_of(layer.kind)
    }


def _gates_of(kind: CellKind) -> tuple[str, ...]:
    return () if kind == "rnn" else GATES[kind]


def _on_grid(state: Mapping[str, Array], exponents: Mapping[str, int]) -> dict[str, Array]:
    """Return real states rounded to the grid of the integer model, int16."""
    return {name: quantize_input(state[name], exponent) for name, exponent in exponents.items()}


def _local_error(name: str, sums: ErrorSums) -> LocalError:
    unit_rms = np.sqrt(sums.squares / sums.count)
    return LocalError(
        name,
        float(np.sqrt(np.mean(np.square(unit_rms)))),
        float(sums.maximum.max()),
        tuple(unit_rms.tolist()),
        worst_units(unit_rms),
    )


def _dead_units(name: str, counts: DeadCounts) -> DeadUnits:
    half = counts.lost_half / counts.count
    return DeadUnits(
        state=name,
        share=float(np.mean(counts.lost / counts.count)),
        share_half=float(np.mean(half)),
        never_moved=tuple(int(u) for u in np.flatnonzero(counts.moved == 0)),
        unit_share_half=tuple(half.tolist()),
        worst=worst_units(half),
    )
