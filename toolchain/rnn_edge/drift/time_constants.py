"""How long every unit remembers, and whether its format can tell what it remembers apart.

With the gate z of a GRU, or f of an LSTM, an old value decays as z^k. A gated state has a dead
zone: the product z (h - n) is rounded to a unit s, and wherever (1 - z) |h - n| is below s / 2 it
rounds to h - n itself, so that the state stays where it is. The same holds of f c. Its width is
s / (2 (1 - z)): s is 2^-14 in a GRU, the scale of h - n and of z (h - n), and the scale of the cell
in an LSTM.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from rnn_edge.drift.attribution_lanes import Lanes
from rnn_edge.drift.mixed import MixedReference
from rnn_edge.types import Array, CellKind, FloatModel, QuantizedLayer, QuantizedModel
from rnn_edge.types.quantized_model import DIFFERENCE_EXPONENT, HIDDEN_EXPONENT

DEAD_SHARE = 0.1
"""Dead zone over the unit's own standard deviation from which a unit is warned of."""
LONG_STEPS = 8.0
"""A unit that forgets sooner is refreshed by its input before a dead zone matters."""
GATE_UNIT = 2.0**HIDDEN_EXPONENT
"""The nearest to 1 that a gate's table can come, and the finest it tells retentions apart."""
SMALLEST_GATE = 1e-12
"""Its logarithm stands for that of a gate that is shut."""

_RETAINS: dict[CellKind, tuple[str, str]] = {
    "gru": ("z", "h"),
    "gru_reset_before": ("z", "h"),
    "lstm": ("f", "c"),
}
"""The gate that multiplies the old state, and the letter of that state; an ``rnn`` has none."""


@dataclass(frozen=True)
class LayerMemory:
    """Memory of the units of one layer.

    Attributes:
        layer: Index.
        gate: The gate that retains, "z" or "f".
        state: The state that is retained, "h0" or "c0".
        unit: Unit of the last place that the retained product is rounded to, real.
        tau: -1 / E[ln gate] of each unit in steps; None where the gate is always fully open.
        retention: exp(E[ln gate]) of each unit.
        dead_zone: unit / (2 (1 - retention)) of each unit, real; None as for tau.
        deviation: Standard deviation of the float state of each unit along the stream.
    """

    layer: int
    gate: str
    state: str
    unit: float
    tau: tuple[float | None, ...]
    retention: tuple[float, ...]
    dead_zone: tuple[float | None, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class MemoryWarning:
    """A unit whose memory is longer than its format resolves.

    Attributes:
        state: Name of the state tensor.
        unit: Index of the unit.
        tau: Its time constant in steps, or None.
        dead_zone: Distance from its target within which it stays where it is, or None.
        deviation: Its standard deviation along the stream.
        reason: What is wrong, in a sentence with numbers.
    """

    state: str
    unit: int
    tau: float | None
    dead_zone: float | None
    deviation: float
    reason: str


@dataclass(frozen=True)
class TimeConstants:
    """Memory of a model.

    Attributes:
        layers: Of every layer with a gate that retains.
        ungated: Indices of the layers without one (``rnn``): their memory is in the recurrent
            weights alone, and no time constant belongs to a unit.
        warnings: By falling ratio of dead zone to deviation.
        facts: Lanes, transient, measured steps and starts.
    """

    layers: tuple[LayerMemory, ...]
    ungated: tuple[int, ...]
    warnings: tuple[MemoryWarning, ...]
    facts: dict[str, object]

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def time_constants(float_model: FloatModel, model: QuantizedModel, lanes: Lanes) -> TimeConstants:
    """Measure the time constant of every unit from its gate along a stream.

    Args:
        float_model: Gives gates and states.
        model: Gives the scales.
        lanes: From `cut_lanes`; a deviation is that of the measured steps of all lanes.

    Raises:
        ModelError: If the models are not of one shape.
    """
    exact = MixedReference(float_model, model, (), lanes.count)
    gated = {k: _RETAINS[layer.kind] for k, layer in enumerate(model.layers) if layer.kind != "rnn"}
    logs = {k: np.zeros(model.layers[k].hidden) for k in gated}
    sums = {k: np.zeros((2, model.layers[k].hidden)) for k in gated}
    for t in range(lanes.frames.shape[1]):
        exact.step(lanes.frames[:, t])
        if t < lanes.transient:
            continue
        state = exact.state
        for k, (gate, letter) in gated.items():
            opened = np.maximum(exact.value(f"l{k}_{gate}"), SMALLEST_GATE)
            logs[k] += np.log(opened).mean(axis=0)
            value = state[f"{letter}{k}"]
            sums[k] += np.stack([value.mean(axis=0), np.square(value).mean(axis=0)])
    layers = tuple(
        _layer(k, model.layers[k], gated[k], logs[k] / lanes.steps, sums[k] / lanes.steps)
        for k in gated
    )
    return TimeConstants(
        layers=layers,
        ungated=tuple(k for k in range(len(model.layers)) if k not in gated),
        warnings=_warnings(layers),
        facts=lanes.facts(),
    )


def _layer(
    k: int, layer: QuantizedLayer, of: tuple[str, str], mean_log: Array, moments: Array
) -> LayerMemory:
    gate, letter = of
    cell = layer.cell_exponent
    unit = 2.0 ** (DIFFERENCE_EXPONENT if cell is None else cell)
    lost = -np.expm1(mean_log)
    return LayerMemory(
        layer=k,
        gate=gate,
        state=f"{letter}{k}",
        unit=unit,
        tau=tuple(-1.0 / log if log < 0.0 else None for log in mean_log.tolist()),
        retention=tuple(np.exp(mean_log).tolist()),
        dead_zone=tuple(unit / (2.0 * each) if each > 0.0 else None for each in lost.tolist()),
        deviation=tuple(np.sqrt(np.maximum(moments[1] - moments[0] ** 2, 0.0)).tolist()),
    )


def _warnings(layers: tuple[LayerMemory, ...]) -> tuple[MemoryWarning, ...]:
    found: list[tuple[float, MemoryWarning]] = []
    for layer in layers:
        for u, deviation in enumerate(layer.deviation):
            tau, zone = layer.tau[u], layer.dead_zone[u]
            reason = _reason(tau, zone, deviation, layer)
            if reason:
                ratio = math.inf if zone is None else zone / deviation
                warned = MemoryWarning(layer.state, u, tau, zone, deviation, reason)
                found.append((ratio, warned))
    return tuple(each for _, each in sorted(found, key=lambda item: -item[0]))


def _reason(tau: float | None, zone: float | None, deviation: float, layer: LayerMemory) -> str:
    """Return why a unit is warned of, or nothing."""
    if deviation < layer.unit:
        # What never moves by a unit of its format has nothing to remember.
        return ""
    if tau is None or zone is None or 1.0 / tau < GATE_UNIT:
        steps = "without end" if tau is None else f"over {tau:,.0f} steps"
        return (
            f"remembers {steps}; the table of gate {layer.gate} ends at 1 - 2^{HIDDEN_EXPONENT}, "
            f"which forgets in {1 / GATE_UNIT:,.0f}"
        )
    if tau >= LONG_STEPS and zone > DEAD_SHARE * deviation:
        return (
            f"remembers over {tau:,.1f} steps and stays where it is within {zone:.3g} of its "
            f"target, {zone / deviation:.0%} of its standard deviation {deviation:.3g}"
        )
    return ""
