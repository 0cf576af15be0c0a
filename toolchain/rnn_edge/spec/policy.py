"""Reset policies as they stand on a command line, ``every:frames=500``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnn_edge.errors import SpecError
from rnn_edge.spec.load import read_toml, validate
from rnn_edge.spec.overrides import parse_value
from rnn_edge.spec.reset import ResetSection
from rnn_edge.spec.spec import ModelSpec

EXAMPLE = '"never", "every:frames=500", "quiet:level=-0.5,frames=20" or "decay:shift=8"'


def parse_policy(text: str) -> ResetSection:
    """Return what ``policy:key=value,key=value`` says.

    Raises:
        SpecError: If it says no policy, or not the keys of the one it says.
    """
    policy, _, rest = text.partition(":")
    values: dict[str, Any] = {"policy": policy.strip()}
    for pair in rest.split(",") if rest.strip() else ():
        key, separator, value = (part.strip() for part in pair.partition("="))
        if not separator or not key or not value:
            raise SpecError(f"Reset policy {text!r}: {pair!r}; expected such as {EXAMPLE}.")
        if key in values:
            raise SpecError(f"Reset policy {text!r}: {key} is there twice; expected once.")
        values[key] = parse_value(value)
    return validate(ResetSection, values, f"Reset policy {text!r}")


def with_reset(file: Path, section: ResetSection) -> ModelSpec:
    """Return the spec of a bundle with another section [reset].

    Args:
        file: The spec, with every value written out.
        section: What it says of resets.

    Raises:
        SpecError: If the section does not fit the task.
    """
    values = {**read_toml(file, "spec"), "reset": section.model_dump(exclude_none=True)}
    return validate(ModelSpec, values, f"Spec {file} with reset policy {section.policy}")
