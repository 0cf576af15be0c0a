"""Reset policies weighed: how much drift each takes away, and what it costs the task.

Policies run side by side over the same streams, as lanes of one run of the integer reference and
one of the float reference. Drift is between the two under the same policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np

from rnn_edge.drift.resets import FloatResets, IntegerResets, StreamResets
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.types import Array, FloatModel, QuantizedModel
from rnn_edge.types.resets import NEVER, ResetPolicy

MATERIAL = 0.8
"""A policy lowers drift materially if it leaves at most this share of it."""
SIGNIFICANT = 0.05
"""A loss of the metric with a p-value below this is one."""
LARGEST_LOSS = 0.01
"""A loss beyond this counts too: on little material nothing is significant."""

PRODUCTS = 250_000
"""Products of a matrix that run side by side at most: more than that, and the usual BLAS divides
them among threads, which loses more than it gains where other programs use the processor too."""

Tell = Callable[[int, int], None]
"""Called with done and total."""


@dataclass(frozen=True, eq=False)
class TradeStreams:
    """Streams that run side by side, each from a zero state and never reset but by a policy.

    Attributes:
        frames: float32 (S, T, D), padded at the end.
        lengths: int64 (S,), frames that count.
        wanted: bool (S, T), whose outputs the metric reads.
    """

    frames: Array
    lengths: Array
    wanted: Array


@dataclass(frozen=True)
class MetricChange:
    """What a policy does to the metric, against never resetting.

    Attributes:
        difference: Of the metric, positive for better.
        interval: 95 % of the difference, or None where the material is too little.
        p_value: Of no difference, or None likewise.
    """

    difference: float
    interval: tuple[float, float] | None
    p_value: float | None


@dataclass(frozen=True, eq=False)
class Judged:
    """What the outputs of the streams are worth.

    Attributes:
        value: The metric, higher is better.
        verdicts: By clip or recording, for the paired comparison.
        others: Further figures by name, which decide nothing.
    """

    value: float
    verdicts: Array
    others: Mapping[str, float] = field(default_factory=dict)


class TaskMetric(Protocol):
    """The task's own metric on the streams."""

    @property
    def name(self) -> str:
        """What it is called."""

    def judge(self, outputs: Array) -> Judged:
        """Judge outputs in real units, float32 (S, T, C); what is not wanted is zero."""

    def compare(self, judged: Judged, never: Judged) -> MetricChange:
        """Compare pair by pair with never resetting."""


@dataclass(frozen=True)
class TradeRow:
    """A policy on the streams.

    Attributes:
        policy: The policy.
        hidden_rms: Of int8 against float, both under the policy.
        metric: Of the task, int8.
        others: Further figures by name.
        change: Against never.
        resets_per_1000: Resets of the integer model in 1,000 frames.
        differing: Frames before which one of both was reset and the other was not: a quiet frame
            that is just quiet in real units may not be after rounding.
        reason: Why it is not suggested, or why it is; a few words.
    """

    policy: ResetPolicy
    hidden_rms: float
    metric: float
    others: Mapping[str, float]
    change: MetricChange
    resets_per_1000: float
    differing: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "policy": self.policy.kind,
            "parameters": dict(self.policy.parameters),
            "words": self.policy.words(),
            "hidden_rms": self.hidden_rms,
            "metric": self.metric,
            "others": dict(self.others),
            "difference": self.change.difference,
            "interval": None if self.change.interval is None else list(self.change.interval),
            "p_value": self.change.p_value,
            "resets_per_1000": self.resets_per_1000,
            "differing": self.differing,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class ResetTrade:
    """All policies on the same streams.

    Attributes:
        metric: Name of the metric.
        streams: Side by side.
        frames: In all of them together.
        rows: By policy, never first.
        suggested: Index of the row that the rule chooses.
    """

    metric: str
    streams: int
    frames: int
    rows: tuple[TradeRow, ...]
    suggested: int

    @property
    def suggestion(self) -> ResetPolicy:
        """The policy that the rule chooses."""
        return self.rows[self.suggested].policy

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "metric": self.metric,
            "streams": self.streams,
            "frames": self.frames,
            "rows": [row.to_json() for row in self.rows],
            "suggested": self.suggestion.words(),
            "rule": {
                "drift_at_most": MATERIAL,
                "p_value_at_least": SIGNIFICANT,
                "loss_at_most": LARGEST_LOSS,
            },
        }


