"""Section [model]: what is built."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from rnn_edge.spec.section import Section

Hidden = Annotated[int, Field(ge=1, le=512)]
Layers = Annotated[int, Field(ge=1, le=4)]
CellName = Literal["gru", "lstm"]
TaskName = Literal["kws", "anomaly"]

C_IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"

LIBRARY_PREFIX = "rnn_edge"
"""Prefix of the kernel library's symbols and files."""


class ModelSection(Section):
    """What is built."""

    name: Annotated[str, Field(pattern=C_IDENTIFIER, max_length=40)]
    """Prefix of every C symbol and name of the exported files; a C identifier."""

    task: TaskName
    """Classify sounds ("kws") or forecast sensor channels and score the error ("anomaly")."""

    cell: CellName = "gru"
    """The recurrent cell."""

    hidden: Hidden
    """Units of each layer."""

    layers: Layers = 1
    """Recurrent layers."""

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        """Refuse before any training what the exported C could not name."""
        if name.startswith(("_", f"{LIBRARY_PREFIX}_")) or name == LIBRARY_PREFIX:
            raise ValueError(
                f'"{name}" is reserved; expected a name that begins neither with an underscore, '
                f'which belongs to C, nor with "{LIBRARY_PREFIX}", which belongs to the kernels'
            )
        return name
