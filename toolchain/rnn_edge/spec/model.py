"""Section [model]: what is built."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from rnn_edge.spec.messages import TAG, show
from rnn_edge.spec.section import Section
from rnn_edge.types import INSTEAD_OF_BIDIRECTIONAL, NOT_BIDIRECTIONAL
from rnn_edge.types.local import LocalLayer
from rnn_edge.types.names import IDENTIFIER, MAX_LENGTH, reserved
from rnn_edge.types.offsets import FARTHEST, MOST_OFFSETS, NEXT_FRAME

MOST_UNITS = 512
"""Of one layer."""
Hidden = Annotated[int, Field(ge=1, le=MOST_UNITS)]
MAX_LAYERS = 4
Layers = Annotated[int, Field(ge=1, le=MAX_LAYERS)]
MOST_LOCALS = 3
Locals = Annotated[
    tuple[Annotated[int, Field(ge=1, le=MOST_UNITS)], ...], Field(max_length=MOST_LOCALS)
]
CellName = Literal["gru", "gru_reset_before", "lstm", "rnn"]
CellNames = Annotated[
    Annotated[CellName, Tag(f"{TAG}name")]
    | Annotated[
        tuple[CellName, ...], Field(min_length=1, max_length=MAX_LAYERS), Tag(f"{TAG}list")
    ],
    Discriminator(lambda value: f"{TAG}list" if isinstance(value, list | tuple) else f"{TAG}name"),
]
Offset = Annotated[int, Field(ge=-FARTHEST, le=FARTHEST)]
Offsets = Annotated[tuple[Offset, ...], Field(min_length=1, max_length=MOST_OFFSETS)]
TaskName = Literal["kws", "anomaly"]
HeadName = Literal["linear", "softmax", "argmax"]


class ModelSection(Section):
    """What is built."""

    name: Annotated[str, Field(pattern=IDENTIFIER, max_length=MAX_LENGTH)]
    """Prefix of every C symbol and name of the exported files; a C identifier. With another name
    the student is trained again, to the same weights."""

    task: TaskName
    """Classify sounds ("kws") or forecast or reconstruct sensor channels and score the error
    ("anomaly")."""

    cell: CellNames = "gru"
    """The recurrent cell; a list names the cell of each layer, from input to output."""

    hidden: Hidden
    """Units of each layer."""

    layers: Layers = 1
    """Recurrent layers; a list of cells says how many by itself."""

    local_units: Locals = ()
    """Local layers before the others (task "kws"), of so many units for each stretch of bands, with
    the same weights for every stretch. All units of a layer are 512 at most."""

    local_width: Locals = ()
    """Bands of a stretch; of a second layer, stretches of the first one."""

    local_step: Locals = ()
    """From one stretch to the next; the last one has to end with the last band or stretch."""

    head: HeadName = "linear"
    """Outputs as they are, as probabilities, or as they are with the index of the greatest."""

    offsets: Offsets = NEXT_FRAME
    """Which frames the outputs stand for, from the newest (task "anomaly"): [1] forecasts the next,
    [1, 2, 3, 4] four of them, [0, -1, -2, -3] is an autoencoder of the last four."""

    @property
    def cells(self) -> tuple[CellName, ...]:
        """The cell of each layer, from input to output."""
        return self.cell if isinstance(self.cell, tuple) else (self.cell,) * self.layers

    @property
    def locals(self) -> tuple[LocalLayer, ...]:
        """The layers whose weights are shared along the bands, of the first other layer's cell."""
        heard = (1, *self.local_units)
        return tuple(
            LocalLayer(self.cells[0], units, width * before, step * before)
            for before, units, width, step in zip(
                heard, self.local_units, self.local_width, self.local_step, strict=False
            )
        )

    @property
    def all_cells(self) -> tuple[CellName, ...]:
        """The cell of each layer of the built model, local ones included."""
        return (*(layer.kind for layer in self.locals), *self.cells)

    @model_validator(mode="before")
    @classmethod
    def _refuse_bidirectional(cls, values: Any) -> Any:  # noqa: ANN401 - not yet validated
        """Say why before anything else is said: such a key or name is unknown here."""
        if not isinstance(values, dict):
            return values
        asked = values.get("cell")
        names = asked if isinstance(asked, list | tuple) else [asked]
        if any(isinstance(name, str) and name.lower().startswith("bi") for name in names):
            key = f"cell = {show(asked)}"
        elif values.get("bidirectional", False) is not False:
            key = f"bidirectional = {show(values['bidirectional'])}"
        else:
            return values
        raise ValueError(f"{key}; {NOT_BIDIRECTIONAL}. Instead: {INSTEAD_OF_BIDIRECTIONAL}")

    @model_validator(mode="before")
    @classmethod
    def _count_layers(cls, values: Any) -> Any:  # noqa: ANN401 - not yet validated
        if not isinstance(values, dict) or not isinstance(values.get("cell"), list | tuple):
            return values
        # A list of another length is refused as such, and not once more by its number of layers.
        if 1 <= len(values["cell"]) <= MAX_LAYERS:
            return {"layers": len(values["cell"]), **values}
        return values

    @model_validator(mode="after")
    def _check_head(self) -> Self:
        if self.head != "linear" and self.task != "kws":
            raise ValueError(
                f'head = "{self.head}"; expected "linear" with task = "{self.task}", whose outputs '
                "are a forecast"
            )
        return self

    @model_validator(mode="after")
    def _check_local(self) -> Self:
        if self.local_units and self.task != "kws":
            raise ValueError(
                f'local_units = {show(self.local_units)} with task = "{self.task}"; only bands of '
                "sound lie in an order"
            )
        if self.local_units and self.cells[0] == "lstm":
            raise ValueError(
                f'local_units = {show(self.local_units)} with cell = "lstm"; expected "gru", '
                '"gru_reset_before" or "rnn", whose state is one vector'
            )
        if not len(self.local_units) == len(self.local_width) == len(self.local_step):
            raise ValueError(
                f"local_units = {show(self.local_units)}, local_width = {show(self.local_width)}, "
                f"local_step = {show(self.local_step)}; expected one of each for every local layer"
            )
        return self

    @model_validator(mode="after")
    def _check_offsets(self) -> Self:
        if self.task != "anomaly" and self.offsets != NEXT_FRAME:
            raise ValueError(
                f'offsets = {show(self.offsets)} with task = "{self.task}"; only task = "anomaly" '
                "has them"
            )
        twice = [each for each in self.offsets if self.offsets.count(each) > 1]
        if twice:
            raise ValueError(f"offsets = {show(self.offsets)}; expected {twice[0]} once")
        return self

    @model_validator(mode="after")
    def _check_layers(self) -> Self:
        if len(self.cells) != self.layers:
            raise ValueError(
                f"layers = {self.layers}, cell = {show(self.cell)}; expected as many cells as "
                "layers, or no layers at all"
            )
        return self

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        """Refuse before any training what the exported C could not name."""
        reason = reserved(name)
        if reason:
            raise ValueError(f'"{name}" {reason}')
        return name
