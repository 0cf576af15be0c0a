"""Whether a model forgets its errors, and the drift that its local errors predict."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from rnn_edge.drift.attribution_lanes import Lanes
from rnn_edge.drift.mixed import require_pair
from rnn_edge.drift.stability_float import TangentStep
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.statistics import independent_mean
from rnn_edge.types import Array, FloatModel, QuantizedModel

SEED = 0
"""Of the first directions; after the transient nothing of them is left."""
SMALLEST_GROWTH = 1e-8
"""Of one step; below it finite differences in double precision are noise, and this is counted."""
GONE_SHARE = 0.5
"""Of the steps; a model that leaves less than that of an error in so many has no exponent."""


@dataclass(frozen=True)
class LyapunovExponent:
    """How fast two neighbouring states of the float model approach each other or part.

    Attributes:
        exponent: Largest Lyapunov exponent in 1/step, mean over the lanes; None where errors are
            forgotten at once: half of the steps or more leave less than 1e-8 of one.
        low: Lower end of its 95 % interval over the lanes, from Student's t.
        high: Upper end.
        rate: exp(exponent): what is left of an error after a step; 0 where exponent is None.
        half_life: Steps in which an error halves; None where it does not shrink or is gone at
            once.
        is_contracting: The whole interval is below 0.
        by_lane: Exponent of each lane.
        facts: Lanes, transient, measured steps and starts.
    """

    exponent: float | None
    low: float | None
    high: float | None
    rate: float
    half_life: float | None
    is_contracting: bool
    by_lane: tuple[float, ...]
    facts: dict[str, object]

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def lyapunov_exponent(model: FloatModel, lanes: Lanes) -> LyapunovExponent:
    """Measure the largest Lyapunov exponent along a stream.

    One tangent vector per lane is carried along the float trajectory and brought back to length 1
    after every step; the exponent is the mean logarithm of what each step makes of its length.

    Args:
        model: The float model.
        lanes: From `cut_lanes`; the transient lets the vector turn into the slowest direction.

    Source: Benettin, Galgani, Giorgilli and Strelcyn 1980, Meccanica 15, in the form with one
        vector.
    """
    step = TangentStep(model, lanes.count)
    generator = np.random.Generator(np.random.PCG64(SEED))
    vector = generator.normal(size=(lanes.count, step.size))
    vector /= np.linalg.norm(vector, axis=1, keepdims=True)
    logs = np.zeros(lanes.count)
    gone = 0
    for t in range(lanes.frames.shape[1]):
        moved = step.advance(lanes.frames[:, t], vector)
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        # Where nothing is left the old direction stays: the next step shrinks it as well.
        vector = np.where(length > SMALLEST_GROWTH, moved / np.maximum(length, 1e-300), vector)
        if t >= lanes.transient:
            gone += int(np.count_nonzero(length <= SMALLEST_GROWTH))
            logs += np.log(np.maximum(length[:, 0], SMALLEST_GROWTH))
    by_lane = logs / lanes.steps
    facts = lanes.facts()
    if gone >= GONE_SHARE * lanes.steps * lanes.count:
        return LyapunovExponent(None, None, None, 0.0, None, True, (), facts)
    mean = independent_mean(by_lane, lanes.worth)
    return LyapunovExponent(
        exponent=mean.value,
        low=mean.low,
        high=mean.high,
        rate=math.exp(mean.value),
        half_life=-math.log(2.0) / mean.value if mean.value < 0.0 else None,
        is_contracting=mean.high < 0.0,
        by_lane=tuple(by_lane.tolist()),
        facts=facts,
    )


@dataclass(frozen=True)
class PredictedTensor:
    """Drift of one state as its local errors predict it, in real units.

    Attributes:
        state: Its name.
        local: RMS of the local errors along the float trajectory, without the rounding of the
            state that they start from.
        predicted: RMS of what the linearised model makes of them.
        measured: RMS of the integer reference in closed loop over the same frames.
        gain: predicted / local.
        ratio: measured / predicted; near 1 where the local errors explain the drift.
        beyond: Share of the float state's values that int16 cannot hold. Above 0 the prediction
            is not to be relied on: a state that is cut off is no small error.
    """

    state: str
    local: float
    predicted: float
    measured: float
    gain: float
    ratio: float
    beyond: float


@dataclass(frozen=True)
class DriftPrediction:
    """Predicted and measured drift over the same lanes.

    Attributes:
        states: A row for each state.
        hidden_predicted: RMS over hidden states; layers count alike.
        hidden_measured: The same, measured.
        bound: RMS of the local errors of the whole state, per element, over 1 - rate: what they
            add up to if each points the way of the one before. None where rate is not below 1 or
            a state leaves its format.
        facts: Lanes, transient, measured steps and starts.
    """

    states: tuple[PredictedTensor, ...]
    hidden_predicted: float
    hidden_measured: float
    bound: float | None
    facts: dict[str, object]

    def unexplained(self, measured: float) -> float:
        """Return a hidden RMS drift measured elsewhere as a multiple of the predicted one.

        Much above 1 says that something else than rounding is between the engine and the float
        model: a state that is lost, or a step that is not the model's.
        """
        return measured / self.hidden_predicted if self.hidden_predicted > 0.0 else 0.0

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def predict_drift(
    float_model: FloatModel, model: QuantizedModel, lanes: Lanes, rate: float | None = None
) -> DriftPrediction:
    """Carry the actual local errors along the linearised float trajectory.

    ``e[t+1] = J[t] e[t] + eps[t]`` with ``eps[t]`` the difference between the integer and the float
    step, both started from the float state rounded to the grid of the integer one: in closed loop
    the integer state is on its grid already, and rounding it there is no error of the step.
    ``J[t] e`` by central finite difference. Error and closed loop start at zero with the lane.

    Args:
        float_model: The float model.
        model: The integer model.
        lanes: From `cut_lanes`.
        rate: From `lyapunov_exponent`, for the bound.

    Raises:
        ModelError: If the models are not of one shape.
    """
    require_pair(float_model, model)
    step, exponents = TangentStep(float_model, lanes.count), model.state_exponents
    single, closed = (IntegerReference(model, lanes.count) for _ in range(2))
    exact = FloatReference(float_model, lanes.count)
    scale = np.concatenate([np.full(model.state_sizes[n], 2.0 ** exponents[n]) for n in step.names])
    error = np.zeros((lanes.count, step.size))
    local, predicted, measured, beyond = (np.zeros(step.size) for _ in range(4))
    for t in range(lanes.frames.shape[1]):
        x = lanes.frames[:, t]
        quantized = quantize_input(x, model.input_exponent)
        rounded = np.rint(step.state / scale)
        held = np.clip(rounded, -32768, 32767)
        single.reset(step.split(held))
        single.step(quantized)
        closed.step(quantized)
        exact.state = step.split(held * scale)
        exact.advance(x.astype(np.float64))
        added = step.join(single.state) * scale - step.join(exact.state)
        error = step.advance(x, error) + added
        if t >= lanes.transient:
            # 1 itself is one unit beyond the hidden state's end, which is rounding.
            beyond += (np.abs(rounded - held) > 1.0).mean(axis=0)
            local += np.square(added).mean(axis=0)
            predicted += np.square(error).mean(axis=0)
            measured += np.square(step.join(closed.state) * scale - step.state).mean(axis=0)
    parts = [step.split(each[None] / lanes.steps) for each in (local, predicted, measured, beyond)]
    rows = tuple(_row(name, *(part[name] for part in parts)) for name in step.names)
    hidden = [row for row in rows if row.state.startswith("h")]
    is_bounded = rate is not None and rate < 1.0 and not beyond.any()
    per_element = float(np.sqrt(np.mean(local / lanes.steps)))
    return DriftPrediction(
        states=rows,
        hidden_predicted=_rms(np.array([row.predicted for row in hidden])),
        hidden_measured=_rms(np.array([row.measured for row in hidden])),
        bound=per_element / (1.0 - rate) if is_bounded and rate is not None else None,
        facts=lanes.facts(),
    )


def _row(
    name: str, local: Array, predicted: Array, measured: Array, beyond: Array
) -> PredictedTensor:
    one, two, three = (float(np.sqrt(np.mean(each))) for each in (local, predicted, measured))
    return PredictedTensor(
        state=name,
        local=one,
        predicted=two,
        measured=three,
        gain=two / one if one > 0.0 else 0.0,
        ratio=three / two if two > 0.0 else 0.0,
        beyond=float(np.mean(beyond)),
    )


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
