"""What to change about a drift, each change tried over the same lanes, with its price."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

from rnn_edge.drift.attribution import Attribution, QuantizerDrift
from rnn_edge.drift.attribution_lanes import LaneRuns, Lanes
from rnn_edge.drift.mixed_quantizers import Quantizer, quantizers
from rnn_edge.drift.mixed_variant import Variant
from rnn_edge.quantize.rounding import CELL_EXPONENTS
from rnn_edge.types import FloatModel, QuantizedModel

WORTH_SHARE = 0.1
"""Least share of the squared drift of what a change is tried for."""
WORTH_SAVED = 0.05
"""Least part of the drift that a change must save to be named."""
LEAST_HEADROOM_BITS = 0.5
"""Of a cell over its largest value on the lanes; less is not offered."""
WIDER_WEIGHTS = (9, 10)
"""Widths that are tried; both are stored in two bytes."""
GATES_TRIED = 3


@dataclass(frozen=True)
class Change:
    """A change that makes a model drift less.

    Attributes:
        title: What to do.
        setting: The key of the spec and its value; empty where no setting does it.
        is_available: A setting does it; otherwise it is hypothetical, a measure of what it would
            be worth.
        is_measured: ``drift`` was measured with the change; otherwise it is the most that the
            change can reach.
        drift: Hidden RMS drift with the change.
        saved: 1 - drift / drift before.
        price: What it costs, in words.
    """

    title: str
    setting: str
    is_available: bool
    is_measured: bool
    drift: float
    saved: float
    price: str


@dataclass(frozen=True)
class Recommendation:
    """Changes by what they save.

    Attributes:
        drift: Hidden RMS drift as the model is.
        changes: Available ones first, each by what it saves.
        remark: What the changes are about, or why there is none.
    """

    drift: float
    changes: tuple[Change, ...]
    remark: str

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def recommend(
    float_model: FloatModel,
    model: QuantizedModel,
    lanes: Lanes,
    found: Attribution,
    qat_steps: int = 0,
    rounding: str = "nearest",
) -> Recommendation:
    """Try changes for what causes the drift.

    Args:
        float_model: What the drift is measured from.
        model: The integer model.
        lanes: Those of the attribution.
        found: From `attribute`, of the same models, lanes and without a variant.
        qat_steps: ``qat.steps`` of the build that made the model; 0 for rounding after training.
        rounding: ``quantize.rounding`` of that build.

    Raises:
        ModelError: If the models are not of one shape.
    """
    if found.hidden == 0.0:
        return Recommendation(0.0, (), "The model does not drift over these lanes.")
    runs = LaneRuns(float_model, model, lanes)
    rows = {row.name: row for row in found.rows}
    changes = _cells(runs, model, found, rows)
    changes += _fine_tuning(found, qat_steps, rounding)
    changes += _wider_weights(runs, model, found)
    worth = [change for change in changes if change.saved >= WORTH_SAVED]
    worth.sort(key=lambda change: (not change.is_available, -change.saved))
    return Recommendation(found.hidden, tuple(worth), _remark(found, worth))


def _change(title: str, setting: str, before: float, after: float, price: str) -> Change:
    saved = 1.0 - after / before
    return Change(title, setting, bool(setting), True, after, saved, price)


def _cells(
    runs: LaneRuns, model: QuantizedModel, found: Attribution, rows: dict[str, QuantizerDrift]
) -> list[Change]:
    """Try every LSTM cell at half its scale and at twice of it."""
    changes: list[Change] = []
    for k, layer in enumerate(model.layers):
        name = f"c{k}"
        if layer.cell_exponent is None or rows[f"state {name}"].share < WORTH_SHARE:
            continue
        largest = runs.largest(name)
        for exponent in (layer.cell_exponent - 1, layer.cell_exponent + 1):
            if exponent not in CELL_EXPONENTS:
                continue
            headroom = math.log2(32767.0 * 2.0**exponent / largest)
            before = headroom - (exponent - layer.cell_exponent)
            if exponent < layer.cell_exponent and headroom < LEAST_HEADROOM_BITS:
                continue
            changed = replace(layer, cell_exponent=exponent)
            layers = (*model.layers[:k], changed, *model.layers[k + 1 :])
            after = runs.drift(None, model=replace(model, layers=layers)).hidden
            # The largest headroom that still leads to the scale.
            setting = f"quantize.headroom_bits <= {math.floor(headroom * 10) / 10:.1f}"
            if exponent > layer.cell_exponent:
                setting = f"quantize.headroom_bits > {math.ceil(before * 10) / 10:.1f}"
            changes.append(
                _change(
                    f"scale 2^{exponent} of cell {name} instead of 2^{layer.cell_exponent}",
                    setting,
                    found.hidden,
                    after,
                    f"headroom of {headroom:.1f} bits over these lanes instead of {before:.1f}",
                )
            )
    return changes


def _fine_tuning(found: Attribution, qat_steps: int, rounding: str) -> list[Change]:
    """Offer other weights on the integer grid where the weights have most of the drift."""
    weights = found.row("weights")
    if _weights_part(found) < 0.5:
        return []
    title, setting = "fine-tune on the int8 grid", "qat.steps > 0, qat.pull > 0"
    if qat_steps > 0:
        title = f"fine-tune on the int8 grid for longer than {qat_steps:,} steps, or pull harder"
        setting = "qat.steps, qat.pull, qat.trajectory_weight, more"
    most = "the figure is the drift without any rounding of weights, the most it reaches"
    changes = [
        Change(title, setting, True, False, weights.without, weights.saved, f"training; {most}")
    ]
    if rounding == "nearest":
        title = "round the weights of a unit together, by what they do to its state"
        setting = 'quantize.rounding = "compensated"'
        price = f"minutes of rounding in the build; {most}"
        changes.append(Change(title, setting, True, False, weights.without, weights.saved, price))
    return changes


def _wider_weights(runs: LaneRuns, model: QuantizedModel, found: Attribution) -> list[Change]:
    """Try more bits for the rows of the gates that drift most, and for all weights."""
    every = {each.name: each for each in quantizers(model)}
    worst = [row.name for row in found.rows if row.name.startswith("weights ")]
    worst = [name for name in worst if found.row(name).share >= WORTH_SHARE][:GATES_TRIED]
    changes: list[Change] = []
    for name in worst:
        for bits in WIDER_WEIGHTS:
            changes.append(_wider(runs, model, found, [every[name]], bits, _title(every[name])))
    of_weights = [each for each in every.values() if each.kind == "weights"]
    if _weights_part(found) >= 0.5:
        for bits in WIDER_WEIGHTS:
            changes.append(_wider(runs, model, found, of_weights, bits, "all recurrent layers"))
    return changes


def _title(of: Quantizer) -> str:
    return f"rows of gate {of.gate} of l{of.layer}.{of.matrix}"


def _wider(
    runs: LaneRuns,
    model: QuantizedModel,
    found: Attribution,
    members: list[Quantizer],
    bits: int,
    what: str,
) -> Change:
    variant = Variant(weight_bits={each.name: bits for each in members})
    after = runs.drift(None, variant).hidden
    size = 0
    for each in members:
        layer = model.layers[each.layer or 0]
        size += layer.hidden * (layer.inputs if each.matrix == "x" else layer.hidden)
    price = f"{size:,} bytes more in flash; no export holds such weights"
    return _change(f"{bits}-bit weights for {what}", "", found.hidden, after, price)


def _weights_part(found: Attribution) -> float:
    """Return what the weights make of the squares of weights and activations, each alone."""
    weights, activations = found.row("weights").alone ** 2, found.row("activations").alone ** 2
    return weights / (weights + activations) if weights + activations > 0.0 else 0.0


def _remark(found: Attribution, changes: list[Change]) -> str:
    first, own = found.rows[0], 1.0 - _weights_part(found)
    largest = f"{first.name} has the largest share of the squared drift, {first.share:.0%}"
    if own >= 0.5 and not any(change.is_available for change in changes):
        return (
            f"The rounding of the activations themselves makes {own:.0%} of the squared drift, "
            f"and no setting that was tried changes that; {largest}."
        )
    if not changes:
        return f"No change that was tried saves {WORTH_SAVED:.0%}; {largest}."
    return f"The largest share of the squared drift, {first.share:.0%}, is that of {first.name}."
