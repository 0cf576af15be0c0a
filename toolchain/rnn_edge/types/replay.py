"""What comparing two engines over a stream gives."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class ParityRow:
    """One tensor of one integer engine against the reference.

    Attributes:
        engine: The engine.
        tensor: "y" or a state (h0, c0, ...).
        steps: Steps compared, never reset.
        differing: Values that differ.
        max_lsb: Largest difference in units of the last place.
        first_step: First step with a difference, or None.
        allowed_lsb: Largest difference that is known of the runtime and no failure.
    """

    engine: str
    tensor: str
    steps: int
    differing: int
    max_lsb: int
    first_step: int | None
    allowed_lsb: int = 0

    def to_json(self) -> dict[str, object]:
        """Return plain values for reports."""
        return asdict(self)


@dataclass(frozen=True)
class DisagreementRow:
    """One tensor of two runtimes of the same file, each on its own state.

    Attributes:
        tensor: "y" or a state (h0, c0, ...).
        steps: Steps compared, never reset.
        values: Values compared.
        differing: Values that differ.
        max_lsb: Largest difference in units of the last place.
        first_step: First step with a difference, or None.
    """

    tensor: str
    steps: int
    values: int
    differing: int
    max_lsb: int
    first_step: int | None

    def to_json(self) -> dict[str, object]:
        """Return plain values for reports, with the share of equal values."""
        return asdict(self) | {"equal": 1.0 - self.differing / self.values}


@dataclass(frozen=True)
class DriftRow:
    """Closed-loop error of one tensor, each engine on its own state.

    Attributes:
        tensor: "y" or a state.
        rms: Root mean square error over all steps and units, in real units.
        maximum: Largest error.
        relative: rms over the float tensor's own root mean square.
        curve: (step, rms error since the step before) at logarithmically spaced steps.
    """

    tensor: str
    rms: float
    maximum: float
    relative: float
    curve: tuple[tuple[int, float], ...]

    def to_json(self) -> dict[str, object]:
        """Return plain values for reports."""
        return asdict(self)


@dataclass(frozen=True)
class DriftReport:
    """Drift of a quantized model against a float run.

    Attributes:
        steps: Steps compared, never reset.
        hidden_rms: Root mean square error over the hidden states of all layers.
        agreement: Share of steps at which the largest output is the same one.
        rows: One per tensor.
    """

    steps: int
    hidden_rms: float
    agreement: float
    rows: tuple[DriftRow, ...]

    def to_json(self) -> dict[str, object]:
        """Return plain values for reports."""
        return {
            "steps": self.steps,
            "hidden_rms": self.hidden_rms,
            "agreement": self.agreement,
            "rows": [row.to_json() for row in self.rows],
        }
