"""Draws with matplotlib and returns SVG that can stand inside the page.

The SVG takes its colours for text and grid, and its fonts, from the page, so that one picture
serves light, dark and paper.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_edge.extras import require
from rnn_edge.report.formatting import MINUS
from rnn_edge.report.markup import Markup, element, join

_EXTRA = "report"
_PURPOSE = "the plots of a report"
_LEAST_TICKS = 2

# Stand-ins that no palette uses; replaced by what follows the page's colours.
_INK = "#010203"
_GRID = "#040506"

_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "rnn-edge report",
    "text.parse_math": False,
    "font.size": 11,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.7,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.7,
}


@dataclass(frozen=True)
class Line:
    """How a line looks; lines differ in dashes too, for print and for colour-blind eyes.

    Attributes:
        colour: Hexadecimal.
        dashes: Lengths of dash and gap as in SVG, or an empty string for a solid line.
        width: In points.
        opacity: 0..1.
        dot: Shape of its points: one of `DOTS`.
    """

    colour: str
    dashes: str = ""
    width: float = 1.7
    opacity: float = 1.0
    dot: str = "o"

    @property
    def style(self) -> object:
        """The line style as matplotlib takes it."""
        return (0, tuple(float(n) for n in self.dashes.split())) if self.dashes else "solid"

    @property
    def options(self) -> dict[str, Any]:
        """Keywords for whatever matplotlib draws as a line."""
        return {
            "color": self.colour,
            "linestyle": self.style,
            "linewidth": self.width,
            "alpha": self.opacity,
        }


@dataclass(frozen=True)
class Shade:
    """How an area looks.

    Attributes:
        colour: Hexadecimal.
        opacity: 0..1.
    """

    colour: str
    opacity: float


PALETTE = (
    Line("#2f7fd8"),
    Line("#e07b00", "7 2", dot="s"),
    Line("#2a9d6f", "3 2", dot="^"),
    Line("#a259c4", "8 2 2 2", dot="D"),
    Line("#c0566f", "1.5 1.5", dot="v"),
    Line("#7a8691", "10 4", dot="o"),
)
DOTS = {
    "o": "M13.5 6a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
    "s": "M14 2.5h7v7h-7Z",
    "^": "M17.5 2l4.5 8h-9Z",
    "D": "M17.5 1.5l4.5 4.5l-4.5 4.5l-4.5 -4.5Z",
    "v": "M17.5 10l4.5 -8h-9Z",
}
"""The shapes of matplotlib's points as paths in the sample of a legend."""


def assign(names: Sequence[str]) -> dict[str, Line]:
    """Return a line for every name, in order; a longer list starts again."""
    return {name: PALETTE[k % len(PALETTE)] for k, name in enumerate(names)}


def legend(samples: Mapping[str, Line | Shade], *, has_dots: bool = False) -> Markup:
    """Return names with samples of their lines or areas, as HTML: it wraps on a phone.

    Args:
        samples: How each name is drawn.
        has_dots: Whether the lines have a dot at every point.
    """
    entries = [
        element(
            "span",
            element("svg", _sample(look, has_dots), viewBox="0 0 35 12", aria_hidden="true"),
            name,
        )
        for name, look in samples.items()
    ]
    return element("div", *entries, class_="legend")


def _sample(look: Line | Shade, has_dots: bool) -> Markup:
    if isinstance(look, Shade):
        return element(
            "rect", width="35", height="12", fill=look.colour, fill_opacity=f"{look.opacity:g}"
        )
    stroke = element(
        "line",
        x1="0",
        x2="35",
        y1="6",
        y2="6",
        stroke=look.colour,
        stroke_width=f"{1.4 * look.width:.2f}",
        stroke_dasharray=look.dashes or None,
        stroke_opacity=f"{look.opacity:g}",
    )
    dots = [element("path", d=DOTS[look.dot], fill=look.colour)] if has_dots else []
    return join(stroke, *dots)


