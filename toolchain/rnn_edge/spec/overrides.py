"""Values set on the command line, ``section.key=value``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from rnn_edge.errors import SpecError

EXAMPLE = "--set model.hidden=48"


def apply_overrides(raw: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return a copy of parsed TOML with values replaced or added.

    Args:
        raw: Tables of the spec.
        overrides: ``section.key=value`` each; a value is read as TOML and, where it is none, as
            text, so that quotes can be left out.

    Raises:
        SpecError: If an override has no key or no value, or goes through something that is no
            table.
    """
    result: dict[str, Any] = _copy(raw)
    for override in overrides:
        key, separator, text = override.partition("=")
        parts = [part.strip() for part in key.split(".")]
        if not separator or not all(parts):
            raise SpecError(f"Option --set: {override!r}; expected section.key=value.", EXAMPLE)
        table = result
        for part in parts[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise SpecError(
                    f"Option --set: {override!r}; {part!r} is a value, not a section.", EXAMPLE
                )
        table[parts[-1]] = parse_value(text.strip())
    return result


def parse_value(text: str) -> Any:  # noqa: ANN401 - any TOML value
    """Return a TOML value, or the text itself where it is none."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if list(parsed) == ["value"] else text


def _copy(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    return {k: _copy(v) for k, v in value.items()} if isinstance(value, dict) else value
