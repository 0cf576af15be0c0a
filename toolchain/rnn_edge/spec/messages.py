"""What is wrong with a spec, in one line per mistake: key, value, and what is allowed."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tomli_w
from pydantic import BaseModel, TypeAdapter
from pydantic_core import ErrorDetails

TAG = "union:"
"""What the tags of a union begin with, which pydantic puts into locations."""

FILLED_BY_TASK = (("features",), ("replay",), ("replay", "stream"))
"""What a spec need not have, once its task is known."""

MAX_VALUE_LENGTH = 60
MAX_LISTED_KEYS = 12


def mistakes(errors: Sequence[ErrorDetails], root: type[BaseModel]) -> list[str]:
    """Translate validation errors, one line each, in their order.

    Args:
        errors: From pydantic's ``ValidationError.errors()``.
        root: The model that was validated against.
    """
    places = {error["loc"] for error in errors}
    # A list with a wrong item is reported once, by the item.
    inner = {loc[:k] for loc in places for k in range(1, len(loc))}
    told = [error for error in errors if error["loc"] not in inner]
    if any(error["loc"][:1] == ("model",) for error in told):
        # Without a task, sections lack the defaults that it gives them.
        told = [e for e in told if e["type"] != "missing" or e["loc"] not in FILLED_BY_TASK]
    return [_mistake(error, root) for error in told]


def show(value: object) -> str:
    """Return a value as it would stand in a TOML file, shortened where it is long."""
    text = " ".join(_toml(value).split())
    return text if len(text) <= MAX_VALUE_LENGTH else text[: MAX_VALUE_LENGTH - 3] + "..."


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {_toml(item)}' for key, item in value.items())}}}"
    try:
        return tomli_w.dumps({"v": value}).removeprefix("v = ").strip()
    except (TypeError, ValueError):
        return repr(value)


def allowed(annotation: Any) -> str:  # noqa: ANN401 - any type expression
    """Describe in words what values a type admits."""
    schema = TypeAdapter(annotation).json_schema()
    return _words(schema, schema.get("$defs", {}))


def field_type(model: type[BaseModel], name: str) -> Any:  # noqa: ANN401 - a type expression
    """Return the type of a field with its limits."""
    field = model.model_fields[name]
    kept: Any = field.annotation
    for item in field.metadata:
        kept = typing.Annotated[kept, item]
    return kept


def closest(name: str, known: Sequence[str]) -> str:
    """Return a sentence that names the closest known key, or all of them."""
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if match and len(known) > MAX_LISTED_KEYS:
        return f'did you mean "{match[0]}"?'
    listed = ", ".join(known) if known else "none"
    return f'did you mean "{match[0]}"? Known are {listed}.' if match else f"known are {listed}."


def section_models(model: type[BaseModel], name: str) -> dict[str, type[BaseModel]]:
    """Return the models that a section may be, by kind ("" where there is only one)."""
    found = _model_classes(model.model_fields[name].annotation)
    if len(found) < 2:
        return {"": found[0]} if found else {}
    return {typing.get_args(m.model_fields["kind"].annotation)[0]: m for m in found}


def _model_classes(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - a type expression
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, typing.Annotated, tuple):
        parts = typing.get_args(annotation)
        return [c for part in parts for c in _model_classes(part)]
    return []


def _mistake(error: ErrorDetails, root: type[BaseModel]) -> str:
    path, model = _place(error["loc"], root)
    kind = error["type"]
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
    if kind == "value_error":
        text = str(error["ctx"]["error"])
        return f"{key}: {text}." if key else f"{text}."
    if kind == "extra_forbidden":
        known = list(model.model_fields) if model else []
        what = (
            f"[{key}]" if isinstance(error["input"], Mapping) else f"{key} = {show(error['input'])}"
        )
        return f"{what}; unknown key, {closest(str(path[-1]), known)}"
    if kind == "union_tag_not_found":
        return f"{key}.kind is missing; expected {_kinds(root, str(path[0]))}."
    if kind == "union_tag_invalid":
        value = show(error["input"].get("kind"))
        return f"{key}.kind = {value}; expected {_kinds(root, str(path[0]))}."
    expected = _expected(path, model)
    if kind == "missing":
        return f"{key} is missing; expected {expected}."
    if kind == "string_too_long" and error["ctx"]["max_length"] > 1:
        count = len(error["input"])
        return f"{key} = {show(error['input'])} has {count:,} characters; expected {expected}."
    if kind == "string_too_short" and not error["input"]:
        return f"{key} is empty; expected {expected}."
    return f"{key} = {show(error['input'])}; expected {expected}."


def _kinds(root: type[BaseModel], section: str) -> str:
    return choice(list(section_models(root, section)))


def _place(
    loc: tuple[int | str, ...], root: type[BaseModel]
) -> tuple[list[int | str], type[BaseModel] | None]:
    """Return the path of keys as they stand in the file, and the model of the last key's table.

    Pydantic puts the kind of a section and the tag of a union into the location; they are no keys.
    """
    path: list[int | str] = []
    model: type[BaseModel] | None = root
    rest = list(loc)
    if len(rest) > 1 and rest[0] in root.model_fields:
        section = str(rest[0])
        models = section_models(root, section)
        path.append(rest.pop(0))
        if "" in models:
            model = models[""]
        elif rest and rest[0] in models:
            model = models[str(rest.pop(0))]
    path.extend(part for part in rest if not str(part).startswith(TAG))
    return path, model


def _expected(path: list[int | str], model: type[BaseModel] | None) -> str:
    keys = [part for part in path if isinstance(part, str)]
    is_item = isinstance(path[-1], int)
    if model is None or not keys or keys[-1] not in model.model_fields:
        return "a table"
    if _model_classes(model.model_fields[keys[-1]].annotation):
        return "a table"
    if is_item:
        return allowed(typing.get_args(model.model_fields[keys[-1]].annotation)[0])
    return allowed(field_type(model, keys[-1]))


def _words(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _words(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if "enum" in schema:
        return choice(schema["enum"])
    if "const" in schema:
        return choice([schema["const"]])
    if "anyOf" in schema or "oneOf" in schema:
        options = schema["anyOf"] if "anyOf" in schema else schema["oneOf"]
        words = [_words(option, definitions) for option in options if option.get("type") != "null"]
        # One or several of the same are not listed twice.
        return " or ".join(w.replace(words[0], "them") if k else w for k, w in enumerate(words))
    kind = schema.get("type")
    if kind == "boolean":
        return "true or false"
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _range(schema)
    if kind == "array":
        items = _words(schema.get("items", {}), definitions)
        if items == "text":
            items = "texts"
        return f"a list of {items}" + _count(schema)
    if kind == "string":
        if schema.get("maxLength") == 1:
            return "one character"
        if "pattern" in schema:
            return f"a C identifier of up to {schema['maxLength']} characters"
        return "text"
    return "a table"


def _count(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if most is not None:
        return f", {least}" if least == most else f", {least} to {most}"
    return f", at least {least}" if least else ""


def _range(schema: Mapping[str, Any]) -> str:
    parts = []
    for key, words in (
        ("minimum", "from"),
        ("exclusiveMinimum", "over"),
        ("maximum", "to"),
        ("exclusiveMaximum", "below"),
    ):
        if key in schema:
            parts.append(f"{words} {schema[key]:.10g}")
    if parts and parts[0].startswith("over") and parts[-1].startswith("to"):
        parts[-1] = parts[-1].replace("to", "up to", 1)
    return " " + " and ".join(parts).replace(" and to ", " to ") if parts else ""


def choice(names: Iterable[object]) -> str:
    """Join what may be chosen, texts in quotes."""
    quoted = [f'"{name}"' if isinstance(name, str) else str(name) for name in names]
    if len(quoted) == 1:
        return quoted[0]
    return ", ".join(quoted[:-1]) + " or " + quoted[-1]
