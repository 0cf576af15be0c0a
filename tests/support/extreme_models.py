"""Random models as no training makes them: any size, any scale, gates pinned open or shut."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from random_models import quantize_matrix

from rnn_edge.cells import CELLS
from rnn_edge.types import GATES, QuantizedLayer, QuantizedModel

SIZES = st.integers(1, 130)
EXPONENTS = st.integers(-15, 0)
PINNED = 40.0
"""A bias in real units beyond what the scale of a gate can hold, whatever the weights add."""
ENDS = np.array([-32768, -32767, -1, 0, 1, 32766, 32767], np.int16)


@dataclass(frozen=True)
class Extreme:
    """What a model is made of; the rest follows from the seed.

    Attributes:
        kinds: Of the layers.
        units: Of the layers.
        inputs: Features.
        outputs: Rows of the head.
        input_exponent: Scale of the input.
        output_exponent: Scale of the output.
        cell_exponent: Scale of every cell state.
        gain: Of the weights: 0 for none, 1 as after training, 20 for gates that are always shut or
            open.
        pins: Gate to the end it is pinned at, 0.0 or 1.0; others are free.
        seed: Of the weights, frames and states.
    """

    kinds: tuple
    units: tuple
    inputs: int
    outputs: int
    input_exponent: int = -12
    output_exponent: int = -11
    cell_exponent: int = -10
    gain: float = 1.0
    pins: tuple = ()
    seed: int = 0


@st.composite
def extremes(draw, sizes=SIZES, most_layers=3):
    kinds = tuple(draw(st.lists(st.sampled_from(list(GATES)), min_size=1, max_size=most_layers)))
    gates = sorted({gate for kind in kinds for gate in GATES[kind]})
    pins = draw(st.dictionaries(st.sampled_from(gates), st.sampled_from([0.0, 1.0]), max_size=3))
    return Extreme(
        kinds,
        tuple(draw(sizes) for _ in kinds),
        draw(sizes),
        draw(sizes),
        draw(EXPONENTS),
        draw(EXPONENTS),
        draw(EXPONENTS),
        draw(st.sampled_from([0.0, 0.1, 1.0, 1.0, 4.0, 20.0])),
        tuple(sorted(pins.items())),
        draw(st.integers(0, 2**32 - 1)),
    )


def _layer(extreme, rng, kind, columns, units, in_exponent):
    gates = GATES[kind]
    # An input at 2^in_exponent reaches 2^(15 + in_exponent) in real units.
    reach = 2.0 ** max(0, in_exponent + 12)
    w_x = rng.normal(0, extreme.gain / np.sqrt(columns) / reach, (len(gates) * units, columns))
    w_h = rng.normal(0, extreme.gain / np.sqrt(units), (len(gates) * units, units))
    bias = rng.normal(0, 0.3, (len(gates), units))
    pins = dict(extreme.pins)
    for row, gate in enumerate(gates):
        if gate in pins:
            bias[row] = PINNED if pins[gate] else -PINNED
    return QuantizedLayer(
        kind,
        quantize_matrix(w_x, bias.reshape(-1), in_exponent, -11),
        quantize_matrix(w_h, rng.normal(0, 0.3, len(w_h)), -15, -11),
        extreme.cell_exponent if "c" in CELLS[kind].states else None,
    )


def model_of(extreme):
    rng = np.random.default_rng(extreme.seed)
    layers, columns, exponent = [], extreme.inputs, extreme.input_exponent
    for kind, units in zip(extreme.kinds, extreme.units, strict=True):
        layers.append(_layer(extreme, rng, kind, columns, units, exponent))
        columns, exponent = units, -15
    w = rng.normal(0, 1 / np.sqrt(columns), (extreme.outputs, columns))
    head = quantize_matrix(w, rng.normal(0, 0.1, len(w)), -15, extreme.output_exponent)
    labels = tuple(f"label {k}" for k in range(extreme.outputs))
    return QuantizedModel("extreme", "kws", tuple(layers), head, labels)


def frames_of(extreme, steps):
    """Noise at any loudness, both ends of int16, silence, int16 (T, D)."""
    rng = np.random.default_rng(extreme.seed + 1)
    x = rng.integers(-32768, 32768, (steps, extreme.inputs))
    x >>= rng.integers(0, 12, (steps, 1))
    third = steps // 3
    x[third : third + third // 2] = rng.choice([-32768, 32767], (third // 2, extreme.inputs))
    x[2 * third :] = 0
    x[-2:] = rng.choice(ENDS, (2, extreme.inputs))
    return x.astype(np.int16)


def state_of(extreme, model):
    """Any int16 in one half of the units, the ends of the range in the other."""
    rng = np.random.default_rng(extreme.seed + 2)
    state = {}
    for name, size in model.state_sizes.items():
        value = rng.integers(-32768, 32768, size).astype(np.int16)
        value[::2] = rng.choice(ENDS, value[::2].shape)
        state[name] = value
    return state