def trade_off(
    float_model: FloatModel,
    model: QuantizedModel,
    policies: Sequence[ResetPolicy],
    streams: TradeStreams,
    metric: TaskMetric,
    tell: Tell,
) -> ResetTrade:
    """Weigh policies against never resetting.

    Args:
        float_model: The model in floating point that the quantized one was made of.
        model: The quantized model.
        policies: Besides never, which is always weighed.
        streams: What all of them run on.
        metric: Of the task.
        tell: Progress, in steps.
    """
    chosen = (NEVER, *(p for p in dict.fromkeys(policies) if p.kind != "never"))
    ran = _run_in_groups(float_model, model, chosen, streams, tell)
    scale = np.float32(2.0**model.output_exponent)
    judged = [metric.judge(outputs.astype(np.float32) * scale) for outputs in ran.outputs]
    changes = [metric.compare(each, judged[0]) for each in judged]
    suggested = suggest(ran.hidden_rms, changes)
    frames = int(streams.lengths.sum())
    rows = tuple(
        TradeRow(
            policy,
            float(ran.hidden_rms[k]),
            judged[k].value,
            judged[k].others,
            changes[k],
            1000.0 * float(ran.resets[k]) / frames,
            int(ran.differing[k]),
            reason_of(k, suggested, ran.hidden_rms, changes),
        )
        for k, policy in enumerate(chosen)
    )
    return ResetTrade(metric.name, len(streams.frames), frames, rows, suggested)


def suggest(hidden_rms: Sequence[float] | Array, changes: Sequence[MetricChange]) -> int:
    """Return which policy the rule chooses; the first one is never resetting.

    Never, unless another leaves at most `MATERIAL` of the drift without a loss of the metric that
    is significant or beyond `LARGEST_LOSS`; of several such the one with the least drift.
    """
    fit = [
        k
        for k in range(1, len(changes))
        if _is_material(hidden_rms[k], hidden_rms[0]) and not loses(changes[k])
    ]
    return min(fit, key=lambda k: float(hidden_rms[k]), default=0)


def _is_material(rms: float, never: float) -> bool:
    return never > 0.0 and rms <= MATERIAL * never


def loses(change: MetricChange) -> bool:
    """Return whether a change of the metric is a loss, or cannot be told from one."""
    if change.difference >= 0.0:
        return False
    if change.p_value is None or change.p_value < SIGNIFICANT:
        return True
    return change.difference < -LARGEST_LOSS


def reason_of(
    k: int, suggested: int, hidden_rms: Sequence[float] | Array, changes: Sequence[MetricChange]
) -> str:
    """Return in a few words what the rule says of a policy."""
    if k == suggested:
        return "suggested"
    if k == 0:
        return "another has less drift at no loss"
    if loses(changes[k]):
        return "loses"
    if not _is_material(hidden_rms[k], hidden_rms[0]):
        return "about as much drift"
    return "fit, more drift than the suggested"


