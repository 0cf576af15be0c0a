"""Section [reset]: when the state of a deployed stream is set back."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from rnn_edge.spec.section import Section
from rnn_edge.types.resets import (
    MAX_FRAMES,
    MAX_SHIFT,
    MEASURE_OF_TASK,
    PolicyKind,
    ResetPolicy,
)

_KEYS: dict[PolicyKind, tuple[str, ...]] = {
    "never": (),
    "every": ("frames",),
    "quiet": ("level", "frames"),
    "decay": ("shift",),
}


class ResetSection(Section):
    """When the state of a stream is set back; each policy has keys of its own."""

    policy: PolicyKind = "never"
    """Never; "every" so many frames; after so many "quiet" frames in a row; or a steady "decay"."""

    frames: Annotated[int, Field(ge=1, le=MAX_FRAMES)] | None = None
    """Of "every": frames from reset to reset. Of "quiet": quiet frames in a row that reset."""

    level: Annotated[float, Field(ge=-100.0, le=100.0)] | None = None
    """Of "quiet": a frame is quiet if the mean of its normalised features is at most this; with
    task "anomaly" the mean of their sizes."""

    shift: Annotated[int, Field(ge=1, le=MAX_SHIFT)] | None = None
    """Of "decay": from step to step the state loses 1 / 2^shift of itself."""

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        own = _KEYS[self.policy]
        for key in ("frames", "level", "shift"):
            value = getattr(self, key)
            if key in own and value is None:
                raise ValueError(f'{key} is missing; expected with policy = "{self.policy}"')
            if key not in own and value is not None:
                users = " or ".join(f'"{name}"' for name, keys in _KEYS.items() if key in keys)
                raise ValueError(
                    f"{key} = {value}; expected with policy = {users} only, this one is "
                    f'"{self.policy}"'
                )
        return self

    def resolved(self, task: str) -> ResetPolicy:
        """Return the policy.

        Args:
            task: Of the model; it decides what a quiet frame is measured by.
        """
        return ResetPolicy(
            self.policy,
            self.frames or 0,
            self.level or 0.0,
            MEASURE_OF_TASK[task] if self.policy == "quiet" else "mean",
            self.shift or 0,
        )
