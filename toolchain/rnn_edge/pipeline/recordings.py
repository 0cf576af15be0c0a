"""Other recordings than those of a build, read the way its model understands them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnn_edge.data.guess import guess_data
from rnn_edge.data.options import SILENCE_LABEL, UNKNOWN_LABEL
from rnn_edge.data.sensor_table import WRONG_COLUMNS
from rnn_edge.data.speech_commands import WRONG_WORDS
from rnn_edge.errors import DataError, SpecError, SplitError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.material import read_dataset, require_place
from rnn_edge.registry import known
from rnn_edge.spec import ModelSpec, SensorTableData, SpeechCommandsData
from rnn_edge.spec.load import validate
from rnn_edge.spec.overrides import apply_overrides
from rnn_edge.types import Dataset

READING_KEYS = {
    "speech-commands": ("on_bad_file",),
    "sensor-table": (
        "files", "delimiter", "label_columns", "anomalous_values", "ignore_columns",
        "time_column", "time_format", "gaps", "missing_values", "max_gap", "min_rows",
    ),
}  # fmt: skip
"""Keys of [data] that say how files are read, by kind: they change nothing of what the model's
inputs and classes mean."""

SPLIT_KEYS = {
    "speech-commands": ("split", "validation_share", "test_share", "allow_speaker_leak"),
    "sensor-table": (
        "split_by", "train_share", "validation_share", "head_rows", "train_files",
        "validation_files", "test_files", "normal_files", "validation_normal_only",
    ),
}  # fmt: skip
"""Keys that say which part of the recordings is test; without meaning where all of it is."""

USUAL_NAMES = ("files", "delimiter", "label_columns", "ignore_columns", "time_column",
               "time_format")  # fmt: skip
"""What is taken from the names and contents of tables where the spec describes none."""

FORM = "bring the recordings into the form of those of the build, which spec.toml in it describes"

ALL_OTHER_WORDS = {"unknown_share": 10.0, "unknown_train_share": 0.001}
"""Shares with which every clip of another word is read, but for those that a model learned from."""

_SETTING = re.compile(r'\b(\w+) = ("[^"]*"|\[\]|true|false|[\d.]+)((?: or "[^"]*")*)')


def reads_recordings(spec: ModelSpec) -> bool:
    """Whether a spec's data lies on disk; the other kinds make it."""
    return isinstance(spec.data, SpeechCommandsData | SensorTableData)


def read_recordings(
    spec: ModelSpec,
    features: FrontEnd,
    labels: Sequence[str],
    data: Path,
    overrides: Sequence[str] = (),
    *,
    whole: bool = False,
    is_settable: bool = True,
    is_normal: bool = False,
) -> Dataset:
    """Read recordings that a finished model is tried on.

    They have the layout of the spec's data; for a spec that makes its data, that of the recorded
    kind of the task. Channels and sample rate are those of the model.

    Args:
        spec: The resolved spec of the bundle.
        features: The front end of the bundle.
        labels: Classes of the model, empty for a model without.
        data: Folder or archive.
        overrides: ``data.key=value`` each, of `READING_KEYS` and `SPLIT_KEYS` alone.
        whole: Take all of the data, not only the part that the split calls test.
        is_settable: Whether who calls takes overrides, so that hints may advise them.
        is_normal: Whether tables hold normal operation alone: they may lack the columns of labels.

    Raises:
        SpecError: If an override is of another key, or has a wrong value.
        DataError: If the data cannot be read that way, with a hint that can be followed.
    """
    require_place(data)
    table = _recorded(spec, features, labels, data)
    kind = table["kind"]
    keys = (*READING_KEYS[kind], *(() if whole else SPLIT_KEYS[kind]))
    _check_keys(overrides, keys, kind)
    raw = spec.model_dump(exclude_none=True)
    raw["data"] = table
    raw = apply_overrides(raw, overrides)
    if whole:
        raw["data"] |= _all_test(kind)
    if is_normal and kind == "sensor-table":
        raw["data"]["normal_files"] = ("*",)
    used = validate(ModelSpec, raw, f"Data {data} with {' '.join(overrides) or 'the spec'}")
    try:
        return read_dataset(used, data)
    except DataError as error:
        if error.hint == WRONG_COLUMNS:
            hint = _columns_hint(spec, features, is_settable=is_settable)
            raise DataError(error.message, hint) from error
        if not is_settable:
            raise DataError(error.message, _plain_hint(error.hint)) from error
        lacks_part = isinstance(error, SplitError) and not whole
        raise DataError(error.message, _hint(error.hint, keys, lacks_part=lacks_part)) from error


