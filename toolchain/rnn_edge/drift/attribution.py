"""Which quantizer lets the state drift: each one alone on, and each one alone off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from rnn_edge.drift.attribution_lanes import LaneDrift, LaneRuns, Lanes
from rnn_edge.drift.attribution_suspicion import Suspicion, suspect
from rnn_edge.drift.mixed_quantizers import Quantizer, quantizers
from rnn_edge.drift.mixed_variant import Variant
from rnn_edge.types import FloatModel, QuantizedModel

DOMINANT_SHARE = 0.5
"""Share of the squared drift from which one quantizer is called the cause."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class QuantizerDrift:
    """What one quantizer, or a group of them, does to the drift.

    Attributes:
        name: Of the quantizer or group.
        members: Names of the quantizers.
        alone: Hidden RMS drift with only these on.
        alone_y: The same of y.
        without: Hidden RMS drift with only these off.
        without_y: The same of y.
        share: ``alone`` squared over the sum of all single quantizers' squares; independent small
            errors add as squares. 0 where nothing drifts.
        share_y: The same of y.
        saved: 1 - without / total, what exact arithmetic in this one place would save; below 0
            where its errors happen to cancel others.
        saved_y: The same of y.
    """

    name: str
    members: tuple[str, ...]
    alone: float
    alone_y: float
    without: float
    without_y: float
    share: float
    share_y: float
    saved: float
    saved_y: float

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self) | {"members": list(self.members)}


@dataclass(frozen=True)
class Attribution:
    """The drift of a model by cause.

    Attributes:
        hidden: Hidden RMS drift with every quantizer on.
        hidden_low: Lower end of its 95 % interval over the lanes.
        hidden_high: Upper end.
        y: RMS drift of y.
        states: RMS drift by state tensor, every quantizer on.
        added: Root of the summed squares of ``alone``; near ``hidden`` where errors are small and
            independent, so that shares can be read as parts of the whole.
        rows: Single quantizers, by falling share of the hidden drift, then of y.
        groups: Groups in the same order; their shares overlap.
        suspicions: Quantizers whose numbers rounding does not explain, see `suspect`; a share
            alone accuses nobody, since one of them is always the largest.
        facts: Lanes, transient, measured steps and starts.
    """

    hidden: float
    hidden_low: float
    hidden_high: float
    y: float
    states: dict[str, float]
    added: float
    rows: tuple[QuantizerDrift, ...]
    groups: tuple[QuantizerDrift, ...]
    suspicions: tuple[Suspicion, ...]
    facts: dict[str, object]

    @property
    def dominant(self) -> str | None:
        """The quantizer with half of the squared hidden drift or more, if there is one."""
        return self.rows[0].name if self.rows[0].share >= DOMINANT_SHARE else None

    def row(self, name: str) -> QuantizerDrift:
        """Return a quantizer or group by name."""
        return next(row for row in (*self.rows, *self.groups) if row.name == name)

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "hidden": self.hidden,
            "hidden_low": self.hidden_low,
            "hidden_high": self.hidden_high,
            "y": self.y,
            "states": dict(self.states),
            "added": self.added,
            "dominant": self.dominant,
            "rows": [row.to_json() for row in self.rows],
            "groups": [row.to_json() for row in self.groups],
            "suspicions": [each.to_json() for each in self.suspicions],
            **self.facts,
        }


