"""What a card says, from the figures of a report alone."""

from __future__ import annotations

from collections.abc import Callable

from rnn_edge.report import formatting
from rnn_edge.report.card import baselines, data, decisions, quality
from rnn_edge.report.card.blocks import Items, Part, Table, Words
from rnn_edge.report.layers import layers_in_words
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.reliance import limits as general_limits
from rnn_edge.report.work import c_macs

CARD = "card"
"""Of what a report holds for the card alone; a report of an earlier version has none."""

_LONGEST_LIST = 100

_TASKS = {"kws": "spots keywords in sound", "anomaly": "raises alarms on sensor channels"}


def card_parts(root: Node) -> tuple[Part, ...]:
    """Return the parts of the card.

    Args:
        root: Content of ``report.json`` with `CARD`, and `decisions.LIMITS` where there are any.
    """
    return tuple(part for make in PARTS if (part := make(root)) is not None)


def summary(root: Node) -> str:
    """Return in a sentence what the model is."""
    return (
        f"{root.at('name').text()} {_TASKS[root.at('task').text()]}: a recurrent network "
        f"({root.at('cell').text().upper()}, {layers_in_words(root)}) that runs frame by frame "
        "with its state carried, int8 weights and int16 state, in integers alone."
    )


def _model(root: Node) -> Part:
    rate = root.at("frame_rate_hz").number()
    labels = ", ".join(label.text() for label in root.at("labels").items())
    kind = "Classes" if root.at("task").text() == "kws" else "Channels"
    return Part(
        "Model",
        (
            Words(summary(root)),
            Items(
                (
                    f"Inputs: {formatting.count(root.at('inputs').integer())} a frame, "
                    f"{rate:.4g} frame{'s' * (rate != 1)} a second",
                    f"Outputs: {formatting.count(root.at('outputs').integer())}",
                    f"{kind}: {labels}",
                )
            ),
        ),
    )


def _use(root: Node) -> Part:
    if root.at("task").text() == "kws":
        words = (
            "For continuous sound of one microphone, on a microcontroller or a small computer: an "
            "event where one of the keywords is spoken.",
            "Not for telling speakers apart, not for transcription, and not as the only "
            "means by which a machine is stopped or a person is kept safe.",
            "Before it is used: record the words with the microphone, at the distance and in the "
            "noise of the place, score them with rnn-edge evaluate --streaming, and calibrate.",
        )
    else:
        words = (
            "For the channels named above, of the kind of machine whose normal operation it has "
            "learned: an alarm where they behave otherwise.",
            "Not a diagnosis, and not as the only means by which a machine is stopped or a person "
            "is kept safe. Another machine, sensor or way of running needs a training of its own.",
            "Before it is used: score normal recordings of the very machine with rnn-edge "
            "evaluate or rnn-edge run --report, and count the alarms.",
        )
    return Part("Intended use", (Items(words),))


def _cost(root: Node) -> Part:
    memory = root.at("memory")
    state, scratch = (memory.at(key).integer() for key in ("state", "scratch"))
    constants, weights = memory.at("constants").integer(), memory.at("weights").integer()
    macs, rate = c_macs(root), root.at("frame_rate_hz").number()
    return Part(
        "Memory and work",
        (
            Items(
                (
                    f"Flash, constants of the C: {formatting.count(constants)} bytes, of which "
                    f"{formatting.count(weights)} weights; code comes on top",
                    f"RAM of a stream: {formatting.count(state)} bytes of state, "
                    f"{formatting.count(scratch)} of scratch; frame, result and stack come on top",
                    f"{formatting.count(macs)} multiply-adds a step, "
                    f"{formatting.count(round(macs * rate))} a second",
                    "Instructions: not counted by a build; rnn-edge devices fit BUNDLE counts them "
                    "on emulated processors, and says what it takes of a device",
                )
            ),
        ),
    )


def _limits(root: Node) -> Part:
    lines = general_limits(root)
    if root.at("task").text() == "kws":
        kind = "in noise, in other speech and at a distance"
        heard = (
            ""
            if root.find(decisions.LIMITS)
            else "; detections in continuous sound are not measured yet"
        )
        lines.append(f"Sound {kind}: the accuracy above is that of clips{heard}.")
    else:
        lines.append(
            "Other machines, and faults that the labelled recordings do not hold; a share of "
            "frames is no rate of faults that are found in service."
        )
    lines += [f"Not run: {_in_short(reason.text())}." for reason in root.at("not_run").items()]
    return Part("Limits: what it was not tested on", (Items(tuple(lines)),))


def _in_short(reason: str) -> str:
    """Return a reason without a list that is longer than a line; the page has it."""
    head, colon, listed = reason.partition(": ")
    return f"{head}, see report.html" if colon and len(listed) > _LONGEST_LIST else reason


def _made(root: Node) -> Part:
    card = root.at(CARD)
    versions = _by_name(card.at("versions"))
    digests = _by_name(card.at("digests"))
    return Part(
        "Versions and digests",
        (
            Words(
                f"Built by rnn-edge {root.at('tool_version').text()} with seed "
                f"{root.at('seed').integer()}. The same spec, data, versions and machine give the "
                "same bytes; manifest.json says which stages were made with other versions."
            ),
            Table("Versions", ("Package", "Version"), versions, numbers=False),
            Table("Digests, SHA-256", ("Of", "Digest"), digests, numbers=False),
        ),
    )


PARTS: tuple[Callable[[Node], Part | None], ...] = (
    _model,
    _use,
    data.part,
    quality.part,
    baselines.part,
    quality.quantization,
    decisions.part,
    _cost,
    _limits,
    _made,
)
"""In their order."""


def _by_name(values: Node) -> tuple[tuple[str, str], ...]:
    """Return texts by name, in an order that is the same before and after they were JSON."""
    return tuple((name, node.text()) for name, node in sorted(values.entries().items()))
