"""A finished bundle checked: does every engine carry its state?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnn_edge.engines.base import EngineKind, EngineSource, all_engines
from rnn_edge.engines.environment import nothing_made
from rnn_edge.errors import (
    EngineError,
    MissingDependencyError,
    MissingExportError,
    RnnEdgeError,
)
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.replay import open_stream
from rnn_edge.quantize import quantize_input
from rnn_edge.registry import lookup
from rnn_edge.replay import ProbeRow, Verdict, find_frames, float_case, integer_case, probe
from rnn_edge.replay.probe import SCANNED_FRAMES, ProbeCase


@dataclass(frozen=True)
class LeftOut:
    """An engine that was not checked.

    Attributes:
        engine: Its name.
        reason: Why it does not run here.
        hint: What to do about it, or an empty string.
    """

    engine: str
    reason: str
    hint: str


@dataclass(frozen=True)
class StateCheck:
    """What the state probe says of a bundle's engines.

    Attributes:
        bundle: Name of the model.
        model_digest: Of the quantized model.
        source: Where the frames come from.
        stream: Name of the stream.
        frame: Index in the stream of the first of the two frames.
        rows: One per engine that was opened.
        left_out: Engines that were not asked for by name and do not run here.
        hints: What to do about an engine that failed, by its name, where that is known.
    """

    bundle: str
    model_digest: str
    source: str
    stream: str
    frame: int
    rows: tuple[ProbeRow, ...]
    left_out: tuple[LeftOut, ...]
    hints: Mapping[str, str]

    @property
    def unsound(self) -> tuple[ProbeRow, ...]:
        """Engines that lose their state, or cannot be stopped and started over."""
        return tuple(row for row in self.rows if not row.is_sound)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "bundle": self.bundle,
            "model_digest": self.model_digest,
            "source": self.source,
            "state": {
                "stream": self.stream,
                "frames": [self.frame, self.frame + 1],
                "engines": [
                    {**row.to_json(), "hint": self.hints.get(row.engine, "")} for row in self.rows
                ],
                "left_out": [asdict(each) for each in self.left_out],
            },
            "is_passed": not self.unsound,
        }

    def refuse_lost_states(self) -> None:
        """Raise if any engine loses its state.

        Raises:
            EngineError: Naming every such engine.
        """
        if self.unsound:
            raise EngineError(
                "State probe: " + "; ".join(map(_complaint, self.unsound)) + ".",
                self._what_to_do(),
            )

    def _what_to_do(self) -> str:
        """Return the hints of what failed, once each, and one for findings about a state."""
        hints = [self.hints.get(row.engine, "") for row in self.unsound]
        if not all(hints):
            hints.append("do not run streams on these; docs/cli.md says what each finding means")
        return "; ".join(dict.fromkeys(hint for hint in hints if hint))


def check_states(
    bundle: Bundle,
    engines: Sequence[str] | None,
    data: Path | None,
    tell: Callable[[str, int, int], None],
    *,
    more: Sequence[str] = (),
    port: str | None = None,
) -> StateCheck:
    """Run the state probe on the engines of a bundle.

    Args:
        bundle: A finished bundle.
        engines: Names; None for every engine that runs here without installing anything.
        data: Recordings in the layout of the bundle's spec; None for those of the build.
        tell: Called with engine, index and count before each.
        more: Engines that are asked for by name beside those.
        port: Where the board is that an engine names; None for none.

    Raises:
        RnnEdgeError: If an engine is unknown, or asked for by name and not to be had here, or if
            no two frames of the stream tell a carried state from a lost one.
    """
    known = all_engines()
    if engines is None:
        # Boards are there only where a port is named.
        names = [name for name, kind in known.items() if not kind.needs_port]
    else:
        names = list(engines)
    names = list(dict.fromkeys((*names, *more)))
    kinds = [lookup(known, name, "engine") for name in names]
    spec = bundle.spec()
    stream, source = open_stream(bundle, data, None, SCANNED_FRAMES)
    float_model, model = bundle.float_model(), bundle.model()
    integers = quantize_input(stream.frames, model.input_exponent)
    at = find_frames(model, integers)
    pair = slice(at, at + 2)

    def case_of(kind: EngineKind) -> ProbeCase:
        if kind.is_integer:
            return integer_case(model, integers[pair])
        return float_case(float_model, stream.frames[pair], is_approximate=kind.is_approximate)

    rows: list[ProbeRow] = []
    left_out: list[LeftOut] = []
    hints: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as work:
        opened = EngineSource(float_model, model, bundle.exports, Path(work), bundle.path, port)
        for k, kind in enumerate(kinds):
            tell(kind.name, k, len(kinds))
            try:
                is_asked_for = engines is not None or kind.name in more
                with nullcontext() if is_asked_for else nothing_made():
                    rows.append(_probed(kind, opened, case_of(kind)))
            except (MissingDependencyError, MissingExportError) as error:
                if is_asked_for:
                    raise
                left_out.append(LeftOut(kind.name, error.message, error.hint))
            except RnnEdgeError as error:
                # What fails in an engine is a finding about it.
                rows.append(ProbeRow(kind.name, None, False, False, error.message))
                hints[kind.name] = error.hint
    return StateCheck(
        bundle=spec.model.name,
        model_digest=model.digest(),
        source=source,
        stream=spec.replay.stream,
        frame=at,
        rows=tuple(rows),
        left_out=tuple(left_out),
        hints=hints,
    )


def _complaint(row: ProbeRow) -> str:
    """Return what is wrong with an engine, as a part of a sentence."""
    if row.verdict is None:
        # Why was said beside its name.
        return f"{row.engine} failed"
    if row.verdict is Verdict.FROM_ZERO:
        return f"{row.engine} starts from zero at each step"
    if row.verdict is Verdict.DIFFERS:
        how = row.detail or "neither with its state carried nor from zero"
        return f"{row.engine} does not step as the reference does, {how}"
    if not row.resets:
        return f"{row.engine} keeps its state over a reset"
    return f"{row.engine} does not go on from a saved state"


def _probed(kind: EngineKind, source: EngineSource, case: ProbeCase) -> ProbeRow:
    """Open an engine and probe it.

    Raises:
        MissingDependencyError: If it is not to be had here.
        MissingExportError: If the bundle does not hold what it runs.
        RnnEdgeError: If it fails.
    """
    with kind.open(source) as engine:
        return probe(kind.name, engine, case, sets_state=kind.sets_state)
