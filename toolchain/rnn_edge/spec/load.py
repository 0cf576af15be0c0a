"""Reads specs and replay streams, and writes specs with every value filled in."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import tomli_w
from pydantic import ValidationError

from rnn_edge.errors import EnvironmentFailureError, SpecError
from rnn_edge.registry import known
from rnn_edge.resources import data_folder
from rnn_edge.spec.data import PLACES
from rnn_edge.spec.messages import choice, mistakes, show
from rnn_edge.spec.overrides import apply_overrides
from rnn_edge.spec.section import Section
from rnn_edge.spec.spec import ModelSpec
from rnn_edge.spec.stream import MAX_HELD_STEPS, STREAM_KINDS, StreamSpec, keys_of_kind

DEFAULT_SPEC = "demo"
"""Shipped spec that is built when none is named; it needs no download."""

S = TypeVar("S", bound=Section)


def load_spec(path: Path | str | None = None, overrides: Sequence[str] = ()) -> ModelSpec:
    """Read and check a spec.

    Args:
        path: A file, or the name of a shipped spec; None for `DEFAULT_SPEC`. A relative
            place in its ``[data]`` (`PLACES`) is taken from the folder of the file.
        overrides: ``section.key=value`` each; they win over the file, and paths in them are
            relative to the working folder.

    Raises:
        SpecError: With every mistake: file, key, value, and what is allowed.
    """
    file = find_file(path if path is not None else DEFAULT_SPEC, "models", "spec")
    raw = read_toml(file, "spec")
    data = raw.get("data")
    for key in PLACES:
        if isinstance(data, dict) and isinstance(data.get(key), str):
            data[key] = str(file.parent / data[key])
    origin = spec_origin(file, overrides)
    spec = validate(ModelSpec, apply_overrides(raw, overrides), origin)
    try:
        stream = load_stream(spec.replay.stream, spec.model.task)
    except SpecError as error:
        raise SpecError(f"{origin}: replay.stream: {error.message}", error.hint) from None
    if stream.steps > MAX_HELD_STEPS:
        raise SpecError(
            f"{origin}: replay.stream has {stream.steps:,} frames; expected at most "
            f"{MAX_HELD_STEPS:,}, since a build holds them in memory.",
            "prove the build on a shorter stream; calibration/ has some",
        )
    for name in spec.drift.streams:
        try:
            load_stream(name, spec.model.task)
        except SpecError as error:
            raise SpecError(f"{origin}: drift.streams: {error.message}", error.hint) from None
    return spec


def spec_origin(path: Path | str | None, overrides: Sequence[str] = ()) -> str:
    """Return how messages call a spec: its file, and what was set besides.

    Args:
        path: As for `load_spec`.
        overrides: ``section.key=value`` each.
    """
    file = find_file(path if path is not None else DEFAULT_SPEC, "models", "spec")
    said = " ".join(f"--set {override}" for override in overrides)
    return f"Spec {file} with {said}" if said else f"Spec {file}"


def load_stream(name: str, task: str) -> StreamSpec:
    """Read and check a replay stream.

    Args:
        name: Of a file in `calibration/`, or the path of one.
        task: The task it has to fit.

    Raises:
        SpecError: If it is missing, has mistakes, or is for another task.
    """
    file = find_file(name, "calibration", "replay stream")
    raw = read_toml(file, "replay stream")
    keys = keys_of_kind(raw)
    if keys is None:
        raise SpecError(
            f"Replay stream {file}: kind = {show(raw['kind'])}; expected {choice(STREAM_KINDS)}."
        )
    stream = validate(keys, raw, f"Replay stream {file}")
    if stream.task != task:
        raise SpecError(f'Replay stream {file}: task = "{stream.task}"; expected "{task}".')
    return stream


def resolved_toml(spec: ModelSpec) -> str:
    """Return the spec as TOML with every value written out; equal specs give equal text.

    The `PLACES` of ``[data]`` are left out: where data lies is not part of a model.
    """
    values = spec.model_dump(exclude_none=True, exclude={"data": set(PLACES)})
    return tomli_w.dumps(values)


def find_file(name: Path | str, folder: str, what: str) -> Path:
    """Return a TOML file given by its path or by the name of a shipped one.

    Raises:
        SpecError: Naming the shipped ones.
    """
    path = Path(name)
    if path.is_file():
        return path
    if len(path.parts) == 1 and path.suffix in ("", ".toml"):
        own = data_folder(folder) / f"{path.stem}.toml"
        if own.is_file():
            return own
    state = "is a folder" if path.is_dir() else "does not exist"
    raise SpecError(
        f"File {path} {state}; expected a {what} in TOML.",
        f"shipped with rnn-edge and usable by name are: {known(shipped(folder))}",
    )


def shipped(folder: str) -> tuple[str, ...]:
    """Return the names of the TOML files in a data folder, without ending, sorted."""
    return tuple(sorted(path.stem for path in data_folder(folder).glob("*.toml")))


def read_toml(file: Path, what: str) -> dict[str, Any]:
    """Return what a TOML file holds.

    Args:
        file: The file.
        what: What it should be, for the message.

    Raises:
        SpecError: If it is not TOML.
        EnvironmentFailureError: If it cannot be read.
    """
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"File {file} is not TOML: {error}; expected a {what}.") from error
    except OSError as error:
        raise EnvironmentFailureError(f"File {file} cannot be read: {error.strerror}.") from error


def validate(model: type[S], raw: dict[str, Any], origin: str) -> S:
    """Return checked values.

    Args:
        model: What they have to be.
        raw: Values as they stand in a TOML file.
        origin: Where they come from, for the message.

    Raises:
        SpecError: With every mistake.
    """
    values = _as_tuples(raw)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = mistakes(error.errors(), model)
        raise SpecError(
            f"{origin}: {lines[0]}" if len(lines) == 1 else _listed(origin, lines)
        ) from None


def _listed(origin: str, lines: list[str]) -> str:
    return "\n  ".join([f"{origin} has {len(lines)} mistakes:", *lines])


def _as_tuples(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    """Turn lists into tuples: a frozen spec holds no list."""
    if isinstance(value, dict):
        return {k: _as_tuples(v) for k, v in value.items()}
    return tuple(_as_tuples(v) for v in value) if isinstance(value, list) else value
