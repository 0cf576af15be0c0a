"""The inputs of a stage, as they are written down, and whether they are those of another day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_edge.spec.section import Section


def as_json(value: Any, *, is_short: bool = False) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return inputs as JSON would give them back: sections and tuples become dicts and lists.

    Args:
        value: JSON values, and sections of a spec among them.
        is_short: Leave out the keys of sections that have their default value.
    """
    if isinstance(value, Section):
        return as_json(value.as_inputs(is_short=is_short))
    if isinstance(value, Mapping):
        return {key: as_json(item, is_short=is_short) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item, is_short=is_short) for item in value]
    return value


def are_those(recorded: object, inputs: Mapping[str, object]) -> bool:
    """Return whether inputs were recorded by this version, or by one that knew fewer keys.

    Args:
        recorded: What `as_json` returned when the stage was made.
        inputs: Those of today; a key that is new since then must have its default.
    """
    return _matches(recorded, as_json(inputs), as_json(inputs, is_short=True))


def _matches(recorded: object, now: object, set_now: object) -> bool:
    if not isinstance(recorded, dict) or not isinstance(now, dict):
        return recorded == now
    short = set_now if isinstance(set_now, dict) else {}
    return recorded.keys() <= now.keys() and all(
        _matches(recorded[key], value, short.get(key)) if key in recorded else key not in short
        for key, value in now.items()
    )