def _run_in_groups(
    float_model: FloatModel,
    model: QuantizedModel,
    policies: Sequence[ResetPolicy],
    streams: TradeStreams,
    tell: Tell,
) -> _Ran:
    """Run as many policies side by side as is fastest."""
    products = max(m.weight.size for m in model.matrices.values()) * len(streams.frames)
    size = max(1, PRODUCTS // products)
    groups = [policies[k : k + size] for k in range(0, len(policies), size)]
    steps = streams.frames.shape[1]
    done = []
    for k, group in enumerate(groups):

        def tell_group(step: int, _: int, start: int = k * steps) -> None:
            tell(start + step, len(groups) * steps)

        done.append(_Run(float_model, model, group, streams).run(tell_group))
    return _Ran(*(np.concatenate([getattr(ran, f.name) for ran in done]) for f in fields(_Ran)))


@dataclass(frozen=True, eq=False)
class _Ran:
    """Sums over one run: by policy (P,), and outputs int16 (P, S, T, C)."""

    hidden_rms: Array
    resets: Array
    differing: Array
    outputs: Array


class _Run:
    """Both references over every policy and stream: lane p * S + s is stream s under policy p."""

    def __init__(
        self,
        float_model: FloatModel,
        model: QuantizedModel,
        policies: Sequence[ResetPolicy],
        streams: TradeStreams,
    ) -> None:
        self._model, self._streams = model, streams
        self._policies, self._count = len(policies), len(streams.frames)
        total = self._policies * self._count
        self._integer, self._float = (
            IntegerReference(model, total),
            FloatReference(float_model, total),
        )
        inputs, exponent = model.inputs, model.input_exponent
        self._of_integer: list[StreamResets] = [
            IntegerResets(p, self._count, inputs, exponent) for p in policies
        ]
        self._of_float: list[StreamResets] = [FloatResets(p, self._count) for p in policies]
        self._hidden = {
            name: scale for name, scale in model.state_exponents.items() if name[0] == "h"
        }

    def run(self, tell: Tell) -> _Ran:
        streams, count = self._streams, self._count
        steps = streams.frames.shape[1]
        shape = (self._policies, count, steps, self._model.outputs)
        outputs = np.zeros(shape, np.int16)
        squares = {name: np.zeros(self._policies) for name in self._hidden}
        resets, differing = np.zeros((2, self._policies), np.int64)
        for t in range(steps):
            if t % 500 == 0:
                tell(t, steps)
            x = np.ascontiguousarray(streams.frames[:, t])
            x_q = quantize_input(x, self._model.input_exponent)
            alive = streams.lengths > t
            zeroed = self._prepare(self._of_integer, self._integer.state, x_q) & alive
            in_float = self._prepare(self._of_float, self._float.state, x) & alive
            resets += zeroed.sum(axis=1)
            differing += (zeroed != in_float).sum(axis=1)
            self._integer.advance(np.tile(x_q, (self._policies, 1)))
            self._float.advance(np.tile(x, (self._policies, 1)))
            for name, error in self._errors().items():
                squares[name] += np.where(alive, error, 0.0).sum(axis=1)
            wanted = streams.wanted[:, t] & alive
            if wanted.any():
                y = self._integer.output().reshape(self._policies, count, -1)
                outputs[:, wanted, t] = y[:, wanted]
        tell(steps, steps)
        mean = np.mean([s / streams.lengths.sum() for s in squares.values()], axis=0)
        return _Ran(np.sqrt(mean), resets, differing, outputs)

    def _prepare(self, resets: Sequence[StreamResets], state: dict[str, Array], x: Array) -> Array:
        """Apply every policy to its lanes; return which were set to zero, bool (P, S)."""
        count = self._count
        return np.stack(
            [
                each.prepare({n: v[k * count : (k + 1) * count] for n, v in state.items()}, x)
                for k, each in enumerate(resets)
            ]
        )

    def _errors(self) -> dict[str, Array]:
        """Return the mean square error of each hidden state by lane, (P, S)."""
        found = {}
        for name, exponent in self._hidden.items():
            actual = self._integer.state[name].astype(np.float32) * np.float32(2.0**exponent)
            error = np.square(actual - self._float.state[name]).mean(axis=1)
            found[name] = error.reshape(self._policies, self._count)
        return found