def attribute(
    float_model: FloatModel,
    model: QuantizedModel,
    lanes: Lanes,
    variant: Variant | None = None,
    progress: Progress | None = None,
) -> Attribution:
    """Measure what every quantizer and every group of them does to the drift.

    Two runs each: alone on, everything else real; and alone off, everything else integer. The
    same input gives the same numbers.

    Args:
        float_model: What the drift is measured from.
        model: The integer model.
        lanes: From `cut_lanes`.
        variant: Changes to what quantizers do, for tables or formats that are not the model's.
        progress: Called with a name, its index and the number of all before each.

    Raises:
        ModelError: If the models are not of one shape.
    """
    runs = LaneRuns(float_model, model, lanes)
    singles = {each.name: (each.name,) for each in quantizers(model)}
    several = groups(model)
    every = set(singles)
    total = runs.drift(None, variant)
    found: dict[str, tuple[LaneDrift, LaneDrift]] = {}
    wanted = {**singles, **several}
    for k, (name, members) in enumerate(wanted.items()):
        if progress is not None:
            progress(name, k, len(wanted))
        found[name] = (
            runs.drift(members, _of(variant, set(members))),
            runs.drift(every - set(members), _of(variant, every - set(members))),
        )
    squares = sum(found[name][0].hidden ** 2 for name in singles)
    squares_y = sum(found[name][0].y ** 2 for name in singles)

    def row(name: str) -> QuantizerDrift:
        alone, without = found[name]
        return QuantizerDrift(
            name=name,
            members=wanted[name],
            alone=alone.hidden,
            alone_y=alone.y,
            without=without.hidden,
            without_y=without.y,
            share=alone.hidden**2 / squares if squares > 0.0 else 0.0,
            share_y=alone.y**2 / squares_y if squares_y > 0.0 else 0.0,
            saved=1.0 - without.hidden / total.hidden if total.hidden > 0.0 else 0.0,
            saved_y=1.0 - without.y / total.y if total.y > 0.0 else 0.0,
        )

    return Attribution(
        hidden=total.hidden,
        hidden_low=total.interval[0],
        hidden_high=total.interval[1],
        y=total.y,
        states=total.states,
        added=float(squares**0.5),
        rows=_ranked([row(name) for name in singles]),
        groups=_ranked([row(name) for name in several]),
        suspicions=suspect(float_model, model, variant),
        facts=lanes.facts(),
    )


def groups(model: QuantizedModel) -> dict[str, tuple[str, ...]]:
    """Return groups of quantizers by name: weights by matrix, by gate and all, tables, states.

    Groups of one or none are left out, and so are equal ones.
    """
    every = quantizers(model)

    def pick(name: str, choose: Callable[[Quantizer], bool]) -> None:
        members = tuple(each.name for each in every if choose(each))
        if len(members) > 1 and members not in found.values():
            found[name] = members

    found: dict[str, tuple[str, ...]] = {}
    pick("weights", lambda q: q.kind == "weights")
    pick("activations", lambda q: q.kind not in ("weights", "head"))
    for k in range(len(model.layers)):
        for matrix in "xh":
            pick(f"weights l{k}.{matrix}", lambda q, k=k, m=matrix: (q.layer, q.matrix) == (k, m))  # type: ignore[misc]
        gates = dict.fromkeys(q.gate for q in every if q.layer == k and q.kind == "weights")
        for gate in gates:
            pick(
                f"weights l{k}.*.{gate}",
                lambda q, k=k, g=gate: (q.kind, q.layer, q.gate) == ("weights", k, g),  # type: ignore[misc]
            )
    pick("tables", lambda q: q.kind == "table")
    pick("states", lambda q: q.kind == "state")
    pick("sums", lambda q: q.kind == "sums")
    pick("products", lambda q: q.kind == "products")
    pick("head", lambda q: q.kind == "head")
    return found


def _ranked(rows: list[QuantizerDrift]) -> tuple[QuantizerDrift, ...]:
    return tuple(sorted(rows, key=lambda row: (-row.share, -row.share_y, row.name)))


def _of(variant: Variant | None, on: set[str]) -> Variant | None:
    """Return the part of a variant that concerns the quantizers that are on."""
    if variant is None:
        return None
    return Variant(
        {name: grid for name, grid in variant.grids.items() if name in on},
        {name: bits for name, bits in variant.weight_bits.items() if name in on},
        {name: table for name, table in variant.tables.items() if name in on},
    )
