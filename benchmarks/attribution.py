"""Why trained models drift: local error, contraction, prediction, and the quantizer to blame.

python benchmarks/attribution.py out/kws_gru out/kws_lstm

Two models of each bundle: the one that was built against its float model, and the same student
rounded after training (`model_after_training.npz` against `student.npz`). Frames are those of the
bundle's replay stream.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.drift.attribution import Attribution, attribute
from rnn_edge.drift.attribution_lanes import LANES, MEASURED_STEPS, TRANSIENT_STEPS, cut_lanes
from rnn_edge.drift.details import StepDetails
from rnn_edge.drift.details_result import Details
from rnn_edge.drift.recommendation import Recommendation, recommend
from rnn_edge.drift.stability import (
    DriftPrediction,
    LyapunovExponent,
    lyapunov_exponent,
    predict_drift,
)
from rnn_edge.drift.time_constants import TimeConstants, time_constants
from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.replay import open_stream
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.types import FloatModel, QuantizedModel

ROWS = 6


def step_details(float_model: FloatModel, model: QuantizedModel, frames: np.ndarray) -> StepDetails:
    """Look into every step of lanes, each in closed loop from a zero state.

    Args:
        float_model: The float model.
        model: The integer model.
        frames: float32 (B, T, D).
    """
    count = len(frames)
    found = StepDetails(float_model, model)
    exact, integer = FloatReference(float_model, count), IntegerReference(model, count)
    for t in range(frames.shape[1]):
        x = frames[:, t]
        found.update(x, dict(exact.state), dict(integer.state))
        exact.step(x)
        integer.step(quantize_input(x, model.input_exponent))
    return found


def measure(
    name: str,
    float_model: FloatModel,
    model: QuantizedModel,
    frames: np.ndarray,
    is_silent: bool = False,
) -> dict[str, object]:
    """Return everything that is known of one pair of models, and print most of it."""
    lanes = cut_lanes(frames)
    begun = time.process_time()
    found = attribute(float_model, model, lanes)
    attributed = time.process_time() - begun
    exponent = lyapunov_exponent(float_model, lanes)
    predicted = predict_drift(float_model, model, lanes, exponent.rate)
    memory = time_constants(float_model, model, lanes)
    details = step_details(float_model, model, lanes.frames).result()
    advice = recommend(float_model, model, lanes, found)
    if not is_silent:
        print_model(name, found, advice, attributed)
        print_steps(predicted, exponent, details, memory)
    return {
        "name": name,
        "attribution": found.to_json(),
        "recommendation": advice.to_json(),
        "lyapunov": exponent.to_json(),
        "prediction": predicted.to_json(),
        "time_constants": memory.to_json(),
        "details": details.to_json(),
        "attribution_cpu_s": attributed,
    }


def print_steps(
    predicted: DriftPrediction,
    exponent: LyapunovExponent,
    details: Details,
    memory: TimeConstants,
) -> None:
    """Print what single steps do, and how long errors and units live."""
    cell = {each.state: each.local for each in predicted.states}
    print(
        f"  local error {', '.join(f'{key} {value:.6f}' for key, value in cell.items())}; "
        f"exponent {exponent.exponent}, {exponent.low} to {exponent.high}; rate "
        f"{exponent.rate:.4f}; predicted {predicted.hidden_predicted:.6f}, measured "
        f"{predicted.hidden_measured:.6f}, bound {predicted.bound}"
    )
    for dead in details.dead:
        print(
            f"  {dead.state}: {dead.share:.2%} of updates lost, {dead.share_half:.3%} of half a "
            f"unit or more; never moved: {list(dead.never_moved)}"
        )
    for row in details.saturation[:3]:
        word = "harmless" if row.is_harmless else "lost"
        print(f"  {row.tensor} at an end in {row.share:.4%} of its values ({word})")
    for layer in memory.layers:
        times = [tau for tau in layer.tau if tau is not None]
        print(
            f"  time constants of {layer.state}: median {np.median(times):.1f}, longest "
            f"{max(times):.1f} steps; warned of: {len(memory.warnings)}"
        )


def print_model(name: str, found: Attribution, advice: Recommendation, seconds: float) -> None:
    """Print causes and changes."""
    print(f"\n{name}: hidden drift {found.hidden:.6f}, y {found.y:.5f} ({seconds:.1f} s of CPU)")
    print("| quantizer | alone | share | saved |\n|---|---|---|---|")
    for row in (*found.rows[:ROWS], *found.groups[:ROWS]):
        print(f"| {row.name} | {row.alone:.6f} | {row.share:.1%} | {row.saved:.1%} |")
    for each in found.suspicions:
        print(f"  suspected: {each.quantizer}: {each.reason}")
    print(f"  {advice.remark}")
    for change in advice.changes[:ROWS]:
        word = "" if change.is_available else " (hypothetical)"
        most = "" if change.is_measured else " at most"
        print(f"  {change.title}{word}: drift{most} -{change.saved:.0%}; {change.price}")


def main() -> None:
    """Parse the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--steps", type=int, default=60_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = []
    for path in arguments.bundles:
        bundle = Bundle.open(path)
        frames = open_stream(bundle, None, None, arguments.steps)[0].frames
        pairs = {
            "as built": (bundle.float_model(), bundle.model()),
            "rounded after training": (
                FloatModel.load(bundle.file("student.npz")),
                QuantizedModel.load(bundle.file("model_after_training.npz")),
            ),
        }
        for what, pair in pairs.items():
            results.append(measure(f"{path.name}, {what}", *pair, frames, arguments.json))
    if arguments.json:
        print(json.dumps(results, allow_nan=False))
    else:
        print(f"\n{LANES} lanes of {TRANSIENT_STEPS} + {MEASURED_STEPS} steps each.")


if __name__ == "__main__":
    with explained_errors():
        main()
