"""The ranges of every tensor and every sum of the integer program, and the room left in them."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, bullets, element, join, paragraph, power_of_two
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

_TENSOR_COLUMNS = [
    Column("Tensor", is_number=False),
    Column("Made by", is_number=False),
    Column("Scale"),
    Column("Holds"),
    Column("Can reach"),
    Column("Room, bits"),
    Column("Seen"),
    Column("Room, bits"),
    Column("Replayed"),
    Column("Saturates", is_number=False),
]
_MATRIX_COLUMNS = [
    Column("Matrix", is_number=False),
    Column("Rows"),
    Column("Smallest bound, bits"),
    Column("Largest bound, bits"),
    Column("Largest seen, bits"),
    Column("Rows at int32"),
    Column("Rows at int64"),
    Column("Sums in the C", is_number=False),
]


def render(root: Node) -> Section:
    """Return one row per tensor of a step, and one per matrix."""
    quantization = root.at("quantization")
    calibration, ranges = quantization.at("calibration"), quantization.at("ranges")
    steps, streams = (calibration.at(key).integer() for key in ("steps", "streams"))
    tensors = ranges.at("tensors").items()
    replayed = {row.at("tensor").text(): row for row in root.at("replayed_ranges").items()}
    for row in tensors:
        if row.at("tensor").text() not in replayed:
            root.at("replayed_ranges").fail(f"a row of tensor {row.at('tensor').text()!r}")
    seen = ", ".join(
        f"{name} {formatting.number(value.number())}"
        for name, value in (
            ("input", calibration.at("input_max")),
            ("output", calibration.at("output_max")),
            *calibration.at("cell_max").entries().items(),
        )
    )
    return Section(
        "ranges",
        "Ranges",
        join(
            paragraph(
                f"Calibrated on {formatting.count(streams)} unreset "
                f"stream{'s' * (streams != 1)} of {formatting.count(steps)} steps; the float "
                f"model's largest magnitudes there: {seen}."
            ),
            _warning("calibration streams", "calibrated", tensors),
            _warning("replay stream", "seen", list(replayed.values())),
            table(
                "Tensors of one step",
                _TENSOR_COLUMNS,
                [_tensor(row, replayed[row.at("tensor").text()]) for row in tensors],
            ),
            paragraph(
                "Can reach is a bound over every stream of frames that starts from a zero state, "
                "before saturation. Seen is what the integer model did on the calibration "
                "streams, which scales are chosen by; replayed, on the replay stream. Room is the "
                "headroom, log2(held / range): 1 is a range half as wide as the format, 0 one "
                "that fills it, and below 0 it does not fit. Saturation before logistic or tanh "
                "alone loses nothing worth keeping: both are flat there.",
                kind="soft",
            ),
            table(
                "Sums of the matrices",
                _MATRIX_COLUMNS,
                [_matrix(row) for row in ranges.at("matrices").items()],
            ),
            paragraph(
                "The bound of a row is proved for every int16 input and every order of summation. "
                "The C adds in int32 where that holds for all rows of a matrix, and in int64 "
                "elsewhere.",
                kind="soft",
            ),
        ),
    )


def _warning(where: str, key: str, rows: Sequence[Node]) -> Markup:
    """Return a banner that names the tensors which lost values, or nothing.

    Args:
        where: The streams.
        key: Of what was seen there.
        rows: Of all tensors.
    """
    rows = [row for row in rows if row.at("loses").flag()]
    if not rows:
        return join()
    items = [
        f"{row.at('tensor').text()}: {_share(row)} of its values; they span "
        f"{_span(row.at(key))}, and {_span(row.at('representable'))} is held"
        for row in rows
    ]
    return element(
        "div",
        element("strong", f"Values were lost to saturation on the {where}:"),
        bullets(items),
        class_="warning",
    )


def _tensor(row: Node, replayed: Node) -> list[str]:
    analytic = row.find("analytic")
    return [
        row.at("tensor").text(),
        row.at("operator").text(),
        power_of_two(row.at("exponent").integer()),
        _span(row.at("representable")),
        "no bound" if analytic is None else _span(analytic),
        _bits(row.at("analytic_headroom_bits")),
        _span(row.at("calibrated")),
        _bits(row.at("calibrated_headroom_bits")),
        _span(replayed.at("seen")),
        _verdict(row, replayed),
    ]


def _matrix(row: Node) -> list[str]:
    return [
        row.at("matrix").text(),
        formatting.count(row.at("rows").integer()),
        formatting.count(row.at("smallest_bits").integer()),
        formatting.count(row.at("bits").integer()),
        formatting.count(row.at("seen").integer().bit_length() + 1),
        formatting.count(row.at("int32_rows").integer()),
        formatting.count(row.at("int64_rows").integer()),
        row.at("c_sums").text(),
    ]


def _span(node: Node) -> str:
    low, high = node.pair()
    texts = [_short(value) for value in (low, high)]
    if low < 0 and texts[0] == f"{formatting.MINUS}{texts[1]}":
        return f"±{texts[1]}"
    return f"{texts[0]} to {texts[1]}"


def _short(value: float) -> str:
    """Return three digits without the zeros at their end: an end of 15.9995 is read as 16."""
    text = formatting.number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _bits(node: Node) -> str:
    """Return the bits between a range and its format; one that just fits or just does not is 0."""
    value = node.optional_number()
    if value is None:
        return formatting.UNDEFINED
    text = f"{value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", formatting.MINUS)


def _share(row: Node) -> str:
    saturated, values = row.at("saturated").integer(), row.at("values").integer()
    if values < max(saturated, 1):
        row.at("values").fail("a positive count, not below that of saturated values")
    share = saturated / values
    text = formatting.percent(share, 3) if share >= 1e-5 else f"under {formatting.percent(1e-5, 3)}"
    return f"{formatting.count(saturated)} ({text})"


def _verdict(row: Node, replayed: Node) -> Markup:
    """Return what is proved, or where values saturated and how many."""
    places = {"calibration": row, "replay": replayed}
    seen = {name: node for name, node in places.items() if node.at("saturated").integer()}
    before = [item.text() for item in row.at("squashed_by").items()]
    notes = [f"before {' and '.join(before)}"] if before else []
    if not seen:
        verdict = row.at("verdict").text()
        if verdict == "never":
            return element("span", verdict, class_="good")
        return join(verdict, *(element("small", note) for note in notes))
    is_lost = any(node.at("loses").flag() for node in seen.values())
    shares = [f"{name} {_share(node)}" for name, node in seen.items()]
    return join(
        element("strong", "seen", class_="bad") if is_lost else "seen",
        *(element("small", share) for share in shares),
        *(element("small", note) for note in (notes if notes or is_lost else ["by one unit"])),
    )
