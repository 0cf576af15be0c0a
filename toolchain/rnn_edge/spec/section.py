"""What every section of a spec has in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A part of a whole, 0..1."""

Count = Annotated[int, Field(ge=1, le=1_000_000)]
"""At least one of something."""

Natural = Annotated[int, Field(ge=0, le=1_000_000)]
"""None or more of something."""


class Section(BaseModel):
    """A frozen table of a spec.

    Types are strict: a quoted number is a mistake, not a number. Unknown keys are mistakes too.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def as_inputs(self, *, is_short: bool = False) -> dict[str, Any]:
        """Return the keys that results depend on; the short form leaves defaults out."""
        return self.model_dump(exclude_defaults=is_short)
