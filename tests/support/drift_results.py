"""Drift results made by hand: every figure is chosen, so that a test knows what is said of it."""

from rnn_edge.types.drift import (
    AlarmDrift,
    CurvePoint,
    DecisionDrift,
    DriftResult,
    Estimate,
    StreamDrift,
    TensorDrift,
    Trend,
    TrendVerdict,
)

HIDDEN = Estimate(0.004, 0.0038, 0.0042)
AGREEMENT = Estimate(0.999, 0.9985, 0.9995)
DETECTED = Estimate(1.0, 0.9995, 1.0)
ONE_PERCENT = Estimate(0.01, -0.002, 0.022)


def tensor(name, rms=0.004, width=0.05, verdict=TrendVerdict.PLATEAU, slope=0.01, maximum=None):
    """Return a row whose interval is `width` of its value to both sides."""
    curve = tuple(
        CurvePoint(step, rms * share, rms * share * 0.5, rms * share * 1.5)
        for step, share in ((1, 0.1), (10, 0.5), (100, 0.9), (1000, 1.0))
    )
    return TensorDrift(
        tensor=name,
        rms=Estimate(rms, rms * (1.0 - width), rms * (1.0 + width)),
        maximum=10.0 * rms if maximum is None else maximum,
        relative=2.0 * rms,
        trend=Trend(verdict, Estimate(slope, slope - 0.02, slope + 0.02), 0.1, 64),
        curve=curve,
        unit_rms=(rms, rms),
        heat=((rms, rms),) * 4,
    )


def stream(
    name="kws_stream",
    hidden=HIDDEN,
    agreement=AGREEMENT,
    detected=DETECTED,
    tensors=None,
    steps=1000,
    planned=None,
    missed=0,
    details=None,
    alarms=None,
):
    decisions = DecisionDrift("largest output", agreement, flips=1, first_flip=7)
    detections = DecisionDrift(
        "keyword",
        detected,
        flips=0,
        first_flip=None,
        reference_events=12,
        engine_events=12,
        missed_events=missed,
        extra_events=0,
        score_rms=0.002,
        score_maximum=0.01,
    )
    return StreamDrift(
        stream=name,
        description="recorded",
        steps=steps,
        planned_steps=steps if planned is None else planned,
        streams=1,
        hidden_rms=hidden,
        tensors=tensors or (tensor("y", 0.02), tensor("h0")),
        decisions=decisions,
        detections=detections,
        details=details or {},
        alarms=alarms,
    )


def alarms(change=ONE_PERCENT, event_change=-0.125, reference=200, engine=202):
    """Return what becomes of false alarms."""
    return AlarmDrift(
        threshold=2.5,
        score_relative=0.003,
        score_at_threshold=0.004,
        frames_at_threshold=77,
        normal_frames=10_000,
        settling_frames=50,
        reference_false=reference,
        engine_false=engine,
        change=change,
        reference_events=8,
        engine_events=7,
        event_change=event_change,
    )


def result(*streams, analysis=None, **facts):
    """Return a result of one stream unless more are given; the total is the first of them."""
    held = streams or (stream(),)
    known = {
        "bundle": "tiny",
        "model_digest": "d" * 64,
        "source": "synthetic",
        "reference": "float",
        "engine": "c",
    }
    return DriftResult({**known, **facts}, held[0], held, analysis or {})
