"""The table of the comparison with TensorFlow's converter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def _scales_text(row: dict[str, Any]) -> str:
    """Return the scale that the states come out at over the one they go in at, the worst one."""
    scales = row["scales"].values()
    if not scales:
        return "-"
    if all(scale["is_equal"] for scale in scales):
        return "equal"
    worst = max((scale["ratio"] for scale in scales), key=lambda ratio: abs(math.log(ratio)))
    if worst == 1.0:
        return "zero"
    return f"{worst:.3g}" if abs(worst - 1.0) >= 5e-4 else f"1{worst - 1.0:+.0e}"


def _ratio_text(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 0.1 else f"{ratio:.0e}"


def _lines(row: dict[str, Any], steps: Sequence[int], ours: float | None) -> list[str]:
    """Return the lines of one row: one for each way of handing the state back."""
    head = f"{row['way']:<21}"
    if not row["converts"]:
        return [f"{head}{'no' if row['converts'] is False else '-':>4}"]
    count = sum(row["builtin"].values())
    facts = f"{'yes':>4}{count:>6}{len(row['flex']):>6}{row['bytes']:>9,}{_scales_text(row):>9}"
    lines = []
    for feedback, drift in row["drift"].items():
        line = f"{head}{facts}{feedback:>7}"
        if drift["message"]:
            line += f"  {drift['message']}"
        else:
            line += "".join(f"{drift['after'][str(n)]:>10.3g}" for n in steps)
            last = drift["after"][str(steps[-1])]
            line += f"{_ratio_text(last / ours) if ours else '-':>10}"
        lines.append(line)
        head, facts = " " * len(head), " " * len(facts)
    return lines


def print_heading(facts: Mapping[str, Any]) -> None:
    """Print what holds for all models."""
    print(", ".join(f"{name} {version}" for name, version in facts["versions"].items()))
    print(facts["machine"])
    print(
        f"relative drift of the hidden states over the last {facts['trailing_steps']:,} steps, "
        f"never reset; {facts['calibration_steps']:,} steps of calibration"
    )


def print_model(model: Mapping[str, Any], steps: Sequence[int]) -> None:
    """Print the rows of one model, why ways failed, and which operators the files have."""
    ours = model["rows"][0]["drift"]["raw"].get("after", {}).get(str(steps[-1]))
    print(f"\n{model['model']}")
    print(
        f"{'way':<21}{'ok':>4}{'ops':>6}{'flex':>6}{'bytes':>9}{'out/in':>9}{'state':>7}"
        + "".join(f"{n:>10,}" for n in steps)
        + f"{'/ ours':>10}"
    )
    for row in model["rows"]:
        print("\n".join(_lines(row, steps, ours)))
    for row in model["rows"]:
        if row["message"]:
            print(f"  {row['way']}: {row['message']}")
    for row in model["rows"]:
        if row["converts"]:
            kinds = row["builtin"] | row["flex"]
            listed = ", ".join(f"{name} {count}" for name, count in kinds.items())
            print(f"  {row['way']}: {listed}")
    if "is_met" in model:
        answer = "met" if model["is_met"] else "NOT met"
        print(
            f"  known drift of ours after {model['known_steps']:,} steps, "
            f"at most {model['known_drift']}: {answer}, {ours:.4f}"
        )
