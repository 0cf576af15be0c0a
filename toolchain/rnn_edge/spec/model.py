"""Section [model]: what is built."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rnn_edge.spec.section import Section

Hidden = Annotated[int, Field(ge=1, le=512)]
Layers = Annotated[int, Field(ge=1, le=4)]
CellName = Literal["gru", "lstm"]
TaskName = Literal["kws", "anomaly"]

C_IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"


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
