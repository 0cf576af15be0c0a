"""Whether the model forgets its errors, the drift that follows, and how long units remember."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.drift_sections.reading import analysis, not_asked, pieces
from rnn_edge.report.estimates import share
from rnn_edge.report.markup import Markup, bullets, element, join, paragraph
from rnn_edge.report.plots.canvas import legend
from rnn_edge.report.plots.dots import ENDLESS, LINES, MARKED, PLAIN, Dot, draw_dots
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table
from rnn_edge.report.tiles import tile, tiles


def render(root: Node) -> Section:
    """Return tiles, predicted beside measured drift, and a dot per unit."""
    found, memory = analysis(root, "stability"), analysis(root, "time_constants")
    if found is None and memory is None:
        command = not_asked("stability", "whether the model forgets its errors")
        return Section("stability", "Stability", command)
    parts: list[Markup] = []
    if found is not None:
        parts += _contraction(found)
    if memory is not None:
        parts += _memory(memory)
    return Section("stability", "Stability", join(*parts))


def _contraction(found: Node) -> list[Markup]:
    lyapunov, prediction = found.at("lyapunov"), found.at("prediction")
    columns = [
        Column("State", is_number=False),
        Column("Local error, rms"),
        Column("Predicted drift"),
        Column("Measured drift"),
        Column("Gain"),
        Column("Measured / predicted"),
        Column("Beyond int16"),
    ]
    rows = [_predicted(row) for row in prediction.at("states").items()]
    return [
        tiles(_exponent(lyapunov), _half_life(lyapunov), _ratio(prediction)),
        paragraph(_verdict(lyapunov)),
        table("Drift that local errors predict, and what was measured", columns, rows),
        paragraph(
            "Predicted: every local error carried on by the linearised float model. Measured over "
            "predicted near 1: local errors explain the drift; far above, something else is "
            "between the two. Beyond int16: values of the float state that the integer state "
            f"cannot hold, which no local error predicts. {pieces(prediction.at('facts'))}",
            kind="soft",
        ),
    ]


def _exponent(lyapunov: Node) -> Markup:
    label = "Largest Lyapunov exponent, per step"
    value = lyapunov.at("exponent").optional_number()
    if value is None:
        return tile(label, "below any", "errors are forgotten at once", kind="good")
    is_good = lyapunov.at("is_contracting").flag()
    low, high = (lyapunov.at(key).optional_number() for key in ("low", "high"))
    note = f"{formatting.number(low)} to {formatting.number(high)} (95 % interval)"
    return tile(
        label,
        formatting.number(value),
        note,
        "below 0: contracting" if is_good else "not surely below 0",
        kind="good" if is_good else "bad",
    )


def _half_life(lyapunov: Node) -> Markup:
    steps = lyapunov.at("half_life").optional_number()
    rate = lyapunov.at("rate").number()
    note = f"{formatting.number(rate)} of it is left after one step"
    if steps is not None:
        return tile("An error halves in", f"{formatting.number(steps)} steps", note)
    return tile("An error halves in", "one step or less" if rate == 0 else "no time", note)


def _ratio(prediction: Node) -> Markup:
    predicted, measured = (
        prediction.at(key).number() for key in ("hidden_predicted", "hidden_measured")
    )
    notes = [f"predicted {formatting.number(predicted)} rms, hidden states"]
    bound = prediction.at("bound").optional_number()
    if bound is not None:
        notes.append(f"at most {formatting.number(bound)}, if errors all pointed the same way")
    return tile("Measured drift on these pieces", formatting.number(measured), *notes)


def _verdict(lyapunov: Node) -> str:
    if lyapunov.at("is_contracting").flag():
        return (
            "Two neighbouring states of the float model approach each other along this stream: an "
            "error is forgotten, and errors of single steps add up to a plateau."
        )
    return (
        "Two neighbouring states of the float model do not surely approach each other along this "
        "stream: an error may stay or grow, and no plateau is certain."
    )


def _predicted(row: Node) -> list[str]:
    keys = ("local", "predicted", "measured", "gain", "ratio")
    beyond = row.at("beyond").number()
    return [
        row.at("state").text(),
        *(formatting.number(row.at(key).number()) for key in keys),
        element("strong", share(beyond), class_="bad") if beyond > 0 else "none",
    ]


def _memory(memory: Node) -> list[Markup]:
    warnings = memory.at("warnings").items()
    warned: dict[str, set[int]] = {}
    for each in warnings:
        warned.setdefault(each.at("state").text(), set()).add(each.at("unit").integer())
    layers = memory.at("layers").items()
    figures = [_figure(k, layer, warned) for k, layer in enumerate(layers)]
    ungated = [layer.integer() for layer in memory.at("ungated").items()]
    parts = [
        element("h3", "Time constants"),
        paragraph(
            "How many steps a unit remembers, from the gate that keeps its state. The longer, the "
            "wider the zone around its target in which rounding holds it still; a unit whose zone "
            "is wide beside what it moves by is warned of."
        ),
    ]
    if figures:
        used = [PLAIN, *([MARKED] if warnings else []), *([ENDLESS] if _endless(layers) else [])]
        parts += [
            legend({name: LINES[name] for name in used}, has_dots=True),
            element("div", *figures, class_="plots wide"),
            _layers(layers),
        ]
    if ungated:
        named = ", ".join(map(str, ungated))
        parts.append(
            paragraph(
                f"No gate keeps the state of layer {named}: its memory is in the recurrent weights "
                "alone, and no time constant belongs to a unit."
            )
        )
    return [*parts, *_warnings(warnings)]


def _endless(layers: tuple[Node, ...]) -> bool:
    return any(tau.value is None for layer in layers for tau in layer.at("tau").items())


def _figure(index: int, layer: Node, warned: dict[str, set[int]]) -> Markup:
    state = layer.at("state").text()
    taus = [tau.optional_number() for tau in layer.at("tau").items()]
    if not taus:
        layer.at("tau").fail("a number for each unit")
    order = sorted(range(len(taus)), key=lambda unit: (taus[unit] is None, taus[unit] or 0.0, unit))
    dots = [Dot(unit, taus[unit], unit in warned.get(state, ())) for unit in order]
    count = sum(dot.is_marked for dot in dots)
    label = f"Time constants of the units of {state}, sorted; {count} warned of"
    plot = draw_dots(f"memory{index}", label, "time constant, steps", dots)
    longest = [f"{dot.unit} ({_steps(dot.value)})" for dot in reversed(dots[-5:])]
    caption = element(
        "figcaption",
        element("b", state),
        f", gate {layer.at('gate').text()}. Longest: {', '.join(longest)} steps.",
    )
    return element("figure", plot, caption)


def _steps(value: float | None) -> str:
    return "without end" if value is None else formatting.number(value)


def _layers(layers: tuple[Node, ...]) -> Markup:
    columns = [
        Column("State", is_number=False),
        Column("Gate", is_number=False),
        Column("Unit of the last place"),
        Column("Shortest, steps"),
        Column("Median"),
        Column("Longest"),
    ]
    rows = []
    for layer in layers:
        taus = sorted(
            (tau.optional_number() for tau in layer.at("tau").items()),
            key=lambda tau: (tau is None, tau or 0.0),
        )
        rows.append(
            [
                layer.at("state").text(),
                layer.at("gate").text(),
                formatting.number(layer.at("unit").number()),
                _steps(taus[0]),
                _steps(taus[len(taus) // 2]),
                _steps(taus[-1]),
            ]
        )
    return table("Time constants by layer", columns, rows)


def _warnings(rows: tuple[Node, ...]) -> list[Markup]:
    if not rows:
        return [paragraph("No unit's memory is longer than its format resolves.")]
    items = [
        f"{row.at('state').text()}, unit {row.at('unit').integer()}: {row.at('reason').text()}"
        for row in rows
    ]
    return [
        element(
            "div",
            element("strong", "Memory longer than the format resolves:"),
            bullets(items),
            class_="warning",
        )
    ]
