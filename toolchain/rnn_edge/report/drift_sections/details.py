"""What single steps say: local error and gain, saturation, dead units, distributions."""

from __future__ import annotations

from collections.abc import Callable

from rnn_edge.report import formatting
from rnn_edge.report.drift_sections.reading import tensors
from rnn_edge.report.estimates import read_estimate, share
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.plots.canvas import legend
from rnn_edge.report.plots.histograms import LINES, draw_histograms
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section:
    """Return what was found in the sampled steps of all streams."""
    total = root.at("total")
    details = total.at("details")
    if not details.entries():
        return Section(
            "details",
            "Single steps",
            paragraph(
                "No single steps were looked into; that needs a float reference and an integer "
                "engine.",
                kind="soft",
            ),
        )
    steps = formatting.count(details.at("steps").integer())
    return Section(
        "details",
        "Single steps",
        join(
            paragraph(
                f"{steps} steps, evenly spaced, were taken apart. The local error is what one "
                "integer step adds when it starts from the float state; the gain is the drift "
                "over it: how much the state keeps of the errors of earlier steps."
            ),
            _local(details, total),
            *_saturation(details.at("saturation").items()),
            _dead(details.at("dead").items()),
            *_distributions(details.at("distributions").items()),
        ),
    )


def _local(details: Node, total: Node) -> Markup:
    columns = [
        Column("Tensor", is_number=False),
        Column("Local error, rms"),
        Column("Largest"),
        Column("Drift, rms"),
        Column("Gain"),
        Column("Worst units: local rms", is_number=False, is_wide=True),
    ]
    drifts = tensors(total)
    rows = []
    for row in details.at("local").items():
        name, local = row.at("tensor").text(), row.at("rms").number()
        if name not in drifts:
            row.at("tensor").fail(" or ".join(map(repr, drifts)))
        drift = read_estimate(drifts[name].at("rms")).value
        rows.append(
            [
                name,
                formatting.number(local),
                formatting.number(row.at("maximum").number()),
                formatting.number(drift),
                formatting.number(drift / local if local > 0 else None),
                _worst(row, formatting.number),
            ]
        )
    return table("Local error and gain", columns, rows)


def _saturation(rows: tuple[Node, ...]) -> list[Markup]:
    if not rows:
        return [paragraph("No tensor of a step was at an end of int16.")]
    columns = [
        Column("Tensor", is_number=False),
        Column("Values at an end"),
        Column("Share"),
        Column("What it costs", is_number=False),
        Column("Worst units: share of the steps", is_number=False, is_wide=True),
    ]
    return [
        table("Saturation: values at an end of int16", columns, [_saturated(r) for r in rows]),
        paragraph(
            "Nothing is lost where the tensor is flat at its end: a gate near 0 or 1, or what "
            "only goes into a table.",
            kind="soft",
        ),
    ]


def _saturated(row: Node) -> list[str]:
    return [
        row.at("tensor").text(),
        formatting.count(row.at("at_end").integer()),
        share(row.at("share").number()),
        "nothing"
        if row.at("is_harmless").flag()
        else element("strong", "values are lost", class_="bad"),
        _worst(row, share),
    ]


def _dead(rows: tuple[Node, ...]) -> Markup:
    columns = [
        Column("State", is_number=False),
        Column("Updates rounded to nothing"),
        Column("Half a unit or more"),
        Column("Units that never moved", is_number=False),
        Column("Worst units: half a unit or more", is_number=False, is_wide=True),
    ]
    cells = []
    for row in rows:
        never = [formatting.count(unit.integer()) for unit in row.at("never_moved").items()]
        cells.append(
            [
                row.at("state").text(),
                share(row.at("share").number()),
                share(row.at("share_half").number()),
                ", ".join(never) or "none",
                _worst(row, share),
            ]
        )
    return join(
        table("Dead units: the integer state stays where the float one moves", columns, cells),
        paragraph(
            "An update below half a unit of the last place has to be rounded away; one of half a "
            "unit or more is lost on its way.",
            kind="soft",
        ),
    )


def _worst(row: Node, write: Callable[[float], str]) -> str:
    units = [
        f"{unit.at('unit').integer()}: {write(unit.at('value').number())}"
        for unit in row.at("worst").items()
    ]
    return ", ".join(units) or formatting.UNDEFINED


def _distributions(rows: tuple[Node, ...]) -> list[Markup]:
    if not rows:
        return []
    return [
        element("h3", "Distributions"),
        paragraph(
            "States and gates of the float and the integer model, each in closed loop; values "
            "beyond an end are counted in the last bin there."
        ),
        legend(LINES),
        element("div", *(_figure(k, row) for k, row in enumerate(rows)), class_="plots"),
    ]


def _figure(index: int, row: Node) -> Markup:
    name = row.at("name").text()
    low, high = row.at("low").number(), row.at("high").number()
    if low >= high:
        row.at("high").fail("a number above low")
    real, integer = ([n.integer() for n in row.at(k).items()] for k in ("real", "integer"))
    if not real or len(real) != len(integer):
        row.at("integer").fail(f"{len(real)} counts, one at least")
    label = f"Distribution of {name}, float and integer"
    plot = draw_histograms(f"histogram{index}", label, (low, high), real, integer)
    apart = f": {share(_distance(real, integer))} of the values in another bin."
    return element("figure", plot, element("figcaption", element("b", name), apart))


def _distance(real: list[int], integer: list[int]) -> float:
    """Return which share of the values is in another bin, at least."""
    sums = max(sum(real), 1), max(sum(integer), 1)
    return sum(abs(a / sums[0] - b / sums[1]) for a, b in zip(real, integer, strict=True)) / 2
