"""Times of steps: how they are distributed, and how they go along with the processor's heat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, draw, plain_numbers

_HEAT = Line("#d64933")
_LOWEST_SHARE = 1e-4


@dataclass(frozen=True)
class Distribution:
    """Counts of times.

    Attributes:
        edges: Of the bins, rising and positive, one more than there are counts.
        counts: In each bin; not all zero.
    """

    edges: Sequence[float]
    counts: Sequence[int]


def draw_distributions(
    prefix: str,
    label: str,
    quantity: str,
    distributions: Mapping[str, Distribution],
    lines: Mapping[str, Line],
) -> Markup:
    """Return the shares of steps that take longer than a time, both axes logarithmic.

    Where steps differ by a factor of a hundred and one of thousands is late, a curve of what is
    left shows both.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        quantity: At the horizontal axis, with its unit.
        distributions: By name.
        lines: How to draw each.
    """

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        for name, found in distributions.items():
            total = sum(found.counts)
            left, shares = total, [1.0]
            for count in found.counts:
                left -= count
                shares.append(left / total)
            shown = [
                (edge, share)
                for edge, share in zip(found.edges, shares, strict=True)
                if share >= _LOWEST_SHARE
            ]
            axes.step(*zip(*shown, strict=True), where="post", **lines[name].options)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(_LOWEST_SHARE, 1.4)
        axes.set_xlabel(quantity)
        axes.set_ylabel("share of steps that take longer")
        plain_numbers(axes, is_log_x=True, is_log_y=True)

    return draw(prefix, label, (7.6, 3.2), paint)


def draw_timeline(
    prefix: str,
    label: str,
    medians: Mapping[str, Sequence[float]],
    lines: Mapping[str, Line],
    heat: Sequence[tuple[float, float]],
) -> Markup:
    """Return the median step of every round, and below it the temperature where it is known.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        medians: In microseconds, by engine; positive.
        lines: How to draw each.
        heat: Round and temperature in degrees Celsius; empty where the machine does not say.
    """

    def paint(plots: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        axes, *below = plots if heat else [plots]
        for name, values in medians.items():
            look = lines[name]
            places = range(1, len(values) + 1)
            axes.plot(places, values, **look.options, marker=look.dot, markersize=4)
        axes.set_yscale("log")
        axes.set_ylabel("median step, µs")
        plain_numbers(axes, is_log_x=False, is_log_y=True)
        for lower in below:
            lower.plot(*zip(*heat, strict=True), **_HEAT.options, marker="o", markersize=4)
            lower.set_ylabel("°C")
            plain_numbers(lower, is_log_x=False, is_log_y=False)
        (below or [axes])[-1].set_xlabel("round")

    return draw(prefix, label, (7.6, 4.2 if heat else 3.0), paint, (3, 1) if heat else ())
