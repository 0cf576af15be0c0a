"""Progress on stderr: bars on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from rnn_edge.cli.output import Output
from rnn_edge.cli.signals import raise_again

ProgressCallback = Callable[[str, int, int, Mapping[str, float]], None]
"""(stage, step, total, metrics)."""

SECONDS_BETWEEN_LINES = 10.0
KEPT = "kept"
SCORES = {"score": "", "fresh": "reset", "carried": "unreset"}
"""What training reports of the validation part: the score, and it with and without resets."""


@contextmanager
def progress_for(output: Output) -> Iterator[ProgressCallback]:
    """Give the reporter that fits the terminal and the options; it also ends what was interrupted.

    Every stage reports, so that an interruption that was swallowed lasts until the next report.
    """
    if output.is_quiet:
        yield _interruptible(_silent)
    elif output.is_verbose or not sys.stderr.isatty():
        yield _interruptible(LineProgress(is_verbose=output.is_verbose))
    else:
        with _bars() as bars:
            yield _interruptible(bars)


def _interruptible(report: ProgressCallback) -> ProgressCallback:
    def checked(stage: str, step: int, total: int, metrics: Mapping[str, float]) -> None:
        raise_again()
        report(stage, step, total, metrics)

    return checked


def describe(metrics: Mapping[str, float]) -> str:
    """Return metrics as text, in their order.

    "kept" alone is the end of a stage: 1 where an earlier build had made it.
    """
    if set(metrics) == {KEPT}:
        return "kept from an earlier build" if metrics[KEPT] else "done"
    plain = [f"{name} {value:.4g}" for name, value in metrics.items() if name not in SCORES]
    return "  ".join([*plain, *_validated(metrics)])


def _validated(metrics: Mapping[str, float]) -> list[str]:
    """Return what training measured on the validation part, in words.

    Higher is better for a score, so that a forecast's is minus its mean squared error.
    """
    if "score" not in metrics:
        return []
    kind = "error" if metrics["score"] < 0.0 else "accuracy"
    parts = [
        f"{SCORES[name]} {abs(metrics[name]):.4g}"
        for name in ("fresh", "carried")
        if name in metrics
    ]
    listed = f" ({', '.join(parts)})" if parts else ""
    return [f"validation {kind} {abs(metrics['score']):.4g}{listed}"]


class LineProgress:
    """Writes a line when a stage begins, when it ends, and now and then in between.

    Args:
        is_verbose: Every report is a line.
        clock: Seconds, rising.
    """

    def __init__(self, *, is_verbose: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._is_verbose = is_verbose
        self._clock = clock
        self._stage = ""
        self._written = 0.0

    def __call__(self, stage: str, step: int, total: int, metrics: Mapping[str, float]) -> None:
        """Report that a stage has come to a step."""
        now = self._clock()
        is_due = (
            self._is_verbose
            or stage != self._stage
            or step >= total
            or now - self._written >= SECONDS_BETWEEN_LINES
        )
        if not is_due:
            return
        self._stage, self._written = stage, now
        share = f" {step}/{total}" if total > 1 else ""
        click.echo(f"{stage}{share}  {describe(metrics)}".rstrip(), err=True)


def _silent(stage: str, step: int, total: int, metrics: Mapping[str, float]) -> None:
    """Report nothing."""


@contextmanager
def _bars() -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    fixed: dict[str, Any] = {"no_wrap": True}
    bars = Progress(
        TextColumn("{task.description}", table_column=Column(min_width=14, **fixed)),
        BarColumn(bar_width=16, table_column=Column(min_width=16, **fixed)),
        TextColumn(
            "{task.completed:>6.0f}/{task.total:.0f}", table_column=Column(min_width=12, **fixed)
        ),
        TimeElapsedColumn(table_column=Column(min_width=7, **fixed)),
        # What does not fit is cut off here, never in the columns before.
        TextColumn("{task.fields[metrics]}", table_column=Column(ratio=1, **fixed)),
        console=Console(stderr=True),
        expand=True,
    )
    tasks: dict[str, Any] = {}

    def report(stage: str, step: int, total: int, metrics: Mapping[str, float]) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total, metrics="")
        task = tasks[stage]
        if KEPT in metrics:
            # The bar keeps the steps it counted.
            whole = bars.tasks[bars.task_ids.index(task)].total
            bars.update(task, completed=whole, metrics=describe(metrics))
        else:
            bars.update(task, completed=step, total=total, metrics=describe(metrics))

    with bars:
        yield report
