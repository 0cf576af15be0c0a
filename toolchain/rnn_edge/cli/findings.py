"""What `rnn-edge check` found, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def check_lines(result: Mapping[str, Any]) -> list[str]:
    """Return what the state probe found as text, a line per engine."""
    state = result["state"]
    first, second = state["frames"]
    names = [each["engine"] for each in (*state["engines"], *state["left_out"])]
    width = max(map(len, ("engine", *names)))
    lines = [
        f"{result['bundle']} on {result['source']}, frames {first:,} and {second:,} of the stream "
        f"{state['stream']}",
        f"{'engine':<{width}}  {'two steps':<30} {'reset':<6} restore",
    ]
    for row in state["engines"]:
        if row["verdict"] is None:
            lines.append(f"{row['engine']:<{width}}  failed: {row['detail']}")
            continue
        detail = f"  {row['detail']}" if row["detail"] else ""
        restore = {True: "yes", False: "no", None: "takes none"}[row["restores"]]
        lines.append(
            f"{row['engine']:<{width}}  {row['verdict']:<30} "
            f"{'yes' if row['resets'] else 'no':<6} {restore}{detail}"
        )
    for each in state["left_out"]:
        lines.append(
            f"{each['engine']:<{width}}  left out: {each['reason']} {each['hint']}".rstrip()
        )
    return lines
