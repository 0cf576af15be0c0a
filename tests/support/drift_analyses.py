"""What analyses say of a drift, made by hand of the types that they give."""

from __future__ import annotations

from rnn_edge.drift.attribution import Attribution, QuantizerDrift
from rnn_edge.drift.attribution_suspicion import Suspicion
from rnn_edge.drift.details_result import (
    DeadUnits,
    Details,
    Distribution,
    LocalError,
    Saturation,
    UnitValue,
)
from rnn_edge.drift.recommendation import Change, Recommendation
from rnn_edge.drift.reset_trade import MetricChange, ResetTrade, TradeRow
from rnn_edge.drift.stability import DriftPrediction, LyapunovExponent, PredictedTensor
from rnn_edge.drift.time_constants import LayerMemory, MemoryWarning, TimeConstants
from rnn_edge.types.resets import NEVER, ResetPolicy

FACTS = {"lanes": 16, "transient": 256, "steps": 512, "starts": list(range(16))}

DETAILS = Details(
    steps=4321,
    local=(
        LocalError("h0", 0.00125, 0.0321, (0.001, 0.0015), (UnitValue(1, 0.0015),)),
        LocalError("y", 0.0125, 0.123, (0.0125, 0.0124), ()),
    ),
    saturation=(
        Saturation("l0_gx", 8642, 17, 0.00197, False, (UnitValue(1, 0.00394),)),
        Saturation("l0_z", 8642, 432, 0.05, True, (UnitValue(0, 0.07),)),
    ),
    dead=(DeadUnits("h0", 0.0339, 0.0251, (1,), (0.01, 0.04), (UnitValue(1, 0.04),)),),
    distributions=(
        Distribution("h0", -1.0, 1.0, (10, 0, 20, 10), (11, 0, 19, 10)),
        Distribution("l0.z", 0.0, 1.0, (1, 2, 3, 4), (1, 2, 3, 4)),
    ),
)


def _quantizer(name: str, alone: float, share: float, without: float) -> QuantizerDrift:
    return QuantizerDrift(
        name=name,
        members=(name,),
        alone=alone,
        alone_y=2 * alone,
        without=without,
        without_y=2 * without,
        share=share,
        share_y=share / 2,
        saved=1.0 - without / 0.0041,
        saved_y=0.015,
    )


def attribution(share: float = 0.61) -> dict[str, object]:
    """Return an attribution whose first row has a share of the squared drift."""
    return Attribution(
        hidden=0.0041,
        hidden_low=0.0039,
        hidden_high=0.0043,
        y=0.0203,
        states={"h0": 0.0041},
        added=0.00422,
        rows=(
            _quantizer("weights l0.h.n", 0.0033, share, 0.00271),
            _quantizer("sums l0", 0.0021, 1 - share, 0.00371),
        ),
        groups=(_quantizer("weights", 0.00371, 0.7, 0.00211),),
        facts=FACTS,
        suspicions=(Suspicion("sums l0", "its scale is <twice> what it needs"),),
    ).to_json()


RECOMMENDATIONS = Recommendation(
    0.0041,
    (
        Change("fine-tune <more>", "qat.steps", True, False, 0.00211, 0.485, "training"),
        Change("9-bit weights", "", False, True, 0.00234, 0.429, "19,968 bytes more in flash"),
    ),
    "weights l0.h.n has the largest share of the drift, 61%.",
)

STABILITY = {
    "lyapunov": LyapunovExponent(
        -0.0544, -0.0567, -0.0522, 0.947, 12.7, True, (-0.0544,) * 16, FACTS
    ).to_json(),
    "prediction": DriftPrediction(
        (PredictedTensor("h0", 0.00124, 0.00398, 0.00402, 3.21, 1.01, 0.00049),),
        0.00398,
        0.00402,
        0.0646,
        FACTS,
    ).to_json(),
}

TIME_CONSTANTS = TimeConstants(
    (
        LayerMemory(
            0, "z", "h0", 2.0**-14, (812.0, None), (0.99877, 1.0), (0.0248, None), (0.2, 0.3)
        ),
    ),
    (),
    (MemoryWarning("h0", 0, 812.0, 0.0248, 0.2, "remembers over 812.0 steps & stays"),),
    FACTS,
)

RESETS = ResetTrade(
    "unreset accuracy",
    9,
    37343,
    (
        TradeRow(NEVER, 0.0041, 0.912, {}, MetricChange(0.0, (0.0, 0.0), 1.0), 0.0, 0, "loses"),
        TradeRow(
            ResetPolicy("every", frames=500),
            0.0023,
            0.9093,
            {"auc_pr": 0.7031},
            MetricChange(-0.0027, (-0.0061, 0.0008), 0.27),
            2.01,
            0,
            "suggested",
        ),
        TradeRow(
            ResetPolicy("decay", shift=4),
            0.0011,
            0.8021,
            {},
            MetricChange(-0.1099, None, None),
            0.0,
            0,
            "loses",
        ),
    ),
    1,
)


def every_analysis() -> dict[str, object]:
    """Return all that a result may hold under "analysis"."""
    return {
        "stability": STABILITY,
        "time_constants": TIME_CONSTANTS.to_json(),
        "attribution": attribution(),
        "recommendations": RECOMMENDATIONS.to_json(),
        "resets": RESETS.to_json() | {"current": "never"},
    }