def read_dataset_of(
    spec: ModelSpec, features: FrontEnd, labels: Sequence[str], data: Path | None
) -> Dataset:
    """Read the data of a keyword model with all other words that validation and test parts have.

    Args:
        spec: The resolved spec of the bundle.
        features: The front end of the bundle.
        labels: Classes of the model.
        data: Folder or archive; None for a spec that makes its data.

    Raises:
        DataError: If there is no data, or it cannot be read that way.
    """
    if data is None and not reads_recordings(spec):
        return read_dataset(spec, None)
    if data is None:
        raise DataError(
            "Data: the bundle was built with recordings, which it does not hold.",
            "name recordings with --data",
        )
    require_place(data)
    raw = spec.model_dump(exclude_none=True)
    raw["data"] = {**_recorded(spec, features, labels, data), **ALL_OTHER_WORDS}
    used = validate(ModelSpec, raw, f"Data {data}")
    try:
        return read_dataset(used, data)
    except DataError as error:
        raise DataError(error.message, _plain_hint(error.hint)) from error


def _recorded(
    spec: ModelSpec, features: FrontEnd, labels: Sequence[str], data: Path
) -> dict[str, Any]:
    """Return the [data] table of recordings for a model."""
    if spec.model.task == "kws":
        if isinstance(spec.data, SpeechCommandsData):
            return spec.data.model_dump(exclude={"path"})
        own = (UNKNOWN_LABEL, SILENCE_LABEL)
        keywords = tuple(label for label in labels if label not in own)
        absent = {
            key: 0.0
            for key, label in (("unknown_share", UNKNOWN_LABEL), ("silence_share", SILENCE_LABEL))
            if label not in labels
        }
        return {"kind": "speech-commands", "keywords": keywords, **absent}
    model = {"channels": features.channels, "sample_rate_hz": features.sample_rate_hz}
    if isinstance(spec.data, SensorTableData):
        return {**spec.data.model_dump(exclude={"path"}), **model}
    found = guess_data(data).table
    if found["kind"] != "sensor-table":
        raise DataError(f"Data {data} holds sound; expected tables of {known(features.channels)}.")
    usual = {key: found[key] for key in USUAL_NAMES if key in found}
    taken = {
        key: tuple(name for name in usual.get(key, ()) if name not in features.channels)
        for key in ("label_columns", "ignore_columns")
    }
    return {"kind": "sensor-table", **usual, **taken, **model}


def _all_test(kind: str) -> dict[str, Any]:
    """Return a split that puts everything into the test part."""
    if kind == "speech-commands":
        return {"split": "test"}
    return {
        "split_by": "recording",
        "head_rows": 0,
        "train_files": (),
        "validation_files": (),
        "test_files": ("*",),
    }


def _check_keys(overrides: Sequence[str], keys: Sequence[str], kind: str) -> None:
    for override in overrides:
        name = override.partition("=")[0].strip()
        section, _, key = name.partition(".")
        if section != "data" or key not in keys:
            raise SpecError(
                f"Option --set: {name}; expected a key that leaves the model's inputs and classes "
                f"as they were trained: {known([f'data.{each}' for each in keys])} ({kind}).",
                "what a model sees is fixed when it is built: build another one to change it",
            )


def _columns_hint(spec: ModelSpec, features: FrontEnd, *, is_settable: bool) -> str:
    """Return what to do with tables that lack a channel: no split and no --all gives it."""
    hint = (
        f"the bundle wants {len(features.channels)} channels of these names, in any order: rename "
        "the columns"
    )
    if is_settable:
        return f"{hint}, or say how they are separated with --set 'data.delimiter=\";\"'"
    if isinstance(spec.data, SensorTableData):
        return f"{hint}, or separate them with {spec.data.delimiter!r}, as in the bundle's spec"
    # A bundle without tables of its own takes the delimiter from the file.
    return hint


def _plain_hint(hint: str) -> str:
    """Return a hint about a spec for who can set none of its keys."""
    if hint == WRONG_WORDS:
        return "name data with recordings of every keyword: a bundle's keywords are fixed"
    return FORM if "_" in hint or _SETTING.search(hint) else hint


def _hint(hint: str, keys: Sequence[str], *, lacks_part: bool) -> str:
    """Return a hint about a spec as one about the command line of `evaluate`.

    Args:
        hint: As the reading of data gives it.
        keys: Keys of [data] that can be set.
        lacks_part: Whether all of the data as one part would do.
    """
    options: list[str] = []
    for key, first, more in _SETTING.findall(hint):
        if key in keys:
            values = [value.strip(' "') for value in (first, *more.split(" or ")[1:])]
            options += [f"--set {shlex.quote(f'data.{key}={value}')}" for value in values]
    if lacks_part:
        options.append("--all, which scores all of the data and needs no split")
    if options:
        return f"add {' or '.join(options)}"
    return _plain_hint(hint)
