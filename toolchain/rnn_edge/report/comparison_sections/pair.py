"""Two drift results side by side, and what keeps them from being compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnn_edge.report import formatting
from rnn_edge.report.drift_sections.reading import open_result, tensors
from rnn_edge.report.plots.canvas import PALETTE, Line
from rnn_edge.report.reader import Document, Node

A, B = "A", "B"
_HINT = "measure the drift again"


@dataclass(frozen=True)
class Pair:
    """Two drift results.

    Attributes:
        one: The one that comes first, called A.
        other: The one that is held against it, called B.
    """

    one: Node
    other: Node

    @classmethod
    def of(cls, one: Mapping[str, Any], other: Mapping[str, Any]) -> Pair:
        """Return two results as they are read.

        Raises:
            BundleError: If one is none, naming which.
        """
        return cls(
            *(
                open_result(result, Document(f"Drift result {name}", _HINT))
                for name, result in ((A, one), (B, other))
            )
        )

    @property
    def both(self) -> tuple[Node, Node]:
        """A and B."""
        return self.one, self.other

    @property
    def names(self) -> tuple[str, str]:
        """What A and B are called in tables and legends."""
        bundles = [root.at("bundle").text() for root in self.both]
        return f"{A}: {bundles[0]}", f"{B}: {bundles[1]}"

    @property
    def lines(self) -> dict[str, Line]:
        """How A and B are drawn."""
        return dict(zip(self.names, PALETTE, strict=False))

    def common_streams(self) -> dict[str, tuple[Node, Node]]:
        """Return the streams that both have, by name."""
        first, second = (_streams(root) for root in self.both)
        return {name: (first[name], second[name]) for name in first if name in second}

    def common_tensors(self) -> list[str]:
        """Return the tensors that both have."""
        first, second = (tensors(root.at("total")) for root in self.both)
        return [name for name in first if name in second]


def obstacles(pair: Pair) -> list[str]:
    """Return why differences may not be those of the models, in sentences; empty for none."""
    return [*_facts(pair), *_other_streams(pair), *_other_tensors(pair), *_stopped(pair)]


def _facts(pair: Pair) -> list[str]:
    labels = {
        "task": "Other tasks",
        "source": "Other frames",
        "reference": "Other references",
        "frame_rate_hz": "Other frame rates",
    }
    found = []
    for key, label in labels.items():
        nodes = [root.at(key) for root in pair.both]
        if key == "frame_rate_hz":
            texts = [f"{node.number():.4g} Hz" for node in nodes]
        else:
            texts = [node.text() for node in nodes]
        if texts[0] != texts[1]:
            found.append(f"{label}: A {texts[0]}, B {texts[1]}.")
    return found


def _other_streams(pair: Pair) -> list[str]:
    first, second = (_streams(root) for root in pair.both)
    found = []
    for name, own, others in ((A, first, second), (B, second, first)):
        alone = [stream for stream in own if stream not in others]
        if alone:
            found.append(f"Streams in {name} alone: {', '.join(alone)}.")
    for stream, (one, other) in pair.common_streams().items():
        steps = [formatting.count(each.at("steps").integer()) for each in (one, other)]
        if steps[0] != steps[1]:
            found.append(f"Stream {stream}: {steps[0]} steps in A, {steps[1]} in B.")
        if one.at("description").text() != other.at("description").text():
            found.append(f"Stream {stream} is not made in the same way in both.")
    return found


def _other_tensors(pair: Pair) -> list[str]:
    first, second = (tensors(root.at("total")) for root in pair.both)
    if list(first) == list(second):
        return []
    return [f"Other tensors: A has {', '.join(first)}, B {', '.join(second)}."]


def _stopped(pair: Pair) -> list[str]:
    return [
        f"The replay of {name} was stopped before its end."
        for name, root in zip((A, B), pair.both, strict=True)
        if root.at("total").at("is_partial").flag()
    ]


def _streams(root: Node) -> dict[str, Node]:
    return {stream.at("stream").text(): stream for stream in root.at("streams").items()}