def draw(
    prefix: str,
    label: str,
    size_inches: tuple[float, float],
    paint: Callable[[Any], None],
    heights: Sequence[float] = (),
    *,
    is_shared: bool = True,
) -> Markup:
    """Return a plot as inline SVG.

    Args:
        prefix: Put before every id in the SVG; must be unique in the page.
        label: What the plot shows, for those who do not see it.
        size_inches: Width and height; only their ratio and the size of the text follow from it.
        paint: Draws on a matplotlib ``Axes``, or on a list of them.
        heights: Of plots on top of each other; none: one plot.
        is_shared: Whether those have one horizontal axis, numbered below the last of them.

    Raises:
        MissingDependencyError: If matplotlib is not installed.
    """
    style = require("matplotlib.style", _EXTRA, _PURPOSE)
    figure_module = require("matplotlib.figure", _EXTRA, _PURPOSE)
    backend = require("matplotlib.backends.backend_svg", _EXTRA, _PURPOSE)
    # From the defaults, not from the user's matplotlibrc: the same input gives the same bytes.
    with style.context(["default", _SETTINGS]):
        figure = figure_module.Figure(figsize=size_inches, layout="constrained")
        backend.FigureCanvasSVG(figure)
        if heights:
            ratios = list(heights)
            paint(list(figure.subplots(len(ratios), 1, sharex=is_shared, height_ratios=ratios)))
        else:
            paint(figure.subplots())
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _inline(buffer.getvalue(), prefix, label)


def plain_numbers(axes: Any, is_log_x: bool, is_log_y: bool) -> None:  # noqa: ANN401 - untyped
    """Write ticks as numbers rather than as mathematics, which the page cannot set.

    Everything must be drawn: a logarithmic axis that shows less than two powers of ten gets ticks
    between them, as one number says nothing of a scale.
    """
    ticker = require("matplotlib.ticker", _EXTRA, _PURPOSE)
    for axis, is_log in ((axes.xaxis, is_log_x), (axes.yaxis, is_log_y)):
        axis.set_major_formatter(ticker.FuncFormatter(_tick))
        axis.set_minor_formatter(ticker.NullFormatter())
        if not is_log:
            axis.set_major_locator(ticker.MaxNLocator(5))
            continue
        for locator in (ticker.LogLocator(subs=(1.0, 2.0, 5.0)), ticker.MaxNLocator(5)):
            if _visible_ticks(axis) >= _LEAST_TICKS:
                break
            axis.set_major_locator(locator)


def _visible_ticks(axis: Any) -> int:  # noqa: ANN401 - untyped
    """Return how many labelled ticks lie within an axis."""
    low, high = sorted(axis.get_view_interval())
    return sum(bool(low <= place <= high) for place in axis.get_majorticklocs())


def _tick(value: float, _position: int | None) -> str:
    if value == 0:
        return "0"
    text = f"{value:.4g}"
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            text = f"{value / size:,.5g}{unit}"
            break
    text = text.replace("e-0", "e-")
    return text.replace("-", MINUS)


def _inline(svg: str, prefix: str, label: str) -> Markup:
    """Return matplotlib's SVG file as an element that can stand in a page many times."""
    found = re.search(r'<svg[^>]*viewBox="([^"]*)"[^>]*>(.*)</svg>', svg, re.DOTALL)
    if found is None:
        raise RuntimeError("matplotlib wrote an SVG file without a view box")
    view, body = found.groups()
    # The style sheet inside would apply to the whole page; its two rules are set on the element.
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    body = re.sub(r' id="', f' id="{prefix}-', body)
    body = re.sub(r'href="#', f'href="#{prefix}-', body)
    body = body.replace("url(#", f"url(#{prefix}-")
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    body = body.replace(_INK, "currentColor").replace(_GRID, "var(--grid)")
    body = re.sub(r' d="([^"]*)"', _shorten, body)
    body = re.sub(r">\s+<", "><", body).strip()
    return element(
        "svg",
        Markup(body),
        viewBox=view,
        role="img",
        aria_label=label,
        stroke_linejoin="round",
        stroke_linecap="butt",
    )


def _shorten(path: re.Match[str]) -> str:
    """Return a path with two decimals, a hundredth of a point, on one line."""
    numbers = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), path[1])
    return f' d="{" ".join(numbers.split())}"'
