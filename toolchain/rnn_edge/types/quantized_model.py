"""The quantized model: integers and scales, the one source of every export.

Every activation and state is int16 with zero point 0 and a power-of-two scale, written here as
its exponent: ``scale = 2**exponent``. Weights are int8 with zero point 0 and one scale per output
row, whose mantissa has at most 15 bits; that is what makes runtimes with a 16-bit and with a
31-bit multiplier round alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.types.archive import consistent, load_archive, save_archive
from rnn_edge.types.arrays import Array, digest_of, read_only
from rnn_edge.types.float_model import (
    GATES,
    CellKind,
    HeadKind,
    Task,
    check_head_kind,
    check_labels,
    head_kind_of,
    head_meta,
)
from rnn_edge.types.names import require_model_name

FORMAT = "rnn-edge quantized model 1"

HIDDEN_EXPONENT = -15
"""Hidden state and every sigmoid and tanh output."""
GATE_EXPONENT = -11
"""Pre-activations into LOGISTIC."""
CANDIDATE_EXPONENT = -13
"""Pre-activations into TANH."""
DIFFERENCE_EXPONENT = -14
"""GRU: h - n and z*(h - n)."""
SOFTMAX_EXPONENT = -15
"""Outputs of SOFTMAX."""
SCALE_MANTISSA_BITS = 15


@dataclass(frozen=True, eq=False)
class QuantizedMatrix:
    """A fully connected step: ``out[n] = rescale(sum_k x[k]*weight[n, k] + bias[n])``.

    Attributes:
        weight: int8 (N, K), values -127..127.
        weight_scale: float32 (N,), positive, mantissa of at most 15 bits.
        bias: int64 (N,), scale = input scale x row scale.
        input_exponent: Scale of the input is 2**input_exponent.
        output_exponent: Scale of the output is 2**output_exponent.
    """

    weight: Array
    weight_scale: Array
    bias: Array
    input_exponent: int
    output_exponent: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", read_only(self.weight, np.int8))
        object.__setattr__(self, "weight_scale", read_only(self.weight_scale, np.float32))
        object.__setattr__(self, "bias", read_only(self.bias, np.int64))
        rows = self.weight.shape[0] if self.weight.ndim else 0
        if (
            self.weight.ndim != 2
            or self.weight_scale.shape != (rows,)
            or self.bias.shape != (rows,)
        ):
            raise ModelError(
                f"Quantized matrix: weight {self.weight.shape}, scale {self.weight_scale.shape}, "
                f"bias {self.bias.shape} do not fit."
            )
        if (self.weight == -128).any():
            # Kernels may take the magnitude of a weight in int8.
            raise ModelError("Quantized matrix: a weight is -128; expected -127..127.")
        mantissa, _ = np.frexp(self.weight_scale.astype(np.float64))
        scaled = mantissa * 2.0**SCALE_MANTISSA_BITS
        if not (
            np.isfinite(scaled).all() and (scaled > 0).all() and (scaled == np.rint(scaled)).all()
        ):
            raise ModelError(
                f"Quantized matrix: a row scale is not positive or its mantissa has more than "
                f"{SCALE_MANTISSA_BITS} bits."
            )

    @property
    def rows(self) -> int:
        """Outputs N."""
        return int(self.weight.shape[0])

    @property
    def columns(self) -> int:
        """Inputs K."""
        return int(self.weight.shape[1])

    def part(self, first: int, count: int) -> QuantizedMatrix:
        """Return ``count`` rows from row ``first`` on, as a matrix of their own."""
        rows = slice(first, first + count)
        return replace(
            self,
            weight=self.weight[rows],
            weight_scale=self.weight_scale[rows],
            bias=self.bias[rows],
        )


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """One recurrent layer; rows of both matrices are blocked by gate in the order of `GATES`.

    Attributes:
        kind: The cell.
        x: Product with the layer's input.
        h: Product with the hidden state (input_exponent -15).
        cell_exponent: Scale of the LSTM cell state; None for every other cell.
    """

    kind: CellKind
    x: QuantizedMatrix
    h: QuantizedMatrix
    cell_exponent: int | None

    def __post_init__(self) -> None:
        gates = len(GATES[self.kind])
        if self.x.rows != self.h.rows or self.h.rows != gates * self.h.columns:
            raise ModelError(f"Quantized {self.kind} layer: row counts do not fit.")
        if (self.cell_exponent is not None) != (self.kind == "lstm"):
            raise ModelError(f"Quantized {self.kind} layer: cell_exponent {self.cell_exponent}.")
        for matrix in (self.x, self.h):
            if matrix.output_exponent != GATE_EXPONENT:
                raise ModelError(
                    f"Quantized {self.kind} layer: gate scale 2^{matrix.output_exponent}; "
                    f"expected 2^{GATE_EXPONENT}."
                )
        if self.h.input_exponent != HIDDEN_EXPONENT:
            raise ModelError(f"Quantized {self.kind} layer: state scale must be 2^-15.")

    @property
    def hidden(self) -> int:
        """Units H."""
        return self.h.columns

    @property
    def inputs(self) -> int:
        """Input features D."""
        return self.x.columns


@dataclass(frozen=True, eq=False)
class QuantizedModel:
    """A stack of quantized recurrent layers and a dense head, applied at every step.

    Attributes are those of `FloatModel`. Input frames are int16 at
    ``2**layers[0].x.input_exponent``, outputs int16 at ``2**output_exponent``.
    """

    name: str
    task: Task
    layers: tuple[QuantizedLayer, ...]
    head: QuantizedMatrix
    labels: tuple[str, ...]
    head_kind: HeadKind = "linear"

    def __post_init__(self) -> None:
        require_model_name(self.name)
        check_head_kind(self.name, self.head_kind)
        object.__setattr__(self, "labels", check_labels(self.name, self.labels))
        widths = [layer.hidden for layer in self.layers]
        wanted = [layer.inputs for layer in self.layers[1:]] + [self.head.columns]
        if not self.layers or widths != wanted:
            raise ModelError(f"Layers of {self.name} do not fit: {widths} feed {wanted}.")
        followers = [layer.x for layer in self.layers[1:]] + [self.head]
        if any(matrix.input_exponent != HIDDEN_EXPONENT for matrix in followers):
            raise ModelError(f"Model {self.name}: a layer reads the hidden state at another scale.")
        if len(self.labels) != self.head.rows:
            raise ModelError(
                f"Model {self.name}: {len(self.labels)} labels, {self.head.rows} rows."
            )

    @property
    def inputs(self) -> int:
        """Input features D."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        """Outputs C."""
        return self.head.rows

    @property
    def input_exponent(self) -> int:
        """Scale of an input frame is 2**input_exponent."""
        return self.layers[0].x.input_exponent

    @property
    def output_exponent(self) -> int:
        """Scale of an output is 2**output_exponent; of what the head gives it is the head's own."""
        return SOFTMAX_EXPONENT if self.head_kind == "softmax" else self.head.output_exponent

    @property
    def state_exponents(self) -> dict[str, int]:
        """Name and scale exponent of every state tensor, in order: h0, c0, h1, ..."""
        named: dict[str, int] = {}
        for k, layer in enumerate(self.layers):
            named[f"h{k}"] = HIDDEN_EXPONENT
            if layer.cell_exponent is not None:
                named[f"c{k}"] = layer.cell_exponent
        return named

    @property
    def state_sizes(self) -> dict[str, int]:
        """Name and number of units of every state tensor, in the order of `state_exponents`."""
        return {name: self.layers[int(name[1:])].hidden for name in self.state_exponents}

    @property
    def matrices(self) -> dict[str, QuantizedMatrix]:
        """Every matrix by name: layer0.x, layer0.h, ..., head."""
        named = {
            f"layer{k}.{part}": cast(QuantizedMatrix, getattr(layer, part))
            for k, layer in enumerate(self.layers)
            for part in ("x", "h")
        }
        return {**named, "head": self.head}

    @property
    def weight_bytes(self) -> int:
        """Bytes of int8 weights and int64 biases as they stand in the TFLite file."""
        return sum(m.weight.nbytes + m.bias.nbytes for m in self.matrices.values())

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one step."""
        return sum(m.rows * m.columns for m in self.matrices.values())

    def _arrays(self) -> list[tuple[str, Array]]:
        return [
            (f"{name}.{field}", cast(Array, getattr(matrix, field)))
            for name, matrix in self.matrices.items()
            for field in ("weight", "weight_scale", "bias")
        ]

    def _meta(self) -> dict[str, object]:
        return {
            "format": FORMAT,
            "scheme": "w8a16",
            "name": self.name,
            "task": self.task,
            "labels": list(self.labels),
            "kinds": [layer.kind for layer in self.layers],
            "cell_exponents": [layer.cell_exponent for layer in self.layers],
            "exponents": {
                n: [m.input_exponent, m.output_exponent] for n, m in self.matrices.items()
            },
            **head_meta(self.head_kind),
        }

    def digest(self) -> str:
        """Return the SHA-256 of everything in the model."""
        return digest_of(self._meta(), self._arrays())

    def save(self, path: Path) -> None:
        """Write the model as an ``.npz`` whose bytes depend on its content alone."""
        save_archive(path, self._meta(), self._arrays())

    @classmethod
    def load(cls, path: Path | str) -> QuantizedModel:
        """Read a model written by `save`.

        Raises:
            BundleError: If the file is not such a model.
        """
        meta, arrays = load_archive(path, FORMAT)

        def matrix(name: str) -> QuantizedMatrix:
            weight, scale, bias = (
                arrays[f"{name}.{f}"] for f in ("weight", "weight_scale", "bias")
            )
            return QuantizedMatrix(weight, scale, bias, *meta["exponents"][name])

        with consistent(path, FORMAT):
            layers = tuple(
                QuantizedLayer(kind, matrix(f"layer{k}.x"), matrix(f"layer{k}.h"), cell)
                for k, (kind, cell) in enumerate(
                    zip(meta["kinds"], meta["cell_exponents"], strict=True)
                )
            )
            head, labels = matrix("head"), tuple(meta["labels"])
            return cls(meta["name"], meta["task"], layers, head, labels, head_kind_of(meta))
