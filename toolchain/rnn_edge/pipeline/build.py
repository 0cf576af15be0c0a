"""The main job: from a spec to a proven bundle, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from rnn_edge.data.mixtures import MixtureConfig
from rnn_edge.errors import BundleError
from rnn_edge.evaluation.anomaly import require_scored
from rnn_edge.evaluation.baselines.judging import available_baselines, save_baselines
from rnn_edge.exporters import tflite_w8a8
from rnn_edge.exporters.base import ExportSource
from rnn_edge.features.description import describe
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline import formats, material, measure, pool, training
from rnn_edge.pipeline.bundle import BASELINES, STAGES, Bundle, detector_file, publish
from rnn_edge.pipeline.card import card_inputs, card_of
from rnn_edge.pipeline.detections import DETECTIONS, kept_limits
from rnn_edge.pipeline.device_gate import refuse_before_training, refuse_unfit
from rnn_edge.pipeline.files import explained, read_json, write_bytes, write_json
from rnn_edge.pipeline.input_reference import INPUT_REFERENCE, write_reference
from rnn_edge.pipeline.inputs import are_those, as_json
from rnn_edge.pipeline.place import before, output_folder
from rnn_edge.pipeline.proof import (
    engine_source,
    proof_json,
    prove,
    refuse_differences,
    replay_stream,
)
from rnn_edge.pipeline.recordings import reads_recordings
from rnn_edge.pipeline.reporting import assemble_report
from rnn_edge.pipeline.requirements import require_everything
from rnn_edge.pipeline.stages import RECORD, StageOutput, StageStore
from rnn_edge.pipeline.streaming import calibrated, stream_dataset
from rnn_edge.pipeline.versions import code_digest, firmware_digest, package_versions
from rnn_edge.pipeline.w8a8 import measure_fused
from rnn_edge.report import render_report
from rnn_edge.spec import DeviceSpec, ModelSpec, load_stream, resolved_toml
from rnn_edge.types import AudioDataset, FloatModel, QuantizedModel
from rnn_edge.types.frames import FrameSet
from rnn_edge.types.offsets import NEXT_FRAME

ORDER = ("data", "teacher", "student", "baseline", "quantize", "export", "prove", "report")
"""Stages in order; "baseline" is the student trained without its teacher."""

LEARNED = ("data", "teacher", "student", "baseline", "quantize")
"""Stages that make the model; the later ones translate, prove and describe it."""

STAGE_FORMAT = 1
"""Raised when the files of a stage change their form, so that older ones are made anew."""

UNASKED: Mapping[str, tuple[str, ...]] = {"teacher": ("detector",)}
"""Inputs that were recorded of a stage although it does not depend on them."""

SPEC = "spec.toml"

Progress = Callable[[str, int, int, Mapping[str, float]], None]

_RUNNING = ("replay", "reference", "quantize", "fixedpoint", "cells", "types")
_EXPORTING = ("exporters", "features", "cells", "fixedpoint", "quantize", "reference", "types")
_LEARNING = ("train", "cells", "fixedpoint", "quantize", "reference", "types")


def build_bundle(
    spec: ModelSpec,
    out: Path,
    *,
    progress: Progress,
    until: str | None = None,
    again: bool = False,
    may_learn: bool = True,
    device: DeviceSpec | None = None,
) -> Bundle:
    """Build a spec into a bundle; finished stages of an earlier try are kept.

    Args:
        spec: What to build.
        out: Folder of the bundle; made if it is not there.
        progress: Told (stage, step, total, metrics).
        until: Last stage of `ORDER`; None for all of them.
        again: The spec comes from the bundle in ``out``: what that bundle learned is kept as
            long as its inputs are the same, whatever versions of packages it was learned with.
        may_learn: Whether a stage that learns may be run; else the build refuses to.
        device: What the model has to fit; None for anything.

    Raises:
        ModelError: If it does not fit the device, before it is trained where that is known then.
        RnnEdgeError: If the data, the spec or the machine do not allow it, or if two engines
            that must give the same bits do not.
    """
    last = until or ORDER[-1]
    if last not in ORDER:
        raise ValueError(f"{last!r} is not a stage; expected one of {ORDER}")
    if "commissioned" in before(out):
        raise BundleError(
            f"Bundle {out} was commissioned for one machine; a build would set it back to what the "
            "spec says.",
            "build into another folder with --out, and commission that",
        )
    # What is wrong or missing is told now, not after the training.
    formats.refuse_unfit(spec)
    material.require_place(data_place(spec))
    material.require_place(pool.noise_place(spec))
    wanted = ORDER[: ORDER.index(last) + 1]
    held = before(out) if again else {}
    require_everything(spec, [n for n in wanted if n not in held.get("stages", ())])
    with output_folder(out):
        store = StageStore(out / STAGES)
        with store.locked():
            build = _Build(spec, out, store, progress, again=again, may_learn=may_learn)
            return build.run(last, device)


def data_place(spec: ModelSpec) -> Path | None:
    """Return where the data of a spec lies; None if it makes its own, or names no place."""
    return None if spec.data.place is None else Path(spec.data.place)


class _Build:
    """One run over the stages."""

    def __init__(
        self,
        spec: ModelSpec,
        out: Path,
        store: StageStore,
        progress: Progress,
        *,
        again: bool,
        may_learn: bool,
    ) -> None:
        self._spec = spec
        self._out = out
        self._store = store
        self._progress = progress
        self._before = before(out)
        self._again = again
        self._may_learn = may_learn
        self._done: dict[str, StageOutput] = {}

    def run(self, last: str, device: DeviceSpec | None) -> Bundle:
        """Run the stages up to ``last`` and publish what they made, if it fits a device."""
        if self._changes_spec():
            self._refuse_to_shorten(last)
        stages = {
            "data": self._data,
            "teacher": self._teacher,
            "student": self._student,
            "baseline": self._baseline,
            "quantize": self._quantize,
            "export": self._export,
            "prove": self._prove,
            "report": self._report,
        }
        for name in ORDER[: ORDER.index(last) + 1]:
            self._progress(name, 0, 1, {})
            stages[name]()
            self._progress(name, 1, 1, {"kept": float(self._done[name].was_kept)})
            if device is not None and name == "data":
                refuse_before_training(self._spec, self._frames(), self._front_end(), device)
            if device is not None and name == "export":
                exports, model = self._folder(name), self._models()[1]
                refuse_unfit(self._spec, model, exports, self._front_end(), device)
        last = self._keep_later(last)
        self._refuse_to_shorten(last)
        bundle = publish(self._out, self._files(), self._facts(last))
        self._store.prune(list(self._done.values()))
        return bundle

    def _keep_later(self, last: str) -> str:
        """Take over later stages of a finished bundle whose earlier ones have not changed.

        They were made by the spec of that bundle, so that it must be this one in every word.

        Returns:
            The last stage that the bundle now holds.
        """
        before = self._before.get("stages", {})
        if not before or self._changes_spec():
            return last
        if not all(self._is_as_before(stage) for stage in self._done.values()):
            return last
        for name in ORDER[ORDER.index(last) + 1 :]:
            kept = self._store.find(name, str(before.get(name, "")))
            if kept is None:
                break
            self._done[name], last = kept, name
        return last

    def _is_as_before(self, stage: StageOutput) -> bool:
        """Return whether the bundle that is there has the same output of a stage."""
        folder = str(self._before["stages"].get(stage.name, ""))
        if folder == stage.folder.name:
            return True
        found = self._store.find(stage.name, folder)
        return found is not None and found.digest == stage.digest

    def _changes_spec(self) -> bool:
        """Return whether the bundle that is there was built by another spec."""
        if not self._before:
            return False
        try:
            return (self._out / SPEC).read_text() != resolved_toml(self._spec)
        except (OSError, ValueError):
            return True

    def _refuse_to_shorten(self, last: str) -> None:
        """Refuse to take results out of a finished bundle because an earlier stage is new."""
        until = self._before.get("until")
        if until in ORDER and ORDER.index(until) > ORDER.index(last):
            lost = ", ".join(ORDER[ORDER.index(last) + 1 : ORDER.index(until) + 1])
            raise BundleError(
                f"Bundle {self._out} holds all stages up to {until}; stopping at {last} with other "
                f"settings or versions would take away {lost}.",
                "choose another folder with --out, or make all of it anew with: rnn-edge build",
            )

    def _learned(self, name: str, inputs: Mapping[str, object]) -> StageOutput | None:
        """Return what the bundle that is built again has learned from the same inputs, if it has.

        Packages and code may have changed since: a model that was trained and proven does not
        get worse by that, and who exports it on another machine may not be able to train.
        """
        folder = self._before.get("stages", {}).get(name)
        if not self._again or name not in LEARNED or folder is None:
            return None
        kept = self._store.find(name, str(folder))
        if kept is None:
            return None
        record = read_json(kept.folder / RECORD)["inputs"]
        recorded = {k: v for k, v in record["inputs"].items() if k not in UNASKED.get(name, ())}
        if record.get("format") != STAGE_FORMAT or not are_those(recorded, inputs):
            return None
        return kept

    def _run(
        self, name: str, inputs: Mapping[str, object], make: Callable[[Path], None], *code: str
    ) -> None:
        depends = {
            "format": STAGE_FORMAT,
            "inputs": as_json(inputs),
            "versions": package_versions(),
            "code": code_digest((*code, "pipeline")),
        }
        kept = self._learned(name, inputs)
        if kept is None and name in LEARNED and not self._may_learn:
            raise BundleError(
                f"Bundle {self._out}: stage {name} was made from other inputs than those of today; "
                "expected the same ones, since nothing is to be trained.",
                f"rnn-edge build {self._out}",
            )
        self._done[name] = kept or self._store.run(name, depends, make)

    def _folder(self, name: str) -> Path:
        return self._done[name].folder

    def _digests(self, *names: str) -> dict[str, object]:
        return {name: self._done[name].digest for name in names}

    def _steps(self, name: str) -> Callable[[int, int], None]:
        return lambda done, total: self._progress(name, done, total, {})

    def _frames(self) -> FrameSet:
        return FrameSet.load(self._folder("data") / material.FRAMES)

    def _data(self) -> None:
        spec = self._spec
        place = data_place(spec)
        # Recordings that are added may have been left out on purpose, unless nobody could say so.
        may_keep = hasattr(spec.data, "path") or (self._again and hasattr(spec.data, "recordings"))
        kept = self._kept_data() if place is None and may_keep else None
        if kept is not None:
            self._done["data"] = kept
            return
        needed = {
            "train": "training",
            "validation": "choosing the best weights",
            load_stream(spec.replay.stream, spec.model.task).split: "the replay stream",
        }

        def make(folder: Path) -> None:
            dataset = material.read_dataset(spec, place)
            items = dataset.clips if isinstance(dataset, AudioDataset) else dataset.recordings
            material.require_parts((item.split for item in items), needed)
            material.make_frames(spec, dataset, folder, self._steps("data"))

        inputs = {**self._data_inputs(), "content": material.fingerprint(place)}
        noise = pool.noise_place(spec)
        if noise is not None:
            inputs["noise"] = material.fingerprint(noise)
        self._run("data", inputs, make, "data", "features", "train", "types")
        # Kept frames may have been made for another stream.
        frames = self._frames()
        material.require_parts((s.split for s in frames.sequences), needed)
        if spec.model.task == "anomaly":
            normal = list(frames.part("validation"))
            require_scored(training.detector_config(spec), spec.model.offsets, normal)

    def _data_inputs(self) -> dict[str, object]:
        spec = self._spec
        inputs: dict[str, object] = {
            "data": spec.data,
            "kind": spec.data.kind,
            "features": spec.features,
            "augment": spec.augment,
            "seed": spec.seed,
        }
        # Of no other teacher, so that frames made without one stay as they are.
        return {**inputs, "embedded": True} if spec.teacher.kind == "embedding" else inputs

    def _kept_data(self) -> StageOutput | None:
        """Return the frames that an earlier build of this bundle made, if they are still there.

        A bundle does not say where its data lies, so that it can be moved; the stage does.
        """
        name = str(self._before.get("stages", {}).get("data", ""))
        kept = self._store.find("data", name)
        if kept is None:
            return None
        recorded = read_json(kept.folder / RECORD)["inputs"]["inputs"]
        # What the recordings hold is not known without them.
        inputs = {**self._data_inputs(), "content": recorded["content"]}
        if pool.noise_place(self._spec) is None and "noise" in recorded:
            inputs["noise"] = recorded["noise"]
        return kept if are_those(recorded, inputs) else None

    def _teacher(self) -> None:
        spec = self._spec
        inputs = {
            **self._digests("data"),
            "teacher": spec.teacher,
            "task": spec.model.task,
            "sequence": training.sequence_frames(spec),
            "seed": spec.seed,
        }
        if spec.model.offsets != NEXT_FRAME:
            inputs["offsets"] = list(spec.model.offsets)

        def make(folder: Path) -> None:
            training.make_teacher(
                spec, self._frames(), self._folder("data"), folder, self._progress
            )

        self._run("teacher", inputs, make, *_LEARNING, "evaluation")

    def _student_inputs(self) -> dict[str, object]:
        spec = self._spec
        return {
            **self._digests("data"),
            "model": spec.model,
            "student": spec.student,
            "sequence": training.sequence_frames(spec),
            "seed": spec.seed,
        }

    def _student(self) -> None:
        def make(folder: Path) -> None:
            training.make_student(
                self._spec,
                self._frames(),
                self._folder("data"),
                self._folder("teacher"),
                folder,
                self._progress,
            )

        inputs = {**self._student_inputs(), **self._digests("teacher")}
        self._run("student", inputs, make, *_LEARNING)

    def _baseline(self) -> None:
        def make(folder: Path) -> None:
            training.make_student(
                self._spec, self._frames(), self._folder("data"), None, folder, self._progress
            )

        self._run("baseline", self._student_inputs(), make, *_LEARNING)

    def _quantize(self) -> None:
        spec = self._spec
        inputs = {
            **self._digests("data", "teacher", "student"),
            "qat": spec.qat,
            "quantize": spec.quantize,
            "seed": spec.seed,
        }

        def make(folder: Path) -> None:
            training.make_quantized(
                spec,
                self._frames(),
                self._folder("data"),
                self._folder("teacher"),
                self._folder("student"),
                folder,
                self._progress,
            )

        self._run("quantize", inputs, make, *_LEARNING, "replay")

    def _models(self) -> tuple[FloatModel, QuantizedModel]:
        folder = self._folder("quantize")
        return (
            FloatModel.load(folder / training.FLOAT_MODEL),
            QuantizedModel.load(folder / training.MODEL),
        )

    def _front_end(self) -> FrontEnd:
        return FrontEnd.load(self._folder("data") / material.FRONT_END)

    def _export(self) -> None:
        def make(folder: Path) -> None:
            float_model, model = self._models()
            front_end = self._front_end()
            spans = None
            if self._spec.export.also:
                spans = formats.calibrated_spans(self._spec, self._frames(), float_model)
            source = ExportSource(
                float_model,
                model,
                describe(front_end),
                spans,
                self._spec.reset.resolved(self._spec.model.task),
                self._spec.c.choices(),
            )
            exporters = formats.chosen_exporters(self._spec)
            for k, exporter in enumerate(exporters):
                self._progress("export", k, len(exporters), {})
                exporter.export(source, folder)

        inputs = {
            **self._digests("data", "quantize"),
            "firmware": firmware_digest(),
            "also": list(self._spec.export.also),
            "reset": self._spec.reset,
            "c": self._spec.c,
            "calibration": self._spec.quantize if self._spec.export.also else None,
        }
        self._run("export", inputs, make, *_EXPORTING)

    def _prove(self) -> None:
        spec = self._spec
        stream = load_stream(spec.replay.stream, spec.model.task)

        def make(folder: Path) -> None:
            float_model, model = self._models()
            x = replay_stream(self._frames(), stream, float_model, model)
            work = folder / "work"
            source = engine_source(float_model, model, self._folder("export"), work)
            parity, agreement = prove(
                source,
                x,
                spec.replay.engines,
                lambda name, k, n: self._progress(f"prove {name}", k, n, {}),
            )
            refuse_differences(parity, agreement)
            write_json(folder / "proof.json", proof_json(parity, agreement))
            _remove_tree(work)

        inputs = {
            **self._digests("data", "quantize", "export"),
            "stream": stream,
            "engines": list(spec.replay.engines),
        }
        self._run("prove", inputs, make, *_RUNNING, "engines")

    def _report(self) -> None:
        spec = self._spec
        stream = load_stream(spec.replay.stream, spec.model.task)

        def make(folder: Path) -> None:
            frames = self._frames()
            x = replay_stream(frames, stream, *self._models())
            is_anomaly = spec.model.task == "anomaly"
            judged = measure.fit_baselines(spec, frames) if is_anomaly else []
            measured = measure.measure_models(
                spec,
                frames,
                x,
                {name: self._folder(name) for name in self._done},
                judged,
                self._steps("report"),
            )
            if tflite_w8a8.NAME in spec.export.also:
                source = engine_source(*self._models(), self._folder("export"), folder / "work")
                measured["fused"] = measure_fused(source, x)
                _remove_tree(folder / "work")
            if is_anomaly:
                save_baselines(judged, folder / BASELINES)
                fitted = measure.fit_detectors(spec, frames, self._folder("quantize"))
                for name, detector in fitted.items():
                    detector.save(folder / detector_file(name))
            report = assemble_report(
                spec, measured, {name: self._folder(name) for name in self._done}
            )
            write_json(folder / "report.json", report)
            write_bytes(folder / "report.html", render_report(report).encode())

        inputs = {
            **self._digests("data", "teacher", "student", "baseline", "quantize", "export"),
            **self._digests("prove"),
            "stream": stream,
            "engines": list(spec.replay.engines),
            "detector": spec.detector,
            "baselines": [kind.name for kind in available_baselines()[0]],
            "card": card_inputs(spec),
        }
        self._run("report", inputs, make, *_RUNNING, "engines", "evaluation", "report")

    def _files(self) -> dict[str, Path]:
        """Return the bundle's files and where they come from."""
        files: dict[str, Path] = {}
        chosen = {
            "data": {"front_end.npz": material.FRONT_END, "data.json": material.DATA},
            "teacher": {"teacher.npz": training.TEACHER},
            "student": {"student.npz": training.STUDENT},
            "baseline": {"student_without_teacher.npz": training.STUDENT},
            "quantize": {
                name: name
                for name in (
                    training.FLOAT_MODEL,
                    training.MODEL,
                    training.AFTER_TRAINING,
                    training.QUANTIZATION,
                )
            },
            "prove": {"proof.json": "proof.json"},
            "report": {name: name for name in self._report_files()},
        }
        for stage, names in chosen.items():
            if stage in self._done:
                for name, source in names.items():
                    files[name] = self._folder(stage) / source
        if "export" in self._done:
            root = self._folder("export")
            for path in root.rglob("*"):
                if path.is_file() and path.name != RECORD:
                    files[f"exports/{path.relative_to(root).as_posix()}"] = path
        if "data" in self._done:
            # No part of the stage, so that the stages of earlier versions are good for it.
            files[INPUT_REFERENCE] = self._out / STAGES / INPUT_REFERENCE
            write_reference(self._done["data"], files[INPUT_REFERENCE])
        if "quantize" in self._done and self._spec.model.task == "kws" and self._limits():
            files[DETECTIONS] = self._out / STAGES / DETECTIONS
        if "report" in self._done:
            limits = files.get(DETECTIONS)
            files |= card_of(self._out / STAGES, self._folder("report"), limits)
        spec_file = self._out / STAGES / SPEC
        with explained(f"Writing {spec_file}"):
            write_bytes(spec_file, resolved_toml(self._spec).encode())
        files[SPEC] = spec_file
        missing = [name for name, path in files.items() if not path.is_file()]
        if missing:
            raise BundleError(f"Stage files are gone: {', '.join(missing)}.", "build again")
        return files

    def _limits(self) -> bool:
        """Choose the limits of keywords where a rate is wanted; return whether there are any.

        They are no stage either: they are chosen on sound, which stages do not hold, and those that
        a finished bundle was given stay with it as long as its model does.
        """
        spec, folder = self._spec, self._out / STAGES
        model = self._models()[1]
        kept, wanted = kept_limits(folder, model), spec.firmware.false_accepts_per_hour
        if wanted is None or (kept is not None and kept.per_hour == wanted):
            return kept is not None
        place = data_place(spec)
        if place is None and reads_recordings(spec):
            raise BundleError(
                f"Bundle {self._out}: firmware.false_accepts_per_hour = {wanted:g} is chosen on "
                "recordings, and no place of them is known.",
                "name it with --data",
            )
        self._progress("detections", 0, 1, {})
        features = FrontEnd.load(self._folder("data") / material.FRONT_END)
        dataset = stream_dataset(spec, features, model.labels, place)
        limits = calibrated(spec, features, model, dataset, (), wanted, MixtureConfig())
        with explained(f"Writing {folder / DETECTIONS}"):
            write_json(folder / DETECTIONS, limits.to_json())
        self._progress("detections", 1, 1, {})
        return True

    def _report_files(self) -> list[str]:
        names = ["report.json", "report.html"]
        if self._spec.model.task == "anomaly":
            names += [detector_file(measure.FLOAT), detector_file(measure.INT8), BASELINES]
        return names

    def _facts(self, last: str) -> dict[str, object]:
        return {
            "name": self._spec.model.name,
            "until": last,
            "seed": self._spec.seed,
            "versions": package_versions(),
            "stages": {name: stage.folder.name for name, stage in self._done.items()},
            "made_with": self._other_versions(),
        }

    def _other_versions(self) -> dict[str, object]:
        """Return the versions of the stages that were not made with those of today."""
        recorded = {
            name: read_json(stage.folder / RECORD)["inputs"]["versions"]
            for name, stage in self._done.items()
        }
        return {name: found for name, found in recorded.items() if found != package_versions()}


def _remove_tree(folder: Path) -> None:
    """Remove what the engines built; a proof holds numbers only."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
