"""A whole spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from rnn_edge.spec.c import CSection
from rnn_edge.spec.data import KINDS_OF_TASK, DataSection
from rnn_edge.spec.detector import DetectorSection
from rnn_edge.spec.drift import DriftSection
from rnn_edge.spec.export import ExportSection
from rnn_edge.spec.features import KIND_OF_TASK, FeaturesSection, LogMelFeatures
from rnn_edge.spec.firmware import FirmwareSection
from rnn_edge.spec.messages import show
from rnn_edge.spec.model import MOST_UNITS, ModelSection
from rnn_edge.spec.quantize import QuantizeSection
from rnn_edge.spec.replay import ReplaySection
from rnn_edge.spec.reset import ResetSection
from rnn_edge.spec.section import Section
from rnn_edge.spec.training import AugmentSection, QatSection, StudentSection, TeacherSection
from rnn_edge.types.drift_measures import find_measure
from rnn_edge.types.resets import MEASURE_OF_TASK

_FEATURES_OF_TASK = {task: (kind,) for task, kind in KIND_OF_TASK.items()}
_SECTION_OF_TASK = {"augment": "kws", "detector": "anomaly"}

DEFAULT_RELEASE = 0.8
"""Of keywords."""

EMBEDDED_RATE_HZ = 16_000
"""Of the sound that the frozen embedding hears."""

STREAM_OF_TASK = {"kws": "kws_stream", "anomaly": "anomaly_stream"}
"""The replay stream that is used when a spec names none."""


class ModelSpec(Section):
    """Everything that a build depends on, besides the data itself.

    Sections that a task does not use are None.
    """

    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1
    """Seed of weights, orders and synthetic data."""

    model: ModelSection
    """What is built."""

    data: DataSection
    """Where the sequences come from."""

    features: FeaturesSection
    """What the model sees of the data."""

    augment: AugmentSection | None = None
    """Altered copies of training clips (task "kws")."""

    teacher: TeacherSection = TeacherSection()
    """The teacher."""

    student: StudentSection = StudentSection()
    """Training of the student."""

    qat: QatSection = QatSection()
    """Quantization-aware fine-tuning."""

    quantize: QuantizeSection = QuantizeSection()
    """Choice of scales."""

    reset: ResetSection = ResetSection()
    """When a deployed stream forgets."""

    export: ExportSection = ExportSection()
    """Which files are written."""

    c: CSection = CSection()
    """How the generated C trades flash, RAM and time."""

    firmware: FirmwareSection = FirmwareSection()
    """What the application of a device does around its model."""

    detector: DetectorSection | None = None
    """From residuals to alarms (task "anomaly")."""

    replay: ReplaySection
    """What the build is proven on."""

    drift: DriftSection = DriftSection()
    """How far the state of a stream may drift."""

    @property
    def release(self) -> float:
        """Part of the threshold at which a detection or an alarm ends."""
        if self.detector is not None:
            return self.detector.release
        return DEFAULT_RELEASE if self.firmware.release is None else self.firmware.release

    @model_validator(mode="before")
    @classmethod
    def _fill_for_task(cls, values: Any) -> Any:  # noqa: ANN401 - not yet validated
        """Give every section that the task uses its defaults."""
        model = values.get("model") if isinstance(values, dict) else None
        task = model.get("task") if isinstance(model, dict) else None
        if task not in KIND_OF_TASK:
            return values
        # Before their keys are checked: those of another kind are all unknown here.
        _check_kind(values, "data", KINDS_OF_TASK, task)
        _check_kind(values, "features", _FEATURES_OF_TASK, task)
        filled = {"features": {"kind": KIND_OF_TASK[task]}, "replay": {}, **values}
        for name, owner in _SECTION_OF_TASK.items():
            if owner == task:
                filled.setdefault(name, {})
        if task == "anomaly":
            _move_release(filled)
        if isinstance(filled["replay"], dict):
            filled["replay"] = {"stream": STREAM_OF_TASK[task], **filled["replay"]}
        return filled

    @model_validator(mode="after")
    def _check_task(self) -> Self:
        task = self.model.task
        for name, owner in _SECTION_OF_TASK.items():
            if owner != task and getattr(self, name) is not None:
                raise ValueError(
                    f'[{name}] is for model.task = "{owner}"; this model\'s task is "{task}"'
                )
        if task != "kws" and self.firmware.false_accepts_per_hour is not None:
            raise ValueError(
                'firmware.false_accepts_per_hour is for model.task = "kws"; alarms follow '
                "[detector]"
            )
        level = self.reset.level
        if level is not None and level < 0.0 and MEASURE_OF_TASK[task] == "magnitude":
            raise ValueError(
                f'reset.level = {level}; expected from 0 to 100 with model.task = "{task}": '
                "it is compared with sizes"
            )
        return self

    @model_validator(mode="after")
    def _check_embedding(self) -> Self:
        """Refuse an embedding of what it was not made for."""
        if self.teacher.kind != "embedding":
            if self.student.embedding_weight > 0.0:
                raise ValueError(
                    f"student.embedding_weight = {self.student.embedding_weight:g} with "
                    f'teacher.kind = "{self.teacher.kind}"; only teacher.kind = "embedding" hears '
                    "embeddings"
                )
            return self
        if not isinstance(self.features, LogMelFeatures):
            raise ValueError(
                'teacher.kind = "embedding" is for model.task = "kws"; this model\'s task is '
                f'"{self.model.task}"'
            )
        if self.features.sample_rate_hz != EMBEDDED_RATE_HZ:
            raise ValueError(
                f'teacher.kind = "embedding" hears sound at {EMBEDDED_RATE_HZ} Hz; '
                f"features.sample_rate_hz = {self.features.sample_rate_hz}"
            )
        return self

    @model_validator(mode="after")
    def _check_local(self) -> Self:
        """Refuse stretches that do not fit the bands, and copies that would not stay equal."""
        if self.model.local_units and self.quantize.rounding == "compensated":
            raise ValueError(
                f'quantize.rounding = "compensated" with model.local_units = '
                f'{show(self.model.local_units)}; expected "nearest": each copy of a shared weight '
                "would be rounded by itself"
            )
        if not isinstance(self.features, LogMelFeatures):
            return self
        heard, what, of = self.features.bands, "bands", 1
        keys = zip(
            self.model.local_units, self.model.local_width, self.model.local_step, strict=True
        )
        for units, width, step in keys:
            count = heard // of
            if width >= count or step > width or (count - width) % step:
                raise ValueError(
                    f"model.local_width has {width}, model.local_step {step} for {count} {what}; "
                    f"expected a width below {count} with {count} = width + a multiple of a step "
                    "of at most the width"
                )
            heard, what, of = ((count - width) // step + 1) * units, "stretches", units
            if heard > MOST_UNITS:
                raise ValueError(
                    f"model.local_units has {units} for {heard // units} stretches, {heard} "
                    f"together; expected at most {MOST_UNITS}"
                )
        return self

    @model_validator(mode="after")
    def _check_budget(self) -> Self:
        """Refuse limits for states that the model does not have: they would never be measured."""
        cells = enumerate(self.model.all_cells)
        states = [f"{s}{k}" for k, cell in cells for s in ("hc" if cell == "lstm" else "h")]
        for key, limits in (
            ("budget", self.drift.limits()),
            ("budget_vs_baseline", self.drift.limits_vs_baseline()),
        ):
            for name in limits:
                _, tensor = find_measure(name)
                if tensor not in ("", "y", *states):
                    raise ValueError(
                        f"drift.{key}: {name}; the model has no state {tensor}, known are "
                        f"{', '.join(states)}"
                    )
        return self


def _move_release(values: dict[str, Any]) -> None:
    """Take over where alarms end from the section that once said it for both tasks."""
    firmware, detector = values.get("firmware"), values["detector"]
    if not isinstance(firmware, dict) or "release" not in firmware:
        return
    release = firmware["release"]
    if not isinstance(detector, dict) or detector.get("release", release) != release:
        raise ValueError(
            f"firmware.release = {show(release)}; expected detector.release alone with "
            'model.task = "anomaly"'
        )
    values["firmware"] = {key: value for key, value in firmware.items() if key != "release"}
    values["detector"] = {**detector, "release": release}


def _check_kind(
    values: dict[str, Any], section: str, kinds: Mapping[str, tuple[str, ...]], task: str
) -> None:
    """Refuse a kind of data or features that is for the other task."""
    table = values.get(section)
    kind = table.get("kind") if isinstance(table, dict) else None
    owner = next((name for name, own in kinds.items() if kind in own), task)
    if owner != task:
        listed = " or ".join(f'"{each}"' for each in kinds[task])
        raise ValueError(
            f'{section}.kind = "{kind}"; expected {listed} with model.task = "{task}"; '
            f'"{kind}" is for model.task = "{owner}"'
        )
